//! What the recorded software wrote and measured, sent through the same doors as anybody's: log lines as
//! newline-delimited JSON, samples as OTLP metrics. Owns the order; refuses to know what becomes of it.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::iter::Peekable;

use anyhow::{Context, ensure};
use hindcast_domain::Time;
use hindcast_recorder::format::{LogLine, StoredRecording};
use serde_json::{Value, json};

use super::played::time;

/// Lines of one request.
const LINES_MAX: usize = 2_000;

/// The telemetry of a recording, oldest first.
pub struct Feed {
    logs: Option<Peekable<Box<dyn Iterator<Item = anyhow::Result<LogLine>>>>>,
    metrics: Peekable<std::vec::IntoIter<TelemetryRow>>,
    environment: String,
    /// Lines and samples sent.
    pub sent: u64,
}

/// One row of the metrics.
struct TelemetryRow {
    at: Time,
    service: String,
    metric: String,
    value: f64,
}

impl Feed {
    /// Opens the telemetry of a recording; an empty one where it came without.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(recording: &StoredRecording) -> anyhow::Result<Self> {
        let logs = recording.logs()?.map(|lines| {
            let lines: Box<dyn Iterator<Item = anyhow::Result<LogLine>>> =
                Box::new(lines.map(|line| line.map_err(Into::into)));
            lines.peekable()
        });
        let rows = match recording.metrics()? {
            Some(csv) => csv.lines().skip(1).map(|line| row(&line?)).collect::<anyhow::Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        let environment = recording.manifest.environment.clone();
        Ok(Self { logs, metrics: rows.into_iter().peekable(), environment, sent: 0 })
    }

    /// Sends what was written and measured up to `until`.
    ///
    /// # Errors
    /// When the service refuses it or does not answer.
    pub async fn send(&mut self, client: &reqwest::Client, base: &str, until: Time) -> anyhow::Result<()> {
        loop {
            let lines = self.lines(until)?;
            if lines.is_empty() {
                break;
            }
            self.sent += lines.len() as u64;
            let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let request = client.post(format!("{base}/ingest/logs")).header("content-type", "application/x-ndjson");
            accepted(request.body(body).send().await?).await?;
        }
        let rows: Vec<TelemetryRow> = std::iter::from_fn(|| self.metrics.next_if(|row| row.at <= until)).collect();
        if !rows.is_empty() {
            self.sent += rows.len() as u64;
            accepted(client.post(format!("{base}/v1/metrics")).json(&self.otlp(&rows)).send().await?).await?;
        }
        Ok(())
    }

    fn lines(&mut self, until: Time) -> anyhow::Result<Vec<Value>> {
        let Some(logs) = &mut self.logs else { return Ok(Vec::new()) };
        let mut lines = Vec::new();
        while lines.len() < LINES_MAX
            && let Some(line) = logs.next_if(|line| line.as_ref().map_or(true, |line| time(line.time) <= until))
        {
            let line = line?;
            lines.push(json!({
                "time": time(line.time).to_string(),
                "service": line.service,
                "severity": line.severity,
                "message": line.message,
                "environment": self.environment,
            }));
        }
        Ok(lines)
    }

    /// Samples as one OTLP export: a resource for each service, a gauge for each metric.
    fn otlp(&self, rows: &[TelemetryRow]) -> Value {
        let mut services: BTreeMap<&str, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
        for row in rows {
            let point = json!({"timeUnixNano": row.at.nanos().to_string(), "asDouble": row.value});
            services.entry(&row.service).or_default().entry(&row.metric).or_default().push(point);
        }
        let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let resources: Vec<Value> = services
            .into_iter()
            .map(|(service, metrics)| {
                let metrics: Vec<Value> = metrics
                    .into_iter()
                    .map(|(name, points)| json!({"name": name, "gauge": {"dataPoints": points}}))
                    .collect();
                let attributes =
                    [attribute("service.name", service), attribute("deployment.environment.name", &self.environment)];
                json!({"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]})
            })
            .collect();
        json!({"resourceMetrics": resources})
    }
}

async fn accepted(response: reqwest::Response) -> anyhow::Result<()> {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    ensure!(status.is_success(), "the service refused telemetry: {status} {text}");
    Ok(())
}

fn row(line: &str) -> anyhow::Result<TelemetryRow> {
    let mut cells = line.splitn(4, ',');
    let mut cell = || cells.next().with_context(|| format!("expected timestamp,service,metric,value, got {line:?}"));
    let seconds: f64 = cell()?.parse().context("a recorded timestamp")?;
    let (service, metric) = (cell()?.to_owned(), cell()?.to_owned());
    let value = cell()?.parse().context("a recorded value")?;
    #[allow(clippy::cast_possible_truncation)] // milliseconds of this century fit
    let millis = (seconds * 1_000.0).round() as i64;
    Ok(TelemetryRow { at: Time::from_nanos(millis * 1_000_000), service, metric, value })
}
