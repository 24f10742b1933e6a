//! Sentence vectors by a model on this machine: fastembed over ONNX Runtime, both from a folder.
//!
//! The one contract of this crate: *a text's vector depends on the text alone*: one text at a time on one
//! thread, so no neighbour and no number of cores changes it. It downloads nothing and reads no environment;
//! where the folder lacks something it says what, and somebody else decides what stands in.

mod files;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use hindcast_vectors::embed::{Embedder, EmbedderIdentity, Error};

pub use files::{MANIFEST, MODEL, ModelFiles, ModelManifest, TOKENIZER};

/// Tokens that are read of a text, unless the folder says otherwise.
const TOKENS_MAX: usize = 256;
/// Bytes that are read of a text: far more than its tokens, so that an endless text costs nothing.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Texts of one call.
const TEXTS_MAX: usize = 4_096;

/// A model that is installed.
pub struct Installed {
    identity: EmbedderIdentity,
    /// One call at a time: the model keeps buffers of its own.
    model: Arc<Mutex<TextEmbedding>>,
}

impl std::fmt::Debug for Installed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installed").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Installed {
    /// Loads the model of a folder: `model.onnx`, `tokenizer.json`, `config.json`, `special_tokens_map.json`,
    /// `tokenizer_config.json` and the library of ONNX Runtime. It takes a few hundred milliseconds; ask it
    /// where blocking is allowed. The library is loaded once a process: the first folder's.
    ///
    /// # Errors
    /// [`Error::Load`] that says what is missing, is not what was installed, or does not run here.
    pub fn open(folder: &Path) -> Result<Arc<dyn Embedder>, Error> {
        let began = Instant::now();
        let found = ModelFiles::of(folder)?;
        let (mut model, sha256) = load(&found)?;
        let probe = model.embed(vec!["a text"], Some(1)).map_err(|error| Error::Load(error.to_string()))?;
        let dimension = probe.first().map_or(0, Vec::len);
        if dimension == 0 {
            return Err(Error::Load(format!("the model of {} makes no vectors", folder.display())));
        }
        let identity =
            EmbedderIdentity { model: found.model(), sha256, runtime: found.runtime(), dimension, stand_in: false };
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(model = identity.model, runtime = identity.runtime, dimension, elapsed_ms, "embedder loaded");
        Ok(Arc::new(Self { identity, model: Arc::new(Mutex::new(model)) }))
    }
}

fn load(found: &ModelFiles) -> Result<(TextEmbedding, String), Error> {
    let pooling = match found.manifest.pooling.as_deref() {
        None | Some("mean") => Pooling::Mean,
        Some("cls") => Pooling::Cls,
        Some(other) => return Err(Error::Load(format!("expected a pooling of mean or cls, got {other:?}"))),
    };
    let (onnx, sha256) = found.read(MODEL)?;
    let [tokenizer, config, special, tokenizer_config] = TOKENIZER;
    let tokenizer_files = TokenizerFiles {
        tokenizer_file: found.read(tokenizer)?.0,
        config_file: found.read(config)?.0,
        special_tokens_map_file: found.read(special)?.0,
        tokenizer_config_file: found.read(tokenizer_config)?.0,
    };
    let library = std::path::absolute(&found.library).map_err(|error| Error::Load(error.to_string()))?;
    let environment = ort::init_from(&library)
        .map_err(|error| Error::Load(error.to_string()))?
        .with_telemetry(false)
        .build()
        .map_err(|error| Error::Load(error.to_string()))?;
    let options = InitOptionsUserDefined::new()
        .with_environment(environment)
        .with_max_length(found.manifest.tokens_max.unwrap_or(TOKENS_MAX))
        .with_intra_threads(1);
    let model = UserDefinedEmbeddingModel::new(onnx, tokenizer_files).with_pooling(pooling);
    let model =
        TextEmbedding::try_new_from_user_defined(model, options).map_err(|error| Error::Load(error.to_string()))?;
    Ok((model, sha256))
}

#[async_trait]
impl Embedder for Installed {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        if texts.len() > TEXTS_MAX {
            return Err(Error::Embed(format!("expected at most {TEXTS_MAX} texts at once, got {}", texts.len())));
        }
        let texts: Vec<String> = texts.iter().map(|text| cut(text).to_owned()).collect();
        let model = Arc::clone(&self.model);
        let made = tokio::task::spawn_blocking(move || {
            texts.iter().map(|text| one(&mut model.lock().unwrap_or_else(PoisonError::into_inner), text)).collect()
        });
        made.await.map_err(|error| Error::Embed(error.to_string()))?
    }
}

fn one(model: &mut TextEmbedding, text: &str) -> Result<Vec<f32>, Error> {
    let made = model.embed(vec![text], Some(1)).map_err(|error| Error::Embed(error.to_string()))?;
    let mut vector = made.into_iter().next().ok_or_else(|| Error::Embed("no vector came".to_owned()))?;
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !length.is_finite() || length <= 0.0 {
        return Err(Error::Embed(format!("expected a vector of some length, got one of {length}")));
    }
    vector.iter_mut().for_each(|x| *x /= length);
    Ok(vector)
}

/// The beginning of a text, cut between characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
