//! The binary: reads the command line, hands it to whoever does it, and is the only one that decides the
//! exit status: 0 done, 1 failed, 2 wrong usage, 3 nothing found.

mod ask;
mod audit;
mod backup;
mod cli;
mod demo;
mod embedder;
mod explain;
mod extra;
mod folder;
mod heartbeats;
mod lab;
mod ledger;
mod node;
mod record;
mod redecide;
mod restore;
mod runbooks;
mod settings;
mod trial;
mod up;
mod vector_stores;

use std::process::ExitCode;

use clap::Parser;

/// It gives memory back to the operating system when a burst is over, which the system's own does not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads that run tasks, at the least.
const WORKERS_MIN: usize = 6;

fn main() -> ExitCode {
    // Two of our dependencies bring a TLS provider each; without a choice the first handshake would panic.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("error: a TLS provider was chosen already");
        return ExitCode::from(1);
    }
    let line = cli::CommandLine::parse();
    if line.serves() {
        // Whatever a server writes is its owner's alone: ledger, views, telemetry, keys.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    }
    log(&line);
    // On few cores a task that thinks for a while (a vendor's library, a long ranking) would hold a worker and
    // silence the door with it; with some to spare the operating system shares the cores out.
    let workers = std::thread::available_parallelism().map_or(WORKERS_MIN, |cores| cores.get().max(WORKERS_MIN));
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime did not start: {error}");
            return ExitCode::from(1);
        }
    };
    let status = runtime.block_on(Box::pin(line.run()));
    // A blocked thread must not keep the process from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ExitCode::from(status)
}

/// Logs go to standard error: quiet for commands, informative for servers. `HINDCAST_LOG` overrides.
fn log(line: &cli::CommandLine) {
    let filter = settings::environment("HINDCAST_LOG").unwrap_or_else(|| line.log_level().to_owned());
    let filter =
        tracing_subscriber::EnvFilter::try_new(&filter).unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    if settings::environment("HINDCAST_LOG_FORMAT").as_deref() == Some("json") {
        builder.json().init();
    } else {
        builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    }
}
