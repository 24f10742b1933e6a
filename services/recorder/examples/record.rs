//! Owns running the recorder alone: the arguments of `hindcast record`, until the scenario ends or Ctrl-C.

use clap::Parser;
use hindcast_recorder::{Options, RecordArgs, record};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: RecordArgs,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::try_from(Cli::parse().args)?;
    let interrupted = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("cannot wait for Ctrl-C: {error}");
            std::future::pending().await
        }
    };
    println!("{}", record(options, interrupted).await?);
    Ok(())
}
