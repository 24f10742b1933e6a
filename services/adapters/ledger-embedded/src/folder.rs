//! The folder: its lock, which is the only lease that an embedded ledger needs, and its identity. It
//! refuses to know what lies in the segments.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hindcast_domain::id::base32;
use hindcast_ledger::heads;
use serde::{Deserialize, Serialize};

use crate::holder::Holder;
use crate::options::{OpenError, Options, folder_of, io};

/// The format of the segments.
const FORMAT: u32 = 1;
/// A lock that is only being looked at is free again after this long.
const LOOKS: (u32, Duration) = (5, Duration::from_millis(20));

/// Who has the data folder `dir` now; `None` where nobody has.
#[must_use]
pub fn holder(dir: &Path) -> Option<Holder> {
    let mut file = File::open(lock_path(&folder_of(dir))).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read_holder(&mut file)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// Whether a ledger was ever made in the data folder `dir`: opening makes one where there is none.
#[must_use]
pub fn exists(dir: &Path) -> bool {
    identity_path(&folder_of(dir)).exists()
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join("lock")
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    let parsed = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    parsed.unwrap_or(Holder { pid: 0, address: None })
}

/// The lock; it is given back when this is dropped, or the process ends in any way.
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Self, OpenError> {
        let path = lock_path(folder);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(io("open", &path))?;
        for look in 0.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if look < LOOKS.0 => std::thread::sleep(LOOKS.1),
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::Held { folder: folder.to_owned(), holder: read_holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(io("lock", &path)(source)),
            }
        }
        let mut lock = Self { file, path };
        lock.write(None)?;
        Ok(lock)
    }

    /// Says where this process listens.
    pub(crate) fn announce(&mut self, address: &str) -> Result<(), OpenError> {
        self.write(Some(address.to_owned()))
    }

    fn write(&mut self, address: Option<String>) -> Result<(), OpenError> {
        let holder = Holder { pid: std::process::id(), address };
        let text = serde_json::to_string(&holder).unwrap_or_default();
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(text.as_bytes()))
            .map_err(io("write", &self.path))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerIdentity {
    format: u32,
    /// Copied with the ledger.
    pub(crate) ledger_id: String,
    /// What every block of these segments begins with: random, so that no payload can pass for a block.
    pub(crate) mark: u64,
}

impl LedgerIdentity {
    /// Reads the identity, or `None` where there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, OpenError> {
        let path = identity_path(folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io("read", &path)(source)),
        };
        let identity: Self = serde_json::from_slice(&bytes).map_err(|source| OpenError::Identity { path, source })?;
        if identity.format != FORMAT {
            return Err(OpenError::Format { expected: FORMAT, got: identity.format });
        }
        Ok(Some(identity))
    }

    /// Draws one and makes it durable.
    pub(crate) fn create(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let mut random = [0_u8; 18];
        getrandom::fill(&mut random).map_err(OpenError::Random)?;
        let (id, mark) = random.split_at(10);
        let mark = mark.iter().fold(0_u64, |mark, byte| (mark << 8) | u64::from(*byte));
        let ledger_id = match &options.ledger_id {
            Some(id) => id.clone(),
            None => base32(id),
        };
        // Zeroes mean "nothing was written here", so a mark is never zero.
        let identity = Self { format: FORMAT, ledger_id, mark: mark | 1 };
        let path = identity_path(folder);
        let bytes =
            serde_json::to_vec(&identity).map_err(|source| OpenError::Identity { path: path.clone(), source })?;
        heads::replace(&path, &bytes).map_err(io("write", &path))?;
        if let Some(parent) = folder.parent() {
            heads::sync_folder(parent).map_err(io("sync", parent))?;
        }
        Ok(identity)
    }
}

fn identity_path(folder: &Path) -> PathBuf {
    folder.join("ledger.json")
}

pub(crate) fn check_id(id: &str) -> Result<(), OpenError> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&id.len()) && id.bytes().all(word) { Ok(()) } else { Err(OpenError::NotAnId(id.to_owned())) }
}
