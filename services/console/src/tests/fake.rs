//! Views that answer with the sample evening, remember what they were asked, and tell scripted outcomes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Change, Code, Event, Finding, Incident, Label, LabelCoverage, ModelStatus, ModelVersion, Notice, Page,
    Parked, Problem, Receipt, Replay, Report, Silence, State, TimelineEntry, Verification, Why,
};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, Partition, Time, notice, silence};
use hindcast_queries::{
    AlertFilter, CommandOutcome, EventFilter, FindingFilter, IncidentFilter, LabelFilter, NoticeFilter, Queries,
    ReportFilter, Window,
};
use tokio::sync::watch;

use super::{learnt, sample};

pub(super) struct Fake {
    pub(super) position: watch::Sender<u64>,
    pub(super) ready: Mutex<bool>,
    pub(super) outcome: Mutex<CommandOutcome>,
    pub(super) keys: Mutex<BTreeMap<String, (EventId, Received)>>,
    pub(super) events: Mutex<Vec<Event>>,
    pub(super) asked: Mutex<Vec<(IncidentFilter, Window)>>,
    pub(super) searched: Mutex<Vec<(FindingFilter, Window)>>,
    pub(super) labelled: Mutex<Vec<(LabelFilter, Window)>>,
    pub(super) timeline: Mutex<Vec<TimelineEntry>>,
    pub(super) models: Mutex<Vec<ModelVersion>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            position: watch::Sender::new(36_095_500),
            ready: Mutex::new(true),
            outcome: Mutex::new(CommandOutcome::Accepted { subjects: vec![sample::OPEN.into()], position: 36_095_300 }),
            keys: Mutex::default(),
            events: Mutex::new(vec![sample::event(36_095_300, "incident.merged", sample::OPEN)]),
            asked: Mutex::default(),
            searched: Mutex::default(),
            labelled: Mutex::default(),
            timeline: Mutex::new(sample::timeline()),
            models: Mutex::new(learnt::models()),
        }
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None, position: 36_095_500 }
}

fn not_found(what: &str) -> Problem {
    Problem::new(Code::NotFound, format!("expected a thing of ours, got {what:?}"))
}

/// The one whose id begins so.
fn by_prefix<T>(items: Vec<T>, id: impl Fn(&T) -> &str, prefix: &str) -> Result<T, Problem> {
    let mut found: Vec<T> = items.into_iter().filter(|item| id(item).starts_with(prefix)).collect();
    if found.len() > 1 {
        return Err(Problem::new(Code::Ambiguous, format!("{} things begin with {prefix:?}", found.len())));
    }
    found.pop().ok_or_else(|| not_found(prefix))
}

#[async_trait]
impl Queries for Fake {
    fn position(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }
    fn is_ready(&self) -> bool {
        *self.ready.lock().unwrap()
    }
    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem> {
        self.asked.lock().unwrap().push((filter, window));
        Ok(page(sample::incidents()))
    }
    async fn incident(&self, id: Option<&str>, _: Option<AsOf>) -> Result<Incident, Problem> {
        by_prefix(sample::incidents(), |incident| &incident.id, id.unwrap_or(sample::OPEN))
    }
    async fn timeline(&self, _: &str, _: Window) -> Result<Page<TimelineEntry>, Problem> {
        Ok(page(self.timeline.lock().unwrap().clone()))
    }
    async fn why(&self, _: &str, _: Option<AsOf>) -> Result<Why, Problem> {
        Ok(sample::why())
    }
    async fn changes(&self, _: &str, _: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        Ok(vec![sample::change()])
    }
    async fn alerts(&self, filter: AlertFilter, _: Window) -> Result<Page<Alert>, Problem> {
        let prefix = filter.fingerprint.unwrap_or_default();
        let fits = |alert: &Alert| {
            alert.fingerprint.starts_with(&prefix)
                || alert.source_fingerprint.as_deref().is_some_and(|theirs| theirs.starts_with(&prefix))
        };
        Ok(page(sample::alerts().into_iter().filter(fits).collect()))
    }
    async fn receipt(&self, alert: Option<&str>, _: Option<AsOf>) -> Result<Receipt, Problem> {
        by_prefix(sample::alerts(), |alert| &alert.fingerprint, alert.unwrap_or_default()).map(sample::receipt)
    }
    async fn findings(&self, filter: FindingFilter, window: Window) -> Result<Page<Finding>, Problem> {
        self.searched.lock().unwrap().push((filter, window));
        Ok(page(sample::findings()))
    }
    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        Ok(vec!["postgres".into(), "redis".into()])
    }
    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        let position = match as_of {
            Some(AsOf::Position(position)) => position,
            _ => *self.position.borrow(),
        };
        Ok((position, sample::now()))
    }
    async fn labels(&self, filter: LabelFilter, window: Window) -> Result<Page<Label>, Problem> {
        let fits = |label: &Label| {
            filter.incident.as_ref().is_none_or(|wanted| label.incident.as_ref() == Some(wanted))
                && filter.retracted.is_none_or(|wanted| label.retracted.is_some() == wanted)
        };
        let mut items: Vec<Label> = learnt::labels().into_iter().filter(fits).collect();
        let limit = window.limit.unwrap_or(50);
        let next = (items.len() > limit).then(|| "more".to_owned());
        items.truncate(limit);
        self.labelled.lock().unwrap().push((filter, window));
        Ok(Page { items, next, position: 36_095_500 })
    }
    async fn label_coverage(&self, _: Option<AsOf>) -> Result<LabelCoverage, Problem> {
        Ok(learnt::coverage())
    }
    async fn models(&self, _: Window) -> Result<Page<ModelVersion>, Problem> {
        Ok(page(self.models.lock().unwrap().clone()))
    }
    async fn model(&self, name: &str, version: Option<u32>, _: Option<AsOf>) -> Result<ModelVersion, Problem> {
        let is = |found: &&ModelVersion| match version {
            Some(version) => found.version == version,
            None => found.status == ModelStatus::InForce,
        };
        let models = self.models.lock().unwrap();
        models.iter().filter(|found| found.name == name).find(is).cloned().ok_or_else(|| not_found(name))
    }
    async fn silences(&self, _: Window) -> Result<Page<Silence>, Problem> {
        use silence::State::{Active, Expired};
        Ok(page(vec![sample::silence(Active), sample::silence(Expired)]))
    }
    async fn silence(&self, id: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        by_prefix(vec![sample::silence(silence::State::Active)], |silence| &silence.id, id)
    }
    async fn report(&self, _: ReportFilter, _: Option<AsOf>) -> Result<Report, Problem> {
        Ok(sample::report())
    }
    async fn notices(&self, filter: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        let all = vec![
            sample::notice(notice::Status::Delivered, None),
            sample::notice(notice::Status::Held, Some("snoozed")),
        ];
        let fits = |notice: &Notice| filter.status.is_empty() || filter.status.contains(&notice.status);
        Ok(page(all.into_iter().filter(fits).collect()))
    }
    async fn parked(&self, _: bool, _: Window) -> Result<Page<Parked>, Problem> {
        Ok(page(Vec::new()))
    }
    async fn parked_item(&self, id: &str) -> Result<Parked, Problem> {
        Err(not_found(id))
    }
    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<Event>, Problem> {
        let fits = |event: &Event| {
            let kind = filter.kind.as_deref().is_none_or(|kind| event.event_type.starts_with(kind));
            let subject = filter.subject.as_deref().is_none_or(|subject| event.subject == subject);
            let place = event.position >= filter.from.unwrap_or(0) && event.position <= filter.to.unwrap_or(u64::MAX);
            kind && subject && place
        };
        let mut items: Vec<Event> = self.events.lock().unwrap().iter().filter(|event| fits(event)).cloned().collect();
        let limit = window.limit.unwrap_or(50);
        let next = (items.len() > limit).then(|| "more".to_owned());
        items.truncate(limit);
        Ok(Page { items, next, position: *self.position.borrow() })
    }
    async fn event(&self, id: &str, _: Option<AsOf>) -> Result<Event, Problem> {
        by_prefix(self.events.lock().unwrap().clone(), |event| &event.id, id)
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        Ok(Catalog::default())
    }
    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, serde_json::Value)>, Problem> {
        Ok(None)
    }
    async fn state(&self, as_of: Option<AsOf>) -> Result<State, Problem> {
        let position = match as_of {
            Some(AsOf::Position(position)) => position,
            _ => *self.position.borrow(),
        };
        Ok(State { position, ..sample::state() })
    }
    async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        Ok(Partition::of_environment(if incident == sample::OVER { "staging" } else { "production" }))
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> CommandOutcome {
        self.outcome.lock().unwrap().clone()
    }
    async fn command_by_key(&self, key: &str) -> Option<(EventId, Received)> {
        self.keys.lock().unwrap().get(key).cloned()
    }
    async fn verify(&self) -> Result<Verification, Problem> {
        let bound = "what was cut since the last written head".to_owned();
        Ok(Verification { intact: true, commits: 1, events: 1, position: 1, damage: Vec::new(), bound })
    }
    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        let hash = "1:ab".to_owned();
        Ok(Replay {
            identical: true,
            replayed_hash: hash.clone(),
            live_hash: hash,
            position: 1,
            events: 1,
            elapsed_ms: 1,
        })
    }
}
