//! Slack and Teams.

use super::declared::{LabelDeclaration, MetricDeclaration, counter, gauge, words};

const VENDOR: LabelDeclaration = words("vendor", &["slack", "teams"]);

pub(super) const ALL: &[MetricDeclaration] = &[
    counter(
        "hindcast_chat_received_total",
        "Deliveries from a chat vendor, by what became of them",
        &[
            VENDOR,
            words(
                "outcome",
                &[
                    "asked",
                    "commanded",
                    "denied",
                    "judged",
                    "looked",
                    "nothing",
                    "refused",
                    "repeated",
                    "unchecked",
                    "unopened",
                    "unreadable",
                    "unsaid",
                ],
            ),
        ],
    ),
    counter(
        "hindcast_chat_delivered_total",
        "Messages that a chat vendor took",
        &[VENDOR, words("what", &["answer", "card", "note"])],
    ),
    counter("hindcast_chat_updated_total", "Cards that were edited to a newer state", &[VENDOR]),
    counter("hindcast_chat_coalesced_total", "Changes that shared an edit with another one", &[VENDOR]),
    counter("hindcast_chat_unchanged_total", "Changes after which a card looks the same", &[VENDOR]),
    counter("hindcast_chat_failed_total", "Attempts at a message that failed", &[VENDOR]),
    counter("hindcast_chat_expired_total", "Messages that were given up", &[VENDOR]),
    counter("hindcast_chat_found_total", "Messages that a vendor had taken although its reply was lost", &[VENDOR]),
    counter(
        "hindcast_chat_doubles_possible_total",
        "Attempts that may have made a second message, since the vendor cannot be asked",
        &[VENDOR],
    ),
    counter(
        "hindcast_chat_refusals_total",
        "Refusals that were to be sent to a person in chat",
        &[VENDOR, words("outcome", &["failed", "told"])],
    ),
    gauge("hindcast_chat_queued", "Messages that wait for a chat vendor", &[VENDOR]),
    gauge(
        "hindcast_chat_oldest_seconds",
        "Age in seconds of the oldest message that waits for a chat vendor",
        &[VENDOR],
    ),
    gauge("hindcast_chat_cards", "Cards that are shown at a chat vendor", &[VENDOR]),
    gauge("hindcast_chat_reachable", "1 where the last call of a chat vendor was answered", &[VENDOR]),
];
