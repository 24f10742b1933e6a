//! What `doctor` says of the clocks of senders, by their newest alerts. Owns the words; the estimate is made where alerts
//! are decided.

use std::collections::BTreeMap;

use hindcast_api::Alert;

use super::outcome::Check;
use crate::client::Path;
use crate::context::CliContext;
use crate::error::Result;
use crate::text::clean;

/// One line for each sender whose clock is wrong, or one that says that none is.
pub(super) async fn all(context: &CliContext<'_>) -> Result<Vec<Check>> {
    let page = context.page(&Path::new("/api/v1/alerts"), None, hindcast_api::LIMIT_MAX).await?;
    let alerts: Vec<Alert> = crate::context::items(&page)?;
    Ok(of(&alerts))
}

fn of(alerts: &[Alert]) -> Vec<Check> {
    let mut newest: BTreeMap<&str, &Alert> = BTreeMap::new();
    for alert in alerts {
        let known = newest.entry(&alert.source).or_insert(alert);
        if alert.starts_at > known.starts_at {
            *known = alert;
        }
    }
    let wrong = |alert: &&Alert| {
        let remedy = "Synchronise that sender's clock with NTP. Its starts are corrected by so much meanwhile.";
        alert.clock_in_words().map(|words| Check::note("senders", clean(&words), remedy))
    };
    let wrong: Vec<Check> = newest.values().filter_map(wrong).collect();
    match (newest.len(), wrong.is_empty()) {
        (0, _) => Vec::new(),
        (_, true) => vec![Check::ok("senders", "no sender's clock is known to be wrong")],
        (_, false) => wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_domain::{Severity, Span, Time};

    #[test]
    fn the_newest_alert_of_a_sender_says_how_wrong_its_clock_is() {
        let alert = |source: &str, ahead, minutes| {
            let at = Time::ZERO + Span::minutes(minutes);
            let fired = Alert::fired("0123456789ABCDEF", "DiskFull", Severity::High, "production", at);
            Alert { source: source.to_owned(), clock_ahead_s: ahead, ..fired }
        };
        let alerts = [
            alert("vm-b", Some(600), 9),
            alert("vm-b", None, 3),
            alert("vm-a", Some(600), 3),
            alert("vm-a", None, 9),
            alert("edge", Some(-3_600), 1),
        ];
        let details: Vec<String> = of(&alerts).into_iter().map(|check| check.detail).collect();
        let behind = "the clock of edge is 60 min behind, or its messages take so long";
        assert_eq!(details, [behind, "the clock of vm-b is 10 min ahead"]);
        assert_eq!(of(&alerts[3..4])[0].detail, "no sender's clock is known to be wrong");
        assert!(of(&[]).is_empty());
    }
}
