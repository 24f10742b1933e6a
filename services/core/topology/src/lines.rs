//! Names of other services in a log line: as addresses, or as words where a call is spoken of. Pure; refuses to know
//! which services there are.

use hindcast_domain::links::LinkSource;

/// Bytes of a line that are read.
const LINE_BYTES_MAX: usize = 1_024;
/// Words that stand before the name of a service where a line speaks of a call.
const CUES: [&str; 14] = [
    "to",
    "from",
    "upstream",
    "service",
    "calling",
    "call",
    "backend",
    "host",
    "server",
    "via",
    "against",
    "dependency",
    "peer",
    "target",
];

/// Other services that a line names, each with how; `known` answers the one name of a service by any of its names.
pub(crate) fn named(text: &str, known: impl Fn(&str) -> Option<String>) -> Vec<(String, LinkSource)> {
    let text = &text[..text.floor_char_boundary(LINE_BYTES_MAX)];
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@');
    let mut found: Vec<(String, LinkSource)> = Vec::new();
    let mut before = "";
    for word in text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()) {
        let word = word.trim_matches(['.', ':', '/', '-']);
        let seen = match address(word) {
            Some(host) => of_host(host, &known).map(|service| (service, LinkSource::Addresses)),
            None if tells(word, before) => known(word).map(|service| (service, LinkSource::Names)),
            None => None,
        };
        found.extend(seen.filter(|(service, _)| !found.iter().any(|(known, _)| known == service)));
        before = word;
    }
    found
}

/// The host of an address: of a URL, or of a name or number with a port.
fn address(word: &str) -> Option<&str> {
    let (scheme, rest) = word.split_once("://").map_or((None, word), |(scheme, rest)| (Some(scheme), rest));
    let rest = rest.split('/').next().unwrap_or_default();
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let has_port =
        port.is_some_and(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()));
    // A time of day is no address.
    let is_host = host.bytes().any(|b| b.is_ascii_alphabetic()) || host.bytes().filter(|b| *b == b'.').count() == 3;
    (is_host && (has_port || scheme.is_some())).then_some(host)
}

/// The service behind a host: by the whole name, its first label, or that without the number of a replica.
pub(crate) fn of_host(host: &str, known: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let label = host.split('.').next().unwrap_or(host);
    let base =
        label.rsplit_once('-').filter(|(_, tail)| tail.bytes().all(|b| b.is_ascii_digit())).map(|(base, _)| base);
    known(host).or_else(|| known(label)).or_else(|| known(base?))
}

/// Whether a word can only be a name, or stands where a line speaks of a call.
fn tells(word: &str, before: &str) -> bool {
    let is_long = (4..=128).contains(&word.len()) && !word.contains(['/', ':', '@']);
    let is_compound = word.contains(['-', '_']) && word.bytes().any(|b| b.is_ascii_alphabetic());
    is_long && (is_compound || CUES.iter().any(|cue| before.eq_ignore_ascii_case(cue)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[(&str, LinkSource)]) {
        let known = ["postgres", "payments-api", "redis", "mail", "10.0.3.7"];
        let known = |name: &str| known.contains(&name).then(|| name.to_owned());
        let expect: Vec<_> = expect.iter().map(|(name, source)| ((*name).to_owned(), source.clone())).collect();
        assert_eq!(named(text, known), expect, "{text}");
    }

    #[test]
    fn addresses_and_names_are_told_from_words() {
        check("dial tcp postgres:5432: connection refused", &[("postgres", LinkSource::Addresses)]);
        check("GET http://payments-api.shop.svc.cluster.local/v1 503", &[("payments-api", LinkSource::Addresses)]);
        check("postgresql://user@postgres-0.db.svc:5432/shop", &[("postgres", LinkSource::Addresses)]);
        check("lost 10.0.3.7:9092 at 03:12:09", &[("10.0.3.7", LinkSource::Addresses)]);
        check("payments-api answered 500 twice, payments-api", &[("payments-api", LinkSource::Names)]);
        check("timeout while connecting to redis", &[("redis", LinkSource::Names)]);
        check("the mail was sent at 10:22", &[]);
        check("redis said nothing about /var/log/mail", &[]);
        check(&"ä".repeat(4_000), &[]);
    }
}
