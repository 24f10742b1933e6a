//! Backup and restore: the whole ledger, commit by commit and verbatim, with the tenant's key and a seal.
//!
//! Layout: `HCBACKUP1\n`, then frames of length (u32, little endian) and bytes: one JSON header, one frame a
//! commit (sequence u64 LE, subject length u16 LE, subject, payload), and at the end one frame of length 0
//! followed by the SHA-256 of everything before it. A file without its seal is no backup. Installation id
//! and views are left out: a restored backup is another installation, and pages nobody until it is activated.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use hindcast_ledger::{Ledger, Seq, Subject};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::Sender;

use crate::folder::{Folder, Keys};
use crate::ledger::OpenedLedger;

/// The media type of a backup.
pub const MEDIA: &str = "application/vnd.hindcast.backup";

const MAGIC: &[u8] = b"HCBACKUP1\n";
/// No frame of ours is larger.
const FRAME_BYTES_MAX: u32 = 4 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct BackupHeader {
    version: u32,
    ledger_id: String,
    head: Seq,
    keys: Keys,
}

/// Contents of a backup after its restore, for the report to the user.
#[derive(Clone, Debug, Serialize)]
pub struct RestoredBackup {
    /// Id of the ledger, unchanged by the restore.
    pub ledger_id: String,
    /// Number of commits that were written.
    pub commits: u64,
    /// The backup's own hash.
    pub hash: String,
}

/// Writes a backup of everything up to the head as it is now.
///
/// # Errors
/// When the ledger cannot be read, or the client that asked closed the connection.
pub async fn write(ledger: &dyn Ledger, keys: &Keys, out: &Sender<std::io::Result<Bytes>>) -> anyhow::Result<()> {
    let head = ledger.head().await?;
    // The API token stays here: a restored service draws its own.
    let keys = Keys { tenant: keys.tenant.clone(), token_sha256: None };
    let header = BackupHeader { version: 1, ledger_id: ledger.info().ledger_id.clone(), head, keys };
    let mut seal = Sha256::new();
    let mut first = MAGIC.to_vec();
    first.extend(frame(&serde_json::to_vec(&header)?)?);
    send(out, &mut seal, first).await?;
    let mut tail = ledger.tail(1);
    let mut through = 0;
    while through < head {
        let mut chunk = Vec::new();
        for record in tail.next().await? {
            if record.seq > head {
                break;
            }
            let subject = record.subject.to_string();
            let mut bytes = record.seq.to_le_bytes().to_vec();
            bytes.extend(u16::try_from(subject.len())?.to_le_bytes());
            bytes.extend(subject.as_bytes());
            bytes.extend(&record.payload);
            chunk.extend(frame(&bytes)?);
            through = record.seq;
        }
        send(out, &mut seal, chunk).await?;
    }
    send(out, &mut seal, 0_u32.to_le_bytes().to_vec()).await?;
    let digest = seal.finalize().to_vec();
    out.send(Ok(Bytes::from(digest))).await.context("the client that asked for the backup closed the connection")
}

async fn send(out: &Sender<std::io::Result<Bytes>>, seal: &mut Sha256, bytes: Vec<u8>) -> anyhow::Result<()> {
    seal.update(&bytes);
    out.send(Ok(Bytes::from(bytes))).await.context("the client that asked for the backup closed the connection")
}

fn frame(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = u32::try_from(bytes.len())?;
    ensure!(length <= FRAME_BYTES_MAX, "a commit of {length} bytes is over the limit of a backup");
    let mut framed = length.to_le_bytes().to_vec();
    framed.extend(bytes);
    Ok(framed)
}

/// Restores a backup into a folder that holds no ledger yet. The seal is checked before anything is written.
///
/// # Errors
/// When the file is no whole backup, or the folder is not empty.
pub async fn restore(file: &Path, data: &Path, progress: &dyn Fn(u64, u64)) -> anyhow::Result<RestoredBackup> {
    let hash = check(file)?;
    ensure!(!data.join("ledger").exists(), "expected a folder without a ledger, {} holds one", data.display());
    let mut reader = std::io::BufReader::new(std::fs::File::open(file)?);
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic)?;
    let header = next(&mut reader)?.context("a backup begins with its header")?;
    let header: BackupHeader = serde_json::from_slice(&header).context("a backup's header")?;
    ensure!(header.version == 1, "expected a backup of version 1, got {}", header.version);
    let folder = Folder::open(data)?;
    folder.keep(&header.keys)?;
    let opened = OpenedLedger::embedded(&folder, Some(&header.ledger_id)).await?;
    let ledger = opened.ledger();
    let mut last: std::collections::BTreeMap<Subject, Seq> = std::collections::BTreeMap::new();
    let mut commits = 0;
    while let Some(bytes) = next(&mut reader)? {
        let (seq, subject, payload) = record(&bytes)?;
        let expected = last.get(&subject).copied().unwrap_or(0);
        let at = ledger.append(&subject, expected, Bytes::from(payload)).await?;
        ensure!(at == seq, "commit {seq} came to lie at {at}");
        last.insert(subject, seq);
        commits += 1;
        progress(commits, header.head);
    }
    opened.close().await;
    Ok(RestoredBackup { ledger_id: header.ledger_id, commits, hash })
}

fn record(bytes: &[u8]) -> anyhow::Result<(Seq, Subject, Vec<u8>)> {
    let (seq, rest) = bytes.split_first_chunk::<8>().context("a commit's sequence")?;
    let (length, rest) = rest.split_first_chunk::<2>().context("a commit's subject")?;
    let (subject, payload) =
        rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).context("a commit's subject")?;
    let subject = std::str::from_utf8(subject)?.parse::<Subject>()?;
    Ok((u64::from_le_bytes(*seq), subject, payload.to_vec()))
}

/// Reads the whole file once and compares its seal.
fn check(file: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(file).with_context(|| format!("the backup {}", file.display()))?.len();
    let mut reader = std::io::BufReader::new(std::fs::File::open(file)?);
    let sealed = size.checked_sub(32).context("the file is too short for a backup")?;
    let mut seal = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut left = sealed;
    let mut first = true;
    while left > 0 {
        let want = usize::try_from(left.min(buffer.len() as u64))?;
        let chunk = buffer.get_mut(..want).context("a buffer")?;
        reader.read_exact(chunk)?;
        if first && !chunk.starts_with(MAGIC) {
            bail!("expected a backup of Hindcast, {} is none", file.display());
        }
        first = false;
        seal.update(&*chunk);
        left -= want as u64;
    }
    let mut kept = [0; 32];
    reader.read_exact(&mut kept)?;
    let digest = seal.finalize();
    ensure!(digest.as_slice() == kept, "the backup {} is cut short or damaged", file.display());
    Ok(hindcast_domain::hex::hex(&digest))
}

fn next(reader: &mut impl Read) -> anyhow::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length == 0 {
        return Ok(None);
    }
    ensure!(length <= FRAME_BYTES_MAX, "a frame of {length} bytes is over the limit of a backup");
    let mut bytes = vec![0; length as usize];
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
