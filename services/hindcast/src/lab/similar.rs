//! `lab similar`: which texts of a corpus are nearest to each query, by the embedder and the measure that the memory
//! uses.

use std::io::Write;
use std::path::Path;

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
struct Ranked<'a> {
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
    embedder: &hindcast_embed::Shared,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let corpus: Vec<Text> = input::ndjson(corpus)?;
    let queries: Vec<Text> = input::ndjson(queries)?;
    let known = embedded(&corpus, embedder).await?;
    for (query, vector) in queries.iter().zip(embedded(&queries, embedder).await?) {
        let mut near: Vec<(f32, &str)> =
            corpus.iter().zip(&known).map(|(text, known)| (cosine(&vector, known), text.id.as_str())).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let ranked = near.into_iter().take(top).map(|(_, id)| id).collect();
        serde_json::to_writer(&mut *out, &Ranked { query: &query.id, ranked })?;
        writeln!(out)?;
    }
    Ok(())
}

async fn embedded(texts: &[Text], embedder: &hindcast_embed::Shared) -> anyhow::Result<Vec<Vec<f32>>> {
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
