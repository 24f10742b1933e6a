//! The rows of the table: each route with its parameters, body, answer and handler.

use axum::routing::{MethodRouter, get, post, put};
use hindcast_api as api;
use hindcast_domain::act::{ACTS, ActEntry, ActName};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::filters::{
    ALERTS, EVENTS, FINDINGS, INCIDENTS, LABELS, LIST, MEMORY, NONE, NOTICES, ONCALL, ONE, REPORTS, STREAM,
};
use super::{BodyOf, Gives, Handler, Route, Takes};
use crate::commands::{self, body};
use crate::params::Param;
use crate::{Console, advice, ask, learn, ops, reads, report, stream};

const JSON: &[&str] = &["application/json"];

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn json<T: JsonSchema>() -> Gives {
    Gives { status: &[200], schema: Some(schema::<T>), media: "application/json", also: &[] }
}

fn read<T: JsonSchema>(
    path: &'static str,
    tag: &'static str,
    about: &'static str,
    query: &'static [Param],
    handler: fn() -> MethodRouter<Console>,
) -> Route {
    let handler = Handler::Fixed(handler);
    Route {
        method: "get",
        path,
        about: about.into(),
        tag,
        query,
        takes: None,
        gives: json::<T>(),
        command: false,
        handler,
    }
}

fn command<B: JsonSchema, T: JsonSchema>(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    created: bool,
    handler: fn() -> MethodRouter<Console>,
) -> Route {
    let takes = Some(Takes { schema: BodyOf::Type(schema::<B>), media: JSON });
    let gives = Gives { status: if created { &[201] } else { &[200] }, ..json::<T>() };
    let (about, handler) = (about.into(), Handler::Fixed(handler));
    Route { method, path, about, tag: "commands", query: ONE, takes, gives, command: true, handler }
}

/// The route of an act, as the catalogue has it.
fn act<T: JsonSchema>(act: &ActEntry, handler: Handler) -> Route {
    let takes = (act.method != "delete").then_some(Takes { schema: BodyOf::Act(act.name), media: JSON });
    let gives = Gives { status: if act.creates { &[201] } else { &[200] }, ..json::<T>() };
    let about = if act.answers.is_empty() {
        format!("{}.", act.help)
    } else {
        format!("{}; answers {}.", act.help, act.answers)
    };
    let (method, path, about) = (act.method, act.path, about.into());
    Route { method, path, about, tag: "commands", query: ONE, takes, gives, command: true, handler }
}

/// Every route of the API.
pub(super) fn all() -> Vec<Route> {
    let groups = [incidents(), advised(), asking(), acts(), things(), commands(), learnt(), ledger(), server()];
    groups.into_iter().flatten().collect()
}

fn incidents() -> Vec<Route> {
    const TAG: &str = "incidents";
    vec![
        read::<api::Page<api::Incident>>("/api/v1/incidents", TAG, "Incidents, newest first.", INCIDENTS, || {
            get(reads::incidents)
        }),
        read::<api::Incident>("/api/v1/incidents/{id}", TAG, "One incident; its revision is the ETag.", ONE, || {
            get(reads::incident)
        }),
        read::<api::Page<api::TimelineEntry>>(
            "/api/v1/incidents/{id}/timeline",
            TAG,
            "The timeline of an incident, oldest first.",
            LIST,
            || get(reads::timeline),
        ),
        read::<api::Page<api::Alert>>("/api/v1/incidents/{id}/alerts", TAG, "Its alerts.", LIST, || {
            get(reads::members)
        }),
        read::<api::Why>(
            "/api/v1/incidents/{id}/why",
            TAG,
            "Why its alerts are grouped, and which alerts were not grouped with it.",
            ONE,
            || get(reads::why),
        ),
        read::<api::Page<api::Change>>(
            "/api/v1/incidents/{id}/changes",
            TAG,
            "Deploys, flags and configuration changes near it, newest first.",
            ONE,
            || get(reads::changes),
        ),
    ]
}

/// The same, which is also given in other media types.
fn also(media: &'static [&'static str], route: Route) -> Route {
    Route { gives: Gives { also: media, ..route.gives }, ..route }
}

fn advised() -> Vec<Route> {
    const TAG: &str = "advice";
    let postmortem = read::<api::Postmortem>(
        "/api/v1/incidents/{id}/postmortem",
        TAG,
        "A drafted postmortem that cites events; as Markdown with `Accept: text/markdown`.",
        ONE,
        || get(advice::postmortem),
    );
    vec![
        read::<api::Causes>(
            "/api/v1/incidents/{id}/causes",
            TAG,
            "What may have been the cause, best first, with the path from there to the alarm; what is refuted; whom it \
             hits.",
            LIST,
            || get(advice::causes),
        ),
        read::<api::Impact>(
            "/api/v1/incidents/{id}/impact",
            TAG,
            "Services that are affected, at risk, or without a sign, by all alerts that fire, all findings and all open \
             incidents; and the risk, impact × probability, of each.",
            ONE,
            || get(advice::impact),
        ),
        read::<api::SimilarPage>(
            "/api/v1/incidents/{id}/similar",
            TAG,
            "Past incidents: the same problem with its resolution, or similar symptoms with the difference.",
            LIST,
            || get(advice::similar),
        ),
        read::<api::Page<api::Proposal>>(
            "/api/v1/incidents/{id}/proposals",
            TAG,
            "Runbooks that match it, best first. Hindcast runs nothing.",
            LIST,
            || get(advice::proposals),
        ),
        also(&["text/markdown"], postmortem),
        read::<api::Page<api::Finding>>(
            "/api/v1/findings",
            TAG,
            "Anomalies that detectors found in telemetry, newest first by their beginning.",
            FINDINGS,
            || get(advice::findings),
        ),
        read::<api::Page<api::RunbookSummary>>("/api/v1/runbooks", TAG, "The runbooks.", LIST, || {
            get(advice::runbooks)
        }),
        read::<api::SimilarPage>(
            "/api/v1/memory",
            TAG,
            "Past incidents that are similar to a text, best first.",
            MEMORY,
            || get(advice::memory),
        ),
    ]
}

fn asking() -> Vec<Route> {
    let propose = command::<advice::Propose, api::Proposal>(
        "post",
        "/api/v1/incidents/{id}/proposals",
        "Checks a runbook with parameters and records it as proposed, or as rejected with the reason. Hindcast runs nothing.",
        true,
        || post(advice::propose),
    );
    let ask = command::<api::Ask, api::Answer>(
        "post",
        "/api/v1/ask",
        "Answers a question with evidence. With `Accept: text/event-stream` it sends its progress: \
         events named status, tool, delta, answer and error; closing the stream stops it.",
        false,
        || post(ask::ask),
    );
    vec![
        Route { command: false, tag: "advice", query: NONE, ..propose },
        also(&["text/event-stream"], Route { command: false, tag: "advice", ..ask }),
    ]
}

fn acts() -> Vec<Route> {
    ACTS.iter()
        .map(|entry| match entry.name {
            ActName::Declare => act::<api::Incident>(entry, Handler::Fixed(|| post(commands::incident::declare))),
            ActName::Silence => act::<api::Silence>(entry, Handler::Fixed(|| post(commands::silence::create))),
            ActName::Unsilence => {
                act::<api::Silence>(entry, Handler::Fixed(|| axum::routing::delete(commands::silence::expire)))
            }
            ActName::Undo => act::<serde_json::Value>(entry, Handler::Fixed(|| post(commands::undo::undo))),
            _ => act::<api::Incident>(entry, Handler::Act(entry.name)),
        })
        .collect()
}

fn things() -> Vec<Route> {
    vec![
        read::<api::Page<api::Alert>>("/api/v1/alerts", "alerts", "Alerts, newest first.", ALERTS, || {
            get(reads::alerts)
        }),
        read::<api::Alert>("/api/v1/alerts/{fingerprint}", "alerts", "One alert, by any of its names.", ONE, || {
            get(reads::alert)
        }),
        read::<api::Receipt>(
            "/api/v1/alerts/{fingerprint}/receipt",
            "alerts",
            "The receipt of an alert: its history from intake to notification.",
            ONE,
            || get(reads::receipt),
        ),
        read::<api::Page<api::Silence>>("/api/v1/silences", "silences", "Silences, newest first.", LIST, || {
            get(reads::silences)
        }),
        read::<api::Silence>("/api/v1/silences/{id}", "silences", "One silence.", ONE, || get(reads::silence)),
        read::<api::Page<api::Notice>>(
            "/api/v1/notices",
            "notices",
            "Notifications that were sent, delayed or suppressed, with the reason; newest first.",
            NOTICES,
            || get(reads::notices),
        ),
        read::<api::Chats>(
            "/api/v1/chat",
            "notices",
            "The state of Slack and Teams: reachable or not, pending messages with their age, and the last error.",
            NONE,
            || get(reads::chats),
        ),
        read::<api::Page<hindcast_domain::oncall::OnCall>>(
            "/api/v1/oncall",
            "oncall",
            "Who is on call, by each schedule.",
            ONCALL,
            || get(reads::on_call),
        ),
        read::<api::Page<api::TopologyLink>>(
            "/api/v1/topology",
            "catalog",
            "Known and proposed dependencies and owners, each with its evidence and confidence.",
            LIST,
            || get(commands::topology::list),
        ),
        read::<hindcast_domain::catalog::Catalog>(
            "/api/v1/catalog",
            "catalog",
            "The current service catalogue; as YAML with `Accept: application/yaml`.",
            ONE,
            || get(commands::catalog::read),
        ),
    ]
}

fn commands() -> Vec<Route> {
    let yaml = command::<hindcast_domain::catalog::Catalog, hindcast_domain::catalog::Catalog>(
        "put",
        "/api/v1/catalog",
        "Replaces the service catalogue.",
        false,
        || put(commands::catalog::put),
    );
    let takes = yaml.takes.map(|takes| Takes { media: &["application/json", "application/yaml"], ..takes });
    let import = command::<commands::topology::BackstageFile, commands::topology::TopologyImport>(
        "post",
        "/api/v1/topology/import",
        "Proposes the dependencies and owners of a catalog-info.yaml of Backstage.",
        false,
        || post(commands::topology::import),
    );
    let file = import.takes.map(|takes| Takes { media: &["application/yaml"], ..takes });
    let judge = |path, about, handler| command::<body::Nothing, api::TopologyLink>("post", path, about, false, handler);
    vec![
        Route { takes, ..yaml },
        Route { takes: file, ..import },
        judge("/api/v1/topology/{edge}/confirm", "Confirms a proposed dependency or owner.", || {
            post(commands::topology::confirm)
        }),
        judge("/api/v1/topology/{edge}/deny", "Denies a proposed dependency or owner.", || {
            post(commands::topology::deny)
        }),
    ]
}

fn learnt() -> Vec<Route> {
    const TAG: &str = "learning";
    let long = |route: Route| also(&["text/event-stream"], Route { command: false, tag: TAG, query: NONE, ..route });
    let moved = |route: Route| Route { tag: TAG, query: NONE, ..route };
    let judge = command::<api::JudgeRequest, learn::JudgementBody>(
        "post",
        "/api/v1/labels",
        "Records explicit feedback on a pair of alerts, a cause, a past incident, a proposal, an answer or a notification.",
        true,
        || post(learn::judge),
    );
    let card = read::<serde_json::Value>(
        "/api/v1/models/{name}/{version}/card",
        TAG,
        "A version's model card, in Markdown.",
        ONE,
        || get(learn::card),
    );
    vec![
        also(
            &["application/x-ndjson", "text/csv"],
            read::<api::Page<api::Label>>(
                "/api/v1/labels",
                TAG,
                "Labels, newest first; with `format=ndjson` or `format=csv` all of them.",
                LABELS,
                || get(learn::labels),
            ),
        ),
        read::<api::LabelCoverage>(
            "/api/v1/labels/coverage",
            TAG,
            "How many closed incidents have a cause, and where people disagree.",
            ONE,
            || get(learn::coverage),
        ),
        Route { command: false, tag: TAG, query: NONE, ..judge },
        also(
            &["text/csv"],
            read::<api::Report>(
                "/api/v1/reports",
                TAG,
                "Figures for a period, in total and per service, each with its definition and its sample size.",
                REPORTS,
                || get(report::report),
            ),
        ),
        read::<api::Page<api::ModelVersion>>("/api/v1/models", TAG, "Versions of models, newest first.", LIST, || {
            get(learn::models)
        }),
        read::<api::ModelVersion>("/api/v1/models/{name}", TAG, "The production version of a model.", ONE, || {
            get(learn::model)
        }),
        read::<api::ModelVersion>("/api/v1/models/{name}/{version}", TAG, "One version.", ONE, || get(learn::version)),
        Route { gives: Gives { schema: None, media: "text/markdown", ..card.gives }, ..card },
        long(command::<api::TrainRequest, api::ModelVersion>(
            "post",
            "/api/v1/models/{name}/train",
            "Trains a version on labels. Server-sent events report the progress: progress, done, error.",
            false,
            || post(learn::train),
        )),
        long(command::<api::BacktestRequest, api::Comparison>(
            "post",
            "/api/v1/models/{name}/compare",
            "Replays history with a candidate and the production version, compares, and records the verdict of the gate.",
            false,
            || post(learn::compare),
        )),
        long(command::<api::BacktestRequest, api::Comparison>(
            "post",
            "/api/v1/backtest",
            "The same with any weights; nothing is recorded.",
            false,
            || post(learn::backtest),
        )),
        moved(command::<learn::Promote, api::ModelVersion>(
            "post",
            "/api/v1/models/{name}/promote",
            "Promotes a version that passed a comparison with the production version.",
            false,
            || post(learn::promote),
        )),
        moved(command::<learn::RollBack, api::ModelVersion>(
            "post",
            "/api/v1/models/{name}/rollback",
            "Rolls back to the previous production version.",
            false,
            || post(learn::roll_back),
        )),
        moved(command::<learn::Shadow, api::ModelVersion>(
            "post",
            "/api/v1/models/{name}/shadow",
            "Runs a version as a shadow of the production version, or ends the shadow. A shadow decides nothing.",
            false,
            || post(learn::shadow),
        )),
    ]
}

fn ledger() -> Vec<Route> {
    const TAG: &str = "ledger";
    let about = "Live changes as server-sent events: id is the position, event the type, data the Event.";
    let live = read::<api::Event>("/api/v1/stream", TAG, about, STREAM, || get(stream::stream));
    let verify = command::<body::Nothing, api::Verification>(
        "post",
        "/api/v1/verify",
        "Verifies the hash chains of the ledger.",
        false,
        || post(ops::verify),
    );
    let about = "Rebuilds the state from the ledger and compares the state hashes.";
    let replay = command::<body::ReplayBody, api::Replay>("post", "/api/v1/replay", about, false, || post(ops::replay));
    vec![
        read::<api::Page<api::Event>>("/api/v1/events", TAG, "The ledger, oldest first.", EVENTS, || {
            get(reads::events)
        }),
        read::<api::Event>("/api/v1/events/{id}", TAG, "One event, by its id or a unique prefix.", ONE, || {
            get(reads::event)
        }),
        Route { gives: Gives { media: "text/event-stream", ..live.gives }, ..live },
        read::<api::State>("/api/v1/state", TAG, "Counts, versions and the state hash.", ONE, || get(reads::state)),
        Route { command: false, tag: TAG, ..verify },
        Route { command: false, tag: TAG, ..replay },
    ]
}

fn server() -> Vec<Route> {
    const TAG: &str = "server";
    let any = read::<serde_json::Value>;
    let metrics =
        any("/metrics", TAG, "Metrics in the Prometheus text format or, with `Accept`, in OpenMetrics.", NONE, || {
            get(ops::metrics)
        });
    vec![
        any("/healthz", TAG, "Alive.", NONE, || get(ops::healthz)),
        any(
            "/readyz",
            TAG,
            "Ready: caught up with the head of the ledger at start, and accepting requests.",
            NONE,
            || get(ops::readyz),
        ),
        also(
            &["application/openmetrics-text"],
            Route { gives: Gives { schema: None, media: "text/plain", ..metrics.gives }, ..metrics },
        ),
        any("/openapi.json", TAG, "This document.", NONE, || get(ops::openapi)),
    ]
}
