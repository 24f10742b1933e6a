//! What a start writes into the ledger before anybody decides: the activation of a new ledger, that intake is open,
//! and the configuration. Owns the order; decides nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use hindcast_domain::command::{Activated, Command, Configured, Received};
use hindcast_domain::event::{DoorOpened, SYSTEM};
use hindcast_domain::oncall::{self, OnCallRules};
use hindcast_domain::{EventId, Partition, Span, Time};
use hindcast_facts::NewFact;
use hindcast_intake::NewCommand;
use hindcast_queries::{EventFilter, Queries, Window};
use hindcast_views::Views;
use sha2::{Digest, Sha256};

use super::common::Common;
use super::{Role, chat};
use crate::settings::Settings;

/// How far back and ahead a calendar of [[oncall]] is read at a start.
const CALENDAR_BACK: Span = Span::hours(7 * 24);
const CALENDAR_AHEAD: Span = Span::hours(365 * 24);

/// The first facts of a start: the activation of a new ledger, and that the door opens.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn begin(common: &Common) -> anyhow::Result<()> {
    let Common { ledger, writer, roles, .. } = common;
    if ledger.head().await.context("the ledger's head")? == 0 && roles.contains(&Role::Pager) {
        activate(common).await?;
    }
    if !roles.contains(&Role::Gateway) {
        return Ok(());
    }
    let subjects = ledger.subjects().await.context("the ledger's subjects")?;
    let partitions: BTreeSet<Partition> = subjects
        .iter()
        .filter(|(subject, _)| subject.slot().is_some() && !subject.partition().is_whole())
        .map(|(subject, _)| subject.partition().clone())
        .collect();
    for partition in partitions {
        let opened = DoorOpened { version: env!("CARGO_PKG_VERSION").to_owned() };
        writer.facts().submit(&partition, vec![NewFact::new("door", SYSTEM, opened)]).await?;
    }
    Ok(())
}

/// A ledger that never had an active installation (others wrote to it first) gets the first that pages.
///
/// # Errors
/// When the views cannot be read or the ledger cannot be written.
pub async fn activate_where_nobody_is(common: &Common, views: &Views) -> anyhow::Result<()> {
    let filter = EventFilter { kind: Some("control.activated".to_owned()), ..EventFilter::default() };
    let known = views.events(filter, Window { limit: Some(1), ..Window::default() }).await?;
    let asked = EventFilter {
        kind: Some("intake.command".to_owned()),
        subject: Some("activation".to_owned()),
        ..EventFilter::default()
    };
    let asked = views.events(asked, Window { limit: Some(1), ..Window::default() }).await?;
    if known.items.is_empty() && asked.items.is_empty() {
        activate(common).await?;
    }
    Ok(())
}

/// Puts the configuration of the settings in force where it differs from what is.
///
/// # Errors
/// When the views cannot be read or the ledger cannot be written.
pub async fn configure(common: &Common, views: &Views) -> anyhow::Result<()> {
    let mut sections = sections(&common.settings, common.clock.now())?;
    // Schedules that were taken out of the settings are in force no more.
    if common.settings.oncall.schedules.is_empty() && views.configured(oncall::SECTION, None).await?.is_some() {
        sections.push((oncall::SECTION, serde_json::to_value(OnCallRules::default())?));
    }
    for (section, content) in sections {
        let hash = hindcast_domain::hex::hex(&Sha256::digest(serde_json::to_vec(&content)?));
        let in_force = views.configured(section, None).await?.map(|(hash, _)| hash);
        if in_force.as_ref() == Some(&hash) {
            continue;
        }
        let head = common.ledger.head().await?;
        let key = format!("configure/{section}/{hash}/{head}");
        let command = Command::Configure(Configured { section: section.into(), hash, content });
        if let Some(id) = submit(common, section, key, command).await? {
            views.outcome(&id, Duration::from_secs(5)).await;
        }
    }
    Ok(())
}

/// The configuration of the settings, section by section.
fn sections(settings: &Settings, now: Time) -> anyhow::Result<Vec<(&'static str, serde_json::Value)>> {
    let runbooks = crate::runbooks::in_force(settings.advising.runbooks.as_deref())?;
    let mut sections = vec![
        (hindcast_correlator::rules::SECTION, serde_json::to_value(&settings.correlation)?),
        (hindcast_pager::rules::SECTION, serde_json::to_value(&settings.paging)?),
        (hindcast_advisor::SECTION, runbooks),
    ];
    if !settings.oncall.schedules.is_empty() {
        sections.push((oncall::SECTION, serde_json::to_value(with_calendars(&settings.oncall, now)?)?));
    }
    if chat::is_set_up(&settings.chat) {
        sections.push((hindcast_chatops::rules::SECTION, serde_json::to_value(&settings.chat.rules)?));
    }
    if let Some(catalog) = &settings.catalog {
        sections.push(("catalog", serde_json::to_value(catalog)?));
    }
    Ok(sections)
}

/// Schedules with what their calendars say of the days ahead.
fn with_calendars(rules: &OnCallRules, now: Time) -> anyhow::Result<OnCallRules> {
    // By whole days, so that a start on the same day changes nothing.
    let today = Time::from_millis(now.millis() - now.millis().rem_euclid(24 * 3_600 * 1_000));
    let mut rules = rules.clone();
    for schedule in &mut rules.schedules {
        let Some(path) = &schedule.ical else { continue };
        let text = std::fs::read_to_string(path).with_context(|| format!("the calendar {path} of [[oncall]]"))?;
        let turns = oncall::ical::read(&text, &schedule.zone, today - CALENDAR_BACK, today + CALENDAR_AHEAD);
        schedule.calendar = turns.with_context(|| format!("the calendar {path} of [[oncall]]"))?;
    }
    Ok(rules)
}

async fn activate(common: &Common) -> anyhow::Result<()> {
    let install = common.install.clone();
    let key = format!("activate/{install}");
    submit(common, "activation", key, Command::Activate(Activated { install })).await?;
    Ok(())
}

/// Appends a command of the process itself, for the whole tenant.
async fn submit(common: &Common, subject: &str, key: String, command: Command) -> anyhow::Result<Option<EventId>> {
    let new = NewCommand {
        subject: subject.to_owned(),
        actor: SYSTEM.to_owned(),
        command: Received { key, if_match: None, command },
        traceparent: None,
    };
    let receipt = common.writer.commands().submit(&Partition::whole(Partition::TENANT), new).await?;
    Ok(receipt.ids.into_iter().next())
}
