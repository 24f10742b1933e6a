//! The data folder's own secrets: the tenant's key, the API token's hash, and the installation's id.
//!
//! The installation id is bound to the folder by device and inode and is no part of a backup: a copy of the
//! folder, or a restored backup, is another installation, and performs no effects until it is activated.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use hindcast_domain::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const INSTALL: &str = "install.json";
const KEYS: &str = "keys.json";

/// The data folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Install {
    install: String,
    device: u64,
    inode: u64,
}

/// What is kept secret. It is part of a backup, so that fingerprints go on.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    /// The tenant's key, 64 hexadecimal digits.
    pub tenant: String,
    /// The SHA-256 of the API token.
    #[serde(default)]
    pub token_sha256: Option<String>,
}

impl Folder {
    /// The folder at `path`, which is made where it does not exist.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("the data folder {}", path.display()))?;
        Ok(Self { path: path.to_path_buf() })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// This installation's id: the one that was kept, if this is still the same folder; a fresh one otherwise.
    ///
    /// # Errors
    /// When it cannot be read or kept.
    pub fn install(&self) -> anyhow::Result<String> {
        let meta = fs::metadata(&self.path)?;
        let path = self.path.join(INSTALL);
        let kept = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Install>(&bytes).ok());
        if let Some(kept) = kept {
            if (kept.device, kept.inode) == (meta.dev(), meta.ino()) {
                return Ok(kept.install);
            }
            tracing::warn!(
                folder = %self.path.display(),
                "this folder was copied or its disk changed: it is another installation now and sends no pages \
                 until `hindcast activate`"
            );
        }
        let install = format!("install-{}", hex(&random()?));
        let fresh = Install { install: install.clone(), device: meta.dev(), inode: meta.ino() };
        write_secret(&path, &serde_json::to_vec_pretty(&fresh)?)?;
        Ok(install)
    }

    /// The secrets: those that were kept, or fresh ones.
    ///
    /// # Errors
    /// When they cannot be read or kept.
    pub fn keys(&self) -> anyhow::Result<Keys> {
        let path = self.path.join(KEYS);
        if path.exists() {
            let bytes = fs::read(&path).with_context(|| format!("the keys {}", path.display()))?;
            return serde_json::from_slice(&bytes).with_context(|| format!("the keys {}", path.display()));
        }
        anyhow::ensure!(
            !self.path.join("ledger").exists(),
            "expected {} beside the ledger, it is missing: with another key every alert gets a new fingerprint\n\
             remedy: put the file back, from a backup for instance",
            path.display()
        );
        let keys = Keys { tenant: hex(&random()?), token_sha256: None };
        self.keep(&keys)?;
        Ok(keys)
    }

    /// Keeps the secrets.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(&self, keys: &Keys) -> anyhow::Result<()> {
        write_secret(&self.path.join(KEYS), &serde_json::to_vec_pretty(keys)?)
    }

    /// The hash of the API token, and the token itself where it was made just now.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn token(&self) -> anyhow::Result<(String, Option<String>)> {
        let mut keys = self.keys()?;
        if let Some(hash) = keys.token_sha256 {
            return Ok((hash, None));
        }
        let token = format!("hc_{}", hex(&random()?));
        let hash = hex(&Sha256::digest(token.as_bytes()));
        keys.token_sha256 = Some(hash.clone());
        self.keep(&keys)?;
        Ok((hash, Some(token)))
    }
}

impl Keys {
    /// The tenant's key as bytes.
    ///
    /// # Errors
    /// When it is not 64 hexadecimal digits.
    pub fn tenant_bytes(&self) -> anyhow::Result<[u8; 32]> {
        hindcast_domain::hex::unhex_array(&self.tenant).context("expected a tenant key of 64 hexadecimal digits")
    }
}

fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let fresh = path.with_extension("fresh");
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path).with_context(|| format!("the file {}", path.display()))
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}
