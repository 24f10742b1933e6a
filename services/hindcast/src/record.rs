//! `hindcast record`: hands over to the recorder.

use hindcast_recorder::{Options, RecordArgs};

use crate::up::Stop;

/// Records until the scenario ends, the time is over or somebody asks it to stop.
///
/// # Errors
/// When the arguments make no sense, or something could not be kept.
pub async fn run(args: RecordArgs) -> anyhow::Result<()> {
    let options = Options::try_from(args)?;
    let mut stop = Stop::new()?;
    let summary = hindcast_recorder::record(options, async move { stop.asked().await }).await?;
    println!("{summary:#?}");
    Ok(())
}
