//! What a process made of a record: the first who reads a commit unpacks it, and everybody else shares that. Refuses to
//! know what is made of one, and how long a record is kept.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What somebody made of a record, for whoever reads it next. It says nothing that the record does not.
#[derive(Clone, Default)]
pub struct RecordMemo(Arc<Mutex<Option<Arc<dyn Any + Send + Sync>>>>);

impl RecordMemo {
    /// What was made of the record; it is made here where nobody has, while others wait for it.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub fn get_or_make<T: Any + Send + Sync, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = kept.as_ref().and_then(|made| Arc::clone(made).downcast::<T>().ok()) {
            return Ok(made);
        }
        let made = Arc::new(make()?);
        *kept = Some(Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
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
            let shared = memo.clone().get_or_make::<_, ()>(|| {
                made += 1;
                Ok(made)
            });
            assert_eq!(shared.as_deref(), Ok(&1));
        }
        assert_eq!(memo.get_or_make::<String, _>(|| Err(())), Err(()));
    }
}
