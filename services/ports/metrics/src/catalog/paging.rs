//! Who is notified.

use super::declared::NameSet::Receivers;
use super::declared::{MetricDeclaration, SLOW, counter, gauge, histogram, named, words};

pub(super) const ALL: &[MetricDeclaration] = &[
    counter("hindcast_notices_delivered_total", "Notifications that a receiver took", &[named("receiver", Receivers)]),
    counter(
        "hindcast_notices_failed_total",
        "Attempts to deliver a notification that failed",
        &[named("receiver", Receivers)],
    ),
    counter(
        "hindcast_notices_expired_total",
        "Notifications that were given up; nobody got them from this receiver",
        &[named("receiver", Receivers)],
    ),
    gauge(
        "hindcast_receiver_trouble",
        "1 for what was wrong at the last attempt to reach a receiver: it did not answer, refused the credential, wanted \
         fewer messages, or refused the message",
        &[named("receiver", Receivers), words("trouble", &["unavailable", "credential", "rate_limit", "refused"])],
    ),
    histogram(
        "hindcast_page_seconds",
        "Seconds from the commit of the alert that asked for a page, or from a timer's due time, to the receiver's \
         acceptance",
        SLOW,
        &[],
    ),
    gauge("hindcast_notices_pending", "Notifications that are requested and not delivered yet", &[]),
    gauge(
        "hindcast_paging_breaches",
        "Breaches of the paging contract that the auditor found in the ledger, by rule; 0 is right",
        &[words("rule", &["by_name", "last_word", "false_state", "acknowledgement", "breadth"])],
    ),
    gauge("hindcast_paging_episodes", "Stretches of firing at a paging severity that the auditor counted", &[]),
    counter(
        "hindcast_heartbeats_total",
        "Heartbeats to the dead man's switch outside, by what became of them; withheld where alerts are not decided",
        &[words("outcome", &["sent", "refused", "withheld"])],
    ),
    gauge("hindcast_effects_held", "1 where this installation notifies nobody, since another one is active", &[]),
];
