//! Cases of the one order: expectations, places, reading.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hindcast_domain::limits::COMMIT_BYTES_MAX;

use super::Factory;
use super::toy::{Chains, PATIENCE, all, intake, lane};
use hindcast_ledger::port::AppendError;

/// An append follows exactly the commit that it expects, on its own subject, or nothing is written.
pub async fn the_expected_sequence_is_held(make: &dyn Factory) {
    let site = make.site("EXPECTED").await;
    let ledger = site.ledger();
    assert_eq!(ledger.head().await.unwrap(), 0, "a new ledger is empty");
    let (a, b) = (intake("a"), intake("b"));
    let first = ledger.append(&a, 0, Bytes::from_static(b"one")).await.unwrap();
    let second = ledger.append(&b, 0, Bytes::from_static(b"two")).await.unwrap();
    let third = ledger.append(&a, first, Bytes::from_static(b"three")).await.unwrap();
    assert_eq!((first, second, third), (1, 2, 3), "places are dense");
    for wrong in [0, first, second, third + 1] {
        let refused = ledger.append(&a, wrong, Bytes::from_static(b"never")).await;
        assert!(
            matches!(&refused, Err(AppendError::Conflict { expected, .. }) if *expected == wrong),
            "expected a conflict for expected sequence {wrong} of a subject that ends at {third}, got {refused:?}"
        );
    }
    assert_eq!(ledger.head().await.unwrap(), third, "a conflict writes nothing");
}

/// Of many appends that expect the same, one is written.
pub async fn one_of_many_that_expect_the_same_wins(make: &dyn Factory) {
    let site = make.site("RACE").await;
    let (ledger, another) = (site.ledger(), site.another().await);
    let mut racers = tokio::task::JoinSet::new();
    for racer in 0..16 {
        let ledger = if racer % 2 == 0 { Arc::clone(&ledger) } else { Arc::clone(&another) };
        racers.spawn(async move { ledger.append(&lane(), 0, Bytes::from(format!("racer {racer}"))).await });
    }
    let mut won = 0;
    while let Some(raced) = racers.join_next().await {
        match raced.unwrap() {
            Ok(seq) => {
                assert_eq!(seq, 1);
                won += 1;
            }
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => panic!("expected a conflict, got {error:?}"),
        }
    }
    assert_eq!(won, 1, "exactly one of them is written");
    assert_eq!(all(ledger.as_ref()).await.len(), 1);
}

/// The limit of a commit is the ledger's, too; one at the limit fits.
pub async fn a_commit_over_the_limit_is_refused(make: &dyn Factory) {
    let site = make.site("LIMIT").await;
    let ledger = site.ledger();
    let refused = ledger.append(&intake("a"), 0, Bytes::from(vec![7; COMMIT_BYTES_MAX + 1])).await;
    assert!(matches!(refused, Err(AppendError::TooLarge { .. })), "expected it to be too large, got {refused:?}");
    let largest = Bytes::from(vec![7; COMMIT_BYTES_MAX]);
    let seq = ledger.append(&intake("a"), 0, largest.clone()).await.expect("the largest commit fits");
    assert_eq!(ledger.get(seq).await.unwrap().unwrap().payload, largest);
}

/// What is read by place, by subject and as the last one is what was answered.
pub async fn reads_agree_with_what_was_answered(make: &dyn Factory) {
    let site = make.site("READS").await;
    let ledger = site.ledger();
    let (a, b) = (intake("a"), lane());
    let mut places = Vec::new();
    let mut last = [0, 0];
    for n in 0..10_u8 {
        let which = usize::from(n % 3 == 0);
        let subject = if which == 0 { &a } else { &b };
        let seq = ledger.append(subject, last[which], Bytes::from(vec![n; 3])).await.unwrap();
        last[which] = seq;
        places.push((seq, subject.clone(), vec![n; 3]));
    }
    for (seq, subject, payload) in &places {
        let record = ledger.get(*seq).await.unwrap().expect("an answered place can be read");
        assert_eq!((&record.subject, record.payload.as_ref()), (subject, payload.as_slice()));
        let after = ledger.first_after(subject, seq - 1).await.unwrap().expect("it comes after the one before");
        assert_eq!(after.seq, *seq);
    }
    for (subject, seq) in [(&a, last[0]), (&b, last[1])] {
        assert_eq!(ledger.last(subject).await.unwrap().map(|record| record.seq), Some(seq));
        assert_eq!(ledger.first_after(subject, seq).await.unwrap(), None);
    }
    assert_eq!(ledger.last(&intake("nobody")).await.unwrap(), None);
    assert_eq!(ledger.first_after(&intake("nobody"), 0).await.unwrap(), None);
    assert_eq!(ledger.get(11).await.unwrap(), None);
    assert_eq!(ledger.get(0).await.unwrap(), None);
    let mut subjects = ledger.subjects().await.unwrap();
    subjects.sort();
    let mut expected = vec![(a, last[0]), (b, last[1])];
    expected.sort();
    assert_eq!(subjects, expected);
}

/// Readers see one order without a gap, from any place on, also of what is appended while they read.
pub async fn a_tail_reads_in_order_from_any_place(make: &dyn Factory) {
    const WRITERS: u64 = 4;
    const EACH: u64 = 100;
    let site = make.site("TAIL").await;
    let ledger = site.ledger();
    let mut readers = tokio::task::JoinSet::new();
    for from in [1, 2, 137] {
        let mut tail = site.another().await.tail(from);
        readers.spawn(async move {
            let mut next = from;
            while next <= WRITERS * EACH {
                for record in tail.next().await.expect("a tail can be read") {
                    assert_eq!(record.seq, next, "a tail from {from} reads in order, without a gap");
                    next += 1;
                }
            }
        });
    }
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let ledger = Arc::clone(&ledger);
        writers.spawn(async move {
            let subject = intake(&format!("w{writer}"));
            let mut chains = Chains::default();
            for _ in 0..EACH {
                chains.append(ledger.as_ref(), &subject).await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let reading = async {
        while let Some(done) = readers.join_next().await {
            done.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("every reader gets to the end");
}

/// A read that is given up loses nothing.
pub async fn a_dropped_read_loses_nothing(make: &dyn Factory) {
    let site = make.site("DROP").await;
    let ledger = site.ledger();
    let mut chains = Chains::default();
    let mut tail = ledger.tail(1);
    let mut seen = Vec::new();
    let subject = intake("a");
    for round in 0..20_u64 {
        // Given up at another moment each time: before, while and after something arrives.
        let pause = Duration::from_micros(round * 150);
        let reading = tokio::time::timeout(pause, tail.next());
        let (read, appended) = tokio::join!(reading, chains.append(ledger.as_ref(), &subject));
        appended.unwrap();
        if let Ok(records) = read {
            seen.extend(records.unwrap().into_iter().map(|record| record.seq));
        }
    }
    while seen.len() < 20 {
        let more = tokio::time::timeout(PATIENCE, tail.next()).await.expect("nothing was lost").unwrap();
        seen.extend(more.into_iter().map(|record| record.seq));
    }
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

/// Two readers of a process, one of them slower: what the first made of a record is made once.
pub async fn what_one_reader_made_of_a_record_another_finds(make: &dyn Factory) {
    let site = make.site("SHARED").await;
    let ledger = site.ledger();
    let (mut fast, mut slow) = (ledger.tail(1), ledger.tail(1));
    let (mut chains, subject) = (Chains::default(), intake("a"));
    let mut seen = (Vec::new(), Vec::new());
    for _ in 0..20 {
        chains.append(ledger.as_ref(), &subject).await.unwrap();
        for record in fast.next().await.expect("a tail can be read") {
            seen.0.push(record.memo.get_or_make(|_: Option<()>| Ok::<_, ()>(record.seq)).unwrap());
        }
    }
    while seen.1.len() < seen.0.len() {
        for record in tokio::time::timeout(PATIENCE, slow.next()).await.expect("it gets to the end").unwrap() {
            let made_again = |_: Option<()>| Err(format!("commit {} was made twice", record.seq));
            seen.1.push(record.memo.get_or_make(made_again).unwrap());
        }
    }
    assert_eq!(seen.0, seen.1);
    assert_eq!(seen.0.iter().map(|seq| **seq).collect::<Vec<u64>>(), (1..=20).collect::<Vec<_>>());
}

/// The same bytes with the same expectation are written once, however late they are sent again; what
/// stands there tells that they are ours.
pub async fn an_own_retry_is_found_inside_and_beyond_the_dedup_window(make: &dyn Factory) {
    let site = make.site("RETRY").await;
    let ledger = site.ledger();
    let ours = Bytes::from_static(b"ours");
    let seq = ledger.append(&intake("a"), 0, ours.clone()).await.unwrap();
    for beyond in [false, true] {
        if beyond {
            site.outlast_dedup_window().await;
        }
        match ledger.append(&intake("a"), 0, ours.clone()).await {
            Ok(again) => assert_eq!(again, seq, "a retry that is answered names the first place"),
            Err(AppendError::Conflict { .. } | AppendError::Unknown { .. }) => {}
            Err(error) => panic!("expected a conflict or the first place, got {error:?}"),
        }
        let there = ledger.first_after(&intake("a"), 0).await.unwrap().expect("it is there");
        assert_eq!((there.seq, there.payload), (seq, ours.clone()));
        assert_eq!(ledger.head().await.unwrap(), seq, "it is there once");
    }
}
