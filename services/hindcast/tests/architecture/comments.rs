//! A comment says what the code does not. One that only repeats a name costs a line and says nothing; the ones on
//! command-line arguments even reach people, as help.

use std::collections::BTreeSet;

use crate::source::sources;

/// Words that carry no meaning beside a name.
const EMPTY: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "does", "for", "from", "has", "how", "in", "is", "it", "its",
    "of", "on", "one", "or", "our", "own", "so", "than", "that", "the", "their", "them", "these", "they", "this", "to",
    "was", "what", "when", "where", "which", "who", "whom", "whose", "why", "with", "your",
];

/// How many comments of a file still say nothing. Entries are only ever lowered and deleted.
const STILL_EMPTY: [(&str, usize); 214] = [
    ("services/adapters/chat-slack/src/api.rs", 1),
    ("services/adapters/chat-slack/src/lib.rs", 1),
    ("services/adapters/chat-teams/src/connector.rs", 1),
    ("services/adapters/chat-teams/src/keys.rs", 1),
    ("services/adapters/chat-teams/src/lib.rs", 1),
    ("services/adapters/embed-fastembed/src/files.rs", 1),
    ("services/adapters/ledger-embedded/src/disk.rs", 1),
    ("services/adapters/ledger-embedded/src/index.rs", 1),
    ("services/adapters/ledger-embedded/src/ledger.rs", 1),
    ("services/adapters/ledger-embedded/src/options.rs", 10),
    ("services/adapters/ledger-nats/src/options.rs", 5),
    ("services/adapters/ledger-nats/src/server.rs", 2),
    ("services/adapters/llm-genai/src/convert.rs", 1),
    ("services/adapters/notify-webhook/src/lib.rs", 1),
    ("services/adapters/telemetry-files/src/options.rs", 3),
    ("services/adapters/vectors-flat/src/lib.rs", 1),
    ("services/adapters/vectors-flat/src/log.rs", 3),
    ("services/adapters/vectors-qdrant/src/lib.rs", 2),
    ("services/adapters/vectors-qdrant/src/wire.rs", 1),
    ("services/adapters/vectors-qdrant/tests/stand_in/mod.rs", 1),
    ("services/advisor/src/postmortem.rs", 1),
    ("services/chatops/src/deliver/desk.rs", 1),
    ("services/chatops/src/doors/scan.rs", 1),
    ("services/chatops/src/options.rs", 3),
    ("services/chatops/src/rules.rs", 1),
    ("services/chatops/src/status.rs", 1),
    ("services/chatops/src/surface.rs", 2),
    ("services/cli/src/commands/advice/causes.rs", 1),
    ("services/cli/src/commands/advice/findings.rs", 1),
    ("services/cli/src/commands/advice/postmortem.rs", 1),
    ("services/cli/src/commands/advice/proposals.rs", 1),
    ("services/cli/src/commands/advice/similar.rs", 1),
    ("services/cli/src/commands/alerts.rs", 1),
    ("services/cli/src/commands/ask.rs", 1),
    ("services/cli/src/commands/catalog.rs", 3),
    ("services/cli/src/commands/events.rs", 2),
    ("services/cli/src/commands/incidents.rs", 1),
    ("services/cli/src/commands/labels.rs", 1),
    ("services/cli/src/commands/lifecycle.rs", 4),
    ("services/cli/src/commands/mcp.rs", 1),
    ("services/cli/src/commands/memory.rs", 3),
    ("services/cli/src/commands/models.rs", 3),
    ("services/cli/src/commands/notices.rs", 1),
    ("services/cli/src/commands/parked.rs", 1),
    ("services/cli/src/commands/report.rs", 1),
    ("services/cli/src/commands/runbook.rs", 5),
    ("services/cli/src/commands/senders.rs", 1),
    ("services/cli/src/commands/show.rs", 1),
    ("services/cli/src/commands/silence.rs", 2),
    ("services/cli/src/commands/source.rs", 1),
    ("services/cli/src/commands/state.rs", 2),
    ("services/cli/src/commands/where.rs", 1),
    ("services/cli/src/commands/why.rs", 1),
    ("services/cli/src/context.rs", 4),
    ("services/cli/src/parse/when.rs", 1),
    ("services/cli/src/sse.rs", 2),
    ("services/cli/src/tests/server.rs", 6),
    ("services/cli/src/text/labelled.rs", 1),
    ("services/cli/src/text/table.rs", 2),
    ("services/console/src/ask.rs", 2),
    ("services/console/src/commands/body.rs", 7),
    ("services/console/src/commands/duration.rs", 1),
    ("services/console/src/learn.rs", 1),
    ("services/console/src/lib.rs", 1),
    ("services/console/src/pages/alerts.rs", 3),
    ("services/console/src/pages/event.rs", 2),
    ("services/console/src/pages/findings.rs", 2),
    ("services/console/src/pages/frame.rs", 7),
    ("services/console/src/pages/incident/mod.rs", 4),
    ("services/console/src/pages/incidents.rs", 2),
    ("services/console/src/pages/labels.rs", 2),
    ("services/console/src/pages/models/version.rs", 2),
    ("services/console/src/pages/notices.rs", 2),
    ("services/console/src/pages/postmortem.rs", 2),
    ("services/console/src/pages/receipt.rs", 2),
    ("services/console/src/pages/silences.rs", 2),
    ("services/console/src/pages/style.rs", 1),
    ("services/console/src/params.rs", 2),
    ("services/console/src/reads.rs", 6),
    ("services/console/src/report.rs", 1),
    ("services/console/src/tests/advised.rs", 1),
    ("services/console/src/tests/learnt.rs", 1),
    ("services/console/src/web/learnt.rs", 1),
    ("services/console/src/web/read.rs", 6),
    ("services/copilot/src/intent.rs", 2),
    ("services/copilot/src/limits.rs", 1),
    ("services/copilot/src/options.rs", 1),
    ("services/copilot/src/prompts.rs", 3),
    ("services/copilot/src/situation.rs", 1),
    ("services/core/api/src/advice.rs", 20),
    ("services/core/api/src/chat.rs", 3),
    ("services/core/api/src/learn.rs", 24),
    ("services/core/api/src/model.rs", 35),
    ("services/core/api/src/page.rs", 1),
    ("services/core/api/src/problem.rs", 1),
    ("services/core/chat-cards/src/card.rs", 1),
    ("services/core/chat-cards/src/interaction.rs", 6),
    ("services/core/chat-cards/src/slack/read.rs", 1),
    ("services/core/chat-cards/src/slack/render.rs", 1),
    ("services/core/chat-cards/src/teams/render.rs", 1),
    ("services/core/chat-cards/src/text.rs", 2),
    ("services/core/chat-cards/src/view.rs", 3),
    ("services/core/correlation/src/cluster.rs", 3),
    ("services/core/domain/src/alert/event.rs", 1),
    ("services/core/domain/src/alert/mod.rs", 1),
    ("services/core/domain/src/canonical.rs", 1),
    ("services/core/domain/src/catalog.rs", 2),
    ("services/core/domain/src/chat.rs", 4),
    ("services/core/domain/src/command.rs", 23),
    ("services/core/domain/src/conversation.rs", 3),
    ("services/core/domain/src/event.rs", 1),
    ("services/core/domain/src/id.rs", 2),
    ("services/core/domain/src/incident/event.rs", 10),
    ("services/core/domain/src/incident/mod.rs", 5),
    ("services/core/domain/src/label.rs", 13),
    ("services/core/domain/src/limits.rs", 1),
    ("services/core/domain/src/model.rs", 9),
    ("services/core/domain/src/notice.rs", 5),
    ("services/core/domain/src/proposal.rs", 2),
    ("services/core/domain/src/silence.rs", 5),
    ("services/core/events/src/envelope.rs", 4),
    ("services/core/events/tests/support/mod.rs", 1),
    ("services/core/log-templates/src/watch.rs", 5),
    ("services/core/mlops/src/card.rs", 1),
    ("services/core/mlops/src/compare.rs", 1),
    ("services/core/mlops/src/dataset.rs", 1),
    ("services/core/mlops/src/gate.rs", 1),
    ("services/core/mlops/src/outcome.rs", 1),
    ("services/core/mlops/src/registry.rs", 2),
    ("services/core/mlops/src/seen.rs", 6),
    ("services/core/mlops/src/standing.rs", 1),
    ("services/core/mlops/src/truth.rs", 1),
    ("services/core/rca/src/evidence.rs", 1),
    ("services/core/rca/src/sign.rs", 1),
    ("services/core/recall/src/remembered.rs", 3),
    ("services/core/recall/src/signs.rs", 1),
    ("services/core/runbooks/src/fill.rs", 1),
    ("services/core/runbooks/src/lib.rs", 3),
    ("services/core/verifier/src/court.rs", 2),
    ("services/core/verifier/src/figures.rs", 3),
    ("services/core/verifier/src/read.rs", 2),
    ("services/core/verifier/src/strike.rs", 2),
    ("services/core/verifier/src/times.rs", 1),
    ("services/core/verifier/tests/generator/mod.rs", 1),
    ("services/core/verifier/tests/generator/world.rs", 1),
    ("services/correlator/src/grouping.rs", 2),
    ("services/detector/src/cases.rs", 1),
    ("services/detector/src/follow.rs", 1),
    ("services/detector/src/lib.rs", 2),
    ("services/detector/src/limits.rs", 1),
    ("services/eventlog/src/copy.rs", 2),
    ("services/eventlog/src/lane.rs", 3),
    ("services/eventlog/src/read.rs", 6),
    ("services/eventlog/src/snapshot.rs", 3),
    ("services/eventlog/src/verify.rs", 1),
    ("services/gateway/src/source/mod.rs", 7),
    ("services/gateway/tests/gateway/protobuf.rs", 3),
    ("services/hindcast/src/backup.rs", 3),
    ("services/hindcast/src/cli.rs", 3),
    ("services/hindcast/src/demo/advice.rs", 2),
    ("services/hindcast/src/demo/driver.rs", 1),
    ("services/hindcast/src/demo/summary.rs", 1),
    ("services/hindcast/src/embedder.rs", 1),
    ("services/hindcast/src/extra.rs", 1),
    ("services/hindcast/src/folder.rs", 1),
    ("services/hindcast/src/lab.rs", 1),
    ("services/hindcast/src/lab/case.rs", 1),
    ("services/hindcast/src/node.rs", 4),
    ("services/hindcast/src/node/common.rs", 2),
    ("services/hindcast/src/settings.rs", 9),
    ("services/hindcast/src/settings/advising.rs", 4),
    ("services/hindcast/src/settings/chat.rs", 3),
    ("services/hindcast/tests/architecture/files.rs", 2),
    ("services/learning/examples/million.rs", 1),
    ("services/learning/src/history.rs", 1),
    ("services/learning/src/shadow/watch.rs", 1),
    ("services/mcp/src/tools.rs", 1),
    ("services/pager/src/deliver.rs", 2),
    ("services/pager/src/rules.rs", 1),
    ("services/pager/tests/harness/lane.rs", 1),
    ("services/ports/advice/src/lib.rs", 1),
    ("services/ports/advice/src/tools.rs", 1),
    ("services/ports/advice/src/tools/args.rs", 1),
    ("services/ports/advice/src/tools/fit.rs", 1),
    ("services/ports/ledger/src/commit.rs", 2),
    ("services/ports/ledger/src/heads.rs", 5),
    ("services/ports/ledger/src/port.rs", 6),
    ("services/ports/llm/src/lib.rs", 5),
    ("services/ports/messaging/src/chat.rs", 1),
    ("services/ports/messaging/src/notify.rs", 2),
    ("services/ports/queries/src/lib.rs", 6),
    ("services/ports/telemetry/src/conformance.rs", 1),
    ("services/ports/telemetry/src/lib.rs", 3),
    ("services/ports/telemetry/src/model.rs", 5),
    ("services/ports/vectors/src/conformance.rs", 1),
    ("services/ports/vectors/src/embed.rs", 1),
    ("services/ports/vectors/src/lib.rs", 1),
    ("services/recorder/src/error.rs", 1),
    ("services/recorder/src/format/load.rs", 1),
    ("services/recorder/src/format/types.rs", 5),
    ("services/recorder/src/logline.rs", 1),
    ("services/recorder/src/run.rs", 1),
    ("services/views/src/error.rs", 2),
    ("services/views/src/figures.rs", 1),
    ("services/views/src/fold.rs", 4),
    ("services/views/src/project/live.rs", 3),
    ("services/views/src/project/mod.rs", 1),
    ("services/views/src/project/tally.rs", 2),
    ("services/views/src/read/mod.rs", 3),
    ("services/views/src/service.rs", 1),
    ("services/views/src/store/batch.rs", 1),
    ("services/views/src/store/event.rs", 1),
    ("services/views/src/store/mod.rs", 1),
    ("services/views/tests/common/mod.rs", 1),
];

fn words(text: &str) -> BTreeSet<String> {
    let (mut spread, mut in_small) = (String::new(), false);
    for c in text.chars() {
        if c.is_uppercase() && in_small {
            spread.push(' ');
        }
        in_small = c.is_lowercase();
        spread.extend(c.to_lowercase());
    }
    let word = |word: &str| word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word).to_owned();
    spread.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(word).collect()
}

/// The name of the item that a line declares: a field, a variant, a function, a type, a constant or a module.
fn name_of(line: &str) -> Option<&str> {
    const BEFORE: [&str; 12] =
        ["pub", "const", "async", "unsafe", "fn", "struct", "enum", "trait", "type", "static", "mod", "union"];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut parts = line.split(|c: char| !is_word(c)).filter(|part| !part.is_empty());
    parts.find(|part| !BEFORE.contains(part) && !["crate", "super", "self", "in"].contains(part))
}

/// Comments of one line that say nothing beyond the name of what they are about, with their line.
fn empty_comments(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(comment) = line.strip_prefix("/// ") else { continue };
        let beside = |other: Option<&&str>| other.is_some_and(|other| other.starts_with("///"));
        if beside(at.checked_sub(1).and_then(|before| lines.get(before))) || beside(lines.get(at + 1)) {
            continue;
        }
        let mut item = lines[at + 1..].iter().skip_while(|next| next.starts_with("#[") || next.is_empty());
        let Some(name) = item.next().and_then(|item| name_of(item)) else { continue };
        let empty: BTreeSet<String> = EMPTY.iter().flat_map(|word| words(word)).collect();
        let name = words(name);
        if words(comment).iter().all(|word| name.contains(word) || empty.contains(word)) {
            found.push((at + 1, comment.to_owned()));
        }
    }
    found
}

#[test]
fn no_comment_only_repeats_a_name() {
    let (mut new, mut known) = (Vec::new(), 0);
    for (path, text) in sources() {
        let found = empty_comments(&text);
        let allowed = STILL_EMPTY.iter().find(|(file, _)| *file == path).map_or(0, |(_, many)| *many);
        if found.len() <= allowed {
            known += found.len();
        } else {
            new.push((path, found));
        }
    }
    println!("{known} comments still say nothing");
    assert!(new.is_empty(), "expected comments that say more than the name, got {new:#?}");
}

#[test]
fn a_comment_that_says_nothing_is_found() {
    let empty = |text: &str| empty_comments(text).len();
    assert_eq!(empty("/// Which.\nincident: IncidentId,"), 1);
    assert_eq!(empty("/// Its name.\n#[serde(default)]\npub name: String,"), 1);
    assert_eq!(empty("/// The open incidents.\npub fn open_incident() {}"), 1);
    assert_eq!(empty("/// Its name.\nconst NAME: &str = \"x\";"), 1);
    assert_eq!(empty("/// Milliseconds since the epoch.\npub at: u64,"), 0);
    assert_eq!(empty("/// Which.\n/// The first that is open.\npub incident: u64,"), 0);
}
