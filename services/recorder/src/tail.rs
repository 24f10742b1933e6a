//! Owns following a log file: from its end as it is when the recording starts, across rotation and truncation, one whole line at a time.
//!
//! It is sans-clock and sans-channel: [`FollowedFile::poll`] gives the lines that have been completed since the last call.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::limits::LOG_LINE_BYTES_MAX;

pub(crate) struct FollowedFile {
    path: PathBuf,
    open: Option<OpenedFile>,
    /// What stands after the last newline.
    rest: Vec<u8>,
    /// The line in `rest` has grown past its bound, and what follows of it is dropped.
    cut: bool,
}

struct OpenedFile {
    file: File,
    inode: u64,
    position: u64,
}

impl FollowedFile {
    /// Follows a file from its present end; one that does not exist yet from its beginning.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let mut tail = Self { path: path.to_owned(), open: None, rest: Vec::new(), cut: false };
        tail.open = tail.open_now()?;
        if let Some(open) = &mut tail.open {
            open.position = open.file.seek(SeekFrom::End(0))?;
        }
        Ok(tail)
    }

    /// The lines completed since the last call.
    pub(crate) fn poll(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        self.drain(&mut lines)?;
        if self.replaced()? {
            // Nothing more is written to the old file once the new one stands at its path, but for what came before this look.
            self.drain(&mut lines)?;
            self.end_line(&mut lines);
            self.open = self.open_now()?;
            self.drain(&mut lines)?;
        }
        Ok(lines)
    }

    /// The lines completed since the last call, and what stands after the last newline as a line of its own.
    pub(crate) fn finish(&mut self) -> io::Result<Vec<String>> {
        let mut lines = self.poll()?;
        self.end_line(&mut lines);
        Ok(lines)
    }

    fn open_now(&self) -> io::Result<Option<OpenedFile>> {
        match File::open(&self.path) {
            Ok(file) => {
                let inode = file.metadata()?.ino();
                Ok(Some(OpenedFile { file, inode, position: 0 }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether another file stands at the path now.
    fn replaced(&self) -> io::Result<bool> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) => Ok(self.open.as_ref().is_none_or(|open| open.inode != metadata.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self, lines: &mut Vec<String>) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if open.file.metadata()?.len() < open.position {
            // Truncated in place: what stands there now is new.
            open.position = open.file.seek(SeekFrom::Start(0))?;
            self.rest.clear();
            self.cut = false;
        }
        let mut new = Vec::new();
        open.position += open.file.read_to_end(&mut new)? as u64;
        for piece in new.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.last() == Some(&b'\n');
            self.grow(piece.strip_suffix(b"\n").unwrap_or(piece));
            if ended {
                lines.extend(self.take_line());
            }
        }
        Ok(())
    }

    fn grow(&mut self, piece: &[u8]) {
        let room = LOG_LINE_BYTES_MAX.saturating_sub(self.rest.len());
        self.cut |= piece.len() > room;
        self.rest.extend(piece.iter().take(room));
    }

    fn end_line(&mut self, lines: &mut Vec<String>) {
        if !self.rest.is_empty() {
            lines.extend(self.take_line());
        }
    }

    fn take_line(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.rest);
        let mut line = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(&bytes)).into_owned();
        if std::mem::take(&mut self.cut) {
            line.push_str(" … [cut]");
        }
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    struct Log {
        folder: tempfile::TempDir,
    }

    impl Log {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("a.log")
        }

        fn append(&self, text: &str) {
            File::options().create(true).append(true).open(self.path()).unwrap().write_all(text.as_bytes()).unwrap();
        }

        fn rotate(&self) {
            std::fs::rename(self.path(), self.folder.path().join("a.log.1")).unwrap();
        }
    }

    #[test]
    fn what_stood_there_before_is_not_read() {
        let log = Log::new();
        log.append("old\n");
        let mut tail = FollowedFile::new(&log.path()).unwrap();
        log.append("new\n");
        assert_eq!(tail.poll().unwrap(), ["new"]);
    }

    #[test]
    fn a_line_is_given_once_it_is_whole() {
        let log = Log::new();
        let mut tail = FollowedFile::new(&log.path()).unwrap();
        log.append("one\ntw");
        assert_eq!(tail.poll().unwrap(), ["one"]);
        log.append("o\r\nthr");
        assert_eq!(tail.poll().unwrap(), ["two"]);
        assert_eq!(tail.finish().unwrap(), ["thr"]);
    }

    #[test]
    fn rotation_loses_nothing_of_either_file() {
        let log = Log::new();
        log.append("old\n");
        let mut tail = FollowedFile::new(&log.path()).unwrap();
        log.append("last of the old\n");
        log.rotate();
        assert_eq!(tail.poll().unwrap(), ["last of the old"], "while no new file stands there");
        log.append("first of the new\n");
        assert_eq!(tail.poll().unwrap(), ["first of the new"]);
    }

    #[test]
    fn a_truncated_file_is_read_from_its_start() {
        let log = Log::new();
        log.append("something long\n");
        let mut tail = FollowedFile::new(&log.path()).unwrap();
        File::create(log.path()).unwrap();
        log.append("short\n");
        assert_eq!(tail.poll().unwrap(), ["short"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let log = Log::new();
        let mut tail = FollowedFile::new(&log.path()).unwrap();
        log.append(&"x".repeat(LOG_LINE_BYTES_MAX + 5));
        log.append("x\nnext\n");
        let lines = tail.poll().unwrap();
        assert_eq!((lines[0].len(), lines[1].as_str()), (LOG_LINE_BYTES_MAX + " … [cut]".len(), "next"));
    }
}
