//! How often an alert was sent again without a change, as of the reader's position.

use std::sync::PoisonError;

use super::Reader;
use crate::error::Error;
use crate::project::repeats::{RepeatCount, counted, read_count, written_at};
use crate::store::keys::DocumentKind;

impl Reader {
    /// Repeats of an alert by its fingerprint, or of an incident's alerts by its id.
    pub(crate) fn repeats(&self, id: &str) -> Result<RepeatCount, Error> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner).at(id, self.at);
        if let Some(Some(count)) = recent {
            return Ok(count);
        }
        let document = self.store.document(DocumentKind::Repeats, id, self.at)?;
        let (written, mut count) = match &document {
            Some(document) => (document.position, read_count(&document.value)?),
            None => (0, RepeatCount::default()),
        };
        if recent.is_some() {
            return Ok(count);
        }
        // What was counted since and is in no document stands in the batches.
        let mut batches = self.batches.borrow_mut();
        let batches = match batches.as_mut() {
            Some(known) => known,
            None => batches.insert(counted(&self.store, &self.events, written_at(&self.store, self.at)?, self.at)?),
        };
        let is_own = |alert: &str, incident: Option<&str>| alert == id || incident == Some(id);
        for repeat in batches.iter().filter(|repeat| repeat.position > written) {
            if is_own(&repeat.alert, repeat.incident.as_deref()) {
                count.count += repeat.count;
                count.last_at = count.last_at.max(repeat.at);
                count.position = repeat.position;
            }
        }
        Ok(count)
    }
}
