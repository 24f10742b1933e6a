//! A trap for whoever sends: it says that a message is at a chosen point of its way, and holds it there. Whoever
//! set it kills the sender then.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;

/// A point on the way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// It arrived, and is not taken yet.
    Arrived,
    /// It is taken, and nobody was told so.
    Taken,
    /// It is taken, and the sender is being told so.
    Answered,
}

/// Set for one message at a time; cheap to clone.
#[derive(Clone, Default)]
pub struct Trap(Arc<Mutex<Option<Set>>>);

struct Set {
    point: Point,
    there: oneshot::Sender<()>,
}

impl Trap {
    /// Sets it; what comes back says when a message is there.
    pub fn set(&self, point: Point) -> oneshot::Receiver<()> {
        let (there, wait) = oneshot::channel();
        *self.0.lock().unwrap() = Some(Set { point, there });
        wait
    }

    /// A message arrived. True where it was held until nobody waited for it any more: it must not be taken.
    pub async fn arrived(&self) -> bool {
        self.held(Point::Arrived).await
    }

    /// A message was taken. Its sender is gone when this ends.
    pub async fn taken(&self) {
        self.held(Point::Taken).await;
        if let Some(there) = self.sprung(Point::Answered) {
            there.send(()).ok();
        }
    }

    async fn held(&self, point: Point) -> bool {
        let Some(there) = self.sprung(point) else { return false };
        there.send(()).ok();
        tokio::time::sleep(Duration::from_secs(20)).await;
        true
    }

    fn sprung(&self, point: Point) -> Option<oneshot::Sender<()>> {
        let mut set = self.0.lock().unwrap();
        set.take_if(|set| set.point == point).map(|set| set.there)
    }
}
