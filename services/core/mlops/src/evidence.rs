//! What comparisons say for and against a version. Owns which of them count: those of these very weights with the very
//! weights in force, newer than the last way back. Refuses to know how a comparison is made.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::EventId;
use hindcast_domain::event::Recorded;
use hindcast_domain::model::{Judged, Verdict};
use serde::{Deserialize, Serialize};

/// Comparisons of one version that are kept, newest last: one for each environment and pair of weights.
const KEPT_MAX: usize = 100;

/// How the newest comparison of two sets of weights in one environment ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ComparisonEnd {
    event: EventId,
    position: u64,
    verdict: Verdict,
    environment: Option<String>,
    hash: Option<String>,
    against_hash: Option<String>,
}

/// All comparisons that may still count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionEvidence {
    by_version: BTreeMap<u32, Vec<ComparisonEnd>>,
    /// Environments of the tenant that have incidents, as the comparisons found them.
    environments: BTreeSet<String>,
    /// The position of the last way back: what was compared before it counts no more.
    since: u64,
}

impl VersionEvidence {
    /// Takes in how a comparison ended.
    pub fn judged(&mut self, judged: &Judged, recorded: &Recorded) {
        self.environments.extend(judged.environments.iter().cloned());
        let end = ComparisonEnd {
            event: recorded.id.clone(),
            position: recorded.position,
            verdict: judged.verdict,
            environment: judged.environment.clone(),
            hash: judged.hash.clone(),
            against_hash: judged.against_hash.clone(),
        };
        let same = |known: &ComparisonEnd| {
            (&known.environment, &known.hash, &known.against_hash) == (&end.environment, &end.hash, &end.against_hash)
        };
        let of_version = self.by_version.entry(judged.version).or_default();
        of_version.retain(|known| !same(known));
        of_version.push(end);
        let surplus = of_version.len().saturating_sub(KEPT_MAX);
        of_version.drain(..surplus);
    }

    /// A version was left: it has to be compared anew before it, or another one, replaces what decides now.
    pub const fn rolled_back(&mut self, position: u64) {
        self.since = position;
    }

    /// Forgets a version.
    pub fn forget(&mut self, version: u32) {
        self.by_version.remove(&version);
    }

    /// The comparisons that let a version replace what is in force everywhere: at least one passed, none failed, and no
    /// environment with incidents is left out.
    ///
    /// # Errors
    /// What there is instead, in words.
    pub fn passed(&self, version: u32, hash: &str, against_hash: &str) -> Result<Vec<EventId>, String> {
        let all = self.by_version.get(&version).map(Vec::as_slice).unwrap_or_default();
        let counts = |end: &&ComparisonEnd| {
            let of_these = end.hash.as_deref() == Some(hash) && end.against_hash.as_deref() == Some(against_hash);
            of_these && end.position > self.since
        };
        let live: Vec<&ComparisonEnd> = all.iter().filter(counts).collect();
        if live.is_empty() {
            let stale = "none that counts: the last one was of other weights, or came before a rollback";
            return Err(if all.is_empty() { "none".to_owned() } else { stale.to_owned() });
        }
        let word = |end: &ComparisonEnd| {
            let place = end.environment.as_deref().map(|name| format!(" in {name}")).unwrap_or_default();
            format!("{:?}{place}", end.verdict).to_lowercase()
        };
        if let Some(failed) = live.iter().find(|end| end.verdict == Verdict::Fail) {
            return Err(word(failed));
        }
        let looked_at = |end: &&&ComparisonEnd| matches!(end.verdict, Verdict::Pass | Verdict::Inconclusive);
        let whole = live.iter().filter(looked_at).any(|end| end.environment.is_none());
        let seen: BTreeSet<&str> = live.iter().filter(looked_at).filter_map(|end| end.environment.as_deref()).collect();
        if let Some(left_out) = self.environments.iter().find(|name| !whole && !seen.contains(name.as_str())) {
            return Err(format!("none in {left_out}"));
        }
        let passes: Vec<EventId> =
            live.iter().filter(|end| end.verdict == Verdict::Pass).map(|end| end.event.clone()).collect();
        match live.last() {
            Some(newest) if passes.is_empty() => Err(word(newest)),
            _ => Ok(passes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_domain::event::Event;
    use hindcast_domain::model::PAIR_SCORER;
    use hindcast_domain::{Partition, Time};

    fn seen(
        evidence: &mut VersionEvidence,
        position: u64,
        environment: &str,
        hash: &str,
        against: &str,
        verdict: Verdict,
    ) {
        let judged = Judged {
            name: PAIR_SCORER.into(),
            version: 2,
            against: 1,
            verdict,
            reasons: vec!["so".into()],
            report: serde_json::Value::Null,
            environment: Some(environment.into()),
            hash: Some(hash.into()),
            against_hash: Some(against.into()),
            environments: ["production", "staging"].map(str::to_owned).into(),
        };
        let recorded = Recorded {
            id: EventId::derive(&[&position.to_be_bytes()]),
            position,
            partition: Partition::whole("default"),
            subject: "pair-scorer/2".into(),
            revision: None,
            time: Time::ZERO,
            actor: "ada".into(),
            cause: None,
            event: Event::ModelJudged(judged.clone()),
        };
        evidence.judged(&judged, &recorded);
    }

    #[test]
    fn a_pass_counts_where_it_was_made_and_a_fail_elsewhere_blocks() {
        use Verdict::{Fail, Inconclusive, Pass};
        let mut evidence = VersionEvidence::default();
        assert_eq!(evidence.passed(2, "b", "a"), Err("none".into()));
        seen(&mut evidence, 1, "staging", "b", "a", Pass);
        assert_eq!(evidence.passed(2, "b", "a"), Err("none in production".into()));
        seen(&mut evidence, 2, "production", "b", "a", Fail);
        assert_eq!(evidence.passed(2, "b", "a"), Err("fail in production".into()));
        seen(&mut evidence, 3, "production", "b", "a", Inconclusive);
        assert!(evidence.passed(2, "b", "a").is_ok());
        seen(&mut evidence, 4, "staging", "b", "a", Fail);
        assert_eq!(evidence.passed(2, "b", "a"), Err("fail in staging".into()));
    }

    #[test]
    fn a_pass_of_other_weights_or_of_before_a_rollback_counts_no_more() {
        let mut evidence = VersionEvidence::default();
        for (position, environment) in [(1, "production"), (2, "staging")] {
            seen(&mut evidence, position, environment, "b", "a", Verdict::Pass);
        }
        assert_eq!(evidence.passed(2, "b", "a").map(|passes| passes.len()), Ok(2));
        assert!(evidence.passed(2, "b", "changed by hand").is_err());
        assert!(evidence.passed(2, "another b", "a").is_err());
        evidence.rolled_back(3);
        assert!(evidence.passed(2, "b", "a").is_err());
        for (position, environment) in [(4, "production"), (5, "staging")] {
            seen(&mut evidence, position, environment, "b", "a", Verdict::Pass);
        }
        assert!(evidence.passed(2, "b", "a").is_ok());
    }
}
