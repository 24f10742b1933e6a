//! What is allowed: each edge between crates with its reason, and each heavy dependency with its owners.
//! A new edge is the largest class of change: it is allowed here first.

/// Edges from core to core, beyond those to the domain.
pub const CORE_TO_CORE: [(&str, &str, &str); 16] = [
    ("chat-cards", "api", "a card shows what the API says"),
    ("correlation", "similarity", "labels and words of two alerts are compared one way"),
    ("mlops", "api", "the status of a version is what the API says"),
    ("mlops", "entities", "tests say what recorded alerts are about by the rules that serve"),
    ("mlops", "engine", "the past is decided again by the engine that serves"),
    ("mlops", "correlation", "features are computed by the one code path that serves"),
    ("postmortem", "api", "a draft is what the API says"),
    ("postmortem", "rca", "a draft rests on the evidence that the ranking rests on"),
    ("rca", "api", "a ranked cause is what the API says"),
    ("rca", "metric-shifts", "what a series is worth is measured in one place"),
    ("recall", "api", "a recalled incident is what the API says"),
    ("recall", "rca", "an incident is remembered from the evidence that the ranking rests on"),
    ("recall", "similarity", "words are taken apart one way, whoever compares them"),
    ("runbooks", "api", "a proposal is what the API says"),
    ("runbooks", "rca", "a proposal rests on the evidence that the ranking rests on"),
    ("verifier", "api", "what is checked is what the API says"),
];

/// Edges from port to port.
pub const PORT_TO_PORT: [(&str, &str, &str); 2] = [
    ("advice", "queries", "evidence is read from the views"),
    ("ledger", "metrics", "all who append to a ledger count in one place"),
];

/// The one port of each kind of adapter. The first word of an adapter's name is its kind: `vectors-qdrant` adapts to
/// `vectors`.
pub const ADAPTERS: [(&str, &str); 8] = [
    ("chat", "messaging"),
    ("embed", "vectors"),
    ("ledger", "ledger"),
    ("llm", "llm"),
    ("notify", "messaging"),
    ("telemetry", "telemetry"),
    ("train", "training"),
    ("vectors", "vectors"),
];

/// The port that an adapter adapts to.
pub fn port_of(adapter: &str) -> Option<&'static str> {
    let kind = adapter.split('-').next();
    ADAPTERS.iter().find(|(of, _)| Some(*of) == kind).map(|(_, port)| *port)
}

/// Services that may append commands, because they carry what a person asks for. None of them talks to a model.
pub const MAY_COMMAND: [(&str, &str); 3] = [
    ("gateway", "the Alertmanager API creates and expires silences"),
    ("console", "the API and the web pages carry what a person asks for"),
    ("chatops", "a button or a typed word in chat carries what a person asks for"),
];

/// Edges of an adapter beyond its port.
pub const ADAPTER_TO_MORE: [(&str, &str, &str); 1] =
    [("telemetry-files", "hindcast-clock", "what is kept for a time is kept by the clock")];

/// Edges that exist for tests alone.
pub const ONLY_IN_TESTS: [(&str, &str, &str); 25] = [
    ("hindcast-copilot", "hindcast-eventlog", "what was appended is read back"),
    ("hindcast-copilot", "hindcast-intake", "a world of tests makes the writer, as the binary does"),
    ("hindcast-detector", "hindcast-intake", "a world of tests makes the writer, as the binary does"),
    ("hindcast-learning", "hindcast-intake", "a world of tests makes the writer, as the binary does"),
    ("hindcast-ledger-nats", "hindcast-eventlog", "a lane of the suite keeps snapshots"),
    ("hindcast-pager", "hindcast-intake", "a world of tests makes the writer, as the binary does"),
    ("hindcast-ledger-nats", "hindcast-clock", "a writer's clock is set ahead of the broker's"),
    ("hindcast-ledger-nats", "hindcast-ledger-embedded", "the suite copies a ledger to the other adapter and back"),
    ("hindcast-learning", "hindcast-correlator", "the past is decided again by the decider that serves"),
    ("hindcast-learning", "hindcast-train-linfa", "a service is judged with the trainer that trains"),
    ("hindcast-log-templates", "hindcast-metric-shifts", "recordings are judged by both detectors together"),
    ("hindcast-mlops", "hindcast-correlator", "history is decided again by the decider that serves"),
    ("hindcast-mlops", "hindcast-entities", "recordings say what an alert is about as an endpoint does"),
    ("hindcast-mlops", "hindcast-train-linfa", "what is learnt is judged with the trainer that trains"),
    ("hindcast-testkit", "hindcast-control", "random histories are decided again by the deciders that serve"),
    ("hindcast-testkit", "hindcast-correlation", "a version of a random history has weights"),
    ("hindcast-testkit", "hindcast-correlator", "random histories are decided again by the deciders that serve"),
    ("hindcast-testkit", "hindcast-mlops", "random histories are decided again by the deciders that serve"),
    ("hindcast-testkit", "hindcast-metrics", "delivery counts what it sends"),
    ("hindcast-testkit", "hindcast-notify-email", "delivery is killed around sending with the receivers that serve"),
    ("hindcast-testkit", "hindcast-notify-http", "delivery is killed around sending with the receivers that serve"),
    ("hindcast-testkit", "hindcast-pager", "random histories are decided again by the deciders that serve"),
    ("hindcast-testkit", "hindcast-paging-audit", "random histories are audited"),
    ("hindcast-rca", "hindcast-postmortem", "a draft cites nothing that the ranking's evidence lacks"),
    ("hindcast-rca", "hindcast-verifier", "what is concluded must stand before the verifier"),
];

/// Dependencies that are heavy, or that reach the world, with the crates that own them.
pub const OWNED: [(&str, &[&str]); 19] = [
    ("tokio-tungstenite", &["hindcast-chat-slack"]),
    ("jsonwebtoken", &["hindcast-chat-teams"]),
    ("linfa-logistic", &["hindcast-train-linfa"]),
    ("async-nats", &["hindcast-ledger-nats"]),
    ("fjall", &["hindcast-eventlog", "hindcast-views"]),
    (
        "reqwest",
        &[
            "hindcast-chat-slack",
            "hindcast-chat-teams",
            "hindcast-cli",
            "hindcast-notify-http",
            "hindcast-llm-genai",
            "hindcast-recorder",
            "hindcast",
        ],
    ),
    ("maud", &["hindcast-console"]),
    ("pulldown-cmark", &["hindcast-console"]),
    ("serde-saphyr", &["hindcast-domain"]),
    ("qdrant-client", &["hindcast-vectors-qdrant"]),
    ("fastembed", &["hindcast-embed-fastembed"]),
    ("genai", &["hindcast-llm-genai"]),
    ("rmcp", &["hindcast-mcp"]),
    ("minijinja", &["hindcast-copilot", "hindcast-notify-http"]),
    ("lettre", &["hindcast-notify-email"]),
    ("prometheus-client", &["hindcast-metrics"]),
    ("ort", &["hindcast-embed-fastembed"]),
    ("prost", &["hindcast-gateway"]),
    ("snap", &["hindcast-gateway"]),
];

/// Owners in tests alone.
pub const OWNED_IN_TESTS: [(&str, &str, &str); 2] = [
    ("fjall", "hindcast-ledger-embedded", "a benchmark compares our segments with it"),
    ("tokio-tungstenite", "hindcast", "a stand-in of Slack takes connections"),
];

/// What a core crate must not know: input, output, and whoever waits for them.
pub const NOT_IN_CORE: [&str; 8] =
    ["tokio", "axum", "reqwest", "async-nats", "fjall", "rustls", "getrandom", "async-trait"];
