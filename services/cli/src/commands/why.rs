//! `why`: what holds an incident together, with scores and what they are made of, and what was kept out.

use clap::Args;
use hindcast_api::{Why, WhyMember};
use hindcast_domain::incident::Grouping;
use hindcast_domain::words::GroupingRule;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::parse::id::id;
use crate::text::ids::Ids;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};

/// Of which incident.
#[derive(Args, Debug)]
pub struct WhyArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows it.
///
/// # Errors
/// When it cannot be had or shown.
pub async fn run(args: WhyArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.as_of).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("why").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let why: Why = typed("why", &document)?;
    let text = page(&why, context);
    Ok(context.terminal.write(&text)?)
}

/// Fingerprints of members and of what was kept out, made short together.
pub(crate) fn fingerprints(why: &Why, context: &CliContext<'_>) -> Ids {
    let members = why.members.iter().map(|member| member.fingerprint.as_str());
    context.ids(members.chain(why.kept_out.iter().map(|out| out.fingerprint.as_str())))
}

fn page(why: &Why, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let ids = fingerprints(why, context);
    let mut out = format!("{} as of #{}\n", context.ids([]).short(&why.incident), why.position);
    out.push_str(&format!("\n{}\n", Ink::Strong.on("grouped", colour)));
    out.push_str(&members(&why.members, &ids).indented(2).render(width, colour));
    if why.kept_out.is_empty() {
        return out;
    }
    out.push_str(&format!("\n{}\n", Ink::Strong.on("not grouped", colour)));
    let incidents = context.ids(why.kept_out.iter().filter_map(|kept| kept.incident.as_deref()));
    let mut table =
        Table::new(&[left("ALERT"), right("SCORE"), text("NAME"), text("WHY"), left("INCIDENT"), left("POSITION")]);
    for kept in &why.kept_out {
        table.row([
            ids.short(&kept.fingerprint).into(),
            format!("{:.2}", kept.score).into(),
            kept.name.as_str().into(),
            kept.text.as_str().into(),
            kept.incident.as_deref().map_or("its own", |id| incidents.short(id)).into(),
            inked(format!("#{}", kept.position), Ink::Faint),
        ]);
    }
    out.push_str(&table.indented(2).render(width, colour));
    out
}

fn members(members: &[WhyMember], ids: &Ids) -> Table {
    let mut table = Table::new(&[
        left("ALERT"),
        right("SCORE"),
        right("THRESHOLD"),
        left("RULE"),
        text("SERVICE"),
        text("NAME"),
        text("WHY"),
        left("POSITION"),
    ]);
    for member in members {
        let grouping = member.grouping.as_ref();
        let scored = grouping.filter(|grouping| grouping.rule != GroupingRule::First);
        table.row([
            ids.short(&member.fingerprint).into(),
            scored.map_or_else(String::new, |grouping| thousandths(grouping.score)).into(),
            scored.map_or_else(String::new, |grouping| thousandths(grouping.threshold)).into(),
            grouping.map_or("person", |grouping| grouping.rule.as_str()).into(),
            member.service.as_deref().unwrap_or_default().into(),
            member.name.as_str().into(),
            reasons(member).into(),
            inked(format!("#{}", member.position), Ink::Faint),
        ]);
    }
    table
}

/// What the decision says, and what its score is made of where it does not say so.
fn reasons(member: &WhyMember) -> String {
    match &member.grouping {
        Some(grouping) if !grouping.parts.is_empty() => {
            format!("{}; features: {}", member.text, parts(grouping))
        }
        _ => member.text.clone(),
    }
}

fn parts(grouping: &Grouping) -> String {
    let mut parts: Vec<(&String, &i32)> = grouping.parts.iter().collect();
    parts.sort_by_key(|(name, value)| (std::cmp::Reverse(value.unsigned_abs()), *name));
    let shown = parts.iter().filter(|(_, value)| **value != 0);
    let shown: Vec<String> = shown.map(|(name, value)| format!("{name} {:+.1}", f64::from(**value) / 1e3)).collect();
    shown.join(", ")
}

/// Thousandths as people write them: `0.91`.
pub(crate) fn thousandths(value: i32) -> String {
    format!("{:.2}", f64::from(value) / 1e3)
}
