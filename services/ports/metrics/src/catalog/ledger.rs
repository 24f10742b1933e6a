//! The ledger and those who follow it: how much there is, how long an append takes, who is how far behind.

use super::declared::{FAST, MetricDeclaration, NameSet, SLOW, any, counter, gauge, histogram, named, words};

pub(super) const ALL: &[MetricDeclaration] = &[
    gauge("hindcast_ledger_position", "The position of the last commit's first event", &[]),
    gauge("hindcast_ledger_commits", "Commits in the ledger", &[]),
    gauge("hindcast_ledger_bytes", "Bytes of the ledger's segment files; embedded ledger only", &[]),
    gauge("hindcast_ledger_segments", "Segment files of the ledger; embedded ledger only", &[]),
    gauge("hindcast_data_bytes", "Bytes of disk that the data folder takes", &[]),
    gauge("hindcast_disk_free_bytes", "Bytes that are free on the disk of the data folder", &[]),
    gauge(
        "hindcast_disk_growth_bytes",
        "Bytes a day by which the data folder grew over the last week; 0 before it is known",
        &[],
    ),
    gauge(
        "hindcast_ledger_info",
        "The ledger's kind and what an acknowledgement of it is worth",
        &[any("kind"), any("durability")],
    ),
    counter(
        "hindcast_ledger_appended_commits_total",
        "Commits that this process appended, by their writer: intake, or a service that decides",
        &[words("writer", &["intake", "lane"])],
    ),
    counter(
        "hindcast_ledger_appended_events_total",
        "Events that this process appended, by their writer",
        &[words("writer", &["intake", "lane"])],
    ),
    counter(
        "hindcast_ledger_appended_bytes_total",
        "Bytes of commits that this process appended, by their writer",
        &[words("writer", &["intake", "lane"])],
    ),
    histogram(
        "hindcast_ledger_append_seconds",
        "Seconds from handing a commit to the ledger to its acknowledgement, waiting included",
        FAST,
        &[words("writer", &["intake", "lane"])],
    ),
    histogram(
        "hindcast_ledger_sync_seconds",
        "Seconds of one sync of the disk, which several commits share; embedded ledger only",
        FAST,
        &[],
    ),
    histogram(
        "hindcast_decision_seconds",
        "Seconds from the stamp of a commit to the durable decision of a service about it; of the service incidents from \
         accepted alerts",
        SLOW,
        &[named("service", NameSet::Deciders)],
    ),
    gauge("hindcast_lag_commits", "Commits that a service has not processed yet", &[any("service")]),
    gauge(
        "hindcast_lag_seconds",
        "Age in seconds of the oldest commit that a service has not processed yet, 0 where there is none",
        &[any("service")],
    ),
    gauge("hindcast_lag_limit_seconds", "The configured lag from which on a service counts as behind", &[]),
];
