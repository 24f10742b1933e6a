//! What every notifier must hold, whatever it speaks. Owns the suite; refuses to know a vendor's form, which the
//! stand-ins check.

use std::sync::Arc;
use std::time::Duration;

use hindcast_domain::alert::Signal;
use hindcast_domain::entity::Entity;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::{NamedAlert, Reason};
use hindcast_domain::{Fingerprint, Severity, Time};
use hindcast_messaging::notify::{Error, Notification, Notifier, ReceiverTrouble};

use super::{VendorMode, VendorStandIn};

/// Opens the notifier at the address of a stand-in, with a secret.
pub type NotifierUnderTest<'a> = &'a dyn Fn(&VendorStandIn, &str) -> Arc<dyn Notifier>;

/// The secret that a stand-in knows. It is as long as PagerDuty's.
pub const SECRET: &str = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3y42";
/// One that it does not.
const WRONG: &str = "wr0ngwr0ngwr0ngwr0ngwr0ngwr0ng77";

/// An ordinary page about an incident that began.
#[must_use]
pub fn message() -> Notification {
    let at = Time::from_millis(1_763_996_400_000);
    Notification {
        key: "EVT-0123456789ABCDEF".to_owned(),
        notice: "NTC-0123456789ABCDEF".to_owned(),
        incident: Some("INC-0123456789ABCDEF".to_owned()),
        url: Some("http://127.0.0.1:7171/INC-0123456789ABCDEF".to_owned()),
        reason: Reason::Opened,
        page: true,
        severity: Severity::Critical,
        title: "PostgreSQL has no connections left".to_owned(),
        lines: vec!["firing: PostgresConnections on postgres (critical)".to_owned(), "services: postgres".to_owned()],
        status: Some(Status::Open),
        alerts: vec![NamedAlert {
            fingerprint: Fingerprint::from_mac(&[7; 32]),
            name: "PostgresConnections".to_owned(),
            status: Signal::Firing,
            entity: None::<Entity>,
            service: Some("postgres".to_owned()),
            severity: Severity::Critical,
            since: at,
            incident: None,
            count: None,
            links: std::collections::BTreeMap::new(),
        }],
        at,
        position: 245_761,
        test: false,
    }
}

/// A page whose text tries to act in every vendor's form, and is longer than any of them takes.
#[must_use]
pub fn hostile() -> Notification {
    let acts = "<!channel> <@U123> @channel @here @everyone <b>x</b> [click](http://evil.example) **bold** \
                {{ 191 * 7 }} {% for x in y %} \r\nBcc: all@example.com\r\n.\r\n\u{202E}gnp.exe \"quoted\\\" &amp; \u{0}";
    let mut message = message();
    message.title = format!("{acts} {}", "t".repeat(2_000));
    message.lines = (0..400).map(|number| format!("{number} {acts} 😀")).collect();
    message.alerts[0].name = format!("Alert {acts}");
    message
}

/// Runs all of it. `acts` is what would do something in the vendor's form, if it stood there.
///
/// # Panics
/// When the notifier does not hold it.
pub async fn notifier_suite(vendor: &VendorStandIn, open: NotifierUnderTest<'_>, acts: &[&str]) {
    let mut said = vec![takes_once(vendor, &*open(vendor, SECRET)).await];
    said.push(text_is_inert(vendor, &*open(vendor, SECRET), acts).await);
    said.push(a_limit_is_kept(vendor, &*open(vendor, SECRET)).await.to_string());
    let notifier = open(vendor, SECRET);
    for (mode, trouble) in
        [(VendorMode::Down, ReceiverTrouble::Unavailable), (VendorMode::Refuse, ReceiverTrouble::Refused)]
    {
        vendor.mode(mode);
        let error = notifier.send(&message()).await.unwrap_err();
        assert_eq!(error.trouble(), trouble, "{mode:?}: {error}");
        said.push(error.to_string());
    }
    vendor.mode(VendorMode::Take);
    let taken = vendor.taken().len();
    let error = open(vendor, WRONG).send(&message()).await.unwrap_err();
    assert!(matches!(error, Error::Again { trouble: ReceiverTrouble::Credential, .. }), "a wrong one: {error}");
    assert!(error.to_string().contains("refuses"), "and what to do: {error}");
    assert_eq!(vendor.taken().len(), taken);
    said.push(error.to_string());
    for text in &said {
        assert!(!text.contains(SECRET) && !text.contains(WRONG), "no credential is told: {text}");
        assert!(!text.contains("127.0.0.1"), "no address is told: {text}");
        assert!(!text.contains(['\n', '\r']) && text.chars().count() <= 700, "it is a short line: {text}");
    }
}

async fn takes_once(vendor: &VendorStandIn, notifier: &dyn Notifier) -> String {
    let before = vendor.taken().len();
    let answer = notifier.send(&message()).await.unwrap();
    assert!(!answer.is_empty(), "the receipt says what was answered");
    let taken = vendor.taken();
    assert_eq!(taken.len(), before + 1, "one message is one message there");
    assert!(taken.last().unwrap().text.contains("PostgreSQL has no connections left"), "{taken:?}");
    // Another attempt carries the same key, where the vendor knows one.
    notifier.send(&message()).await.unwrap();
    let again = vendor.taken();
    assert_eq!(again.last().unwrap().key, taken.last().unwrap().key);
    answer
}

/// The stand-in refuses what is too long and what is malformed; here is what a real vendor would obey.
async fn text_is_inert(vendor: &VendorStandIn, notifier: &dyn Notifier, acts: &[&str]) -> String {
    let answer = notifier.send(&hostile()).await.unwrap();
    let shown = vendor.taken().last().unwrap().text.clone();
    let body = String::from_utf8(vendor.requests().last().unwrap().body.clone()).unwrap();
    for hidden in ['\u{202E}', '\u{0}', '\r'] {
        assert!(!shown.contains(hidden), "{hidden:?} is not handed on");
    }
    assert!(!shown.contains("1337"), "no template is worked off");
    for act in acts {
        assert!(!shown.contains(act), "{act:?} would act: {}", shown.chars().take(400).collect::<String>());
    }
    assert!(body.len() < 512 * 1024);
    answer
}

async fn a_limit_is_kept(vendor: &VendorStandIn, notifier: &dyn Notifier) -> Error {
    vendor.mode(VendorMode::Limit(30));
    let error = notifier.send(&message()).await.unwrap_err();
    let Error::Again { after: Some(after), trouble: ReceiverTrouble::RateLimit, .. } = &error else {
        panic!("expected a rate limit with a time, got {error:?}");
    };
    assert!(*after > Duration::from_secs(28) && *after <= Duration::from_secs(30), "{after:?}");
    vendor.mode(VendorMode::Take);
    let (requests, taken) = (vendor.requests().len(), vendor.taken().len());
    let still = notifier.send(&message()).await.unwrap_err();
    assert!(matches!(still, Error::Again { after: Some(_), trouble: ReceiverTrouble::RateLimit, .. }), "{still:?}");
    assert_eq!((vendor.requests().len(), vendor.taken().len()), (requests, taken), "it is left alone for as long");
    error
}
