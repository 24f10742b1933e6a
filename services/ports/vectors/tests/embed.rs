//! The stand-in against the suite, and the suite against embedders that are wrong on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use hindcast_vectors::embed::conformance;
use hindcast_vectors::embed::{Embedder, EmbedderIdentity, Error, Hashing};

#[tokio::test]
async fn the_stand_in_keeps_the_suite() {
    conformance::all(&Hashing::default()).await;
}

#[tokio::test]
async fn the_stand_in_says_that_it_stands_in() {
    let embedder = Hashing::default();
    assert!(embedder.identity().stand_in);
    assert_eq!(embedder.identity().key(), "hashing-384-");
}

#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    DependsOnNeighbours,
    AllAlike,
    NotOfLengthOne,
}

struct Broken {
    inner: Hashing,
    wrong: Wrong,
    calls: AtomicU32,
}

#[async_trait]
impl Embedder for Broken {
    fn identity(&self) -> &EmbedderIdentity {
        self.inner.identity()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut made = self.inner.embed(texts).await?;
        for vector in &mut made {
            match self.wrong {
                Wrong::DependsOnNeighbours => vector.rotate_left(call as usize % 3),
                Wrong::AllAlike => vector.iter_mut().enumerate().for_each(|(n, x)| *x = if n == 0 { 1.0 } else { 0.0 }),
                Wrong::NotOfLengthOne => vector.iter_mut().for_each(|x| *x *= 2.0),
            }
        }
        Ok(made)
    }
}

const fn broken(wrong: Wrong, inner: Hashing) -> Broken {
    Broken { inner, wrong, calls: AtomicU32::new(0) }
}

#[tokio::test]
#[should_panic]
async fn an_embedder_whose_vectors_change_is_found_out() {
    conformance::a_vector_depends_on_its_text_alone(&broken(Wrong::DependsOnNeighbours, Hashing::default())).await;
}

#[tokio::test]
#[should_panic]
async fn an_embedder_that_tells_nothing_apart_is_found_out() {
    conformance::what_means_alike_lies_closer(&broken(Wrong::AllAlike, Hashing::default())).await;
}

#[tokio::test]
#[should_panic]
async fn vectors_of_another_length_are_found_out() {
    conformance::vectors_have_the_length_that_is_said(&broken(Wrong::NotOfLengthOne, Hashing::default())).await;
}
