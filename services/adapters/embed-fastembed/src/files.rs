//! The folder of a model: what must lie in it, and the manifest that says what it is. Owns the names and the
//! checks; refuses to load anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hindcast_domain::hex::hex;
use hindcast_vectors::embed::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The weights and the graph.
pub const MODEL: &str = "model.onnx";
/// What a tokenizer is made of; all four are needed.
pub const TOKENIZER: [&str; 4] = ["tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"];
/// What says what the folder holds.
pub const MANIFEST: &str = "manifest.json";
/// Bytes of a file that is read.
const FILE_BYTES_MAX: u64 = 1 << 31;

/// What a folder holds. Absent in a folder of one's own, where the defaults hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelManifest {
    /// The model's name; the folder's where absent.
    pub model: Option<String>,
    /// The runtime and its version; read from the library's name where absent.
    pub runtime: Option<String>,
    /// The file of the runtime's library, within the folder or absolute; looked for where absent.
    pub library: Option<PathBuf>,
    /// `mean` or `cls`; `mean` where absent.
    pub pooling: Option<String>,
    /// Tokens that are read of a text; 256 where absent.
    pub tokens_max: Option<usize>,
    /// SHA-256 of each file, in hexadecimal.
    pub files: BTreeMap<String, String>,
}

/// A folder with all that is needed.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// The directory that holds the model's files.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: ModelManifest,
    /// The runtime's library.
    pub library: PathBuf,
}

impl ModelFiles {
    /// Looks into a folder, and checks that all is there.
    ///
    /// # Errors
    /// [`Error::Load`] that names what is missing.
    pub fn of(folder: &Path) -> Result<Self, Error> {
        let manifest = match std::fs::read(folder.join(MANIFEST)) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Error::Load(format!("{} of {}: {error}", MANIFEST, folder.display())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => ModelManifest::default(),
            Err(error) => return Err(Error::Load(format!("{} of {}: {error}", MANIFEST, folder.display()))),
        };
        for name in std::iter::once(MODEL).chain(TOKENIZER) {
            if !folder.join(name).is_file() {
                return Err(Error::Load(format!("expected {name} in {}", folder.display())));
            }
        }
        let library = library(folder, &manifest)?;
        Ok(Self { folder: folder.to_owned(), manifest, library })
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> String {
        let folder = || self.folder.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy());
        self.manifest.model.clone().unwrap_or_else(|| folder().into_owned())
    }

    /// The runtime and its version.
    #[must_use]
    pub fn runtime(&self) -> String {
        let named = || {
            let name = self.library.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let version = name.split_once(".so.").map(|(_, version)| version.to_owned());
            version.map_or_else(|| "onnxruntime".to_owned(), |version| format!("onnxruntime {version}"))
        };
        self.manifest.runtime.clone().unwrap_or_else(named)
    }

    /// Reads a file, and checks it where the manifest says how.
    ///
    /// # Errors
    /// [`Error::Load`] when it cannot be read or is not what was installed.
    pub fn read(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        let path = self.folder.join(name);
        let wrong = |error: std::io::Error| Error::Load(format!("{}: {error}", path.display()));
        let bytes = std::fs::metadata(&path).map_err(wrong)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(Error::Load(format!(
                "expected at most {FILE_BYTES_MAX} bytes, {} has {bytes}",
                path.display()
            )));
        }
        let bytes = std::fs::read(&path).map_err(wrong)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        match self.manifest.files.get(name) {
            Some(expected) if *expected != sha256 => Err(Error::Load(format!(
                "expected {} with sha256 {expected}, got {sha256}; install it anew",
                path.display()
            ))),
            _ => Ok((bytes, sha256)),
        }
    }
}

fn library(folder: &Path, manifest: &ModelManifest) -> Result<PathBuf, Error> {
    if let Some(named) = &manifest.library {
        let path = folder.join(named);
        return if path.is_file() { Ok(path) } else { Err(Error::Load(format!("expected {}", path.display()))) };
    }
    let read = |error: std::io::Error| Error::Load(format!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.file_name().is_some_and(|name| is_library(&name.to_string_lossy())) {
            found.push(path);
        }
    }
    found.sort();
    found.pop().ok_or_else(|| {
        Error::Load(format!("expected the library of ONNX Runtime, such as libonnxruntime.so, in {}", folder.display()))
    })
}

fn is_library(name: &str) -> bool {
    name.starts_with("libonnxruntime.so")
        || name.starts_with("libonnxruntime") && name.ends_with(".dylib")
        || name == "onnxruntime.dll"
}
