//! The deciding services and delivery, wired. Owns which of them run in this process.

use std::sync::Arc;

use hindcast_domain::lane::names;
use hindcast_pager::NoticeDeliverer;

use super::common::{Common, Tasks};
use super::{Role, chat};

/// Names the services whose progress counts for "caught up".
pub fn expect(common: &Common) {
    if common.reading_only {
        return;
    }
    common.progress.expect(&["views", names::CONTROL, names::INCIDENTS, names::NOTICES]);
    if common.roles.contains(&Role::Learning) {
        common.progress.expect(&[names::LABELS]);
    }
    if common.roles.contains(&Role::Chat) && chat::is_set_up(&common.settings.chat) {
        common.progress.expect(&[names::CHAT]);
    }
}

/// Starts the lanes of control, incidents and notices, and the delivery of notices.
///
/// # Errors
/// When a receiver cannot be opened.
pub fn start(common: &Common, tasks: &mut Tasks) -> anyhow::Result<()> {
    if common.runs(Role::Control) {
        let run = hindcast_control::run(common.lane(), tasks.stop());
        tasks.spawn(names::CONTROL, async move { Ok(run.await?) });
    }
    if common.runs(Role::Correlator) {
        let run = hindcast_correlator::run(common.lane(), tasks.stop());
        tasks.spawn(names::INCIDENTS, async move { Ok(run.await?) });
    }
    if common.runs(Role::Pager) {
        let run = hindcast_pager::run(common.lane(), tasks.stop());
        tasks.spawn(names::NOTICES, async move { Ok(run.await?) });
        let deliverer = NoticeDeliverer {
            ledger: Arc::clone(&common.ledger),
            writer: common.writer.facts(),
            clock: Arc::clone(&common.clock),
            install: common.install.clone(),
            holder: common.owner.clone(),
            notifiers: common.notifiers.clone(),
            public_url: common.settings.public_url.clone(),
            metrics: common.metrics.clone(),
            figures: common.progress.figures().clone(),
        };
        let (ledger, clock) = (Arc::clone(&common.ledger), Arc::clone(&common.clock));
        let audit = crate::audit::live(ledger, clock, common.metrics.clone(), tasks.stop());
        tasks.spawn("paging audit", async move { Ok(audit.await?) });
        let run = deliverer.run(tasks.stop());
        tasks.spawn("delivery", async move { Ok(run.await?) });
    }
    Ok(())
}
