//! A ledger whose network fails as told, around any real one: so that the writer's and the lane's ways out
//! of an unknown outcome run against every adapter.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use hindcast_ledger::memory::AppendFault;
use hindcast_ledger::port::{AppendError, Info, Lease, LeaseError, Ledger, ReadError, Record, Seq, Shared, Tail};
use hindcast_ledger::subject::Subject;

/// What befalls an append between the caller and the ledger.
pub struct Flaky {
    inner: Shared,
    faults: Mutex<VecDeque<AppendFault>>,
    on_top: Mutex<Option<(Subject, Bytes)>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the connection broke on purpose")]
struct Broke;

impl Flaky {
    /// Around `inner`; the faults befall the next appends in order.
    #[must_use]
    pub fn around(inner: &Shared, faults: &[AppendFault]) -> Arc<Self> {
        let faults = Mutex::new(faults.iter().copied().collect());
        Arc::new(Self { inner: Arc::clone(inner), faults, on_top: Mutex::default() })
    }

    /// Behind the next append on that subject, and before its caller learns of it, another's commit
    /// follows it.
    pub fn follow_with(&self, subject: Subject, payload: Bytes) {
        *self.on_top.lock().unwrap_or_else(PoisonError::into_inner) = Some((subject, payload));
    }
}

#[async_trait]
impl Ledger for Flaky {
    fn info(&self) -> &Info {
        self.inner.info()
    }

    async fn append(&self, subject: &Subject, expected: Seq, payload: Bytes) -> Result<Seq, AppendError> {
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let unknown = || AppendError::Unknown { subject: subject.clone(), source: Box::new(Broke) };
        match fault {
            Some(AppendFault::LoseRequest) => return Err(unknown()),
            Some(AppendFault::Conflict) => {
                return Err(AppendError::Conflict { subject: subject.clone(), expected });
            }
            Some(AppendFault::Refuse) => return Err(AppendError::Refused("on purpose".to_owned())),
            _ => {}
        }
        let answer = self.inner.append(subject, expected, payload).await;
        let on_top = self.on_top.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Ok(seq), Some((subject, payload))) = (&answer, on_top) {
            self.inner.append(&subject, *seq, payload).await?;
        }
        if fault == Some(AppendFault::LoseAcknowledgement) { Err(unknown()) } else { answer }
    }

    async fn first_after(&self, subject: &Subject, after: Seq) -> Result<Option<Record>, ReadError> {
        self.inner.first_after(subject, after).await
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Record>, ReadError> {
        self.inner.last(subject).await
    }

    async fn get(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        self.inner.get(seq).await
    }

    async fn head(&self) -> Result<Seq, ReadError> {
        self.inner.head().await
    }

    async fn subjects(&self) -> Result<Vec<(Subject, Seq)>, ReadError> {
        self.inner.subjects().await
    }

    fn tail(&self, from: Seq) -> Box<dyn Tail> {
        self.inner.tail(from)
    }

    async fn lease(&self, name: &str, holder: &str) -> Result<Box<dyn Lease>, LeaseError> {
        self.inner.lease(name, holder).await
    }
}
