//! What every embedder does alike; run by each adapter. It refuses to say how good a model is beyond what
//! recall needs: texts that share their meaning lie closer than texts that do not.

// A suite is made of expectations; a panic with its reason is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hindcast_similarity::dot;

use super::Embedder;

/// Texts that an embedder meets: short, long, foreign, empty, made of nothing but marks.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = ["disk full", "", " ", "¶¶¶ ⚠️ \u{0}\u{200b}", "Überlauf 溢出 переполнение", "a"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    texts.push("FATAL: remaining connection slots are reserved ".repeat(2_000));
    texts.push("x".repeat(100_000));
    texts
}

/// Every case.
pub async fn all(embedder: &dyn Embedder) {
    vectors_have_the_length_that_is_said(embedder).await;
    a_vector_depends_on_its_text_alone(embedder).await;
    what_means_alike_lies_closer(embedder).await;
}

/// Of the announced dimension, of length 1, whatever the text.
pub async fn vectors_have_the_length_that_is_said(embedder: &dyn Embedder) {
    let made = embedder.embed(&texts()).await.expect("any text has a vector");
    assert_eq!(made.len(), texts().len());
    for (vector, text) in made.iter().zip(texts()) {
        let text: String = text.chars().take(20).collect();
        assert_eq!(vector.len(), embedder.identity().dimension, "{text:?}");
        let length = dot(vector, vector).sqrt();
        assert!((length - 1.0).abs() < 1e-3, "{text:?} has a vector of length {length}");
    }
    assert_eq!(embedder.embed(&[]).await.unwrap(), Vec::<Vec<f32>>::new(), "no text, no vector");
}

/// Alone, among others and again: the same bits.
pub async fn a_vector_depends_on_its_text_alone(embedder: &dyn Embedder) {
    let texts = texts();
    let together = embedder.embed(&texts).await.unwrap();
    for (text, among_others) in texts.iter().zip(together) {
        let alone = embedder.embed(std::slice::from_ref(text)).await.unwrap();
        assert!(alone[0].iter().map(|x| x.to_bits()).eq(among_others.iter().map(|x| x.to_bits())));
    }
}

/// Three faults, each told twice in other words.
pub async fn what_means_alike_lies_closer(embedder: &dyn Embedder) {
    let texts: Vec<String> = [
        "postgres: no free connection slots remain, too many clients",
        "postgres refuses clients: all connection slots are taken",
        "no space left on device while writing to the data volume",
        "the volume for data is full, no space is left on the device",
        "the certificate of the gateway expires soon",
        "gateway: certificate is about to expire",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    let made = embedder.embed(&texts).await.unwrap();
    for (n, own) in made.iter().enumerate() {
        let twin = dot(own, &made[n ^ 1]);
        for (m, other) in made.iter().enumerate().filter(|(m, _)| *m != n && *m != n ^ 1) {
            let away = dot(own, other);
            assert!(twin > away, "{:?}: {twin} to its twin, {away} to {:?}", texts[n], texts[m]);
        }
    }
}
