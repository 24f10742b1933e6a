//! Tells of an answer while it is made.

use std::time::Duration;

use hindcast_api::AnswerProgress;
use tokio::sync::mpsc;

/// How long a step of progress waits for a slow reader before it is left out.
const TELL_PATIENCE: Duration = Duration::from_secs(5);

/// Tells of an answer while it is made.
#[derive(Clone)]
pub(crate) struct Teller(Option<mpsc::Sender<AnswerProgress>>);

impl Teller {
    pub(crate) const fn new(to: Option<mpsc::Sender<AnswerProgress>>) -> Self {
        Self(to)
    }

    /// Tells a step. Whoever has gone away is told nothing more; the answer is made all the same.
    pub(crate) async fn tell(&self, step: AnswerProgress) {
        let Some(to) = &self.0 else { return };
        if let Err(error) = to.send_timeout(step, TELL_PATIENCE).await {
            tracing::debug!(%error, "a step of an answer was not heard");
        }
    }

    pub(crate) async fn status(&self, text: &str) {
        self.tell(AnswerProgress::Status(text.to_owned())).await;
    }
}
