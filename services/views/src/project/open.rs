//! Notices that are still open: where the oldest of them began, so that a list of open ones looks back no further.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::NoticeId;
use hindcast_domain::notice::{Notice, Status};

use crate::store::Batch;
use crate::store::keys::{DocumentKind, OPEN_NOTICES};

/// Notices that are requested or held.
#[derive(Debug, Default)]
pub(super) struct OpenNotices {
    /// Where each began.
    began: BTreeMap<NoticeId, u64>,
    places: BTreeSet<u64>,
    /// The mark as it was last written.
    mark: Option<u64>,
}

/// Whether something is still to come of it.
pub(crate) const fn is_open(status: Status) -> bool {
    matches!(status, Status::Requested | Status::Held)
}

impl OpenNotices {
    /// Takes a notice in as it was written; `began` is where.
    pub(super) fn load(&mut self, notice: &Notice, began: u64) {
        if is_open(notice.status) {
            self.began.insert(notice.id.clone(), began);
            self.places.insert(began);
            self.mark = self.places.first().copied();
        }
    }

    /// Takes a notice in as it is now, and writes the mark where it moved.
    pub(super) fn note(&mut self, batch: &mut Batch, notice: &Notice, position: u64) {
        if is_open(notice.status) {
            let began = *self.began.entry(notice.id.clone()).or_insert(position);
            self.places.insert(began);
        } else if let Some(began) = self.began.remove(&notice.id) {
            self.places.remove(&began);
        }
        let mark = self.places.first().copied();
        if mark != self.mark {
            self.mark = mark;
            let value = mark.map_or_else(Vec::new, |began| began.to_be_bytes().to_vec());
            batch.document(DocumentKind::Mark, OPEN_NOTICES, position, value);
        }
    }
}
