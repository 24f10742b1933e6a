//! An incident's timeline: its events in plain words, oldest first. Repeats of an alert between two other
//! lines become one line, so that what happened is not drowned by what was said again.

use std::collections::BTreeMap;

use hindcast_api::{Change, Page, Problem, TimelineEntry};
use hindcast_domain::{Event, Span, Time};
use hindcast_queries::CHANGES_HOURS_BEFORE;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::limits::{CHANGES_MAX, TIMELINE_EVENTS_MAX};
use crate::store::keys::MentionIndex;
use crate::words::Names;

/// Changes that are looked through for one incident.
const CHANGES_READ_MAX: usize = 10_000;

/// One line in the making.
struct TimelineLine {
    /// Its first event.
    position: u64,
    /// How many more repeats of the same alert it stands for, and the last of them.
    more: u64,
    last: u64,
}

impl Reader {
    /// A page of a timeline, by the incident's whole id.
    pub(crate) fn timeline(&self, id: &str, asked: &PageBounds) -> Result<Page<TimelineEntry>, Problem> {
        let lines = self.lines(id, asked)?;
        let mut rest = lines.iter();
        let mut entries = Vec::new();
        let mut last = None;
        for line in rest.by_ref().take(asked.limit) {
            entries.extend(self.entry(line)?);
            last = Some(line.position);
        }
        let last = if rest.next().is_some() { last } else { None };
        Ok(self.cut(entries, last))
    }

    /// The lines of a page and at least one more, where there is one. Repeats are folded into the line of the first, as
    /// long as nothing but repeats comes between; so reading begins with the last other line before the page, and ends
    /// with the first one behind it.
    fn lines(&self, id: &str, asked: &PageBounds) -> Result<Vec<TimelineLine>, Error> {
        let after = asked.after.unwrap_or(0);
        let mut from = 0;
        for mention in self.store.about_between(MentionIndex::Timeline, id, (0, after), self.at).rev() {
            let mention = mention?;
            from = mention.position;
            if mention.value.is_empty() {
                break;
            }
        }
        let mut lines: Vec<TimelineLine> = Vec::new();
        let mut run: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut before = None;
        let mentions = self.store.about_between(MentionIndex::Timeline, id, (from, self.at), self.at);
        for mention in mentions.take(TIMELINE_EVENTS_MAX) {
            let mention = mention?;
            // Known by two ways, shown once.
            if before.replace(mention.position) == Some(mention.position) {
                continue;
            }
            let position = mention.position;
            if mention.value.is_empty() {
                run.clear();
                let shown = lines.iter().rev().take_while(|line| line.position > after || asked.after.is_none());
                if shown.take(asked.limit + 1).count() > asked.limit {
                    break;
                }
            } else if let Some(line) = run.get(mention.value.as_ref()).and_then(|at| lines.get_mut(*at)) {
                line.more += 1;
                line.last = position;
                continue;
            } else {
                run.insert(mention.value.to_vec(), lines.len());
            }
            lines.push(TimelineLine { position, more: 0, last: position });
        }
        if asked.after.is_some() {
            lines.retain(|line| line.position > after);
        }
        Ok(lines)
    }

    fn entry(&self, line: &TimelineLine) -> Result<Option<TimelineEntry>, Error> {
        let Some(recorded) = self.recorded(line.position)? else {
            return Ok(None);
        };
        let mut text = self.say(&recorded)?;
        if line.more > 0
            && let Some(last) = self.recorded(line.last)?
        {
            let name = self.alert(&recorded.subject);
            text = format!("{name} received again {} times, last at {}", line.more + 1, last.time);
        }
        Ok(Some(TimelineEntry {
            time: recorded.time,
            text,
            event_type: recorded.event.type_name().to_owned(),
            actor: recorded.actor,
            event: recorded.id.to_string(),
            position: recorded.position,
            subject: recorded.subject,
        }))
    }

    /// Changes in an incident's environment within the hours before it and while it lasted, newest first.
    pub(crate) fn changes(&self, id: &str) -> Result<Vec<Change>, Error> {
        let Some((partition, incident)) = self.incident_fold(id)? else {
            return Ok(Vec::new());
        };
        let from = incident.started_at.min(incident.opened_at) - Span::hours(CHANGES_HOURS_BEFORE);
        let to = incident.resolved_at.unwrap_or(Time::MAX);
        let mut changes = Vec::new();
        for (position, environment) in self.store.changes(from.nanos(), to.nanos(), self.at, CHANGES_READ_MAX)? {
            let near = partition.ends_with(&format!("/{environment}")) || environment == "_";
            if changes.len() == CHANGES_MAX || !near {
                continue;
            }
            let Some(recorded) = self.recorded(position)? else {
                continue;
            };
            if let Event::Change(change) = recorded.event {
                changes.push(Change { event: recorded.id.to_string(), position, environment, change });
            }
        }
        Ok(changes)
    }
}
