//! The process's metrics: what is known of their series before anything is counted. Owns where the names come from.

use hindcast_api::Code;
use hindcast_domain::lane::names;
use hindcast_gateway::format::FORMATS;
use hindcast_ledger::{LedgerFigures, LedgerProgress};
use hindcast_metrics::MetricRegistry;
use hindcast_metrics::catalog::NameSet;
use hindcast_pager::rules::SCREEN;

use crate::settings::Settings;

/// Routes behind the console's guards that the console's own table does not have.
const GUARDED: [&str; 6] = [
    "/api/v1/activate",
    "/api/v1/audit/pages",
    "/api/v1/backup",
    "/api/v1/heartbeats",
    "/api/v1/receivers/{name}/test",
    hindcast_mcp::PATH,
];

/// Services that decide.
const DECIDERS: [&str; 5] = [names::CHAT, names::CONTROL, names::INCIDENTS, names::LABELS, names::NOTICES];

/// The metrics of a process, and its progress, which counts there.
pub fn counted(settings: &Settings) -> (MetricRegistry, LedgerProgress) {
    let metrics = registry(settings);
    let progress = LedgerProgress::counted(LedgerFigures::of(&metrics));
    (metrics, progress)
}

/// A registry in which every series exists that these settings make possible.
fn registry(settings: &Settings) -> MetricRegistry {
    let formats = FORMATS.iter().filter(|format| format.is_built() && !format.is_telemetry());
    let sources = settings.sources.iter().map(|source| source.name.as_str());
    let receivers = settings.receivers.iter().map(|receiver| receiver.name.as_str());
    let metrics = MetricRegistry::builder()
        .names(NameSet::Sources, sources.chain(formats.map(|format| format.name)))
        .names(NameSet::Receivers, receivers.chain([SCREEN]))
        .names(NameSet::RefusalCodes, Code::ALL.iter().map(|code| code.parts().0))
        .names(NameSet::Deciders, DECIDERS)
        .names(NameSet::SecretKinds, hindcast_redact::kinds())
        .series("hindcast_requests_total", hindcast_gateway::counted_series())
        .series("hindcast_http_requests_total", hindcast_console::counted::series(&GUARDED))
        .build();
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let build = [("version", env!("CARGO_PKG_VERSION")), ("profile", profile), ("target", target.as_str())];
    metrics.set("hindcast_build_info", &build, 1.0);
    metrics
}
