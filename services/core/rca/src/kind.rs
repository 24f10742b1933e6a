//! What a signal is about, by the words of its name. Owns the words; refuses to know values.

use std::collections::BTreeSet;

/// What a metric, an alert or a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalKind {
    /// The share of what works.
    Availability,
    /// What failed.
    Errors,
    /// Processors.
    Cpu,
    /// Main memory and what is kept in it.
    Memory,
    /// Disks and system calls.
    Io,
    /// Bytes and packets.
    Network,
    /// How long something takes.
    Latency,
    /// Queues, pools, connections.
    Saturation,
    /// How much is asked for.
    Traffic,
    /// No word of the name says.
    Unknown,
}

/// The direction of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalWay {
    /// More of it.
    Up,
    /// Less of it.
    Down,
}

/// Whose view a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalSide {
    /// Of the service itself.
    Own,
    /// Of the service, of the calls that it makes.
    Client,
    /// Of those that call it.
    Called,
}

impl SignalKind {
    /// Whether more of it is bad, or less of it; neither where that is not known.
    #[must_use]
    pub const fn bad_way(self) -> Option<SignalWay> {
        match self {
            Self::Availability => Some(SignalWay::Down),
            Self::Errors | Self::Cpu | Self::Memory | Self::Io | Self::Latency | Self::Saturation => {
                Some(SignalWay::Up)
            }
            Self::Network | Self::Traffic | Self::Unknown => None,
        }
    }

    /// Whether it is a resource that runs out, which is nearer to a cause than a symptom is.
    #[must_use]
    pub const fn is_resource(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::Io | Self::Saturation)
    }
}

const AVAILABILITY: &[&str] =
    &["availability", "available", "success", "successful", "uptime", "up", "healthy", "health", "ready"];
const ERRORS: &[&str] = &[
    "error",
    "errors",
    "err",
    "fail",
    "fails",
    "failed",
    "failure",
    "failures",
    "exception",
    "exceptions",
    "fault",
    "faults",
    "5xx",
    "4xx",
    "timeout",
    "timeouts",
    "throttles",
    "throttled",
    "rejected",
    "dropped",
    "drops",
    "retries",
    "restarts",
    "oom",
    "unavailable",
    "aborts",
    "panics",
];
const CPU: &[&str] = &["cpu", "cpus", "throttling", "throttle", "load1", "load5", "load15"];
const MEMORY: &[&str] = &["mem", "memory", "heap", "rss", "swap", "gc", "working"];
const IO: &[&str] = &[
    "disk",
    "fs",
    "io",
    "iops",
    "filesystem",
    "syscall",
    "syscalls",
    "fd",
    "fds",
    "descriptors",
    "inode",
    "inodes",
    "diskio",
    "iowait",
];
const NETWORK: &[&str] = &["net", "network", "receive", "transmit", "rx", "tx", "bytes", "packets", "bandwidth"];
const LATENCY: &[&str] = &[
    "latency",
    "latencies",
    "lat",
    "duration",
    "durations",
    "delay",
    "rt",
    "rtt",
    "elapsed",
    "response",
    "quantile",
    "slow",
    "lag",
];
const SATURATION: &[&str] = &[
    "queue",
    "pool",
    "connections",
    "conn",
    "threads",
    "backlog",
    "saturation",
    "pending",
    "inflight",
    "utilization",
    "utilisation",
    "goroutines",
    "waiting",
];
const TRAFFIC: &[&str] = &[
    "qps",
    "rps",
    "requests",
    "request",
    "req",
    "lod",
    "load",
    "workload",
    "ops",
    "throughput",
    "traffic",
    "calls",
    "hits",
    "invocations",
    "count",
    "messages",
];
const CLIENT: &[&str] = &["client", "outgoing", "egress", "upstream", "outbound"];
const CALLED: &[&str] = &["called", "caller", "callers"];

/// The words of a name, in lower case: parts of `camelCase` and what letters, digits and `%` make up.
#[must_use]
pub fn words(name: &str) -> BTreeSet<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut spaced = String::with_capacity(name.len() + 8);
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let small = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let begins = before.is_some_and(small)
            || (before.is_some_and(char::is_ascii_uppercase)
                && chars.get(at + 1).is_some_and(char::is_ascii_lowercase));
        if c.is_ascii_uppercase() && begins {
            spaced.push(' ');
        }
        spaced.push(c.to_ascii_lowercase());
    }
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '%');
    spaced.split(part).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What a name says that a signal is about, and whose view it is. The first list that has one of its words decides.
#[must_use]
pub fn kind(name: &str) -> (SignalKind, SignalSide) {
    let words = words(name);
    let any = |list: &[&str]| list.iter().any(|word| words.contains(*word));
    let side = match (any(CLIENT), any(CALLED)) {
        (true, _) => SignalSide::Client,
        (false, true) => SignalSide::Called,
        (false, false) => SignalSide::Own,
    };
    let percentile = |word: &String| {
        word.strip_prefix('p').is_some_and(|digits| digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let times = any(&["latency", "lat", "delay"]);
    let kind = if any(AVAILABILITY) {
        SignalKind::Availability
    } else if any(ERRORS) {
        SignalKind::Errors
    } else if any(CPU) {
        SignalKind::Cpu
    } else if any(MEMORY) {
        SignalKind::Memory
    } else if any(IO) {
        SignalKind::Io
    } else if any(NETWORK) && !times {
        SignalKind::Network
    } else if any(LATENCY) || words.iter().any(percentile) {
        SignalKind::Latency
    } else if any(SATURATION) {
        SignalKind::Saturation
    } else if any(TRAFFIC) {
        SignalKind::Traffic
    } else {
        SignalKind::Unknown
    };
    (kind, side)
}

/// Words of an alert that say that something is gone.
const GONE: &[&str] =
    &["down", "unreachable", "absent", "dead", "crash", "crashed", "crashing", "crashloop", "looping"];
/// Words of an alert that say that something runs out.
const RUNS_OUT: &[&str] = &["full", "exhausted", "limit", "quota", "capacity"];

/// Words of an alert that is understood alone: what it is about does not come from another service.
const ALONE: &[&str] = &["certificate", "certificates", "cert", "backup", "backups", "expiry", "expires", "expiring"];

/// Whether an alert explains itself, so that services without a known tie to it have no part in it.
#[must_use]
pub fn explains_itself(name: &str) -> bool {
    let words = words(name);
    ALONE.iter().any(|word| words.contains(*word))
}

/// What an alert's name says that it is about: what fails, where it does not say.
#[must_use]
pub fn of_alert(name: &str) -> SignalKind {
    let words = words(name);
    let any = |list: &[&str]| list.iter().any(|word| words.contains(*word));
    match kind(name).0 {
        _ if any(GONE) => SignalKind::Errors,
        SignalKind::Unknown | SignalKind::Traffic | SignalKind::Network if any(RUNS_OUT) => SignalKind::Saturation,
        SignalKind::Unknown => SignalKind::Errors,
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_styles_say_what_they_are_about() {
        let cases = [
            ("http_request_duration_seconds", SignalKind::Latency, SignalSide::Own),
            ("availability_average", SignalKind::Availability, SignalSide::Own),
            ("CpuUsageRate(%)", SignalKind::Cpu, SignalSide::Own),
            ("PodClientLatencyP90(s)", SignalKind::Latency, SignalSide::Client),
            ("called_p90", SignalKind::Latency, SignalSide::Called),
            ("HTTPServerErrors", SignalKind::Errors, SignalSide::Own),
            ("container_memory_working_set_bytes", SignalKind::Memory, SignalSide::Own),
            ("node_network_receive_bytes_total", SignalKind::Network, SignalSide::Own),
            ("pg_connections", SignalKind::Saturation, SignalSide::Own),
            ("lod", SignalKind::Traffic, SignalSide::Own),
            ("colour", SignalKind::Unknown, SignalSide::Own),
        ];
        for (name, about, side) in cases {
            assert_eq!(kind(name), (about, side), "{name}");
        }
    }
}
