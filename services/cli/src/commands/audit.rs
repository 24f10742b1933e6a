//! `audit pages`: what people were told, compared with what was true. It ends with 1 on any breach, after it has shown
//! it.

use clap::{Args, Subcommand};
use hindcast_domain::Time;
use hindcast_domain::text::count;
use hindcast_paging_audit::PageAuditReport;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::ink::Ink;
use crate::text::table::{Table, left, text};

/// What is audited.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Compare every notification with the alerts and incidents of its time; exits with 1 on any breach.
    Pages(AuditPagesArgs),
}

/// The stretch of time that is audited; without bounds it is all of the ledger.
#[derive(Args, Debug)]
pub struct AuditPagesArgs {
    /// Count what begins at or after this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub from: Option<Time>,
    /// Stop at this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub to: Option<Time>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Audits.
///
/// # Errors
/// On any breach, and when it cannot be done.
pub async fn run(command: AuditCommand, context: &mut CliContext<'_>) -> Result<()> {
    let AuditCommand::Pages(args) = command;
    let path = Path::new("/api/v1/audit/pages")
        .maybe("from", args.from.map(|time| time.to_string()))
        .maybe("to", args.to.map(|time| time.to_string()))
        .maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    let report: PageAuditReport = typed("an audit", &document)?;
    if context.json {
        context.print_json(&document)?;
    } else {
        let page = page(&report, context);
        context.terminal.write(&page)?;
    }
    if report.violations.is_empty() { Ok(()) } else { Err(Error::NotInOrder) }
}

fn page(report: &PageAuditReport, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let breaches = u64::try_from(report.violations.len()).unwrap_or(u64::MAX);
    let ink = if breaches == 0 { Ink::Good } else { Ink::Bad };
    let mut out = format!(
        "{}: {} at a paging severity, {} named, {} suppressed, {} pending; {} delivered\n",
        ink.on(&format!("{breaches} {}", if breaches == 1 { "breach" } else { "breaches" }), colour),
        count(report.episodes, "episode"),
        report.named,
        report.suppressed,
        report.pending,
        count(report.deliveries, "message"),
    );
    if report.unrecorded > 0 {
        let older = count(report.unrecorded, "message");
        out.push_str(&format!("not compared: {older} of before the content of messages was recorded\n"));
    }
    let mut table = Table::new(&[left("TIME"), left("RULE"), text("INCIDENT"), text("WHAT")]).indented(2);
    for violation in &report.violations {
        let incident = violation.incident.as_ref().map(ToString::to_string).unwrap_or_default();
        table.row([
            violation.at.to_string().into(),
            violation.rule.as_str().into(),
            incident.into(),
            violation.detail.as_str().into(),
        ]);
    }
    if breaches > 0 {
        out.push_str(&table.render(width, colour));
    }
    out
}
