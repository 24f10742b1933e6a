//! Every bound of the detector in one place, with its unit.

use std::time::Duration;

use hindcast_domain::Span;

/// Correlation domains whose log lines are learnt; lines of others are counted.
pub(crate) const PARTITIONS_MAX: usize = 32;
/// Incidents that are looked after at once; the oldest that is over goes first.
pub(crate) const CASES_MAX: usize = 500;
/// Findings that are remembered as raised; older ones are looked up in the views.
pub(crate) const RAISED_MAX: usize = 4_096;
/// Shifts of one service in one look.
pub(crate) const SHIFTS_PER_SERVICE_MAX: usize = 3;
/// Shifts of all services in one look.
pub(crate) const SHIFTS_PER_LOOK_MAX: usize = 30;
/// Series that are compared in one look; more are counted.
pub(crate) const SERIES_MAX: usize = 5_000;
/// Spans that are looked at in one look, the newest ones.
pub(crate) const SPANS_MAX: usize = 100_000;
/// Bytes of one pinned window, before which its oldest blocks go.
pub(crate) const PIN_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Evidence for links that waits to be written; more is dropped, and seen again.
pub(crate) const LINKS_DUE_MAX: usize = 10_000;
pub(crate) const TITLE_BYTES_MAX: usize = 240;
/// How long what happens to incidents is gathered before it is looked at.
pub(crate) const GATHER: Duration = Duration::from_millis(200);
/// Events about incidents in one reading of the views.
pub(crate) const EVENTS_MAX: usize = 500;

/// What lies before an onset and is compared with what lies after.
pub(crate) const BEFORE: Span = Span::minutes(10);
/// What lies before an onset and is kept.
pub(crate) const PIN_BEFORE: Span = Span::minutes(15);
/// What lies behind an onset, or an end, and is kept.
pub(crate) const PIN_AFTER: Span = Span::minutes(5);
/// When metrics are looked at, after the onset.
pub(crate) const LOOKS: [Span; 2] = [Span::seconds(20), Span::seconds(90)];
/// When they are looked at after the end.
pub(crate) const LOOK_AFTER_END: Span = Span::seconds(5);
/// How long telemetry that should be there by now is waited for, by the clock.
pub(crate) const GRACE: Span = Span::seconds(15);
/// How far after its onset an incident may end for its end to bound what is compared.
pub(crate) const SPELL_MAX: Span = Span::minutes(10);

/// How often the state is written, by the clock.
pub(crate) const SNAPSHOT_EVERY: Span = Span::seconds(30);
/// Records after which it is written anyway.
pub(crate) const SNAPSHOT_RECORDS: u64 = 200_000;
/// The pause after a step that failed, at first and at most.
pub(crate) const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// How often views that are being built are asked whether they are ready.
pub(crate) const READY: Duration = Duration::from_millis(200);
