//! `lab similar`: which texts of a corpus are nearest to each query, by the embedder and the measures that a search of
//! the memory uses.

use std::io::Write;
use std::path::Path;

use hindcast_similarity::Lexicon;
use serde::{Deserialize, Serialize};

use super::input;

/// Texts that are embedded at once.
const BATCH: usize = 64;

#[derive(Debug, Deserialize)]
struct Text {
    id: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct RankedText<'a> {
    query: &'a str,
    ranked: Vec<&'a str>,
}

/// Writes `{"query":id,"ranked":[ids]}` for each query, the nearest first, at most `top` of them.
///
/// # Errors
/// When a file cannot be read, a text cannot be embedded, or the answer cannot be written.
pub async fn run(
    (corpus, queries): (&Path, &Path),
    top: usize,
    embedder: &hindcast_vectors::embed::Shared,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let corpus: Vec<Text> = input::ndjson(corpus)?;
    let queries: Vec<Text> = input::ndjson(queries)?;
    let known = embedded(&corpus, embedder).await?;
    let lexicon = Lexicon::of(corpus.iter().map(|text| text.text.as_str()));
    for (query, vector) in queries.iter().zip(embedded(&queries, embedder).await?) {
        let cosines: Vec<f32> = known.iter().map(|known| cosine(&vector, known)).collect();
        let near = lexicon.near(&query.text, &cosines);
        let mut near: Vec<(f64, &str)> = near.into_iter().zip(corpus.iter().map(|text| text.id.as_str())).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let ranked = near.into_iter().take(top).map(|(_, id)| id).collect();
        serde_json::to_writer(&mut *out, &RankedText { query: &query.id, ranked })?;
        writeln!(out)?;
    }
    Ok(())
}

async fn embedded(texts: &[Text], embedder: &hindcast_vectors::embed::Shared) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut all = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let batch: Vec<String> = batch.iter().map(|text| text.text.clone()).collect();
        all.extend(embedder.embed(&batch).await?);
    }
    Ok(all)
}

/// Of two vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_text_that_shares_the_telling_words_comes_first() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let (corpus, queries) = (folder.path().join("corpus.ndjson"), folder.path().join("queries.ndjson"));
        let texts = [
            ("a", "the database ran out of connections after a deploy"),
            ("b", "the certificate of the gateway expired"),
            ("c", "disks of the log store were full"),
        ];
        let lines: String = texts.iter().map(|(id, text)| format!("{{\"id\":{id:?},\"text\":{text:?}}}\n")).collect();
        std::fs::write(&corpus, lines)?;
        std::fs::write(&queries, "{\"id\":\"q\",\"text\":\"GatewayCertificateExpires\"}\n")?;
        let embedder: hindcast_vectors::embed::Shared =
            std::sync::Arc::new(hindcast_vectors::embed::Hashing::default());
        let mut out = Vec::new();
        run((&corpus, &queries), 2, &embedder, &mut out).await?;
        let answer: serde_json::Value = serde_json::from_slice(&out)?;
        assert_eq!((answer["query"].as_str(), answer["ranked"][0].as_str()), (Some("q"), Some("b")), "{answer}");
        assert_eq!(answer["ranked"].as_array().map(Vec::len), Some(2));
        Ok(())
    }
}
