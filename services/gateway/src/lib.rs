//! The gateway: every door through which something comes in from outside.
//!
//! The one contract of this crate: *a 2xx is answered only for what is durable, and nothing that is refused
//! leaves more than a counter.* The way of a request, each step a type that the next one asks for:
//!
//! 1. [`auth`]: bytes are [`auth::Unverified`] until the source's guard has looked at them as they came.
//! 2. [`mod@format`]: one file a sender, pure functions from verified JSON to observations and changes, with
//!    our [`fingerprint`] over what was not redacted yet.
//! 3. [`redact`]: only what it has cleaned becomes an event.
//! 4. `take`: one delivery with its items in one submit a partition, then the answer.
//!
//! Telemetry has doors of its own (`door::telemetry`), which write beside the ledger and answer once the store
//! has it on disk.
//!
//! What is absent on purpose: nothing here decides what an alert means, deduplicates, groups or silences.
//! A resend is handed on as one more delivery; the writer gathers what changes nothing, and the incident lanes know what
//! the rest is worth.

#![allow(clippy::result_large_err)] // the refusal that every door answers with: rarely made, never stored

pub mod auth;
mod door;
pub mod explain;
pub mod fingerprint;
pub mod format;
pub mod redact;
pub mod severity;
pub mod source;
mod take;
pub mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_api::{Code, Problem};
use hindcast_clock as clock;
use hindcast_domain::Time;
use hindcast_facts::FactsWriter;
use hindcast_http::HttpRefusal;
use hindcast_intake::CommandWriter;
use hindcast_metrics::MetricRegistry;
use hindcast_queries as queries;

pub use auth::Guard;
pub use door::counted::series as counted_series;
pub use door::{AddressRange, NoNetwork, SyslogError, SyslogListener, SyslogOptions};
pub use door::{ROUTES, otlp_router, promised, router};
pub use fingerprint::TenantKey;
pub use source::{Env, SourceConfig, SourceError};

use source::Source;

/// What a gateway is made of.
pub struct Options {
    /// Where facts are written.
    pub writer: FactsWriter,
    /// Appends the commands of the Alertmanager API for silences.
    pub commands: CommandWriter,
    /// The views; without them the reading doors, silences and parked items answer 503.
    pub queries: Option<queries::Shared>,
    /// Where telemetry is kept; without it its doors answer 503.
    pub telemetry: Option<hindcast_telemetry::Shared>,
    /// Time.
    pub clock: clock::Shared,
    /// Figures.
    pub metrics: MetricRegistry,
    /// The tenant's secret key, under which fingerprints are made. It must outlive every process.
    pub key: TenantKey,
    /// The configured sources.
    pub sources: Vec<SourceConfig>,
    /// What guards every door that has no credential of its own.
    pub default_auth: Guard,
    /// Looks up the environment variables that sources name.
    pub env: Env,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    writer: FactsWriter,
    commands: CommandWriter,
    queries: Option<queries::Shared>,
    telemetry: Option<hindcast_telemetry::Shared>,
    clock: clock::Shared,
    metrics: MetricRegistry,
    key: TenantKey,
    sources: BTreeMap<String, Arc<Source>>,
    default_auth: Guard,
    started_at: Time,
    times: door::counted::AcceptanceTimes,
}

impl Gateway {
    /// Checks the sources and reads their keys, once.
    ///
    /// # Errors
    /// When a source is not valid or its key cannot be had.
    pub fn new(options: Options) -> Result<Self, SourceError> {
        let Options { writer, commands, queries, telemetry, clock, metrics, key, sources, default_auth, env } = options;
        let sources = source::resolve(&sources, &env)?;
        let (started_at, times) = (clock.now(), door::counted::AcceptanceTimes::of(&metrics));
        let inner = Inner {
            writer,
            commands,
            queries,
            telemetry,
            clock,
            metrics,
            key,
            sources,
            default_auth,
            started_at,
            times,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The source behind `/ingest/{name}`: a configured one, else the format of that name.
    fn source(&self, name: &str) -> Result<Arc<Source>, HttpRefusal> {
        if let Some(source) = self.inner.sources.get(name) {
            return Ok(Arc::clone(source));
        }
        let format = format::find(name).ok_or_else(|| {
            let problem = Problem::new(Code::NotFound, format!("expected a source or a format, got {name:.64?}"));
            HttpRefusal(problem.remedy("Use a format's name, or add a source with `hindcast source add`."))
        })?;
        if !format.is_built() {
            return Err(HttpRefusal::new(Code::NotImplemented, format!("the format {name} is not built yet")));
        }
        Ok(Arc::new(Source::of_format(format)))
    }

    fn guard_of<'a>(&'a self, source: &'a Source) -> &'a Guard {
        source.guard.as_ref().unwrap_or(&self.inner.default_auth)
    }

    fn queries(&self) -> Result<&queries::Shared, HttpRefusal> {
        let none = || HttpRefusal::new(Code::Unavailable, "the views are not served by this process");
        self.inner.queries.as_ref().ok_or_else(none)
    }

    fn now(&self) -> Time {
        self.inner.clock.now()
    }
}
