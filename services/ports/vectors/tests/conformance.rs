//! The store in memory against the suite, and the suite against stores that are wrong on purpose: each breaks
//! one promise, and the case that holds it must turn red.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_vectors::conformance::{self, Factory, Site};
use hindcast_vectors::{Checkpoint, Error, MemoryVectors, Neighbour, Point, Query, Shared, Vectors};

struct InMemory;

struct Held(Shared);

#[async_trait]
impl Site for Held {
    fn store(&self) -> Shared {
        Arc::clone(&self.0)
    }

    async fn reopen(&mut self) -> Shared {
        self.store()
    }
}

#[async_trait]
impl Factory for InMemory {
    async fn site(&self, dimension: usize) -> Box<dyn Site> {
        Box::new(Held(Arc::new(MemoryVectors::new(dimension))))
    }
}

hindcast_vectors::conformance_suite!(InMemory);

/// What is wrong with a store.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    ShowsLater,
    ShowsOldVersions,
    ShowsWhatIsGone,
    MixesPartitions,
    RunsAhead,
    TakesAnyLength,
    GuessesNearness,
    OverwritesVersions,
}

struct Broken(Wrong);

struct Store {
    wrong: Wrong,
    inner: MemoryVectors,
    dimension: usize,
    points: std::sync::Mutex<Vec<Point>>,
}

#[async_trait]
impl Factory for Broken {
    async fn site(&self, dimension: usize) -> Box<dyn Site> {
        let inner = MemoryVectors::new(dimension);
        Box::new(Held(Arc::new(Store { wrong: self.0, inner, dimension, points: std::sync::Mutex::default() })))
    }
}

#[async_trait]
impl Vectors for Store {
    fn kind(&self) -> &'static str {
        "broken"
    }

    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        let there = self.inner.checkpoint().await?;
        let ahead = |mut there: Checkpoint| {
            there.position += 1;
            there
        };
        Ok(if matches!(self.wrong, Wrong::RunsAhead) { there.map(ahead) } else { there })
    }

    async fn store(&self, mut points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        for point in &mut points {
            match self.wrong {
                Wrong::ShowsOldVersions => point.item = format!("{}@{}", point.item, point.position),
                Wrong::ShowsWhatIsGone => point.gone = false,
                Wrong::TakesAnyLength => point.vector.resize(self.dimension, 0.0),
                _ => {}
            }
        }
        if matches!(self.wrong, Wrong::OverwritesVersions) {
            let mut kept = self.points.lock().unwrap();
            kept.retain(|known| !points.iter().any(|new| new.item == known.item && new.position == known.position));
            kept.extend(points.clone());
        }
        self.inner.store(points, checkpoint).await
    }

    async fn search(&self, mut query: Query) -> Result<Vec<Neighbour>, Error> {
        match self.wrong {
            Wrong::ShowsLater => query.as_of = u64::MAX,
            Wrong::MixesPartitions => "default/production".clone_into(&mut query.partition),
            Wrong::TakesAnyLength => query.vector.resize(self.dimension, 0.0),
            Wrong::GuessesNearness => query.vector.iter_mut().for_each(|x| *x = x.signum()),
            Wrong::OverwritesVersions => return Ok(conformance::expected(&self.points.lock().unwrap(), &query)),
            _ => {}
        }
        self.inner.search(query).await
    }

    async fn count(&self) -> Result<u64, Error> {
        self.inner.count().await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.inner.clear().await
    }
}

macro_rules! red {
    ($($name:ident: $case:ident with $wrong:ident;)+) => {
        $(
            #[tokio::test]
            #[should_panic]
            async fn $name() {
                conformance::$case(&Broken(Wrong::$wrong)).await;
            }
        )+
    };
}

red! {
    a_store_that_shows_what_is_later_is_found_out: a_search_as_of_a_position_sees_nothing_later with ShowsLater;
    a_store_that_shows_later_ones_among_many_is_found_out: ten_thousand_points_are_searched_exactly with ShowsLater;
    a_store_that_shows_old_versions_is_found_out:
        of_several_versions_the_last_that_is_visible_is_found with ShowsOldVersions;
    a_store_that_shows_what_is_gone_is_found_out: what_is_gone_is_found_before_and_not_after with ShowsWhatIsGone;
    a_store_that_mixes_partitions_is_found_out: partitions_and_kinds_are_apart with MixesPartitions;
    a_checkpoint_that_runs_ahead_is_found_out: the_checkpoint_comes_with_its_data with RunsAhead;
    a_store_that_takes_any_length_is_found_out: a_vector_of_another_length_is_refused with TakesAnyLength;
    a_store_that_guesses_what_is_near_is_found_out: ten_thousand_points_are_searched_exactly with GuessesNearness;
    a_store_that_overwrites_versions_is_found_out: storing_again_changes_nothing with OverwritesVersions;
}
