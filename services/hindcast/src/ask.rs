//! Commands that ask a server: of the one that runs, or of the views over a folder that nobody holds.

use std::path::Path;

use hindcast_cli::{ClientCommand, Connection, Terminal};
use hindcast_clock as clock;
use tokio::net::TcpListener;

use crate::folder::Folder;
use crate::ledger::OpenedLedger;
use crate::node::{Node, Parts, Role, figures};
use crate::settings::{Flags, Settings};

/// Does what was asked and answers the exit status.
pub async fn run(command: ClientCommand, connection: &Connection) -> u8 {
    let mut terminal = Terminal::system(connection.no_color);
    let Some(data) = connection.data.as_ref().filter(|_| !command.is_local()) else {
        let base = connection.base_url().to_owned();
        return hindcast_cli::run(command, connection, &base, &mut terminal).await.code();
    };
    match over_folder(data, connection.config.as_deref()).await {
        Ok(node) => {
            let base = format!("http://{}", node.address);
            let status = hindcast_cli::run(command, connection, &base, &mut terminal).await;
            node.stop().await;
            status.code()
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            1
        }
    }
}

/// Views and pages over a folder, on a loopback port of their own, with the settings that `up` would read: so the
/// same embedder and the same store of vectors answer. Nothing is decided, sent or written.
///
/// # Errors
/// When the folder holds no ledger, another process holds it, or the settings make no sense.
pub async fn over_folder(data: &Path, config: Option<&Path>) -> anyhow::Result<Node> {
    anyhow::ensure!(data.join("ledger").exists(), "expected a data folder with a ledger, {} has none", data.display());
    let settings = Settings::resolve(&Flags::of_environment(config)?, Some(data))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let folder = Folder::open(data)?;
    let opened = OpenedLedger::embedded(&folder, None).await?;
    let (metrics, progress) = figures::counted(&settings);
    let parts = Parts {
        settings,
        roles: [Role::Console].into(),
        clock: clock::System::shared(),
        opened,
        progress,
        metrics,
        listener,
        token: None,
        reading_only: true,
    };
    let node = Node::start(parts).await?;
    while !hindcast_queries::Queries::is_ready(&node.views) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Ok(node)
}
