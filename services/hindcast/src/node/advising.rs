//! What advises, wired: telemetry and its detector, the memory, causes, and the copilot. Owns which adapter
//! stands behind which port; decides nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hindcast_advisor::Rca;
use hindcast_copilot::tools::Toolbox;
use hindcast_copilot::{AnsweringCopilot, Prices, Prompts};
use hindcast_detector::Detector;
use hindcast_domain::Span;
use hindcast_memory::IncidentMemory;
use hindcast_metrics::MetricRegistry;
use tokio::sync::watch;

use super::Role;
use super::common::{Common, Tasks};
use crate::embedder;
use crate::settings::{advising, environment, without_credentials};

/// How long events are gathered before an incident is remembered anew.
const GATHER: Duration = Duration::from_millis(50);

/// How often figures of what is kept are shown.
const SHOW: Duration = Duration::from_secs(5);

/// How long a start waits for the first figures.
const SHOW_FIRST: Duration = Duration::from_millis(500);

/// What advises, running.
#[derive(Clone)]
pub struct Advising {
    /// What we conclude.
    pub advice: hindcast_advice::Shared,
    /// Who answers.
    pub copilot: hindcast_advice::SharedCopilot,
    /// The read-only tools.
    pub toolbox: Toolbox,
    /// Telemetry, where it is kept here.
    pub telemetry: Option<hindcast_telemetry::Shared>,
    /// Who makes vectors, and whether a stand-in does.
    pub embedder: hindcast_vectors::embed::EmbedderIdentity,
    detector: Option<hindcast_detector::Handle>,
    memory: Option<hindcast_memory::Handle>,
    queries: hindcast_queries::Shared,
}

impl Advising {
    /// Opens stores, wires services, and starts those that run by themselves.
    ///
    /// # Errors
    /// When a store cannot be opened, or a setting names something that is not there.
    pub async fn start(common: &Common, queries: hindcast_queries::Shared, tasks: &mut Tasks) -> anyhow::Result<Self> {
        let settings = &common.settings.advising;
        let (embedder, missing) = embedder::open(settings.memory.model_dir.as_deref()).await;
        if let Some(missing) = missing {
            tracing::info!(
                missing,
                "no embedding model: hashed words replace it; `hindcast embedder install` fetches one"
            );
        }
        let telemetry = if common.runs(Role::Gateway) { Some(telemetry(common)?) } else { None };
        let vectors = settings.memory.open(common.settings.data.join("memory"), embedder.identity()).await?;
        let memory = (!common.reading_only).then(|| memory(common, &queries, Arc::clone(&vectors), &embedder, tasks));
        let (memory, reached) = memory.unzip();
        let advice: hindcast_advice::Shared = Arc::new(Rca::new(hindcast_advisor::Options {
            memory: reached,
            vectors: Arc::clone(&vectors),
            embedder: Arc::clone(&embedder),
            writer: (!common.reading_only).then(|| common.writer.facts()),
            metrics: common.metrics.clone(),
        }));
        let toolbox =
            Toolbox { queries: Arc::clone(&queries).into(), advice: Arc::clone(&advice), telemetry: telemetry.clone() };
        let copilot: hindcast_advice::SharedCopilot =
            Arc::new(AnsweringCopilot::new(copilot(common, &queries, &advice, &toolbox, &embedder)?));
        let detector = telemetry.as_ref().map(|telemetry| detector(common, &queries, telemetry, tasks));
        tell(settings, vectors.kind(), embedder.identity(), telemetry.is_some(), &common.metrics);
        show_figures(common, telemetry.clone(), Arc::clone(&vectors), tasks).await;
        let embedder = embedder.identity().clone();
        Ok(Self { advice, copilot, toolbox, telemetry, embedder, detector, memory, queries })
    }

    /// Whether everything that arrived was looked at and remembered.
    pub fn is_idle(&self) -> bool {
        let looked = match (&self.detector, &self.telemetry) {
            (Some(detector), Some(telemetry)) => detector.idle(telemetry.head()),
            _ => true,
        };
        let reached = *self.queries.position().borrow();
        looked && self.memory.as_ref().is_none_or(|memory| memory.position() >= reached)
    }
}

fn telemetry(common: &Common) -> anyhow::Result<hindcast_telemetry::Shared> {
    let settings = &common.settings.advising.telemetry;
    let mut options =
        hindcast_telemetry_files::Options::at(common.settings.data.join("telemetry"), Arc::clone(&common.clock));
    options.retention = Span::hours(settings.retention_h);
    options.bytes_max = settings.max_mb * 1024 * 1024;
    Ok(hindcast_telemetry_files::Files::open(options).context("the telemetry store")?)
}

fn detector(
    common: &Common,
    queries: &hindcast_queries::Shared,
    telemetry: &hindcast_telemetry::Shared,
    tasks: &mut Tasks,
) -> hindcast_detector::Handle {
    let detector = Detector::new(hindcast_detector::Options {
        telemetry: Arc::clone(telemetry),
        queries: Arc::clone(queries),
        writer: common.writer.facts(),
        clock: Arc::clone(&common.clock),
        metrics: common.metrics.clone(),
        folder: Some(common.settings.data.join("detector")),
        fail: hindcast_detector::FailPoint::None,
    });
    let (handle, stop) = (detector.handle(), tasks.stop());
    tasks.spawn("detector", async move {
        detector.run(stop).await;
        Ok(())
    });
    handle
}

fn memory(
    common: &Common,
    queries: &hindcast_queries::Shared,
    vectors: hindcast_vectors::Shared,
    embedder: &hindcast_vectors::embed::Shared,
    tasks: &mut Tasks,
) -> (hindcast_memory::Handle, watch::Receiver<u64>) {
    let ledger_id = common.ledger.info().ledger_id.clone();
    let (queries, embedder) = (Arc::clone(queries), Arc::clone(embedder));
    let mut options = hindcast_memory::Options::new(queries, vectors, embedder, ledger_id, common.metrics.clone());
    options.gather = GATHER;
    let memory = IncidentMemory::new(options);
    let (handle, reached, stop) = (memory.handle(), memory.reached(), tasks.stop());
    tasks.spawn("memory", async move {
        memory.run(stop).await;
        Ok(())
    });
    (handle, reached)
}

/// Shows how much is kept now, so that whoever asks at once finds it, and from then on every few seconds.
async fn show_figures(
    common: &Common,
    telemetry: Option<hindcast_telemetry::Shared>,
    vectors: hindcast_vectors::Shared,
    tasks: &mut Tasks,
) {
    let figures = StoresFigures { telemetry, vectors };
    // A store that does not answer holds nothing up.
    if tokio::time::timeout(SHOW_FIRST, figures.show(&common.metrics)).await.is_err() {
        tracing::warn!("the vector store is slow to say how much it has");
    }
    let (metrics, stop) = (common.metrics.clone(), tasks.stop());
    tasks.spawn("figures", async move {
        figures.keep_showing(&metrics, stop).await;
        Ok(())
    });
}

/// Tells in figures what is configured, for `doctor` and for whoever watches. Addresses are told without what
/// stands before an `@`.
#[allow(clippy::cast_precision_loss)] // for people
fn tell(
    settings: &advising::AdvisingSettings,
    store: &str,
    embedder: &hindcast_vectors::embed::EmbedderIdentity,
    keeps_telemetry: bool,
    metrics: &MetricRegistry,
) {
    if let (Some(url), Some(model)) = (&settings.copilot.base_url, &settings.copilot.model) {
        let server = without_credentials(url);
        metrics.set("hindcast_copilot_info", &[("model", model), ("server", &server)], 1.0);
    }
    let stand_in = if embedder.stand_in { "true" } else { "false" };
    let labels = [("store", store), ("embedder", embedder.model.as_str()), ("stand_in", stand_in)];
    metrics.set("hindcast_memory_info", &labels, 1.0);
    if keeps_telemetry {
        metrics.set("hindcast_telemetry_retention_hours", &[], settings.telemetry.retention_h as f64);
        metrics.set("hindcast_telemetry_max_bytes", &[], (settings.telemetry.max_mb * 1024 * 1024) as f64);
    }
}

/// What is kept, as figures.
struct StoresFigures {
    telemetry: Option<hindcast_telemetry::Shared>,
    vectors: hindcast_vectors::Shared,
}

impl StoresFigures {
    /// Shows it, until asked to stop.
    async fn keep_showing(&self, metrics: &MetricRegistry, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(SHOW) => self.show(metrics).await,
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    #[allow(clippy::cast_precision_loss)] // for people
    async fn show(&self, metrics: &MetricRegistry) {
        if let Some(telemetry) = &self.telemetry {
            let kept = telemetry.figures();
            metrics.set("hindcast_telemetry_kept_records", &[], kept.records as f64);
            metrics.set("hindcast_telemetry_kept_bytes", &[], kept.bytes as f64);
            metrics.set("hindcast_telemetry_pinned_bytes", &[], kept.pinned_bytes as f64);
            metrics.set("hindcast_telemetry_expired_total", &[], kept.expired as f64);
            metrics.set("hindcast_telemetry_damaged_total", &[], kept.damaged as f64);
        }
        match self.vectors.count().await {
            Ok(vectors) => metrics.set("hindcast_memory_vectors", &[], vectors as f64),
            Err(error) => tracing::debug!(%error, "the vector store does not say how much it has"),
        }
    }
}

fn copilot(
    common: &Common,
    queries: &hindcast_queries::Shared,
    advice: &hindcast_advice::Shared,
    toolbox: &Toolbox,
    embedder: &hindcast_vectors::embed::Shared,
) -> anyhow::Result<hindcast_copilot::Options> {
    let settings = &common.settings.advising.copilot;
    let llm = match (&settings.base_url, &settings.model) {
        (Some(url), Some(model)) => {
            let key = match &settings.api_key_env {
                Some(name) => Some(environment(name).with_context(|| format!("the environment variable {name}"))?),
                None => None,
            };
            let options = hindcast_llm_genai::Options { api_key: key, ..hindcast_llm_genai::Options::new(url, model) };
            Some(hindcast_llm_genai::Genai::open(options).context("the model")?)
        }
        _ => None,
    };
    Ok(hindcast_copilot::Options {
        queries: Arc::clone(queries),
        advice: Arc::clone(advice),
        toolbox: toolbox.clone(),
        writer: (!common.reading_only).then(|| common.writer.facts()),
        clock: Arc::clone(&common.clock),
        // What a model says is recorded or not asked for.
        llm: llm.filter(|_| !common.reading_only),
        caps: settings.caps(),
        prices: Prices { input_per_million: settings.input_price, output_per_million: settings.output_price },
        prompts: match &settings.prompts {
            Some(folder) => Prompts::open(folder).context("the prompts")?,
            None => Prompts::embedded().context("the prompts")?,
        },
        metrics: common.metrics.clone(),
        embedder: Some(Arc::clone(embedder)),
        public_url: Some(common.settings.public_url.clone()),
    })
}
