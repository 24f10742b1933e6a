//! The driver: holds the clock, sends each request at its time, and waits until everything is settled.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hindcast_clock::{Clock, Stepped};
use hindcast_domain::Time;
use hindcast_queries::{NoticeFilter, Queries, Window};
use hindcast_recorder::format::{InjectedFault, RecordedRequest};
use indicatif::{ProgressBar, ProgressStyle};

use super::advice;
use super::people::People;
use super::played::{Played, time};
use super::telemetry::Feed;
use crate::node::Node;

/// How long one step may take before the demo gives up.
const STEP_MAX: Duration = Duration::from_secs(30);

/// Plays requests.
pub struct Driver<'a> {
    /// The node that the recording is played to.
    pub node: &'a Node,
    /// Moves as the recording is played, faster than real time.
    pub clock: &'a Stepped,
    /// How many times faster than it happened; 0 as fast as it goes.
    pub speed: f64,
    /// No progress bar.
    pub quiet: bool,
    /// Healthy stretches after which somebody asks whether anything is wrong.
    pub probes: Vec<(Time, Time)>,
}

impl Driver<'_> {
    /// Plays them in order.
    ///
    /// # Errors
    /// When the service does not answer, or does not settle in time.
    pub async fn play(
        &self,
        requests: &[RecordedRequest],
        mut feed: Feed,
        faults: &[InjectedFault],
    ) -> anyhow::Result<Played> {
        let client = reqwest::Client::new();
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new(requests.len() as u64) };
        if let Ok(style) = ProgressStyle::with_template("  {bar:40} {pos}/{len} requests · {msg}") {
            bar.set_style(style);
        }
        let mut played = Played::default();
        let mut pages = self.pages().await?;
        let mut people = People::of(faults);
        let base = format!("http://{}", self.node.address);
        self.settle().await?;
        for request in requests {
            let at = time(request.at);
            self.advance(at).await?;
            bar.set_message(at.to_string());
            for fault in faults.iter().filter(|fault| fault.ended_at.is_some_and(|ended| time(ended) <= at)) {
                let head = *self.node.views.position().borrow();
                played.midst.entry(fault.id.clone()).or_insert(head);
            }
            feed.send(&client, &base, at).await?;
            self.settle().await?;
            if people.tell(self.node, &client, at).await? {
                self.settle().await?;
            }
            let due = self.probes.get(played.probed.len()).filter(|(_, to)| *to <= at);
            if let Some((from, to)) = due {
                played.probed.push(advice::probe(self.node, *from, *to).await?);
                self.settle().await?;
            }
            let sent = Instant::now();
            let status = self.send(&client, request).await?;
            played.requests += 1;
            played.refused += u64::from(!status.is_success());
            played.durable_us.push(micros(sent));
            self.settle().await?;
            let now = self.pages().await?;
            if now > pages {
                played.page_us.push(micros(sent));
                pages = now;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        people.tell(self.node, &client, Time::MAX).await?;
        self.settle().await?;
        played.telemetry = feed.sent;
        played.told = people.told;
        played.durable_us.sort_unstable();
        played.page_us.sort_unstable();
        Ok(played)
    }

    async fn send(&self, client: &reqwest::Client, request: &RecordedRequest) -> anyhow::Result<reqwest::StatusCode> {
        let method = request.method.parse().context("a recorded method")?;
        let mut built = client.request(method, format!("http://{}{}", self.node.address, request.path));
        for (name, value) in &request.headers {
            if !matches!(name.as_str(), "host" | "content-length" | "authorization" | "accept-encoding") {
                built = built.header(name, value);
            }
        }
        let response = built.body(request.body.clone()).send().await.context("the service did not answer")?;
        Ok(response.status())
    }

    /// Moves the clock to `to`, and lets every timer on the way fire at its own time.
    async fn advance(&self, to: Time) -> anyhow::Result<()> {
        let from = self.clock.now();
        if self.speed > 0.0 && to > from {
            tokio::time::sleep(Duration::from_secs_f64(to.since(from).as_secs_f64() / self.speed)).await;
        }
        while let Some(due) = self.node.progress.next_due().filter(|due| *due <= to) {
            self.clock.set(due);
            self.settle().await?;
        }
        self.clock.set(to);
        Ok(())
    }

    /// Waits until every service has consumed all, and nothing that follows is outstanding.
    async fn settle(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let mut changes = self.node.progress.subscribe();
            changes.mark_unchanged();
            let head = self.node.ledger.head().await?;
            if self.node.progress.settled(head, self.clock.now())
                && self.node.advising.is_idle()
                && self.node.ledger.head().await? == head
            {
                return Ok(());
            }
            ensure!(
                began.elapsed() < STEP_MAX,
                "the service did not settle within {STEP_MAX:?}: {:?}",
                self.node.progress.all()
            );
            // A report may have come between the look and the wait; the time-out makes up for it.
            if tokio::time::timeout(Duration::from_millis(20), changes.changed()).await.is_err() {
                continue;
            }
        }
    }

    async fn pages(&self) -> anyhow::Result<usize> {
        let filter = NoticeFilter { page: Some(true), ..NoticeFilter::default() };
        let window = Window { limit: Some(500), ..Window::default() };
        Ok(self.node.views.notices(filter, window).await?.items.len())
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
