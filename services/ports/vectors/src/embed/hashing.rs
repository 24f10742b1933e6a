//! The stand-in: character n-grams and words, hashed into a vector with a sign. Deterministic on every machine.
//! Source of the method: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{Embedder, EmbedderIdentity, Error};

/// Length of its vectors.
const DIMENSION: usize = 384;
/// Characters that are read of a text.
const TEXT_CHARS_MAX: usize = 8 * 1024;
/// Characters of a gram.
const GRAM: usize = 4;

/// The embedder that needs nothing.
#[derive(Clone, Debug)]
pub struct Hashing {
    identity: EmbedderIdentity,
}

impl Default for Hashing {
    fn default() -> Self {
        let identity = EmbedderIdentity {
            model: "hashing".to_owned(),
            sha256: String::new(),
            runtime: "hindcast".to_owned(),
            dimension: DIMENSION,
            stand_in: true,
        };
        Self { identity }
    }
}

#[async_trait]
impl Embedder for Hashing {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        Ok(texts.iter().map(|text| vector(text)).collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0_f32; DIMENSION];
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1) {
        add(&mut vector, word, 1.0);
        let padded: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
        for gram in padded.windows(GRAM) {
            add(&mut vector, &gram.iter().collect::<String>(), 0.4);
        }
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

fn add(vector: &mut [f32], feature: &str, weight: f32) {
    let hash = Sha256::digest(feature.as_bytes());
    let at = usize::from(u16::from_be_bytes([hash[0], hash[1]])) % vector.len();
    let sign = if hash[2] & 1 == 0 { 1.0 } else { -1.0 };
    vector[at] += sign * weight;
}
