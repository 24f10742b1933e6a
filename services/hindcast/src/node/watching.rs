//! What is looked at once a second while a process runs: how far each service is behind, and how large the ledger is.
//! Now and then also what was learnt, and how full the disk is. Owns the pauses; what a figure means is said where it is declared.

use std::sync::Arc;
use std::time::Duration;

use hindcast_api::{ModelStatus, ModelVersion, Problem};
use hindcast_domain::model::{PAIR_SCORER, Verdict};
use hindcast_ledger::{Durability, LagWatch, commit};
use hindcast_queries::Window;
use tokio::sync::watch;

use super::common::{Common, Tasks};
use super::disk::DiskDiary;
use super::heartbeat::Trouble;
use crate::ledger::{Extent, OpenedLedger};

/// The pause between two looks at lags and the ledger.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two at what was learnt, which reads the views.
const LOOKS_A_LESSON: u32 = 60;

/// The pause between two looks at the disk.
const DISK_LOOK: Duration = Duration::from_secs(60);

/// Starts the watch, which says what is wrong as it is seen last.
pub fn start(common: &Common, opened: &OpenedLedger, queries: &hindcast_queries::Shared, tasks: &mut Tasks) -> Trouble {
    let info = common.ledger.info();
    let durability = match info.durability {
        Durability::Synced => "synced",
        Durability::Lossy => "lossy",
        Durability::Volatile => "volatile",
    };
    common.metrics.set("hindcast_lag_limit_seconds", &[], common.lags.limit().as_secs_f64());
    common.metrics.set("hindcast_ledger_info", &[("kind", info.kind), ("durability", durability)], 1.0);
    let (trouble, seen) = watch::channel(Some("nothing was looked at yet".to_owned()));
    let watcher = Watcher { common: common.clone(), queries: Arc::clone(queries), extent: opened.extent(), trouble };
    let stop = tasks.stop();
    // The diary is written into the folder.
    if !common.reading_only {
        let disk = watch_disk(common.clone(), tasks.stop());
        tasks.spawn("disk", async move {
            disk.await;
            Ok(())
        });
    }
    tasks.spawn("watch", async move {
        watcher.run(stop).await;
        Ok(())
    });
    seen
}

/// Looks at the disk now and then, away from whoever serves requests.
#[allow(clippy::cast_precision_loss)] // gauges
async fn watch_disk(common: Common, mut stop: watch::Receiver<bool>) {
    let mut diary = DiskDiary::open(&common.settings.data);
    while !*stop.borrow() {
        let now = common.clock.now();
        let work = tokio::task::spawn_blocking(move || {
            let found = diary.look(now);
            (diary, found)
        });
        let Ok((back, found)) = work.await else { return };
        diary = back;
        match found {
            Ok(look) => {
                common.metrics.set("hindcast_data_bytes", &[], look.used as f64);
                common.metrics.set("hindcast_disk_free_bytes", &[], look.free as f64);
                common.metrics.set("hindcast_disk_growth_bytes", &[], look.growth);
            }
            Err(error) => tracing::debug!(%error, "the disk cannot be looked at"),
        }
        tokio::select! {
            () = tokio::time::sleep(DISK_LOOK) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

struct Watcher {
    common: Common,
    queries: hindcast_queries::Shared,
    extent: Option<Extent>,
    trouble: watch::Sender<Option<String>>,
}

impl Watcher {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut lags = LagWatch::new(self.common.clock.now());
        let (mut looks, mut learnt_at) = (0_u32, None);
        while !*stop.borrow() {
            let wrong = self.look(&mut lags).await.err();
            self.trouble.send_if_modified(|known| std::mem::replace(known, wrong.clone()) != wrong);
            let position = *self.queries.position().borrow();
            if self.queries.is_ready() && looks.is_multiple_of(LOOKS_A_LESSON) && learnt_at != Some(position) {
                match self.learnt().await {
                    Ok(()) => learnt_at = Some(position),
                    Err(problem) => tracing::debug!(code = %problem.code, "what was learnt cannot be read"),
                }
            }
            looks = if learnt_at.is_none() { 0 } else { looks.wrapping_add(1) };
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    #[allow(clippy::cast_precision_loss)] // gauges
    async fn look(&self, watch: &mut LagWatch) -> Result<(), String> {
        let Common { ledger, progress, metrics, clock, .. } = &self.common;
        let (lags, head) = match (watch.look(ledger.as_ref(), progress, clock.now()).await, ledger.head().await) {
            (Ok(lags), Ok(head)) => (lags, head),
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!(%error, "the ledger does not say how long it is");
                return Err("the ledger does not answer".to_owned());
            }
        };
        let commits = lags.iter().map(|lag| (vec![lag.service.as_str()], lag.commits as f64)).collect::<Vec<_>>();
        let seconds = lags.iter().map(|lag| (vec![lag.service.as_str()], lag.age.as_secs_f64())).collect::<Vec<_>>();
        metrics.replace("hindcast_lag_commits", &commits);
        metrics.replace("hindcast_lag_seconds", &seconds);
        metrics.set("hindcast_ledger_commits", &[], head as f64);
        metrics.set("hindcast_ledger_position", &[], commit::position(head, 0) as f64);
        if let Some((segments, bytes)) = self.extent.as_ref().and_then(|extent| extent()) {
            metrics.set("hindcast_ledger_segments", &[], segments as f64);
            metrics.set("hindcast_ledger_bytes", &[], bytes as f64);
        }
        self.common.lags.show(lags);
        let behind: Vec<String> = self.common.lags.behind().into_iter().map(|lag| lag.service).collect();
        if behind.is_empty() { Ok(()) } else { Err(format!("behind: {}", behind.join(", "))) }
    }

    /// Labels, versions and verdicts, as the views have them.
    async fn learnt(&self) -> Result<(), Problem> {
        let metrics = &self.common.metrics;
        let coverage = self.queries.label_coverage(None).await?;
        let inferred = coverage.labels.saturating_sub(coverage.explicit);
        for (kind, labels) in
            [("explicit", coverage.explicit), ("inferred", inferred), ("retracted", coverage.retracted)]
        {
            metrics.set("hindcast_learning_labels", &[("kind", kind)], f64::from(labels));
        }
        let window = Window { limit: Some(hindcast_api::LIMIT_MAX), ..Window::default() };
        let versions = self.queries.models(window).await?.items;
        let mut names: Vec<&str> = versions.iter().map(|version| version.name.as_str()).chain([PAIR_SCORER]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of: Vec<&ModelVersion> = versions.iter().filter(|version| version.name == name).collect();
            self.model(name, &of);
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)] // gauges
    fn model(&self, name: &str, versions: &[&ModelVersion]) {
        let metrics = &self.common.metrics;
        let count = |is: &dyn Fn(&ModelVersion) -> bool| versions.iter().filter(|version| is(version)).count() as f64;
        for (word, status) in [
            ("candidate", ModelStatus::Candidate),
            ("in_force", ModelStatus::InForce),
            ("retired", ModelStatus::Retired),
            ("shadow", ModelStatus::Shadow),
        ] {
            let labels = [("model", name), ("status", word)];
            metrics.set("hindcast_learning_versions", &labels, count(&|version| version.status == status));
        }
        for (word, verdict) in [
            ("error", Verdict::Error),
            ("fail", Verdict::Fail),
            ("inconclusive", Verdict::Inconclusive),
            ("pass", Verdict::Pass),
        ] {
            let judged = |version: &ModelVersion| version.judged.last().is_some_and(|last| last.verdict == verdict);
            metrics.set("hindcast_learning_verdicts", &[("model", name), ("verdict", word)], count(&judged));
        }
        let trained = versions.iter().filter_map(|version| version.registered_at).max();
        let seconds = trained.map_or(0.0, |at| (at.millis() / 1_000) as f64);
        metrics.set("hindcast_learning_last_training_timestamp_seconds", &[("model", name)], seconds);
    }
}
