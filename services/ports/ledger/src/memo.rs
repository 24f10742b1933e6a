//! What a process made of a record: the first who reads a commit unpacks it, and everybody else shares that. Whoever
//! wrote a commit may leave what it wrote it from, so that nobody has to unpack it. Refuses to know what is made of one,
//! and how long a record is kept.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What somebody made of a record, for whoever reads it next. It says nothing that the record does not.
#[derive(Clone, Default)]
pub struct RecordMemo(Arc<Mutex<MemoState>>);

#[derive(Default)]
enum MemoState {
    /// Nobody read it yet.
    #[default]
    Empty,
    /// What its writer wrote it from, without the place that the ledger gave it.
    Written(Box<dyn Any + Send>),
    /// What a reader made of it.
    Made(Arc<dyn Any + Send + Sync>),
}

impl RecordMemo {
    /// The memo of a record that is about to be written from `source`.
    #[must_use]
    pub fn written<S: Any + Send>(source: S) -> Self {
        Self(Arc::new(Mutex::new(MemoState::Written(Box::new(source)))))
    }

    /// What was made of the record; it is made here where nobody has, while others wait for it. `make` gets what the
    /// writer left, where that is an `S`.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub fn get_or_make<T: Any + Send + Sync, S: Any + Send, E>(
        &self,
        make: impl FnOnce(Option<S>) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let MemoState::Made(made) = &*kept
            && let Ok(made) = Arc::clone(made).downcast::<T>()
        {
            return Ok(made);
        }
        let source = match std::mem::take(&mut *kept) {
            MemoState::Written(source) => source.downcast::<S>().ok().map(|source| *source),
            MemoState::Empty | MemoState::Made(_) => None,
        };
        let made = Arc::new(make(source)?);
        *kept = MemoState::Made(Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        Ok(made)
    }
}

impl fmt::Debug for RecordMemo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordMemo")
    }
}

impl PartialEq for RecordMemo {
    /// It follows from the record, so that two of one record never differ.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RecordMemo {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_made_of_a_record_all_share() {
        let (memo, mut made) = (RecordMemo::default(), 0);
        for _ in 0..3 {
            let shared = memo.clone().get_or_make::<_, (), ()>(|_| {
                made += 1;
                Ok(made)
            });
            assert_eq!(shared.as_deref(), Ok(&1));
        }
        assert_eq!(memo.get_or_make::<String, (), _>(|_| Err(())), Err(()));
    }

    #[test]
    fn what_the_writer_left_is_taken_once() {
        let memo = RecordMemo::written("three".to_owned());
        let length = |source: Option<String>| Ok::<_, ()>(source.map(|source| source.len()));
        assert_eq!(memo.get_or_make(length), Ok(Arc::new(Some(5))));
        assert_eq!(memo.get_or_make(length), Ok(Arc::new(Some(5))), "it is made once");
        let other = |source: Option<u8>| Ok::<_, ()>(source.is_some());
        assert_eq!(RecordMemo::written("x").get_or_make(other), Ok(Arc::new(false)), "it is of another kind");
    }
}
