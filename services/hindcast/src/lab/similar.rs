//! `lab similar`: which texts of a corpus are nearest to each query, by the embedder and the measures that a search of
//! the memory uses.

use std::io::Write;
use std::path::Path;

use hindcast_similarity::{Lexicon, dot, passages};
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

#[derive(Debug, Serialize)]
struct LikenessParts<'a> {
    id: &'a str,
    words: f64,
    passage: f64,
    cosine: f32,
}

#[derive(Debug, Serialize)]
struct QueriedParts<'a> {
    query: &'a str,
    parts: Vec<LikenessParts<'a>>,
}

/// What is written for each query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimilarOutput {
    /// `{"query":id,"ranked":[ids]}`, the nearest first, at most so many.
    Ranked(usize),
    /// `{"query":id,"parts":[{"id","words","passage","cosine"}]}`: what each text's likeness is made of, for choosing how.
    Parts,
}

/// Writes a line of JSON for each query. Long texts are embedded passage by passage, and the best one counts.
///
/// # Errors
/// When a file cannot be read, a text cannot be embedded, or the answer cannot be written.
pub async fn run(
    (corpus, queries): (&Path, &Path),
    output: SimilarOutput,
    embedder: &hindcast_vectors::embed::Shared,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let corpus: Vec<Text> = input::ndjson(corpus)?;
    let queries: Vec<Text> = input::ndjson(queries)?;
    let (mut parts, mut owners) = (Vec::new(), Vec::new());
    for (owner, text) in corpus.iter().enumerate() {
        for passage in passages(&text.text) {
            parts.push(passage);
            owners.push(owner);
        }
    }
    let known = embedded(&parts, embedder).await?;
    let asked: Vec<&str> = queries.iter().map(|query| query.text.as_str()).collect();
    let lexicon = Lexicon::of(corpus.iter().map(|text| text.text.as_str()));
    for (query, vector) in queries.iter().zip(embedded(&asked, embedder).await?) {
        let mut cosines = vec![-1.0_f32; corpus.len()];
        for (owner, known) in owners.iter().zip(&known) {
            if let Some(best) = cosines.get_mut(*owner) {
                *best = best.max(dot(&vector, known));
            }
        }
        match output {
            SimilarOutput::Ranked(top) => {
                let near = lexicon.near(&query.text, &cosines);
                let mut near: Vec<(f64, &str)> =
                    near.into_iter().zip(corpus.iter().map(|text| text.id.as_str())).collect();
                near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
                let ranked = near.into_iter().take(top).map(|(_, id)| id).collect();
                serde_json::to_writer(&mut *out, &RankedText { query: &query.id, ranked })?;
            }
            SimilarOutput::Parts => {
                let shared = lexicon.shared(&query.text).into_iter().zip(&cosines).zip(&corpus);
                let part = |(((words, passage), cosine), text): (((f64, f64), &f32), _)| {
                    let text: &Text = text;
                    LikenessParts { id: &text.id, words, passage, cosine: *cosine }
                };
                let parts = shared.map(part).collect();
                serde_json::to_writer(&mut *out, &QueriedParts { query: &query.id, parts })?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

async fn embedded(texts: &[&str], embedder: &hindcast_vectors::embed::Shared) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut all = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let batch: Vec<String> = batch.iter().map(|text| (*text).to_owned()).collect();
        all.extend(embedder.embed(&batch).await?);
    }
    Ok(all)
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
        run((&corpus, &queries), SimilarOutput::Ranked(2), &embedder, &mut out).await?;
        let answer: serde_json::Value = serde_json::from_slice(&out)?;
        assert_eq!((answer["query"].as_str(), answer["ranked"][0].as_str()), (Some("q"), Some("b")), "{answer}");
        assert_eq!(answer["ranked"].as_array().map(Vec::len), Some(2));
        let mut out = Vec::new();
        run((&corpus, &queries), SimilarOutput::Parts, &embedder, &mut out).await?;
        let answer: serde_json::Value = serde_json::from_slice(&out)?;
        let parts: Vec<f64> = (0..3).filter_map(|at| answer["parts"][at]["words"].as_f64()).collect();
        assert!(parts.len() == 3 && parts[1] > parts[0] && parts[1] > parts[2], "{answer}");
        Ok(())
    }
}
