//! The connection to a mail server, from settings. Owns that a password travels over TLS, or to this very machine.

use std::time::Duration;

use hindcast_messaging::Misconfigured;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use crate::EmailOptions;

/// How long one step of the conversation may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The port of mail that a client hands in, with STARTTLS and without.
const SUBMISSION: u16 = 587;
/// The port of the same over TLS from the first byte on.
const SUBMISSIONS: u16 = 465;

pub(crate) fn transport(options: &EmailOptions) -> Result<AsyncSmtpTransport<Tokio1Executor>, Misconfigured> {
    let bad = |expected, got: &str| Misconfigured { what: "url", expected, got: got.to_owned() };
    let expected = "smtps://HOST[:PORT], or smtp://HOST[:PORT] with STARTTLS; the account is user and token_env";
    let (scheme, rest) = options.url.trim().split_once("://").ok_or_else(|| bad(expected, "no URL"))?;
    let place = rest.trim_end_matches('/');
    // An address with a password in it is not shown.
    if place.is_empty() || place.contains(['@', '/', '?', '#']) {
        return Err(bad(expected, "an address with more than a host and a port"));
    }
    let (host, port) = host_and_port(place).ok_or_else(|| bad(expected, "a port that is no number"))?;
    let tls = || {
        TlsParameters::new(host.clone()).map_err(|error| Misconfigured {
            what: "url",
            expected: "a host that TLS can be spoken with",
            got: error.to_string(),
        })
    };
    let (tls, default) = match (scheme, options.in_clear) {
        ("smtps", _) => (Tls::Wrapper(tls()?), SUBMISSIONS),
        ("smtp", false) => (Tls::Required(tls()?), SUBMISSION),
        ("smtp", true) => (Tls::None, SUBMISSION),
        _ => return Err(bad(expected, scheme)),
    };
    let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if matches!(tls, Tls::None) && options.password.is_some() && !is_here {
        let expected = "TLS where there is a password: leave out tls = \"none\"";
        return Err(Misconfigured { what: "tls", expected, got: "none".to_owned() });
    }
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port.unwrap_or(default))
        .tls(tls)
        .hello_name(ClientId::Domain("hindcast".to_owned()))
        .timeout(Some(TIMEOUT));
    match (&options.user, &options.password) {
        (Some(user), Some(password)) => {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        (None, None) => {}
        (user, _) => {
            let got = if user.is_some() { "user alone" } else { "a password alone" };
            let expected = "user together with token_env or token_file, or neither";
            return Err(Misconfigured { what: "user", expected, got: got.to_owned() });
        }
    }
    Ok(builder.build())
}

/// `host`, `host:587`, `[::1]:587`.
fn host_and_port(place: &str) -> Option<(String, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let port = port.strip_prefix(':').map(str::parse).transpose().ok()?;
        return Some((host.to_owned(), port));
    }
    match place.rsplit_once(':') {
        Some((host, port)) => Some((host.to_owned(), Some(port.parse().ok()?))),
        None => Some((place.to_owned(), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str, in_clear: bool, password: bool) -> EmailOptions {
        EmailOptions {
            url: url.to_owned(),
            in_clear,
            user: password.then(|| "ops".to_owned()),
            password: password.then(|| "s3cret".into()),
            from: "hindcast@example.com".to_owned(),
            to: vec!["ops@example.com".to_owned()],
        }
    }

    #[test]
    fn a_password_travels_over_tls_or_to_this_machine() {
        for good in ["smtps://mail.example.com", "smtp://mail.example.com:587/"] {
            assert!(transport(&options(good, false, true)).is_ok(), "{good}");
        }
        assert!(transport(&options("smtp://127.0.0.1:2525", true, true)).is_ok());
        assert!(transport(&options("smtp://relay.example.com:25", true, false)).is_ok());
        let refused = transport(&options("smtp://relay.example.com:25", true, true)).err().unwrap();
        assert!(refused.to_string().contains("TLS"), "{refused}");
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_showing_a_password() {
        for bad in ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://a:b", "smtps://u:s3cret@h"] {
            let refused = transport(&options(bad, false, false)).err().unwrap().to_string();
            assert!(!refused.contains("s3cret") && refused.contains("smtps://HOST"), "{bad}: {refused}");
        }
        assert_eq!(host_and_port("[::1]:25"), Some(("::1".to_owned(), Some(25))));
    }
}
