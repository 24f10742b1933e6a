//! Owns the final form of a recording's large parts: zstd, written beside and then put in place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Slow and small: a recording is packed once and unpacked for ever.
const LEVEL: i32 = 19;

/// Packs one file into another and removes the first when the second is safe.
pub(crate) fn pack(from: &Path, to: &Path) -> Result<(), Error> {
    let mut input = File::open(from).map_err(|source| Error::Read { path: from.to_owned(), source })?;
    write(to, |output| io::copy(&mut input, output).map(|_| ()))?;
    std::fs::remove_file(from).map_err(|source| Error::Write { path: from.to_owned(), source })
}

/// Packs what the closure writes.
pub(crate) fn write(to: &Path, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Error> {
    let unfinished = beside(to);
    let packed = || -> io::Result<()> {
        let mut encoder = zstd::stream::write::Encoder::new(File::create(&unfinished)?, LEVEL)?;
        encoder.include_checksum(true)?;
        fill(&mut encoder)?;
        encoder.finish()?.sync_all()?;
        std::fs::rename(&unfinished, to)
    };
    packed().map_err(|source| Error::Write { path: to.to_owned(), source })
}

/// Writes a small file whole, so that no reader ever sees half of it.
pub(crate) fn put(to: &Path, bytes: &[u8]) -> Result<(), Error> {
    let unfinished = beside(to);
    std::fs::write(&unfinished, bytes)
        .and_then(|()| std::fs::rename(&unfinished, to))
        .map_err(|source| Error::Write { path: to.to_owned(), source })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}
