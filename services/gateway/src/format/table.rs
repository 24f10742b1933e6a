//! The one table of formats. Owns their names, which are promises; refuses to know what stands behind one.

use hindcast_api::{Code, Problem};
use serde_json::Value;

use super::{Bad, Context, Item, Payload, SplitPayload, alertmanager, change, generic, github, prometheus};

/// One row of the table of formats.
pub struct Format {
    /// Its name in addresses and configuration.
    pub name: &'static str,
    /// Whose it is, in plain words.
    pub about: &'static str,
    /// Formats of one family give one alert the same fingerprint.
    pub family: &'static str,
    code: Option<Normaliser>,
    /// Whether it goes to the store of telemetry, and no normaliser makes alerts of it.
    telemetry: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Normaliser {
    pub(super) split: fn(Payload, &Context<'_>) -> Result<SplitPayload, Problem>,
    pub(super) item: fn(&Value, &Context<'_>) -> Result<Item, Bad>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn built(name: &'static str, family: &'static str, about: &'static str, code: Normaliser) -> Format {
    Format { name, about, family, code: Some(code), telemetry: false }
}

const fn promised(name: &'static str, about: &'static str) -> Format {
    Format { name, about, family: name, code: None, telemetry: false }
}

const fn telemetry(name: &'static str, about: &'static str) -> Format {
    Format { name, about, family: name, code: None, telemetry: true }
}

const WEBHOOK: Normaliser = Normaliser { split: alertmanager::split, item: alertmanager::item };

/// All formats: those that are built, then those that are promised. `docs/formats.md` shows the same table,
/// which a test compares.
pub const FORMATS: &[Format] = &[
    built("alertmanager", "prometheus", "the webhook of an Alertmanager, version 4", WEBHOOK),
    built("grafana", "prometheus", "the webhook of Grafana's unified alerting", WEBHOOK),
    built(
        "prometheus",
        "prometheus",
        "what Prometheus, vmalert, the rulers of Loki and Mimir and amtool send to an Alertmanager",
        Normaliser { split: prometheus::split, item: prometheus::item },
    ),
    built(
        "generic",
        "generic",
        "any JSON with a name, by default names or a mapping",
        Normaliser { split: generic::split, item: generic::item },
    ),
    built(
        "change",
        "change",
        "deploys, flags and configuration changes",
        Normaliser { split: change::split, item: change::item },
    ),
    built(
        "github",
        "github",
        "deployments, releases, pushes and workflow runs of GitHub",
        Normaliser { split: github::split, item: github::item },
    ),
    telemetry("logs", "log records as newline-delimited JSON"),
    promised("pagerduty", "Events API v2 of PagerDuty"),
    promised("opsgenie", "the alert API of Opsgenie"),
    promised("cloudwatch-sns", "CloudWatch alarms over SNS"),
    promised("gcp-monitoring", "incidents of Google Cloud Monitoring"),
    promised("cloudevents", "CloudEvents 1.0, one or a batch"),
];

/// The row of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

impl Format {
    /// Whether it can be used.
    #[must_use]
    pub const fn is_built(&self) -> bool {
        self.code.is_some() || self.telemetry
    }

    /// Whether what it reads is telemetry, which goes beside the ledger.
    #[must_use]
    pub const fn is_telemetry(&self) -> bool {
        self.telemetry
    }

    /// Whether what it reads are alerts, and no changes.
    #[must_use]
    pub fn makes_alerts(&self) -> bool {
        self.code.is_some() && !matches!(self.name, "change" | "github")
    }

    /// The functions of the format: how its payload is taken apart and normalised.
    ///
    /// # Errors
    /// When it is promised and not built, or makes no alerts.
    pub(super) fn normaliser(&self) -> Result<Normaliser, Problem> {
        let name = self.name;
        self.code.ok_or_else(|| Problem::new(Code::NotImplemented, format!("the format {name} is not built yet")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_shows_the_table() {
        let document = include_str!("../../../../docs/formats.md");
        for format in FORMATS {
            let state = if format.is_built() { "built" } else { "promised" };
            let row = format!("| `{}` | {} | {state} |", format.name, format.about);
            assert!(document.contains(&row), "{row}");
        }
    }
}
