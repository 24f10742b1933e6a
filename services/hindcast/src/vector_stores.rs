//! The memory's settings, and the vector store that they choose. Owns which adapter stands behind which setting, so that
//! a further store is a field, a flag and a branch here; refuses to know what is stored.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use hindcast_vectors::embed::EmbedderIdentity;
use hindcast_vectors_flat::FlatStore;
use hindcast_vectors_qdrant::QdrantStore;
use serde::{Deserialize, Serialize};

use crate::settings::{environment, without_credentials};

/// Where the embedding model is, and which server keeps the vectors.
#[derive(Args, Clone, Debug, Default)]
pub struct MemoryFlags {
    /// The folder of the embedding model [default: the target of `hindcast embedder install`].
    #[arg(long, value_name = "DIR", env = "HINDCAST_MODEL_DIR")]
    pub model_dir: Option<PathBuf>,

    /// A Qdrant server that keeps the vectors [default: files in the data folder].
    #[arg(long, value_name = "URL", env = "QDRANT_URL")]
    pub qdrant_url: Option<String>,
}

/// How the past is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemorySettings {
    /// Where the embedding model lies.
    pub model_dir: Option<PathBuf>,
    /// A Qdrant server that keeps the vectors; files in the data folder where absent.
    pub qdrant_url: Option<String>,
    /// The environment variable that holds its key.
    pub qdrant_api_key_env: Option<String>,
}

impl MemorySettings {
    /// The settings of the file under the flags.
    #[must_use]
    pub fn under(self, flags: &MemoryFlags) -> Self {
        Self {
            model_dir: flags.model_dir.clone().or(self.model_dir),
            qdrant_url: flags.qdrant_url.clone().or(self.qdrant_url),
            ..self
        }
    }

    /// The settings as people may see them.
    #[must_use]
    pub fn shown(self) -> Self {
        Self { qdrant_url: self.qdrant_url.as_deref().map(without_credentials), ..self }
    }

    /// Opens the store: a Qdrant server where one is named, files under `folder` otherwise.
    ///
    /// # Errors
    /// When the store cannot be opened, or a setting names something that is not there.
    pub async fn open(&self, folder: PathBuf, identity: &EmbedderIdentity) -> anyhow::Result<hindcast_vectors::Shared> {
        if let Some(url) = &self.qdrant_url {
            let key = match &self.qdrant_api_key_env {
                Some(name) => Some(environment(name).with_context(|| format!("the environment variable {name}"))?),
                None => environment("QDRANT_API_KEY"),
            };
            let options = hindcast_vectors_qdrant::Options::new(url.clone(), key, identity.key(), identity.dimension);
            return Ok(Arc::new(QdrantStore::open(&options).context("Qdrant")?));
        }
        let (folder, dimension) = (folder.join(identity.key()), identity.dimension);
        let opened = tokio::task::spawn_blocking(move || open_flat(&folder, dimension)).await?;
        Ok(Arc::new(opened.context("the vector store")?))
    }
}

/// Vectors are made anew from the ledger: a damaged store is dropped, and that is said.
fn open_flat(folder: &Path, dimension: usize) -> Result<FlatStore, hindcast_vectors::Error> {
    match FlatStore::open(folder, dimension) {
        Err(hindcast_vectors::Error::Damaged(detail)) => {
            tracing::error!(detail, folder = %folder.display(), "the vector store is damaged; it is made anew");
            FlatStore::forget(folder)?;
            FlatStore::open(folder, dimension)
        }
        opened => opened,
    }
}
