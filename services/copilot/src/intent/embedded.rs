//! The examples as vectors, where an embedding model is loaded: questions in words that no example has are then near those
//! that mean the same. Owns that nobody waits for it: until all examples are embedded, shared words alone count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use hindcast_vectors::embed;

use super::nearest::BUILT_IN;

/// Examples that are embedded at once.
const AT_ONCE: usize = 32;

/// The examples as an embedder sees them.
#[derive(Clone)]
pub(crate) struct EmbeddedExamples {
    embedder: Option<embed::Shared>,
    vectors: Arc<OnceLock<Vec<Vec<f32>>>>,
    begun: Arc<AtomicBool>,
}

impl EmbeddedExamples {
    /// By a model; a stand-in counts words, which is done here already.
    pub(crate) fn by(embedder: Option<embed::Shared>) -> Self {
        let embedder = embedder.filter(|embedder| !embedder.identity().stand_in);
        Self { embedder, vectors: Arc::default(), begun: Arc::default() }
    }

    /// How near a text is to each example, 0 to 1, in their order; nothing until they are embedded.
    pub(crate) async fn nearness(&self, text: &str) -> Option<Vec<f64>> {
        let embedder = self.embedder.as_ref()?;
        let Some(vectors) = self.vectors.get() else {
            self.begin(embedder);
            return None;
        };
        let asked = embedder.embed(&[plain(text)]).await;
        let asked = asked.inspect_err(|error| tracing::warn!(%error, "a question could not be embedded")).ok()?;
        let asked = asked.first()?;
        let dot = |other: &Vec<f32>| asked.iter().zip(other).map(|(a, b)| f64::from(a * b)).sum::<f64>().max(0.0);
        Some(vectors.iter().map(dot).collect())
    }

    /// Embeds the examples beside everything else, once.
    fn begin(&self, embedder: &embed::Shared) {
        if self.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let (embedder, into) = (Arc::clone(embedder), Arc::clone(&self.vectors));
        tokio::spawn(async move {
            let texts: Vec<String> = BUILT_IN.all.iter().map(|example| plain(&example.text)).collect();
            let mut vectors = Vec::with_capacity(texts.len());
            for chunk in texts.chunks(AT_ONCE) {
                match embedder.embed(chunk).await {
                    Ok(found) => vectors.extend(found),
                    Err(error) => {
                        tracing::warn!(%error, "the examples of questions could not be embedded: shared words alone count");
                        return;
                    }
                }
            }
            if into.set(vectors).is_err() {
                tracing::debug!("the examples of questions were embedded twice");
            }
        });
    }
}

/// A text without placeholders, which a model does not know.
fn plain(text: &str) -> String {
    [
        ("{x}", "it"),
        ("{inc}", "the incident"),
        ("{alert}", "the alert"),
        ("{ver}", "the release"),
        ("{who}", "them"),
        ("{con}", "it"),
        ("{time}", "then"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (place, word)| text.replace(place, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An embedder that is no stand-in, over the words that hashing sees.
    struct Model(embed::EmbedderIdentity);

    #[async_trait::async_trait]
    impl embed::Embedder for Model {
        fn identity(&self) -> &embed::EmbedderIdentity {
            &self.0
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, embed::Error> {
            embed::Embedder::embed(&embed::Hashing::default(), texts).await
        }
    }

    #[tokio::test]
    async fn nobody_waits_and_then_meaning_counts() {
        let stand_in: embed::Shared = Arc::new(embed::Hashing::default());
        assert!(EmbeddedExamples::by(Some(stand_in.clone())).nearness("what caused it").await.is_none());
        let identity = embed::EmbedderIdentity { stand_in: false, ..stand_in.identity().clone() };
        let model = EmbeddedExamples::by(Some(Arc::new(Model(identity))));
        assert!(model.nearness("what caused it").await.is_none(), "the first question does not wait");
        while model.vectors.get().is_none() {
            tokio::task::yield_now().await;
        }
        let near = model.nearness("what caused it").await.unwrap();
        let best = near.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(index, _)| index).unwrap();
        assert_eq!(BUILT_IN.all[best].text, "what caused it");
    }
}
