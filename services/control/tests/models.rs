//! The pointer to the version in force: only a pass moves it, what decides moves with it in one decision, and
//! the way back is proven before it is taken.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::collections::BTreeMap;

use hindcast_control::{Control, ControlState, models};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::command::{Code, Command, Configured, Received};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::{Judged, Lineage, Registered, Verdict};
use hindcast_domain::{EventId, Partition, Time};
use hindcast_mlops::train;

/// A control lane in memory.
#[derive(Default)]
struct Lane {
    state: ControlState,
    position: u64,
    hashes: BTreeMap<u32, String>,
    by_hand: GroupingWeights,
    environments: Vec<&'static str>,
}

impl Lane {
    fn recorded(&mut self, subject: &str, event: Event) -> Recorded {
        self.position += 1;
        Recorded {
            id: EventId::derive(&[&self.position.to_be_bytes()]),
            position: self.position,
            partition: Partition::whole("default"),
            subject: subject.to_owned(),
            revision: Some(self.position),
            time: Time::ZERO,
            actor: "ada".to_owned(),
            cause: None,
            event,
        }
    }

    fn see(&mut self, subject: &str, event: Event) {
        let fact = self.recorded(subject, event);
        Control.seen(&mut self.state, &fact);
    }

    /// Decides about a command and folds what came of it.
    fn ask(&mut self, command: Command) -> Vec<Event> {
        let key = format!("key-{}", self.position);
        let input = self.recorded(PAIR_SCORER, Event::Command(Received { key, if_match: None, command }));
        let drafts: Vec<Draft> = Control.decide(&self.state, &input.partition, &input, Time::ZERO);
        Control.seen(&mut self.state, &input);
        drafts
            .into_iter()
            .map(|draft| {
                let decision = self.recorded(&draft.subject, draft.event);
                Control.evolve(&mut self.state, &decision);
                decision.event
            })
            .collect()
    }

    fn register(&mut self, version: u32, damaged: bool) {
        let weights =
            GroupingWeights { version, bias: -1_000 - i32::try_from(version).unwrap(), ..GroupingWeights::default() };
        let lineage = Lineage {
            from: 1,
            to: 2,
            labels: 30,
            dataset: "d".into(),
            seed: 1,
            code: "test".into(),
            features: 1,
            parent: 1,
        };
        let hash = if damaged { "other".to_owned() } else { train::hash(&weights, &lineage) };
        self.hashes.insert(version, hash.clone());
        let registered = Registered {
            name: PAIR_SCORER.into(),
            version,
            hash,
            lineage,
            weights: train::to_map(&weights),
            metrics: Default::default(),
            card: String::new(),
        };
        self.see(&format!("{PAIR_SCORER}/{version}"), Event::ModelRegistered(registered));
    }

    fn judge(&mut self, version: u32, against: u32, verdict: Verdict) {
        self.judge_in("production", version, against, verdict);
    }

    /// What learning records of a comparison of what is registered, and of what the settings say now.
    fn judge_in(&mut self, environment: &str, version: u32, against: u32, verdict: Verdict) {
        let report = serde_json::json!({});
        let hash_of = |version| match version {
            1 => train::hand_hash(&self.by_hand),
            learnt => self.hashes.get(&learnt).cloned().unwrap_or_default(),
        };
        let judged = Judged {
            name: PAIR_SCORER.into(),
            version,
            against,
            verdict,
            reasons: vec!["so".into()],
            report,
            environment: Some(environment.to_owned()),
            hash: Some(hash_of(version)),
            against_hash: Some(hash_of(against)),
            environments: self.environments.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.see(&format!("{PAIR_SCORER}/{version}"), Event::ModelJudged(judged));
    }

    /// Weights are set by hand.
    fn set(&mut self, bias: i32) -> Vec<Event> {
        self.by_hand = GroupingWeights { bias, ..GroupingWeights::default() };
        let content = serde_json::json!({"weights": self.by_hand});
        let configured = Configured { section: "correlation".into(), hash: bias.to_string(), content };
        self.ask(Command::Configure(configured))
    }

    fn promote(&mut self, version: u32) -> Vec<Event> {
        self.ask(Command::PromoteModel { model: PAIR_SCORER.into(), version })
    }

    fn back(&mut self) -> Vec<Event> {
        self.ask(Command::RollBackModel { model: PAIR_SCORER.into(), why: "it split what is one".into() })
    }
}

fn refused(events: &[Event], code: Code) -> bool {
    matches!(events, [Event::CommandRejected(rejected)] if rejected.code == code)
}

/// The version whose weights a decision puts in force; 1 where none that was learnt.
fn in_force(events: &[Event]) -> u64 {
    let section = events.iter().find_map(|event| match event {
        Event::Configured(configured) if configured.section == models::SECTION => Some(&configured.content),
        _ => None,
    });
    section.expect("the weights move with the pointer")["version"].as_u64().unwrap_or(1)
}

#[test]
fn only_a_pass_against_what_is_in_force_promotes() {
    let mut lane = Lane::default();
    assert!(refused(&lane.promote(2), Code::NotFound));
    lane.register(2, false);
    assert!(refused(&lane.promote(2), Code::Conflict), "it was never judged");
    for verdict in [Verdict::Fail, Verdict::Inconclusive, Verdict::Error] {
        lane.judge(2, 1, verdict);
        assert!(refused(&lane.promote(2), Code::Conflict), "{verdict:?} is no pass");
    }
    lane.judge(2, 7, Verdict::Pass);
    assert!(refused(&lane.promote(2), Code::Conflict), "that pass was against another version");
    lane.judge(2, 1, Verdict::Pass);
    let promoted = lane.promote(2);
    assert!(matches!(&promoted[0], Event::ModelPromoted(promoted) if (promoted.version, promoted.previous) == (2, 1)));
    assert_eq!(in_force(&promoted), 2);
    assert!(refused(&lane.promote(2), Code::Conflict), "it is in force already");
}

#[test]
fn the_way_back_puts_the_weights_before_in_force_again() {
    let mut lane = Lane::default();
    assert!(refused(&lane.back(), Code::Conflict), "nothing was promoted");
    for (version, against) in [(2, 1), (3, 2)] {
        lane.register(version, false);
        lane.judge(version, against, Verdict::Pass);
        assert_eq!(in_force(&lane.promote(version)), u64::from(version));
    }
    let back = lane.back();
    assert!(matches!(&back[0], Event::ModelRolledBack(back) if (back.from, back.to) == (3, 2)));
    assert_eq!(in_force(&back), 2);
}

#[test]
fn a_version_whose_weights_do_not_give_its_hash_is_never_in_force() {
    let mut lane = Lane::default();
    lane.register(2, true);
    lane.judge(2, 1, Verdict::Pass);
    assert!(refused(&lane.promote(2), Code::Invalid));
}

#[test]
fn the_first_way_back_leads_to_what_people_set() {
    let mut lane = Lane::default();
    lane.register(2, false);
    lane.judge(2, 1, Verdict::Pass);
    lane.promote(2);
    let back = lane.back();
    assert_eq!(in_force(&back), 1);
    let set = back.iter().any(|event| matches!(event, Event::Configured(section) if section.content.is_null()));
    assert!(set, "no weights of a version lie over those that are set by hand: {back:?}");
}

#[test]
fn weights_are_not_put_in_force_by_configuration() {
    let mut lane = Lane::default();
    let content =
        serde_json::to_value(GroupingWeights { version: 9, threshold: 1, ..GroupingWeights::default() }).unwrap();
    let configured =
        hindcast_domain::command::Configured { section: models::SECTION.into(), hash: "h".into(), content };
    assert!(refused(&lane.ask(Command::Configure(configured)), Code::Invalid));
}

#[test]
fn one_version_runs_as_a_shadow_and_never_the_one_in_force() {
    let mut lane = Lane::default();
    let shadow = |version, from| Command::ShadowModel { model: PAIR_SCORER.into(), version, from };
    assert!(refused(&lane.ask(shadow(Some(2), None)), Code::NotFound));
    assert!(refused(&lane.ask(shadow(Some(1), None)), Code::Conflict), "1 is in force");
    assert!(refused(&lane.ask(shadow(None, None)), Code::Conflict), "none runs");
    lane.register(2, false);
    lane.register(3, false);
    let began = lane.ask(shadow(Some(2), Some(5)));
    assert!(matches!(&began[..], [Event::ModelShadowed(began)] if (began.version, began.from) == (2, 5)));
    let other = lane.ask(shadow(Some(3), None));
    assert!(matches!(&other[..], [Event::ModelUnshadowed(ended), Event::ModelShadowed(_)] if ended.version == 2));
    lane.judge(3, 1, Verdict::Pass);
    assert!(matches!(&lane.promote(3)[..], [.., Event::ModelUnshadowed(ended)] if ended.version == 3));
}

/// The weights that decide after these decisions, as their bias; `None` where those of the settings do.
fn bias(events: &[Event]) -> Option<i64> {
    let section = events.iter().rev().find_map(|event| match event {
        Event::Configured(configured) if configured.section == models::SECTION => Some(&configured.content),
        _ => None,
    });
    section.expect("the weights move with the pointer")["bias"].as_i64()
}

#[test]
fn a_pass_in_one_environment_does_not_override_a_fail_in_another() {
    let mut lane = Lane { environments: vec!["production", "staging"], ..Lane::default() };
    lane.register(2, false);
    lane.judge_in("production", 2, 1, Verdict::Fail);
    lane.judge_in("staging", 2, 1, Verdict::Pass);
    assert!(refused(&lane.promote(2), Code::Conflict), "production failed");
    let mut lane = Lane { environments: vec!["production", "staging"], ..Lane::default() };
    lane.register(2, false);
    lane.judge_in("staging", 2, 1, Verdict::Pass);
    assert!(refused(&lane.promote(2), Code::Conflict), "production was never looked at");
    lane.judge_in("production", 2, 1, Verdict::Inconclusive);
    assert_eq!(in_force(&lane.promote(2)), 2);
}

#[test]
fn a_pass_against_settings_that_changed_since_promotes_nothing() {
    let mut lane = Lane::default();
    lane.register(2, false);
    lane.judge(2, 1, Verdict::Pass);
    lane.set(-7_000);
    assert!(refused(&lane.promote(2), Code::Conflict), "that was against other weights");
    lane.judge(2, 1, Verdict::Pass);
    assert_eq!(in_force(&lane.promote(2)), 2);
}

#[test]
fn two_commands_lead_back_over_two_promotions_and_each_way_needs_a_new_pass() {
    let mut lane = Lane::default();
    for (version, against) in [(2, 1), (3, 2)] {
        lane.register(version, false);
        lane.judge(version, against, Verdict::Pass);
        assert_eq!(in_force(&lane.promote(version)), u64::from(version));
    }
    assert_eq!(in_force(&lane.back()), 2);
    assert!(refused(&lane.promote(3), Code::Conflict), "it was left: what was said of it before counts no more");
    assert_eq!(in_force(&lane.back()), 1);
    assert!(refused(&lane.back(), Code::Conflict), "there is nothing before it");
    assert!(refused(&lane.promote(2), Code::Conflict));
    lane.judge(2, 1, Verdict::Pass);
    assert_eq!(in_force(&lane.promote(2)), 2);
}

#[test]
fn a_rollback_goes_to_the_weights_of_then_and_new_settings_count_again() {
    let mut lane = Lane::default();
    lane.set(-2_000);
    lane.register(2, false);
    lane.judge(2, 1, Verdict::Pass);
    lane.promote(2);
    lane.set(-9_000);
    let back = lane.back();
    assert_eq!((in_force(&back), bias(&back)), (1, Some(-2_000)), "those that nobody judged do not come into force");
    // What a person sets after that counts at once, as settings do.
    let set = lane.set(-3_000);
    assert_eq!(bias(&set), None, "{set:?}");
    lane.judge(2, 1, Verdict::Pass);
    assert_eq!(in_force(&lane.promote(2)), 2);
}
