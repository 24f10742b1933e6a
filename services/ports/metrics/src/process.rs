//! What the operating system knows of this process, read at each scrape. The names are those of every client library
//! of Prometheus. Read from `/proc`: elsewhere than on Linux there are none.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The names of the figures of a process, with their help.
pub const NAMES: [(&str, &str); 6] = [
    ("process_cpu_seconds_total", "Total user and system CPU time spent in seconds"),
    ("process_resident_memory_bytes", "Resident memory size in bytes"),
    ("process_virtual_memory_bytes", "Virtual memory size in bytes"),
    ("process_open_fds", "Number of open file descriptors"),
    ("process_max_fds", "Maximum number of open file descriptors"),
    ("process_start_time_seconds", "Start time of the process since unix epoch in seconds"),
];

/// What a limit that is none is shown as: the largest number that the kernel knows, as other client libraries do.
const UNLIMITED: f64 = 18_446_744_073_709_551_615.0;

/// Ticks of a second in `/proc`: the same on every Linux that this program is built for.
const TICKS_A_SECOND: f64 = 100.0;

/// Reads the figures of this process.
#[derive(Debug)]
pub(crate) struct ProcessCollector {
    /// Seconds since the epoch; it is read once, so that a clock that is set does not move it.
    started_at: f64,
}

/// What one look found.
struct ProcessFigures {
    cpu: f64,
    resident: f64,
    virtual_memory: f64,
    open_fds: f64,
    max_fds: f64,
}

impl ProcessCollector {
    pub(crate) fn new() -> Self {
        let started_at = stat().and_then(|stat| Some(booted_at()? + stat.started_ticks / TICKS_A_SECOND));
        Self { started_at: started_at.unwrap_or_default() }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let Some(figures) = look() else { return Ok(()) };
        let values =
            [figures.cpu, figures.resident, figures.virtual_memory, figures.open_fds, figures.max_fds, self.started_at];
        for ((name, help), value) in NAMES.into_iter().zip(values) {
            match name.strip_suffix("_total") {
                Some(name) => write(&mut encoder, name, help, &ConstCounter::new(value))?,
                None => write(&mut encoder, name, help, &ConstGauge::new(value))?,
            }
        }
        Ok(())
    }
}

fn write(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, metric: &impl EncodeMetric) -> std::fmt::Result {
    // The registry ends the help of its own metrics with a full stop.
    metric.encode(encoder.encode_descriptor(name, &format!("{help}."), None, metric.metric_type())?)
}

/// What of `/proc/self/stat` is used.
struct ProcessStat {
    cpu_ticks: f64,
    started_ticks: f64,
    virtual_bytes: f64,
}

/// Fields after the name, which is in brackets and may hold blanks: state is the first of them.
fn stat() -> Option<ProcessStat> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(ProcessStat { cpu_ticks: number(11)? + number(12)?, started_ticks: number(19)?, virtual_bytes: number(20)? })
}

/// When the machine started, in seconds since the epoch.
fn booted_at() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn open_fds() -> Option<usize> {
    // The listing itself opens one.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

fn max_fds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let soft = text.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.to_owned();
    if soft == "unlimited" { Some(UNLIMITED) } else { soft.parse().ok() }
}

/// The kernel says it in kibibytes, whatever its pages are.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?;
    Some(kibibytes.parse::<f64>().ok()? * 1_024.0)
}

#[allow(clippy::cast_precision_loss)] // figures of one process
fn look() -> Option<ProcessFigures> {
    let stat = stat()?;
    Some(ProcessFigures {
        cpu: stat.cpu_ticks / TICKS_A_SECOND,
        resident: resident()?,
        virtual_memory: stat.virtual_bytes,
        open_fds: open_fds()? as f64,
        max_fds: max_fds()?,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_this_process() {
        let before = look().expect("/proc can be read");
        let held: Vec<std::fs::File> = (0..8).map(|_| std::fs::File::open("/proc/self/stat").unwrap()).collect();
        let ballast = vec![1_u8; 64 << 20];
        let after = look().expect("/proc can be read");
        assert!(after.open_fds >= before.open_fds + 8.0 && after.max_fds >= after.open_fds, "{}", held.len());
        assert!(after.resident > before.resident + 32e6, "{} bytes of ballast are resident", ballast.len());
        let now = std::fs::metadata("/proc/self").unwrap().modified().unwrap();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - ProcessCollector::new().started_at;
        assert!((-2.0..3_600.0).contains(&age), "it started {age} s ago");
    }
}
