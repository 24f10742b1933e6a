//! The suite that every adapter runs: what the port promises, as tests. It knows an adapter only through
//! [`Site`], and refuses to be lenient about any of them.
//!
//! An adapter's `tests/conformance.rs` calls [`crate::conformance_suite!`] and, where it has storage that
//! can be harmed, [`crate::storage_suite!`]. Each case panics with what it expected and what came.

// A suite is made of expectations; a panic with its reason is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod flaky;
pub mod lanes;
pub mod order;
pub mod storage;
pub mod toy;
pub mod writers;

use async_trait::async_trait;

use hindcast_ledger::port::Shared;

/// What is done to what lies on disk, while no process has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Nothing: everything was closed in order.
    None,
    /// The process that stores was killed; nothing was closed.
    Killed,
    /// The last commit is cut off, whole.
    CutTail,
    /// One bit of a commit in the middle is flipped, inside its payload.
    FlipBit,
}

/// One place where one ledger lies.
#[async_trait]
pub trait Site: Send + Sync {
    /// The ledger as one process has it.
    fn ledger(&self) -> Shared;

    /// The ledger as another process has it; the same handle where only one process can have it.
    async fn another(&self) -> Shared;

    /// Waits until a window in which the store itself knows a message again is over.
    async fn outlast_dedup_window(&self) {}

    /// A folder that is this site's own, for snapshots.
    fn scratch(&self) -> std::path::PathBuf;

    /// Ends every hold on it, harms it, and opens it again; why not, where it does not open.
    async fn reopen(&mut self, harm: Harm) -> Result<Shared, String>;
}

/// Makes sites, each with an empty ledger.
#[async_trait]
pub trait Factory: Send + Sync {
    /// A new site, whose ledger has this identity.
    async fn site(&self, ledger_id: &str) -> Box<dyn Site>;
}

/// Makes one test of each case; `$make` is a [`Factory`].
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make =>
            order::the_expected_sequence_is_held,
            order::one_of_many_that_expect_the_same_wins,
            order::a_commit_over_the_limit_is_refused,
            order::reads_agree_with_what_was_answered,
            order::a_tail_reads_in_order_from_any_place,
            order::a_dropped_read_loses_nothing,
            order::what_one_reader_made_of_a_record_another_finds,
            order::an_own_retry_is_found_inside_and_beyond_the_dedup_window,
            writers::a_lost_acknowledgement_is_no_second_commit,
            writers::a_lost_acknowledgement_with_a_successor_on_top_is_success,
            writers::a_lost_request_is_sent_again,
            writers::a_conflict_without_a_rival_is_looked_into,
            writers::a_twin_in_a_slot_takes_another,
            writers::concurrent_requests_share_commits,
            writers::stamps_may_go_backward_between_writers,
            lanes::an_owner_that_lost_its_lease_is_fenced,
            lanes::a_filtered_and_a_full_reader_agree_on_now,
            lanes::a_snapshot_is_resumed_and_a_foreign_one_refused,
            lanes::an_unknown_version_stops_a_decider,
            lanes::two_idle_lanes_do_not_grow,
            lanes::a_backlog_that_was_overtaken_is_resumed,
        }
    };
}

/// Makes one test of each case that needs storage; `$make` is a [`Factory`].
#[macro_export]
macro_rules! storage_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make =>
            storage::what_was_acknowledged_is_there_after_a_restart,
            storage::what_was_acknowledged_is_there_after_a_kill,
            storage::a_cut_tail_is_found,
            storage::a_flipped_bit_is_found,
        }
    };
}

/// The tests of a list of cases.
#[macro_export]
#[doc(hidden)]
macro_rules! conformance_cases {
    ($make:expr => $($module:ident :: $case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$module::$case(&$make).await;
            }
        )+
    };
}
