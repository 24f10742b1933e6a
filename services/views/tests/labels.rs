//! Labels of what names no incident are found by the incident that it was made for, asked about or told of.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use common::{Running, World, partition};
use hindcast_api::AsOf;
use hindcast_domain::event::Draft;
use hindcast_domain::label::{About, Given, Kind, Provenance};
use hindcast_domain::{ConversationId, Event, EventId, LabelId, ProposalId, conversation, proposal};
use hindcast_queries::{LabelFilter, Queries, Window};

fn given(kind: Kind, about: About) -> Draft {
    let id = LabelId::derive(&[format!("{about:?}").as_bytes()]);
    let given = Given {
        kind,
        about,
        value: "approved".into(),
        weight: 1_000,
        provenance: Provenance::Explicit,
        rule: "proposal_approved".into(),
        from: EventId::derive(&[b"from"]),
    };
    Draft::by("ada", &id, Event::LabelGiven(given))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_of_a_proposal_or_an_answer_is_found_by_its_incident() {
    let mut world = World::new();
    for alert in [1, 3] {
        world.observe(alert, true, 0).await;
        world.wait(1_000);
    }
    let (home, incident) = world.incidents[0].clone();
    assert_eq!(home, partition(1));
    let [ours, nobodys] = [b"ours".as_slice(), b"nobody's"].map(|name| ProposalId::derive(&[name]));
    let answer = ConversationId::derive(&[b"asked"]);
    let made = proposal::Made {
        incident: incident.clone(),
        runbook: "restart".into(),
        version: "1".into(),
        params: [].into(),
        sources: Default::default(),
        targets: Vec::new(),
        evidence: Vec::new(),
        effect: "it ends".into(),
        risk: "low".into(),
        by: "rules".into(),
    };
    let asked = conversation::Asked {
        turn: 1,
        question: "what is it?".into(),
        incident: Some(incident.clone()),
        as_of: 1,
        channel: "web".into(),
    };
    let facts = vec![
        (ours.to_string(), "rules".to_owned(), Event::ProposalMade(made)),
        (answer.to_string(), "ada".to_owned(), Event::ConversationAsked(asked)),
    ];
    world.intake(&home, facts).await;
    let before = world.position();
    let drafts = vec![
        given(Kind::Proposal, About::Proposal { proposal: ours }),
        given(Kind::Answer, About::Conversation { conversation: answer }),
        given(Kind::Proposal, About::Proposal { proposal: nobodys }),
        given(Kind::Attention, About::Incident { incident: incident.clone() }),
    ];
    world.decide(&home, "labels", drafts, None, hindcast_domain::Span::ZERO).await;
    let running = Running::over(&world.ledger).await;
    let of = async |incident: Option<String>, as_of| {
        let filter = LabelFilter { incident, ..LabelFilter::default() };
        let window = Window { as_of, limit: None, cursor: None };
        running.views.labels(filter, window).await.unwrap().items
    };
    let all = of(None, None).await;
    assert_eq!((all.len(), all.iter().filter(|label| label.incident.is_none()).count()), (4, 1));
    let kinds = of(Some(incident.to_string()), None).await.into_iter().map(|label| label.kind).collect::<Vec<_>>();
    assert_eq!(kinds, [Kind::Attention, Kind::Answer, Kind::Proposal]);
    let other = world.incidents[1].1.to_string();
    assert!(of(Some(other), None).await.is_empty());
    assert!(of(Some(incident.to_string()), Some(AsOf::Position(before))).await.is_empty());
}
