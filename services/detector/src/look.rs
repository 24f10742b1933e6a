//! A look at the telemetry around an onset: series and spans into findings, and spans into who calls whom. Owns what is
//! read for it and what is written; refuses to know when it is due.

use std::collections::BTreeSet;

use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::{CallsSeen, SeenCall};
use hindcast_domain::{FindingId, IncidentId, Partition, Time};
use hindcast_facts::NewFact;
use hindcast_queries::{EventFilter, Window};
use hindcast_rca::parameters::CauseParameters;
use hindcast_rca::requests::RequestSpan;
use hindcast_rca::traces;
use hindcast_telemetry::{SampleFilter, SpanFilter, TelemetryWindow, TraceSpan};

use crate::error::Error;
use crate::limits::{BEFORE, EVENTS_MAX, SPANS_MAX};
use crate::raise::New;
use crate::state::DetectorState;
use crate::{ACTOR, Detector, VERSION, levels};

/// An incident with the stretch of telemetry around its onset.
pub(crate) struct LookJob<'a> {
    pub partition: &'a Partition,
    pub incident: &'a IncidentId,
    pub onset: Time,
    pub until: Time,
}

impl Detector {
    /// Compares what came before the onset with what came after it.
    pub(crate) async fn look(
        &self,
        job: &LookJob<'_>,
        state: &mut DetectorState,
        topology: &Topology,
    ) -> Result<(), Error> {
        let stretch = TelemetryWindow { from: job.onset - BEFORE, to: job.until };
        let telemetry = &self.options.telemetry;
        let series = telemetry.series(job.partition, stretch, SampleFilter::default()).await?;
        let found = levels::look(job.partition, job.incident, (job.onset, job.until), &series, topology);
        drop(series);
        let filter = SpanFilter { limit: SPANS_MAX, ..SpanFilter::default() };
        let spans = telemetry.spans(job.partition, stretch, filter).await?;
        let shown = self.look_at_spans(job, spans, topology);
        self.raise(state, &found.new).await?;
        self.raise(state, &shown.new).await?;
        self.tell_calls(job, shown.calls).await?;
        self.left_out("hindcast_findings_left_out_total", found.left_out + shown.left_out);
        self.left_out("hindcast_detector_series_left_out_total", found.unseen);
        Ok(())
    }

    fn look_at_spans(&self, job: &LookJob<'_>, spans: Vec<TraceSpan>, topology: &Topology) -> ShownBySpans {
        let spans: Vec<RequestSpan> = spans.into_iter().map(|span| request(span, topology)).collect();
        let known = |name: &str| topology.resolve(name).map(str::to_owned);
        let look = traces::look(&spans, (job.onset, job.until), known, &CauseParameters::DEFAULT);
        let new = look.effects.iter().map(|effect| {
            let raised = effect.raised(job.incident, job.until, VERSION);
            let caller = effect.work.caller.as_deref().unwrap_or_default();
            let id = FindingId::derive(&[
                b"spans",
                job.incident.as_str().as_bytes(),
                effect.service.as_bytes(),
                effect.work.operation.as_bytes(),
                caller.as_bytes(),
                raised.kind.name().as_bytes(),
            ]);
            New { id, partition: job.partition.clone(), raised }
        });
        let calls = look.calls.into_iter().map(|(caller, callee, count)| SeenCall { caller, callee, count }).collect();
        ShownBySpans { new: new.collect(), calls, left_out: look.left_out }
    }

    /// Writes the calls that no earlier event of the incident names.
    async fn tell_calls(&self, job: &LookJob<'_>, mut calls: Vec<SeenCall>) -> Result<(), Error> {
        if calls.is_empty() {
            return Ok(());
        }
        let filter = EventFilter {
            kind: Some("evidence.calls".to_owned()),
            subject: Some(job.incident.to_string()),
            ..EventFilter::default()
        };
        let window = Window { limit: Some(EVENTS_MAX), ..Window::default() };
        let written = self.options.queries.events(filter, window).await?.items;
        let told: BTreeSet<(String, String)> = written
            .into_iter()
            .filter_map(|event| serde_json::from_value::<CallsSeen>(event.data).ok())
            .flat_map(|seen| seen.calls)
            .map(|call| (call.caller, call.callee))
            .collect();
        calls.retain(|call| !told.contains(&(call.caller.clone(), call.callee.clone())));
        if calls.is_empty() {
            return Ok(());
        }
        let seen = CallsSeen { from: job.onset - BEFORE, to: job.until, calls };
        let fact = NewFact::new(job.incident.to_string(), ACTOR, seen);
        self.options.writer.submit(job.partition, vec![fact]).await?;
        Ok(())
    }

    fn left_out(&self, name: &'static str, by: u64) {
        #[allow(clippy::cast_precision_loss)] // a counter
        if by > 0 {
            self.options.metrics.count(name, &[], by as f64);
        }
    }
}

/// What spans show.
struct ShownBySpans {
    new: Vec<New>,
    calls: Vec<SeenCall>,
    left_out: u64,
}

/// A span in the words of the ranking; an id is unique in its trace alone.
fn request(span: TraceSpan, topology: &Topology) -> RequestSpan {
    let id = |own: u64| if own == 0 { String::new() } else { format!("{:032x}{own:016x}", span.trace) };
    #[allow(clippy::cast_precision_loss)] // micros of a request
    let micros = span.nanos as f64 / 1_000.0;
    RequestSpan {
        id: id(span.id),
        parent: id(span.parent),
        service: topology.resolve(&span.service).unwrap_or(&span.service).to_owned(),
        name: span.name,
        start: span.time,
        micros,
        failed: span.failed,
        peer: span.peer,
    }
}
