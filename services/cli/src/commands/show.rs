//! `show`: an incident in plain words: what it is, when it began and was noticed, what may have been the cause,
//! what was seen before, what is proposed, who is in it and why, what changed nearby, and what to do next.

use clap::Args;
use hindcast_api::{Causes, Change, Incident, Page, Proposal, SimilarPage, Why};
use hindcast_domain::incident::Status;
use hindcast_domain::words::GroupingRule;

use super::advice::{causes, proposals, similar};
use super::why::{fingerprints, thousandths};
use crate::client::{ApiClient, Path, typed};
use crate::context::{AsOfArgs, CliContext, SeenIncident};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::labelled::Labelled;
use crate::text::table::{Cell, Table, inked, left, text};
use crate::text::times::{Times, absolute, brief};
use crate::text::{clean, word};
use hindcast_domain::text::count;

/// Lines of one kind before the rest is only counted.
const LINES_MAX: usize = 8;
/// Refuted causes, similar incidents and proposals that are told.
const ADVICE_MAX: usize = 2;

/// Which incident.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows it. JSON is the incident alone: its parts have commands of their own.
///
/// # Errors
/// When it cannot be had or shown.
pub async fn run(args: ShowArgs, context: &mut CliContext<'_>) -> Result<()> {
    let as_of = context.as_of(&args.as_of);
    let SeenIncident { document, position, then } = context.incident_seen(args.id.as_deref(), &args.as_of).await?;
    if context.json {
        return context.print_json(&document);
    }
    let incident: Incident = typed("an incident", &document)?;
    let path = Path::new("/api/v1/incidents").join(&incident.id);
    let client = &context.client;
    let at = |word: &str| path.clone().join(word).maybe("as_of", then.as_ref());
    let why_path = at("why");
    let (why, changes, causes, similar, proposals) = futures::join!(
        client.get(&why_path),
        part(client, at("changes")),
        part(client, at("causes")),
        part(client, at("similar")),
        part(client, at("proposals"))
    );
    let why: Why = typed("why", &why?)?;
    let changes = changes?.map_or_else(Vec::new, |page: Page<Change>| page.items);
    let advice = ShownAdvice { causes, similar, proposals };
    let times = context.times(&args.as_of);
    let (changes, as_of) = (changes.as_slice(), as_of.as_deref());
    let page = ShownIncident { incident: &incident, why: &why, changes, advice, times, as_of, position };
    let page = page.render(context)?;
    Ok(context.terminal.write(&page)?)
}

/// A part that a server may not have: it still shows the rest.
async fn part<T: serde::de::DeserializeOwned>(client: &ApiClient, path: Path) -> Result<Option<T>> {
    match client.get(&path).await {
        Ok(document) => typed("a part of an incident", &document).map(Some),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is concluded of it. What cannot be had is told in its place, and the rest is shown.
struct ShownAdvice {
    causes: Result<Option<Causes>>,
    similar: Result<Option<SimilarPage>>,
    proposals: Result<Option<Page<Proposal>>>,
}

struct ShownIncident<'a> {
    incident: &'a Incident,
    why: &'a Why,
    changes: &'a [Change],
    advice: ShownAdvice,
    times: Times,
    as_of: Option<&'a str>,
    /// The position that all of it is of.
    position: Option<u64>,
}

impl ShownIncident<'_> {
    fn render(&self, context: &CliContext<'_>) -> Result<String, Error> {
        let mut table = Table::new(&[left(""), text(""), left("")]).indented(2);
        self.life(&mut table, context);
        for (label, text, places) in self.concluded(context).rows() {
            table.row([inked(label, Ink::Faint), text.into(), inked(places, Ink::Faint)]);
        }
        self.members(&mut table, context);
        self.changes(&mut table);
        let mut out = self.headline(context);
        out.push('\n');
        out.push_str(&table.render(context.terminal.width(), context.terminal.colour()));
        out.push_str(&self.next(context));
        Ok(out)
    }

    fn headline(&self, context: &CliContext<'_>) -> String {
        let incident = self.incident;
        let colour = context.terminal.colour();
        let id = Ink::Strong.on(context.ids([]).short(&incident.id), colour);
        let severity = Ink::Severity(incident.severity).on(&incident.severity.as_str().to_uppercase(), colour);
        let lasted = self.times.lasted(incident.opened_at, incident.resolved_at);
        let status = match (incident.status, lasted) {
            (Status::Resolved, Some(lasted)) => format!("resolved after {lasted}"),
            (status, Some(lasted)) => format!("{} {lasted}", word(&status)),
            (status, None) => word(&status),
        };
        format!("{id} {severity}, {status}: {}", Ink::Strong.on(&clean(&incident.title), colour))
    }

    fn life(&self, table: &mut Table, context: &CliContext<'_>) {
        let incident = self.incident;
        let ids = context.ids([]);
        let by = |who: &Option<String>| who.as_ref().map_or_else(String::new, |who| format!(" by {who}"));
        let mut fact = |name: &str, text: String| table.row([inked(name, Ink::Faint), text.into(), Cell::default()]);
        if let Some(as_of) = self.as_of {
            fact("as of", format!("{as_of}; later events are not shown"));
        }
        fact("began", self.times.both(incident.started_at));
        let late = incident.opened_at.since(incident.started_at);
        fact("opened", format!("{}, {} later", absolute(incident.opened_at), brief(late)));
        if let Some(at) = incident.acknowledged_at {
            fact("acknowledged", format!("{}{}", self.times.both(at), by(&incident.acknowledged_by)));
        }
        if let Some(at) = incident.resolved_at {
            fact(
                "resolved",
                format!("{}{}", self.times.both(at), by(&incident.resolved_by.as_ref().map(ToString::to_string))),
            );
        }
        if let Some(owner) = &incident.owner {
            fact("owner", owner.clone());
        }
        if incident.peak_severity > incident.severity {
            fact("peak", format!("{} at its peak", incident.peak_severity));
        }
        let teams = match incident.teams.as_slice() {
            [] => String::new(),
            teams => format!(" · teams: {}", teams.join(", ")),
        };
        let services =
            if incident.services.is_empty() { "no service".to_owned() } else { incident.services.join(", ") };
        fact("affected", format!("{services} in {}{teams}", incident.environment));
        let messages = format!("received {}", count(incident.occurrences, "time"));
        fact("alerts", format!("{}, {} firing, {messages}", count(incident.alerts, "alert"), incident.firing));
        if incident.grouped_by.iter().any(|version| *version > 1) {
            let versions: Vec<String> = incident.grouped_by.iter().map(ToString::to_string).collect();
            fact("grouped", format!("by version {} of the pair scorer", versions.join(", ")));
        }
        if let Some(shadow) = &incident.shadow {
            fact("shadow", format!("version {} {}", shadow.version, shadow.text));
        }
        if incident.reopened > 0 {
            fact("reopened", count(incident.reopened, "time"));
        }
        let mut link = |name: &str, id: &Option<String>| {
            if let Some(id) = id {
                fact(name, ids.short(id).to_owned());
            }
        };
        link("recurrence of", &incident.recurrence_of);
        link("merged into", &incident.merged_into);
        link("split from", &incident.split_from);
        if !incident.merged_from.is_empty() {
            let parts: Vec<&str> = incident.merged_from.iter().map(|id| ids.short(id)).collect();
            fact("merged from", parts.join(", "));
        }
        if let Some(until) = incident.snoozed_until {
            fact("snoozed", format!("until {}", self.times.both(until)));
        }
        if let Some(cause) = &incident.cause {
            fact("cause", cause.clone());
        }
        if let Some(resolution) = &incident.resolution {
            fact("resolution", resolution.clone());
        }
    }

    fn concluded(&self, context: &CliContext<'_>) -> Labelled {
        let mut lines = Labelled::default();
        match &self.advice.causes {
            Ok(Some(causes)) => {
                if let Some(hypothesis) = causes.items.first() {
                    causes::first(&mut lines, hypothesis, self.times);
                }
                causes::unresolved(&mut lines, causes);
                causes::refuted(&mut lines, causes, ADVICE_MAX);
                causes::radius(&mut lines, &causes.blast_radius);
            }
            Ok(None) => {}
            Err(error) => missing(&mut lines, "cause", error),
        }
        match &self.advice.similar {
            Ok(Some(page)) => {
                let ids = context.ids(page.items.iter().map(|item| item.incident.as_str()));
                similar::first(&mut lines, &page.items, ADVICE_MAX, self.times, &ids);
                if page.items.is_empty() {
                    lines.add("past", "no matching past incident", &[]);
                }
            }
            Ok(None) => {}
            Err(error) => missing(&mut lines, "past", error),
        }
        match &self.advice.proposals {
            Ok(Some(page)) => proposals::first(&mut lines, &page.items, ADVICE_MAX),
            Ok(None) => {}
            Err(error) => missing(&mut lines, "proposed", error),
        }
        lines
    }

    fn members(&self, table: &mut Table, context: &CliContext<'_>) {
        let ids = fingerprints(self.why, context);
        for (index, member) in self.why.members.iter().take(LINES_MAX).enumerate() {
            let service = member.service.as_deref().map_or_else(String::new, |service| format!(" on {service}"));
            let score = member.grouping.as_ref().filter(|grouping| grouping.rule != GroupingRule::First);
            let score = score.map_or_else(String::new, |grouping| format!(" {}", thousandths(grouping.score)));
            let text = format!("{} {}{service}{score}: {}", ids.short(&member.fingerprint), member.name, member.text);
            row(table, if index == 0 { "members" } else { "" }, text, Some(member.position));
            if let Some(clock) = &member.clock {
                row(table, "", clean(clock), None);
            }
        }
        more(table, self.why.members.len(), "hindcast why");
        let incidents = context.ids([]);
        for (index, kept) in self.why.kept_out.iter().take(LINES_MAX).enumerate() {
            let to = kept.incident.as_deref().map_or("its own incident", |id| incidents.short(id));
            let fingerprint = ids.short(&kept.fingerprint);
            let text = format!("{fingerprint} {}: {} → {to}", kept.name, kept.text);
            row(table, if index == 0 { "not grouped" } else { "" }, text, Some(kept.position));
        }
        more(table, self.why.kept_out.len(), "hindcast why");
    }

    fn changes(&self, table: &mut Table) {
        for (index, change) in self.changes.iter().take(LINES_MAX).enumerate() {
            let it = &change.change;
            let before = if it.at <= self.incident.started_at { "before it" } else { "after it began" };
            let apart = brief(it.at.distance(self.incident.started_at));
            let service = it.service.as_deref().map_or_else(String::new, |service| format!(" {service}"));
            let version = it.version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
            let text = format!("{}{service}{version}, {apart} {before}: {}", it.kind, it.title);
            row(table, if index == 0 { "changes" } else { "" }, text, Some(change.position));
        }
        more(table, self.changes.len(), "hindcast events --kind intake.change");
    }

    fn next(&self, context: &CliContext<'_>) -> String {
        let id = context.ids([]).short(&self.incident.id).to_owned();
        let mut next = match self.incident.status {
            Status::Open => vec![format!("hindcast ack {id}")],
            Status::Acknowledged => vec![format!("hindcast resolve {id} --cause …")],
            Status::Resolved => vec![format!("hindcast reopen {id}")],
        };
        next.push(format!("hindcast timeline {id}"));
        next.push(format!("hindcast why {id}"));
        if matches!(self.advice.causes, Ok(Some(_))) {
            next.push(format!("hindcast causes {id}"));
        }
        if let Some(member) = self.why.members.first() {
            next.push(format!("hindcast where {}", fingerprints(self.why, context).short(&member.fingerprint)));
        }
        if !self.incident.url.is_empty() {
            next.push(clean(&self.incident.url));
        }
        let colour = context.terminal.colour();
        let name = Ink::Faint.on("next", colour);
        let shown = self.position.map_or_else(String::new, |position| {
            let all = format!("all of it as of #{position}");
            format!("{}\n", Ink::Faint.on(&all, colour))
        });
        format!("\n{name}  {}\n{shown}", next.join(" · "))
    }
}

fn missing(lines: &mut Labelled, label: &str, error: &Error) {
    lines.add(label, format!("not available: {error}"), &[]);
}

fn row(table: &mut Table, name: &str, text: String, position: Option<u64>) {
    let position = position.map_or_else(String::new, |position| format!("#{position}"));
    table.row([inked(name, Ink::Faint), text.into(), inked(position, Ink::Faint)]);
}

fn more(table: &mut Table, of: usize, command: &str) {
    if of > LINES_MAX {
        row(table, "", format!("{} more: {command}", of - LINES_MAX), None);
    }
}
