//! A test of one receiver: a message that says that it is a test, sent at once by the process that notifies people.
//! Owns that message; it stands in no ledger, since nothing happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_api::ReceiverTest;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::Reason;
use hindcast_domain::{EventId, NoticeId, Severity, Time};
use hindcast_messaging::notify::{Notification, Notifier};
use hindcast_metrics::MetricRegistry;

/// The receivers of this process by name; none where it notifies nobody.
pub type Receivers = BTreeMap<String, Arc<dyn Notifier>>;

/// Sends a test message, and the end of it to a receiver that would keep it open.
pub async fn run(name: &str, notifier: &dyn Notifier, now: Time, metrics: &MetricRegistry) -> ReceiverTest {
    let message = message(name, now);
    let mut sent = notifier.send(&message).await;
    if sent.is_ok() && notifier.keeps_open() {
        let end = Notification { status: Some(Status::Resolved), reason: Reason::Resolved, ..message };
        sent = notifier.send(&end).await.and_then(|closed| Ok(format!("{}; {closed}", sent?)));
    }
    hindcast_pager::show_trouble(metrics, name, sent.as_ref().err().map(|error| error.trouble()));
    let receiver = name.to_owned();
    match sent {
        Ok(answer) => ReceiverTest { receiver, taken: true, answer: Some(answer), ..ReceiverTest::default() },
        Err(error) => ReceiverTest {
            receiver,
            trouble: Some(error.trouble().as_str().to_owned()),
            error: Some(error.to_string()),
            ..ReceiverTest::default()
        },
    }
}

fn message(name: &str, now: Time) -> Notification {
    let parts: [&[u8]; 3] = [b"test", name.as_bytes(), &now.nanos().to_be_bytes()];
    Notification {
        key: EventId::derive(&parts).to_string(),
        notice: NoticeId::derive(&parts).to_string(),
        incident: None,
        url: None,
        reason: Reason::Opened,
        page: false,
        severity: Severity::Info,
        title: format!("Test of the receiver {name}: nothing has happened"),
        lines: vec!["Somebody tries whether notifications of Hindcast arrive here.".to_owned()],
        status: None,
        alerts: Vec::new(),
        at: now,
        position: 0,
        test: true,
    }
}
