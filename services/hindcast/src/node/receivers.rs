//! The receivers of notifications, opened from the settings. Owns which adapter stands behind which kind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hindcast_chat_teams::Workflow;
use hindcast_messaging::notify::Notifier;
use hindcast_notify_webhook::Webhook;

use crate::settings::{Receiver, Settings, Understands, environment};

/// How long one attempt to start a workflow may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One notifier for each receiver of the settings, by its name.
///
/// # Errors
/// When an address or a secret is not there, or an address cannot be used.
pub fn notifiers(settings: &Settings) -> anyhow::Result<BTreeMap<String, Arc<dyn Notifier>>> {
    let open = |receiver: &Receiver| {
        let notifier = notifier(receiver).with_context(|| format!("the receiver {:?}", receiver.name))?;
        Ok((receiver.name.clone(), notifier))
    };
    settings.receivers.iter().map(open).collect()
}

fn notifier(receiver: &Receiver) -> anyhow::Result<Arc<dyn Notifier>> {
    let variable = |name: &String| environment(name).with_context(|| format!("the environment variable {name}"));
    let url = match (&receiver.url, &receiver.url_env) {
        (Some(url), _) => url.clone(),
        (None, Some(name)) => variable(name)?,
        (None, None) => anyhow::bail!("expected url or url_env"),
    };
    let secret = receiver.secret_env.as_ref().map(variable).transpose()?.map(String::into_bytes);
    Ok(match receiver.kind {
        Understands::Webhook => Arc::new(Webhook::new(&url, secret)?),
        Understands::TeamsWorkflow => Arc::new(Workflow::new(&url.as_str().into(), TIMEOUT, true)?),
    })
}
