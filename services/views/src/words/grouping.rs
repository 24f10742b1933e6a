//! Why an alert went where it went, in plain words: the parts of a score, the strongest first.

use hindcast_domain::incident::{Considered, Grouping};
use hindcast_domain::words::GroupingRule;

use super::{Names, score};

/// Parts that are named; the rest weighs less than these.
const PARTS_NAMED: usize = 3;
/// Thousandths of log-odds below which a part says nothing.
const PART_MIN: i32 = 100;

/// Why it belongs there: `grouped with nginx: HighErrorRate (score 0.91 ≥ 0.50: same service, close in time)`.
pub(crate) fn why_joined(grouping: &Grouping, names: &dyn Names) -> String {
    match grouping.rule {
        GroupingRule::First => return "first alert of the incident".to_owned(),
        GroupingRule::SameFingerprint => return "same alert as before".to_owned(),
        GroupingRule::StillFiring => return "still firing after resolution".to_owned(),
        GroupingRule::Score | GroupingRule::Other(_) => {}
    }
    let mut parts: Vec<(&str, i32)> =
        grouping.parts.iter().filter(|(_, weight)| **weight >= PART_MIN).map(|(name, w)| (name.as_str(), *w)).collect();
    parts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let reasons: Vec<String> = parts.iter().take(PARTS_NAMED).map(|(name, _)| part(name)).collect();
    let like = grouping.like.as_ref().map(|like| format!(" with {}", names.alert(like.as_str()))).unwrap_or_default();
    let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    format!("grouped{like} (score {:.2} ≥ {:.2}{because})", score(grouping.score), score(grouping.threshold))
}

/// Why it was not grouped with another incident: `not grouped with INC-… (0.23 < 0.50: no label in common)`.
pub(crate) fn kept_out(considered: &Considered, threshold: i32) -> String {
    let (score, needed) = (score(considered.score), score(threshold));
    // Another incident can score better than one that passed the threshold too.
    let against = if score < needed { format!("{score:.2} < {needed:.2}") } else { format!("{score:.2}") };
    format!("not grouped with {} ({against}: {})", considered.incident, considered.why)
}

fn part(name: &str) -> String {
    match name {
        "time" => "close in time".to_owned(),
        "same_entity" => "same entity".to_owned(),
        "same_namespace" => "same namespace".to_owned(),
        "returning" => "same alert as before".to_owned(),
        "same_service" => "same service".to_owned(),
        "topology" => "services call each other".to_owned(),
        "still_firing" => "still firing".to_owned(),
        "same_resource" => "same resource".to_owned(),
        "same_name" => "same alert name".to_owned(),
        "labels" => "similar labels".to_owned(),
        "words" => "similar text".to_owned(),
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
    fn a_score_below_the_threshold_says_so() {
        let incident: hindcast_domain::IncidentId = "INC-3K7Q5M8N3P4R6S9T".parse().unwrap();
        let mut considered = Considered { incident, score: 230, why: "no label in common".to_owned() };
        let said = kept_out(&considered, 500);
        assert_eq!(said, "not grouped with INC-3K7Q5M8N3P4R6S9T (0.23 < 0.50: no label in common)");
        considered.score = 610;
        assert!(kept_out(&considered, 500).contains("(0.61: no label"));
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
        assert_eq!(said, "grouped with <0123456789abcdef0123> (score 0.91 ≥ 0.50: same service, close in time)");
    }
}
