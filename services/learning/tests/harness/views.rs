//! Views that know which position a time means, by walking the ledger, and nothing else.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::problem::Code;
use hindcast_api::{
    Alert, AsOf, Change, Event, Finding, Incident, Notice, Page, Parked, Problem, Receipt, Replay, Silence, State,
    TimelineEntry, Verification, Why,
};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::{EventId, Partition, Time, command};
use hindcast_ledger::Shared;
use hindcast_queries::{
    AlertFilter, EventFilter, FindingFilter, IncidentFilter, NoticeFilter, Outcome, Queries, Window,
};
use tokio::sync::watch;

pub struct Moments(pub Shared);

fn not_here<T>() -> Result<T, Problem> {
    Err(Problem::new(Code::NotFound, "the test does not need this"))
}

#[async_trait]
impl Queries for Moments {
    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        let events = super::events(&self.0).await;
        let within = |event: &&hindcast_domain::event::Recorded| match as_of {
            None => true,
            Some(AsOf::Position(position)) => event.position <= position,
            Some(AsOf::Time(time)) => event.time <= time,
        };
        Ok(events.iter().rev().find(within).map_or((0, Time::ZERO), |event| (event.position, event.time)))
    }

    fn position(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
    fn is_ready(&self) -> bool {
        true
    }
    async fn incidents(&self, _: IncidentFilter, _: Window) -> Result<Page<Incident>, Problem> {
        not_here()
    }
    async fn incident(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Incident, Problem> {
        not_here()
    }
    async fn timeline(&self, _: &str, _: Window) -> Result<Page<TimelineEntry>, Problem> {
        not_here()
    }
    async fn why(&self, _: &str, _: Option<AsOf>) -> Result<Why, Problem> {
        not_here()
    }
    async fn changes(&self, _: &str, _: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        not_here()
    }
    async fn alerts(&self, _: AlertFilter, _: Window) -> Result<Page<Alert>, Problem> {
        not_here()
    }
    async fn receipt(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Receipt, Problem> {
        not_here()
    }
    async fn findings(&self, _: FindingFilter, _: Window) -> Result<Page<Finding>, Problem> {
        not_here()
    }
    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        not_here()
    }
    async fn silences(&self, _: Window) -> Result<Page<Silence>, Problem> {
        not_here()
    }
    async fn silence(&self, _: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        not_here()
    }
    async fn notices(&self, _: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        not_here()
    }
    async fn parked(&self, _: bool, _: Window) -> Result<Page<Parked>, Problem> {
        not_here()
    }
    async fn parked_item(&self, _: &str) -> Result<Parked, Problem> {
        not_here()
    }
    async fn events(&self, _: EventFilter, _: Window) -> Result<Page<Event>, Problem> {
        not_here()
    }
    async fn event(&self, _: &str, _: Option<AsOf>) -> Result<Event, Problem> {
        not_here()
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        not_here()
    }
    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, serde_json::Value)>, Problem> {
        not_here()
    }
    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        not_here()
    }
    async fn partition_of(&self, _: &str) -> Result<Partition, Problem> {
        not_here()
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> Outcome {
        Outcome::Pending
    }
    async fn command_by_key(&self, _: &str) -> Option<(EventId, command::Received)> {
        None
    }
    async fn verify(&self) -> Result<Verification, Problem> {
        not_here()
    }
    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        not_here()
    }
}
