//! What can break in the world: the lines, series and alerts of each fault.

/// (service, severity, line, one in so many steps).
type Line = (&'static str, &'static str, &'static str, u64);

pub(super) const CALM_LINES: &[Line] = &[
    ("edge", "info", "GET /pay/{id} 200 {n} bytes in {n} ms", 1),
    ("edge", "info", "accepted a connection from 10.7.{n}.4 port {n}", 2),
    ("payments", "info", "charge {id} authorised in {n} ms", 1),
    ("payments", "info", "settled batch {n} with {n} charges", 4),
    ("payments", "warning", "slow charge {id}: {n} ms", 30),
    ("basket", "info", "basket {id} stored with {n} items", 1),
    ("ledger-db", "info", "checkpoint complete: wrote {n} buffers in {n} ms", 6),
    ("ledger-db", "info", "connection authorized: user=pay database=ledger application={id}", 2),
    ("kv", "info", "{n} changes in 60 seconds, saving", 6),
    ("mailer", "info", "mail {id} delivered in {n} ms", 2),
];

/// (service, metric, level, how far it sways)
type Series = (&'static str, &'static str, f64, f64);

pub(super) const CALM_SERIES: &[Series] = &[
    ("edge", "http_requests_per_second", 120.0, 9.0),
    ("edge", "http_errors_per_second", 0.3, 0.2),
    ("edge", "http_latency_p95_ms", 80.0, 7.0),
    ("payments", "http_requests_per_second", 60.0, 5.0),
    ("payments", "http_errors_per_second", 0.2, 0.1),
    ("payments", "http_latency_p95_ms", 45.0, 4.0),
    ("basket", "http_requests_per_second", 55.0, 5.0),
    ("basket", "http_errors_per_second", 0.2, 0.1),
    ("basket", "http_latency_p95_ms", 30.0, 3.0),
    ("ledger-db", "pg_stat_activity_count", 22.0, 3.0),
    ("ledger-db", "pg_idle_in_transaction", 1.0, 1.0),
    ("ledger-db", "filesystem_free_bytes", 4.0e10, 2.0e7),
    ("kv", "redis_memory_used_bytes", 2.1e8, 1.5e6),
    ("kv", "redis_rejected_writes_per_second", 0.0, 0.0),
    ("mailer", "queue_length", 5.0, 2.0),
];

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Idle transactions hold every connection of ledger-db.
    Connections,
    /// The disk under ledger-db is full: downstream it looks like [`Fault::Connections`].
    Disk,
    /// A release of payments is broken.
    Release,
    /// kv is at its memory limit.
    Memory,
    /// The mailer's queue grows: nothing that anybody saw before.
    Queue,
}

/// What a fault does, and what people say of it afterwards.
pub struct Script {
    pub root: &'static str,
    /// (name, service, severity, summary, seconds after it began)
    pub(super) alerts: &'static [(&'static str, &'static str, &'static str, &'static str, i64)],
    pub(super) lines: &'static [Line],
    pub(super) series: &'static [Series],
    pub cause: &'static str,
    pub resolution: &'static str,
}

const PAY_LINES: [Line; 2] = [
    ("payments", "error", "charge {id} failed after {n} ms: ledger-db does not answer", 1),
    ("edge", "error", "upstream payments answered 503 for /pay/{id} after {n} ms", 1),
];

impl Fault {
    pub const ALL: [Self; 5] = [Self::Connections, Self::Disk, Self::Release, Self::Memory, Self::Queue];

    pub fn script(self) -> Script {
        match self {
            Self::Connections => CONNECTIONS,
            Self::Disk => DISK,
            Self::Release => RELEASE,
            Self::Memory => MEMORY,
            Self::Queue => QUEUE,
        }
    }
}

const CONNECTIONS: Script = Script {
    root: "ledger-db",
    alerts: &[
        ("LedgerConnectionsHigh", "ledger-db", "warning", "PostgreSQL uses 98 of 100 connections", 12),
        ("PaymentsErrorRate", "payments", "critical", "payments fails more than 5 percent of its requests", 22),
        ("EdgeServerErrors", "edge", "critical", "edge answers 5xx to more than 5 percent", 27),
    ],
    lines: &[
        ("ledger-db", "fatal", "sorry, too many clients already: user=pay database=ledger from 10.7.{n}.9", 1),
        PAY_LINES[0],
        PAY_LINES[1],
    ],
    series: &[
        ("ledger-db", "pg_stat_activity_count", 99.0, 1.0),
        ("ledger-db", "pg_idle_in_transaction", 78.0, 2.0),
        ("payments", "http_errors_per_second", 24.0, 2.0),
        ("payments", "http_latency_p95_ms", 2_900.0, 120.0),
        ("edge", "http_errors_per_second", 25.0, 2.0),
        ("edge", "http_latency_p95_ms", 3_000.0, 120.0),
    ],
    cause: "idle transactions of the report job held every connection of ledger-db",
    resolution: "the idle transactions were terminated with pg_terminate_backend",
};

const DISK: Script = Script {
    root: "ledger-db",
    alerts: &[
        ("LedgerDiskFull", "ledger-db", "critical", "the file system under PostgreSQL has no space left", 12),
        ("PaymentsErrorRate", "payments", "critical", "payments fails more than 5 percent of its requests", 22),
        ("EdgeServerErrors", "edge", "critical", "edge answers 5xx to more than 5 percent", 27),
    ],
    lines: &[
        ("ledger-db", "error", "could not extend file base/16384/{n}: No space left on device", 1),
        PAY_LINES[0],
        PAY_LINES[1],
    ],
    series: &[
        ("ledger-db", "filesystem_free_bytes", 0.0, 0.0),
        ("payments", "http_errors_per_second", 22.0, 2.0),
        ("payments", "http_latency_p95_ms", 2_600.0, 120.0),
        ("edge", "http_errors_per_second", 23.0, 2.0),
        ("edge", "http_latency_p95_ms", 2_700.0, 120.0),
    ],
    cause: "the file system under ledger-db was full of forgotten dumps",
    resolution: "forgotten dumps were deleted and space was free again",
};

const RELEASE: Script = Script {
    root: "payments",
    alerts: &[
        ("PaymentsErrorRate", "payments", "critical", "payments fails more than 5 percent of its requests", 15),
        ("EdgeServerErrors", "edge", "critical", "edge answers 5xx to more than 5 percent", 20),
    ],
    lines: &[
        ("payments", "error", "cannot round the amount of {id}: the currency table has no column minor_unit", 1),
        ("edge", "error", "upstream payments answered 500 for /pay/{id} after {n} ms", 1),
    ],
    series: &[("payments", "http_errors_per_second", 30.0, 2.0), ("edge", "http_errors_per_second", 30.0, 2.0)],
    cause: "release 4.2.0 of payments reads a column that does not exist",
    resolution: "payments was rolled back to 4.1.9",
};

const MEMORY: Script = Script {
    root: "kv",
    alerts: &[
        ("KvMemoryHigh", "kv", "warning", "Redis uses all of its maxmemory", 12),
        ("BasketErrorRate", "basket", "critical", "basket fails more than 5 percent of its requests", 22),
        ("EdgeServerErrors", "edge", "critical", "edge answers 5xx to more than 5 percent", 27),
    ],
    lines: &[
        ("kv", "error", "OOM command not allowed when used memory > 'maxmemory', client id={n}", 1),
        ("basket", "error", "basket {id} not stored after {n} ms: kv refuses writes", 1),
        ("edge", "error", "upstream basket answered 503 for /basket/{id} after {n} ms", 1),
    ],
    series: &[
        ("kv", "redis_memory_used_bytes", 5.36e8, 1.0e5),
        ("kv", "redis_rejected_writes_per_second", 40.0, 4.0),
        ("basket", "http_errors_per_second", 26.0, 2.0),
        ("edge", "http_errors_per_second", 26.0, 2.0),
    ],
    cause: "kv reached its maxmemory because sessions never expire",
    resolution: "maxmemory of kv was raised and sessions got an expiry",
};

const QUEUE: Script = Script {
    root: "mailer",
    alerts: &[("MailQueueGrows", "mailer", "critical", "the queue of the mailer grows", 15)],
    lines: &[("mailer", "error", "delivery of {id} deferred: the relay said 451 greylisted after {n} ms", 1)],
    series: &[("mailer", "queue_length", 940.0, 30.0)],
    cause: "the relay greylisted us",
    resolution: "the relay put us on its list",
};
