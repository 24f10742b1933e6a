//! Which format a scraper is answered in. Owns the reading of `Accept`; the formats are `prometheus-client`'s.

/// A format in which metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus' text format 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
}

/// The media types of `OpenMetrics` and of Prometheus' text.
const OPEN_METRICS: &str = "application/openmetrics-text";
const TEXT: &str = "text/plain";

impl Exposition {
    /// The format that a request accepts best. Without a header, and where neither is accepted, it is the text
    /// format, as Prometheus' own client libraries answer.
    #[must_use]
    pub fn of_accept(accept: Option<&str>) -> Self {
        let weight = |is: fn(&str, &[&str]) -> bool| {
            let ranges = accept.unwrap_or_default().split(',').map(|range| range.split(';').map(str::trim));
            ranges
                .filter_map(|mut parts| {
                    let kind = parts.next()?.to_ascii_lowercase();
                    let parameters: Vec<&str> = parts.collect();
                    is(&kind, &parameters).then(|| quality(&parameters))
                })
                .fold(0.0_f64, f64::max)
        };
        let open = weight(|kind, parameters| kind == OPEN_METRICS && has_version(parameters, "1.0.0"));
        let text = weight(|kind, parameters| {
            (kind == TEXT && has_version(parameters, "0.0.4")) || kind == "text/*" || kind == "*/*"
        });
        if open > 0.0 && open >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Whether a media range asks for this version, or for none.
fn has_version(parameters: &[&str], version: &str) -> bool {
    parameters.iter().find_map(|parameter| parameter.strip_prefix("version=")).is_none_or(|asked| asked == version)
}

/// The weight of a media range, 1 where it says none or nonsense.
fn quality(parameters: &[&str]) -> f64 {
    let said = parameters.iter().find_map(|parameter| parameter.strip_prefix("q="));
    said.and_then(|said| said.parse().ok()).filter(|said| (0.0..=1.0).contains(said)).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_the_format_that_it_prefers() {
        for (accept, expected) in [
            // As Prometheus 2 asks.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Exposition::OpenMetrics,
            ),
            // As Prometheus 3 asks.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Exposition::OpenMetrics,
            ),
            ("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5", Exposition::Text),
            ("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", Exposition::OpenMetrics),
            ("application/openmetrics-text; version=0.0.1", Exposition::Text),
            ("application/openmetrics-text; version=2.0.0", Exposition::Text),
            ("application/openmetrics-text;q=0", Exposition::Text),
            ("application/openmetrics-text;q=nonsense", Exposition::OpenMetrics),
            ("text/html,*/*;q=0.8", Exposition::Text),
            ("application/json", Exposition::Text),
            ("", Exposition::Text),
        ] {
            assert_eq!(Exposition::of_accept(Some(accept)), expected, "{accept}");
        }
        assert_eq!(Exposition::of_accept(None), Exposition::Text);
    }
}
