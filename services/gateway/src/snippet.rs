//! What to paste where, so that a sender finds its door. Owns the words of `hindcast source add`; refuses to
//! know a secret: it names where one goes.

use crate::source::{AuthConfig, SourceConfig};

/// The lines to paste into the sender's own configuration.
#[must_use]
pub fn snippet(source: &SourceConfig, base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let address = format!("{base}/ingest/{}", source.name);
    match source.format.as_str() {
        "alertmanager" => {
            let credential = yaml_credential(source.auth.as_ref(), "        ", true);
            format!(
                "# alertmanager.yml\nreceivers:\n  - name: hindcast\n    webhook_configs:\n      - url: {address}\n{credential}"
            )
        }
        "prometheus" => {
            let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
            let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(h, p)| (h, format!("/{p}")));
            let credential = yaml_credential(source.auth.as_ref(), "      ", false);
            format!(
                "# prometheus.yml\nalerting:\n  alertmanagers:\n    - scheme: {scheme}\n      path_prefix: {path}/ingest/{}\n      \
                 static_configs: [{{ targets: [\"{host}\"] }}]\n{credential}",
                source.name
            )
        }
        "grafana" => format!(
            "# Grafana: Alerting, Contact points, Add contact point\nIntegration: Webhook\nURL: {address}\nHTTP method: POST\n{}",
            spoken_credential(source.auth.as_ref())
        ),
        "github" => format!(
            "# GitHub: Settings, Webhooks, Add webhook\nPayload URL: {address}\nContent type: application/json\n\
             Events: Deployments, Deployment statuses, Releases, Workflow runs, Pushes\n{}",
            spoken_credential(source.auth.as_ref())
        ),
        "change" => format!(
            "curl -fsS {address}{} -H 'Content-Type: application/json' \\\n  \
             -d '{{\"title\":\"Deploy shop 1.4.2\",\"service\":\"shop\",\"version\":\"1.4.2\",\"kind\":\"deploy\"}}'\n",
            curl_credential(source.auth.as_ref())
        ),
        "logs" => format!(
            "curl -fsS {address}{} -H 'Content-Type: application/x-ndjson' --data-binary @lines.ndjson\n\
             # each line: {{\"time\":\"2026-11-20T03:12:00Z\",\"service\":\"db\",\"severity\":\"error\",\"message\":\"disk full\"}}\n",
            curl_credential(source.auth.as_ref())
        ),
        _ => format!(
            "curl -fsS {address}{} -H 'Content-Type: application/json' \\\n  \
             -d '{{\"name\":\"Disk full\",\"service\":\"db\",\"severity\":\"critical\",\"status\":\"firing\"}}'\n",
            curl_credential(source.auth.as_ref())
        ),
    }
}

fn yaml_credential(auth: Option<&AuthConfig>, indent: &str, nested: bool) -> String {
    let (head, indent) = match nested {
        true => (format!("{indent}http_config:\n"), format!("{indent}  ")),
        false => (String::new(), indent.to_owned()),
    };
    match auth {
        Some(AuthConfig::Bearer { .. }) => {
            format!("{head}{indent}authorization: {{ credentials_file: /path/to/token }}\n")
        }
        Some(AuthConfig::Basic { username, .. }) => {
            format!("{head}{indent}basic_auth: {{ username: {username:?}, password_file: /path/to/password }}\n")
        }
        _ => String::new(),
    }
}

fn spoken_credential(auth: Option<&AuthConfig>) -> String {
    match auth {
        Some(AuthConfig::Bearer { .. }) => "Authorization header: Bearer, with the source's token\n".to_owned(),
        Some(AuthConfig::Basic { username, .. }) => {
            format!("HTTP basic: {username}, with the source's password\n")
        }
        Some(AuthConfig::Hmac { .. }) => "Secret: the source's secret\n".to_owned(),
        _ => String::new(),
    }
}

fn curl_credential(auth: Option<&AuthConfig>) -> String {
    match auth {
        Some(AuthConfig::Bearer { .. }) => " -H \"Authorization: Bearer $TOKEN\"".to_owned(),
        Some(AuthConfig::Basic { username, .. }) => format!(" -u \"{username}:$PASSWORD\""),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(format: &str, auth: &str) -> SourceConfig {
        toml::from_str(&format!("name = \"a\"\nformat = \"{format}\"\n{auth}")).unwrap()
    }

    #[test]
    fn a_snippet_names_the_door_and_where_the_credential_goes() {
        let bearer = "auth = { scheme = \"bearer\", keys = [{ id = \"k\", token_env = \"T\" }] }";
        let text = snippet(&source("alertmanager", bearer), "http://127.0.0.1:7171/");
        assert!(text.contains("      - url: http://127.0.0.1:7171/ingest/a\n        http_config:\n"), "{text}");
        assert!(text.contains("          authorization: { credentials_file: "), "{text}");
        let text = snippet(&source("prometheus", ""), "https://hc.example.com/x");
        assert!(text.contains("scheme: https\n      path_prefix: /x/ingest/a\n      static_configs"), "{text}");
        for format in ["grafana", "github", "change", "generic", "logs"] {
            assert!(snippet(&source(format, ""), "http://h").contains("http://h/ingest/a"), "{format}");
        }
    }
}
