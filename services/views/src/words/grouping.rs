//! Why an alert went where it went, in plain words: the parts of a score, the strongest first.

use hindcast_domain::incident::{Considered, Grouping};
use hindcast_domain::words::GroupingRule;

use super::{Names, score};

/// Parts that are named; the rest weighs less than these.
const PARTS_NAMED: usize = 3;
/// Thousandths of log-odds below which a part says nothing.
const PART_MIN: i32 = 100;

/// Why it belongs there: `0.91 because same service as nginx: HighErrorRate and close in time`.
pub(crate) fn why_joined(grouping: &Grouping, names: &dyn Names) -> String {
    match grouping.rule {
        GroupingRule::First => return "it stands alone; it is the first of its incident".to_owned(),
        GroupingRule::SameFingerprint => return "it is the same alert as before".to_owned(),
        GroupingRule::Score | GroupingRule::Other(_) => {}
    }
    let mut parts: Vec<(&str, i32)> =
        grouping.parts.iter().filter(|(_, weight)| **weight >= PART_MIN).map(|(name, w)| (name.as_str(), *w)).collect();
    parts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let reasons: Vec<String> = parts.iter().take(PARTS_NAMED).map(|(name, _)| part(name)).collect();
    let like = grouping.like.as_ref().map(|like| format!(" with {}", names.alert(like.as_str()))).unwrap_or_default();
    let because = match reasons.split_last() {
        None => String::new(),
        Some((only, [])) => format!(" because {only}{like}"),
        Some((last, rest)) => format!(" because {} and {last}{like}", rest.join(", ")),
    };
    format!("{:.2}{because} ({:.2} was needed)", score(grouping.score), score(grouping.threshold))
}

/// Why it was kept out of another incident.
pub(crate) fn kept_out(considered: &Considered) -> String {
    format!("kept out of {}: {:.2} ({})", considered.incident, score(considered.score), considered.why)
}

fn part(name: &str) -> String {
    match name {
        "time" => "close in time".to_owned(),
        "same_service" => "of the same service".to_owned(),
        "topology" => "of services that call each other".to_owned(),
        "still_firing" => "while it still fires".to_owned(),
        "same_resource" => "on the same resource".to_owned(),
        "same_name" => "of the same name".to_owned(),
        "labels" => "of like labels".to_owned(),
        "words" => "of like words".to_owned(),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain;
    impl Names for Plain {
        fn alert(&self, fingerprint: &str) -> String {
            format!("<{fingerprint}>")
        }
    }

    #[test]
    fn the_strongest_parts_are_named_first_and_weak_ones_not_at_all() {
        let grouping = Grouping {
            rule: "score".into(),
            weights: 1,
            score: 914,
            threshold: 500,
            parts: [("time", 900), ("same_service", 2_000), ("labels", 20), ("bias", -1_000)]
                .into_iter()
                .map(|(name, weight)| (name.to_owned(), weight))
                .collect(),
            like: "0123456789abcdef0123".parse().ok(),
            considered: Vec::new(),
        };
        let said = why_joined(&grouping, &Plain);
        assert_eq!(
            said,
            "0.91 because of the same service and close in time with <0123456789abcdef0123> (0.50 was needed)"
        );
    }
}
