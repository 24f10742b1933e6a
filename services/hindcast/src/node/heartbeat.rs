//! The heartbeat to a dead man's switch outside: a request now and then while alerts are decided, and none when they are
//! not. Owns when it is sent; what is watched is looked at elsewhere.
//!
//! The rule: *a port that answers proves nothing*. It is sent only while the ledger answers and every service of this
//! process has done what is in it, so that whoever misses it learns of a Hindcast that takes alerts and does nothing.

use std::time::Duration;

use hindcast_metrics::MetricRegistry;
use tokio::sync::watch;

use super::common::{Common, Tasks};
use crate::settings::HeartbeatSettings;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is wrong, as it was seen last; `None` where nothing is.
pub type Trouble = watch::Receiver<Option<String>>;

/// Starts the heartbeat, where one is configured.
///
/// # Errors
/// When the address is not known, or the HTTP client cannot be made.
pub fn start(common: &Common, trouble: Trouble, tasks: &mut Tasks) -> anyhow::Result<()> {
    let settings = &common.settings.heartbeat;
    let Some(url) = settings.address()?.filter(|_| !common.reading_only) else { return Ok(()) };
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
    let heart = Heart { client, url, every: settings.every(), metrics: common.metrics.clone() };
    let stop = tasks.stop();
    tasks.spawn("heartbeat", async move {
        heart.beat(trouble, stop).await;
        Ok(())
    });
    Ok(())
}

struct Heart {
    client: reqwest::Client,
    url: String,
    every: Duration,
    metrics: MetricRegistry,
}

impl Heart {
    async fn beat(self, trouble: Trouble, mut stop: watch::Receiver<bool>) {
        let mut said = None;
        while !*stop.borrow() {
            let wrong = trouble.borrow().clone();
            let outcome = match &wrong {
                Some(_) => "withheld",
                None => self.send().await,
            };
            self.metrics.count("hindcast_heartbeats_total", &[("outcome", outcome)], 1.0);
            if said != Some(outcome) {
                match (outcome, wrong) {
                    ("sent", _) => tracing::info!("the heartbeat is sent"),
                    (_, Some(wrong)) => tracing::warn!(wrong, "no heartbeat is sent"),
                    _ => {}
                }
            }
            said = Some(outcome);
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// The address may be a secret: it is left out of what is told.
    async fn send(&self) -> &'static str {
        match self.client.get(&self.url).send().await {
            Ok(response) if response.status().is_success() => "sent",
            Ok(response) => {
                tracing::warn!(status = %response.status(), "the heartbeat was refused");
                "refused"
            }
            Err(error) => {
                tracing::warn!(error = %error.without_url(), "the heartbeat does not arrive");
                "refused"
            }
        }
    }
}

/// The settings' address: its own, or that of a variable of the environment.
impl HeartbeatSettings {
    fn address(&self) -> anyhow::Result<Option<String>> {
        match (&self.url, &self.url_env) {
            (Some(url), None) => Ok(Some(url.clone())),
            (None, Some(name)) => {
                let found = crate::settings::environment(name);
                let missing = || anyhow::anyhow!("[heartbeat] url_env: the variable {name} is not set");
                found.map(Some).ok_or_else(missing)
            }
            (None, None) => Ok(None),
            (Some(_), Some(_)) => anyhow::bail!("[heartbeat]: expected url or url_env, got both"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // a test that cannot go on fails, and counts a little

    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn it_beats_while_nothing_is_wrong_and_only_then() {
        let heard = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&heard);
        let hear = move || {
            count.fetch_add(1, Ordering::SeqCst);
            async { "OK" }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ping", listener.local_addr().unwrap());
        let switch = axum::Router::new().route("/ping", axum::routing::get(hear));
        tokio::spawn(async move { axum::serve(listener, switch).await });
        let metrics = MetricRegistry::default();
        let client = reqwest::Client::new();
        let heart = Heart { client, url, every: Duration::from_millis(5), metrics: metrics.clone() };
        let (trouble, seen) = watch::channel(None);
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(heart.beat(seen, stop.subscribe()));
        let until = |outcome: &'static str, least: f64| {
            let metrics = metrics.clone();
            async move {
                while metrics.get("hindcast_heartbeats_total", &[("outcome", outcome)]) < least {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        };
        until("sent", 3.0).await;
        trouble.send_replace(Some("behind: correlator".to_owned()));
        until("withheld", 1.0).await;
        let before = heard.load(Ordering::SeqCst);
        until("withheld", 5.0).await;
        assert_eq!(heard.load(Ordering::SeqCst), before, "nothing is sent while something is wrong");
        trouble.send_replace(None);
        until("sent", before as f64 + 1.0).await;
        stop.send_replace(true);
        task.await.unwrap();
    }
}
