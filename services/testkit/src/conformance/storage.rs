//! Cases of what lies on disk: restarts, kills, harm, and copies.

use std::sync::Arc;

use super::toy::{Chains, PATIENCE, all, assert_sound, fact, intake, lane, partition, writer};
use super::{Factory, Harm};
use hindcast_ledger::commit;
use hindcast_ledger::port::{ReadError, Shared};

async fn survives(make: &dyn Factory, id: &str, harm: Harm) {
    let mut site = make.site(id).await;
    let ledger = site.ledger();
    let mut chains = Chains::default();
    for n in 0..50 {
        let subject = if n % 5 == 0 { lane() } else { intake("a") };
        chains.append(ledger.as_ref(), &subject).await.unwrap();
    }
    let before = all(ledger.as_ref()).await;
    let mut subscription = ledger.tail(40);
    assert_eq!(subscription.next().await.unwrap().first().map(|record| record.seq), Some(40));
    drop((subscription, ledger));
    let ledger = site.reopen(harm).await.expect("it opens again");
    assert_eq!(all(ledger.as_ref()).await, before, "what was acknowledged is there, byte for byte");
    // A subscription is its position: it goes on from there, also to what comes later.
    let mut subscription = ledger.tail(41);
    let mut next = 41;
    chains.append(ledger.as_ref(), &lane()).await.expect("a chain goes on after a restart");
    while next <= 51 {
        let more = tokio::time::timeout(PATIENCE, subscription.next()).await.expect("it goes on");
        for record in more.unwrap() {
            assert_eq!(record.seq, next);
            next += 1;
        }
    }
    assert_sound(ledger.as_ref()).await;
}

/// Closed in order and opened again: everything is there.
pub async fn what_was_acknowledged_is_there_after_a_restart(make: &dyn Factory) {
    survives(make, "RESTART", Harm::None).await;
}

/// Killed and started again: everything that was acknowledged is there.
pub async fn what_was_acknowledged_is_there_after_a_kill(make: &dyn Factory) {
    survives(make, "KILLED", Harm::Killed).await;
}

async fn filled(make: &dyn Factory, id: &str) -> Box<dyn super::Site> {
    let site = make.site(id).await;
    let ledger = site.ledger();
    let mut chains = Chains::default();
    for _ in 0..20 {
        chains.append(ledger.as_ref(), &intake("a")).await.unwrap();
    }
    site
}

/// The end was cut after it was known outside: the ledger does not open.
pub async fn a_cut_tail_is_found(make: &dyn Factory) {
    let mut site = filled(make, "CUT").await;
    // What was cut since the last head that was written cannot be found; this is that bound.
    tokio::time::sleep(hindcast_ledger::heads::EVERY * 3).await;
    let opened = site.reopen(Harm::CutTail).await.map(|ledger| ledger.info().clone());
    assert!(opened.is_err(), "expected a ledger that is shorter than known not to open, got {opened:?}");
}

/// One bit was flipped in the middle: it does not open, or it is damage for who reads there, and never
/// data, and never the silent loss of what follows.
pub async fn a_flipped_bit_is_found(make: &dyn Factory) {
    let mut site = filled(make, "FLIP").await;
    tokio::time::sleep(hindcast_ledger::heads::EVERY * 3).await;
    let Ok(ledger) = site.reopen(Harm::FlipBit).await else {
        return;
    };
    let work = hindcast_eventlog::verify::verify(ledger.as_ref(), |_, _| ());
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(report)) => assert!(!report.is_sound(), "expected the flipped bit to be found"),
        Ok(Err(ReadError::Damaged { .. })) => {}
        Ok(Err(error)) => panic!("expected damage, got {error:?}"),
        Err(_) => panic!("expected damage to be said within {PATIENCE:?}"),
    }
}

/// Copied through three ledgers: the same places, the same bytes, the same chains; and nobody copies into
/// another's ledger. All three must have the same identity, and the last two be empty.
pub async fn a_copy_keeps_every_byte(from: Shared, through: Shared, to: Shared, foreign: Shared) {
    let door = writer(&from, "door", 10);
    for n in 0..40 {
        door.facts().submit(&partition(), vec![fact(&n.to_string()), fact("more")]).await.unwrap();
    }
    door.stop().await;
    let head = from.head().await.unwrap();
    for (source, target) in [(&from, &through), (&through, &to)] {
        let copied = hindcast_eventlog::copy::copy_into(source.as_ref(), target.as_ref()).await.expect("a copy");
        assert_eq!(copied, head);
    }
    let (first, last) = (all(from.as_ref()).await, all(to.as_ref()).await);
    assert_eq!(first, all(through.as_ref()).await);
    assert_eq!(first, last, "the same places and bytes");
    let chain = |record: &hindcast_ledger::port::Record| commit::decode_header(&record.payload).unwrap().1;
    assert_eq!(first.iter().map(chain).collect::<Vec<_>>(), last.iter().map(chain).collect::<Vec<_>>());
    assert_sound(to.as_ref()).await;
    let again = hindcast_eventlog::copy::copy_into(from.as_ref(), to.as_ref()).await.expect("nothing is left to copy");
    assert_eq!(again, head);
    let refused = hindcast_eventlog::copy::copy_into(from.as_ref(), foreign.as_ref()).await;
    assert!(refused.is_err(), "expected a copy into another ledger to be refused");
    goes_on(&from, &to).await;
}

/// A copy that was made goes on: a writer continues its chain there.
async fn goes_on(from: &Shared, to: &Shared) {
    let door = writer(&Arc::clone(to), "door", 20);
    door.facts().submit(&partition(), vec![fact("after")]).await.unwrap();
    door.stop().await;
    assert_sound(to.as_ref()).await;
    let refused = hindcast_eventlog::copy::copy_into(from.as_ref(), to.as_ref()).await;
    assert!(refused.is_err(), "expected a target that went on its own way to be refused");
}
