//! How fast the correlator's decider decides again, in memory: so many events spread over seven days.
//! `cargo run --release -p hindcast-learn --example redecide_speed [EVENTS]`

use std::time::Instant;

use hindcast_correlation::weights::GroupingWeights;
use hindcast_correlator::Correlator;
use hindcast_domain::alert::{Labels, Observation, Signal};
use hindcast_domain::command::Configured;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::{EventId, Fingerprint, Partition, Severity, Span, Time};
use hindcast_mlops::outcome::RunOutcome;
use hindcast_mlops::redecide;
use hindcast_mlops::seeded::{Seeded, hash};

const SERVICES: usize = 200;
const ISLAND: usize = 5;
const RULES: usize = 40;
/// Alerts that fire at once, at the most.
const FIRING_MAX: usize = 300;
const DAYS: i64 = 7;
const START: Time = Time::from_millis(1_763_996_400_000);

fn main() {
    let events: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let partition = Partition::of_environment("production");
    let mut outcome = RunOutcome::default();
    let mut decided = 0_u64;
    let began = Instant::now();
    let mut mark = (0_u64, began);
    let counted = intake(events).enumerate().map(|(index, input)| {
        if index > 0 && (index as u64).is_multiple_of(events.div_ceil(10)) {
            let seconds = mark.1.elapsed().as_secs_f64();
            println!("{index} events, {:.0} a second over the last tenth", (index as u64 - mark.0) as f64 / seconds);
            mark = (index as u64, Instant::now());
        }
        input
    });
    redecide::run(Correlator, &partition, &GroupingWeights::default(), counted, None, &mut |decision| {
        decided += 1;
        outcome.see(&decision);
    });
    let seconds = began.elapsed().as_secs_f64();
    let incidents = outcome.pages.len();
    println!(
        "{events} events of {DAYS} days: {seconds:.1} s, {:.0} events a second; {decided} decisions, {} firings, {incidents} incidents that paged",
        events as f64 / seconds,
        outcome.firings.len(),
    );
}

/// A catalogue, then alerts: a tenth begins to fire, a tenth ends, the rest is sent again.
fn intake(events: u64) -> impl Iterator<Item = Recorded> {
    let mut draws = Seeded::new(7);
    let mut firing: Vec<Observation> = Vec::new();
    let step = Span::hours(24 * DAYS).as_millis() / i64::try_from(events.max(1)).unwrap_or(1);
    let alerts = (1..events).map(move |index| {
        let time = START + Span::millis(step * i64::try_from(index).unwrap_or(0));
        let observation = match draws.below(10) {
            0 if firing.len() < FIRING_MAX => {
                let new = observation(&mut draws, time);
                firing.push(new.clone());
                new
            }
            1 if firing.len() > 50 => {
                let at = draws.below(firing.len());
                Observation { signal: Signal::Resolved, ends_at: Some(time), ..firing.swap_remove(at) }
            }
            _ if firing.is_empty() => observation(&mut draws, time),
            _ => firing.get(draws.below(firing.len())).cloned().unwrap_or_else(|| observation(&mut draws, time)),
        };
        recorded(index + 1, time, observation.fingerprint.as_str().to_owned(), Event::Observed(observation))
    });
    std::iter::once(catalog()).chain(alerts)
}

fn catalog() -> Recorded {
    let services: Vec<_> = (0..SERVICES)
        .map(|index| {
            // Islands of five, so that there are many problems at once and not one.
            let last = index / ISLAND * ISLAND + ISLAND;
            let to: Vec<String> = (index + 1..last).take(2).map(|to| format!("svc{to}")).collect();
            serde_json::json!({"name": format!("svc{index}"), "depends_on": to})
        })
        .collect();
    let content = serde_json::json!({ "services": services });
    let configured = Configured { section: "catalog".into(), hash: "h".into(), content };
    recorded(1, START, "catalog".to_owned(), Event::Configured(configured))
}

fn observation(draws: &mut Seeded, time: Time) -> Observation {
    let (service, rule, pod) = (draws.below(SERVICES), draws.below(RULES), draws.below(20));
    let labels: Labels = [
        ("alertname", format!("Rule{rule}Firing")),
        ("service", format!("svc{service}")),
        ("pod", format!("svc{service}-{pod}")),
        ("cluster", "eu-1".to_owned()),
        ("severity", "critical".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let seed = hash(7, &format!("{service}/{rule}/{pod}")).to_be_bytes();
    let mut mac = [0_u8; 32];
    for (index, slot) in mac.iter_mut().enumerate() {
        *slot = seed.get(index % 8).copied().unwrap_or_default().rotate_left(index as u32 / 8);
    }
    Observation {
        severity: Severity::Critical,
        labels,
        annotations: [("summary".to_owned(), format!("svc{service} breaks rule {rule}"))].into(),
        starts_at: Some(time),
        stale_after: Span::hours(4),
        ..hindcast_testkit::observation(
            Fingerprint::from_mac(&mac),
            &format!("Rule{rule}Firing"),
            &format!("svc{service}"),
        )
    }
}

fn recorded(position: u64, time: Time, subject: String, event: Event) -> Recorded {
    Recorded {
        id: EventId::derive(&[&position.to_be_bytes()]),
        position: position * 4_096,
        partition: Partition::of_environment("production"),
        subject,
        revision: None,
        time,
        actor: "prometheus".to_owned(),
        cause: None,
        event,
    }
}
