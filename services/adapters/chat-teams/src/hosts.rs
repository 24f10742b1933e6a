//! Whom we speak to: the hosts that a service address may name. An address comes in with a delivery and our
//! token goes out to it, so it is held against a list first. Refuses addresses with a user, a port, a query.

use reqwest::Url;

/// The hosts where Microsoft serves conversations of Teams, in its public and government clouds. A `*.` stands
/// for one or more labels.
pub const HOSTS: [&str; 6] = [
    "smba.trafficmanager.net",
    "*.botframework.com",
    "*.botframework.azure.us",
    "*.teams.microsoft.com",
    "*.teams.microsoft.us",
    "*.infra.gov.teams.microsoft.us",
];

/// The hosts that a service address may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    patterns: Vec<String>,
    /// Whether plain HTTP to this very machine is allowed too.
    loopback: bool,
}

impl Hosts {
    /// Hosts by name or `*.suffix`; this machine over plain HTTP as well where `loopback` says so.
    #[must_use]
    pub fn new<S: AsRef<str>>(patterns: &[S], loopback: bool) -> Self {
        let patterns = patterns.iter().map(|pattern| pattern.as_ref().trim().to_ascii_lowercase()).collect();
        Self { patterns, loopback }
    }

    /// The service address, if our token may go there.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub fn check(&self, service_url: &str) -> Result<Url, &'static str> {
        // What a parser would mend silently is no address of a service.
        if service_url.len() > 512 || service_url.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '\\') {
            return Err("the service URL is no URL");
        }
        let url = Url::parse(service_url).map_err(|_| "the service URL is no URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the service URL names a user");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the service URL has a query or a fragment");
        }
        if self.loopback && is_loopback(&url) {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err("the service URL is not https");
        }
        if url.port().is_some() {
            return Err("the service URL names a port");
        }
        let host = url.host_str().unwrap_or_default();
        if !self.patterns.iter().any(|pattern| matches(pattern, host)) {
            return Err("the service URL's host is none of Microsoft's, nor that of the service_url in the settings");
        }
        Ok(url)
    }
}

/// Whether an address is plain HTTP to this very machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "http" && matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// An address that we read or send secrets to: https, or this very machine.
pub(crate) fn trusted(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    (url.scheme() == "https" && url.host_str().is_some() || is_loopback(&url)).then_some(url)
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(suffix) => {
            !suffix.is_empty() && host.strip_suffix(suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        }
        None => !pattern.is_empty() && host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public() -> Hosts {
        Hosts::new(&HOSTS, false)
    }

    #[test]
    fn microsofts_own_addresses_are_allowed() {
        for good in [
            "https://smba.trafficmanager.net/emea/",
            "https://smba.trafficmanager.net",
            "https://SMBA.trafficmanager.net/amer/",
            "https://webchat.botframework.com/",
            "https://smba.infra.gcc.teams.microsoft.com/teams",
            "https://smba.infra.gov.teams.microsoft.us/gcch/",
        ] {
            assert!(public().check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn whoever_else_is_refused() {
        for bad in [
            "",
            "smba.trafficmanager.net",
            "http://smba.trafficmanager.net/emea/",
            "https://evil.trafficmanager.net/",
            "https://smba.trafficmanager.net.evil.example/",
            "https://evilbotframework.com/",
            "https://botframework.com/",
            "https://.botframework.com/",
            "https://smba.trafficmanager.net@evil.example/",
            "https://user:word@smba.trafficmanager.net/",
            "https://smba.trafficmanager.net:8443/",
            "https://smba.trafficmanager.net/?to=x",
            "https://smba.trafficmanager.net/#x",
            "https:\\\\smba.trafficmanager.net\\@evil.example/",
            "https://smba.trafficmanager.net/\n",
            "https://169.254.169.254/",
            "http://127.0.0.1:80/",
            "file:///etc/passwd",
        ] {
            assert!(public().check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn this_machine_is_allowed_only_where_a_test_says_so() {
        let test = Hosts::new(&HOSTS, true);
        for local in ["http://127.0.0.1:4000/emea/", "http://localhost:4000/", "http://[::1]:4000/"] {
            assert!(test.check(local).is_ok(), "{local}");
            assert!(public().check(local).is_err(), "{local}");
        }
        assert!(test.check("http://127.0.0.1.evil.example/").is_err());
        assert!(test.check("http://192.168.0.1/").is_err());
    }
}
