//! Histories for measurements: many incidents with all that happens to one, and one incident of many alerts.

use hindcast_domain::alert::decide::{Rules, observe};
use hindcast_domain::event::Draft;
use hindcast_domain::incident::{self, AlertJoined, Grouping, Opened};
use hindcast_domain::label::{self, About, Given, Provenance};
use hindcast_domain::notice::Delivered;
use hindcast_domain::{Event, EventId, IncidentId, LabelId, NoticeId, Span};

use hindcast_testkit::reception;

use super::{World, fingerprint, observation, page, partition};

impl World {
    /// An incident of one alert, that pages, ends, and of which people say something `labels` times; one commit each.
    pub async fn whole_life(&mut self, index: usize, labels: usize) {
        let partition = partition(index);
        let mut seen = observation(index % 64, true, index % 5, self.now);
        seen.fingerprint = fingerprint(index);
        seen.service = Some(format!("svc-{}", index % 200));
        let cause = self.id();
        let mut drafts = observe(None, &seen, &reception(&cause, seen.service.as_deref(), self.now), &Rules::default());
        let id = IncidentId::derive(&[b"life", &index.to_be_bytes()]);
        let opened = Opened {
            title: format!("{} on {}", seen.name, seen.service.as_deref().unwrap_or("?")),
            fingerprint: seen.fingerprint.clone(),
            severity: seen.severity,
            service: seen.service.clone(),
            team: None,
            started_at: self.now,
            grouping: Grouping {
                rule: "first".into(),
                weights: 1,
                score: 0,
                threshold: 500,
                parts: [].into(),
                like: None,
                considered: Vec::new(),
            },
            recurrence_of: None,
        };
        drafts.push(Draft::system(&id, Event::IncidentOpened(opened)));
        self.decide(&partition, "incidents", drafts, Some(&cause), Span::ZERO).await;
        let notice = NoticeId::derive(&[b"life", &index.to_be_bytes()]);
        let told = vec![Draft::system(&notice, page(&id, self.now))];
        let told = self.decide(&partition, "notices", told, None, Span::ZERO).await;
        let delivered = Delivered { request: told[0].id.clone(), attempt: 1, answer: String::new(), message: None };
        let fact = (notice.to_string(), "pager".to_owned(), Event::NoticeDelivered(delivered));
        self.intake(&partition, vec![fact]).await;
        self.wait(60_000);
        let cause = index.is_multiple_of(3).then(|| "a bad release".to_owned());
        let over = incident::Resolved { by: "person".into(), cause, resolution: None };
        let over = vec![Draft::by("ada", &id, Event::IncidentResolved(over))];
        self.decide(&partition, "incidents", over, None, Span::ZERO).await;
        self.incidents.push((partition.clone(), id.clone()));
        let said = (0..labels).map(|label| {
            let given = Given {
                kind: if label == 1 { label::Kind::Cause } else { label::Kind::Attention },
                about: About::Incident { incident: id.clone() },
                value: if label % 2 == 0 { "useful".into() } else { "noise".into() },
                weight: 1_000,
                provenance: if label < 3 { Provenance::Explicit } else { Provenance::Implicit },
                rule: "feedback_useful".into(),
                from: EventId::derive(&[b"from"]),
            };
            let name = LabelId::derive(&[b"life", &index.to_be_bytes(), &label.to_be_bytes()]);
            Draft::by(&format!("person {}", index % 7), &name, Event::LabelGiven(given))
        });
        let said: Vec<Draft> = said.collect();
        self.decide(&partition, "labels", said, None, Span::ZERO).await;
    }

    /// An incident of so many alerts, a hundred a commit; its id.
    pub async fn large_incident(&mut self, alerts: usize) -> String {
        let (partition, id) = (partition(1), IncidentId::derive(&[b"large"]));
        let mut drafts = Vec::new();
        for n in 0..alerts {
            let index = 100_000 + n;
            let mut seen = observation(n % 64, true, n % 5, self.now);
            seen.fingerprint = fingerprint(index);
            let cause = self.id();
            drafts.extend(observe(
                None,
                &seen,
                &reception(&cause, seen.service.as_deref(), self.now),
                &Rules::default(),
            ));
            let grouping = Grouping {
                rule: "score".into(),
                weights: 1,
                score: 914,
                threshold: 500,
                parts: [("same_service".to_owned(), 2_000)].into(),
                like: None,
                considered: Vec::new(),
            };
            drafts.push(Draft::system(
                &id,
                if n == 0 {
                    Event::IncidentOpened(Opened {
                        title: "a storm".into(),
                        fingerprint: seen.fingerprint.clone(),
                        severity: seen.severity,
                        service: seen.service.clone(),
                        team: None,
                        started_at: self.now,
                        grouping,
                        recurrence_of: None,
                    })
                } else {
                    Event::IncidentAlertJoined(AlertJoined {
                        fingerprint: seen.fingerprint.clone(),
                        severity: seen.severity,
                        service: seen.service.clone(),
                        team: None,
                        starts_at: self.now,
                        grouping: Some(grouping),
                        title: None,
                    })
                },
            ));
            if drafts.len() >= 200 || n + 1 == alerts {
                self.wait(20);
                self.decide(&partition, "incidents", std::mem::take(&mut drafts), None, Span::ZERO).await;
            }
        }
        self.incidents.push((partition, id.clone()));
        id.to_string()
    }
}
