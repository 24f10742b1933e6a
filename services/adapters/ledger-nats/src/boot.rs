//! Makes the stream, and asserts at every start that it is one that keeps what it acknowledged. What cannot
//! be seen counts as lossy. It refuses to mend a stream: who changed it has to say why.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer;
use async_nats::jetstream::context::{Context, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType};
use hindcast_domain::id::base32;
use hindcast_domain::limits::COMMIT_BYTES_MAX;
use hindcast_ledger::{Durability, Subject};

use crate::monitor;
use crate::options::{OpenError, Options};

/// Older servers have losses that are known and mended.
const LEAST_VERSION: (&str, (u32, u32)) = ("2.14", (2, 14));
/// Where the identity lies in the stream's metadata.
const ID: &str = "hindcast-ledger-id";
const REPLICAS_IN_A_CLUSTER: usize = 3;

/// What was asserted.
pub(crate) struct Boot {
    pub(crate) ledger_id: String,
    pub(crate) durability: Durability,
}

pub(crate) async fn boot(client: &Client, context: &Context, options: &Options) -> Result<Boot, OpenError> {
    let server = client.server_info();
    check_version(&server.version)?;
    let info = ensure(context, options).await?;
    let ledger_id = identity(&info, options)?;
    let clustered = server.cluster.is_some() || info.cluster.as_ref().is_some_and(|cluster| cluster.name.is_some());
    let wrong = unfit(&info.config);
    if !wrong.is_empty() {
        return Err(OpenError::Unfit { stream: options.stream.clone(), wrong });
    }
    let durability = durability(&info, clustered, &server.server_id, options).await?;
    Ok(Boot { ledger_id, durability })
}

/// At least the version that we know; a text that is no version is none.
fn check_version(got: &str) -> Result<(), OpenError> {
    let mut numbers = got.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (least, number) = LEAST_VERSION;
    if version >= number { Ok(()) } else { Err(OpenError::Version { least, got: got.to_owned() }) }
}

async fn ensure(context: &Context, options: &Options) -> Result<Info, OpenError> {
    let failed = |step: &'static str| move |source| OpenError::Stream { step, stream: options.stream.clone(), source };
    let found = match context.get_stream(&options.stream).await {
        Ok(stream) => return Ok(stream.cached_info().clone()),
        Err(error) => error,
    };
    match found.kind() {
        GetStreamErrorKind::JetStream(error)
            if error.error_code() == async_nats::jetstream::ErrorCode::STREAM_NOT_FOUND => {}
        _ => return Err(failed("looked at")(Box::new(found))),
    }
    let config = config(options)?;
    match context.create_stream(config).await {
        Ok(stream) => Ok(stream.cached_info().clone()),
        // Another process was faster, with an identity of its own.
        Err(created) => match context.get_stream(&options.stream).await {
            Ok(stream) => Ok(stream.cached_info().clone()),
            Err(_) => Err(failed("made")(Box::new(created))),
        },
    }
}

fn config(options: &Options) -> Result<Config, OpenError> {
    let ledger_id = match &options.ledger_id {
        Some(id) => id.clone(),
        None => {
            let mut random = [0; 10];
            getrandom::fill(&mut random).map_err(OpenError::Random)?;
            base32(&random)
        }
    };
    Ok(Config {
        name: options.stream.clone(),
        subjects: vec![format!("{}.>", Subject::ROOT)],
        description: Some("the one total order of a Hindcast ledger; never edited, never purged".to_owned()),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: options.replicas.max(1),
        discard: DiscardPolicy::New,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_age: Duration::ZERO,
        deny_delete: true,
        deny_purge: true,
        // "Not found" of a follower is no proof; every read of ours asks the leader.
        allow_direct: false,
        allow_rollup: false,
        duplicate_window: options.duplicate_window,
        metadata: HashMap::from([(ID.to_owned(), ledger_id)]),
        ..Config::default()
    })
}

fn identity(info: &Info, options: &Options) -> Result<String, OpenError> {
    let got = info.config.metadata.get(ID).ok_or_else(|| OpenError::NoIdentity(options.stream.clone()))?;
    match &options.ledger_id {
        Some(expected) if expected != got => {
            Err(OpenError::OtherLedger { expected: expected.clone(), got: got.clone() })
        }
        _ => Ok(got.clone()),
    }
}

/// Every setting with which the stream could lose or change what it holds.
fn unfit(config: &Config) -> Vec<String> {
    let subject = format!("{}.>", Subject::ROOT);
    let size = config.max_message_size;
    let checks = [
        (config.storage == StorageType::File, "file storage: it is in memory".to_owned()),
        (config.retention == RetentionPolicy::Limits, format!("limits retention, got {:?}", config.retention)),
        (config.deny_delete, "deny_delete: single messages could be deleted".to_owned()),
        (config.deny_purge, "deny_purge: it could be purged".to_owned()),
        (config.discard == DiscardPolicy::New, "discard new: it drops its beginning when it is full".to_owned()),
        (config.max_age.is_zero(), format!("no max_age, got {:?}", config.max_age)),
        (config.max_messages_per_subject <= 0, "no limit per subject: it drops a subject's beginning".to_owned()),
        (config.persist_mode != Some(PersistenceMode::Async), "a persist_mode that is not async".to_owned()),
        (!config.allow_rollup, "no roll-ups: a message could replace its subject".to_owned()),
        (!config.no_ack, "acknowledgements, it has no_ack".to_owned()),
        (!config.allow_direct, "no direct gets: a follower may answer from the past".to_owned()),
        (config.subjects == [subject.clone()], format!("the subject {subject}, got {:?}", config.subjects)),
        (config.sources.is_none() && config.mirror.is_none(), "neither a mirror nor sources".to_owned()),
        (
            size <= 0 || usize::try_from(size).is_ok_and(|size| size >= COMMIT_BYTES_MAX),
            format!("messages of up to {COMMIT_BYTES_MAX} bytes, got {size}"),
        ),
    ];
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, wrong)| wrong).collect()
}

async fn durability(info: &Info, clustered: bool, server_id: &str, options: &Options) -> Result<Durability, OpenError> {
    let why = if clustered && info.config.num_replicas < REPLICAS_IN_A_CLUSTER {
        format!("expected {REPLICAS_IN_A_CLUSTER} replicas in a cluster, got {}", info.config.num_replicas)
    } else {
        match &options.monitoring {
            None => "a client cannot see whether the server syncs before it acknowledges".to_owned(),
            Some(address) => match monitor::syncs_always(address, server_id).await {
                Ok(()) => return Ok(Durability::Synced),
                Err(why) => why,
            },
        }
    };
    if !options.accept_lossy {
        return Err(OpenError::Lossy { why });
    }
    tracing::warn!(why, "the ledger may lose what it acknowledged; somebody accepted that");
    Ok(Durability::Lossy)
}

/// A consumer that nobody but one reader knows, and that the server forgets by itself.
pub(crate) fn reader_config(from: u64) -> consumer::pull::Config {
    consumer::pull::Config {
        deliver_policy: consumer::DeliverPolicy::ByStartSequence { start_sequence: from },
        ack_policy: consumer::AckPolicy::None,
        inactive_threshold: Duration::from_secs(30),
        memory_storage: true,
        num_replicas: 1,
        ..consumer::pull::Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for good in ["2.14.0", "2.14.3-RC.1", "2.15.1", "2.100.0", "3.0.0"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
        for bad in ["2.9.10", "2.13.9", "1.99.0", "", "unknown"] {
            assert!(check_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn our_own_stream_is_fit_and_each_wrong_setting_is_named() {
        let ours = config(&Options::at("nats://x").with_id("L")).unwrap();
        assert_eq!(unfit(&ours), Vec::<String>::new());
        type Spoil = fn(&mut Config);
        let wrong: [(&str, Spoil); 9] = [
            ("file storage", |c| c.storage = StorageType::Memory),
            ("deny_delete", |c| c.deny_delete = false),
            ("deny_purge", |c| c.deny_purge = false),
            ("discard new", |c| c.discard = DiscardPolicy::Old),
            ("max_age", |c| c.max_age = Duration::from_secs(1)),
            ("per subject", |c| c.max_messages_per_subject = 1),
            ("async", |c| c.persist_mode = Some(PersistenceMode::Async)),
            ("direct", |c| c.allow_direct = true),
            ("roll-ups", |c| c.allow_rollup = true),
        ];
        for (word, spoil) in wrong {
            let mut config = ours.clone();
            spoil(&mut config);
            let said = unfit(&config);
            assert!(said.len() == 1 && said[0].contains(word), "{word}: {said:?}");
        }
    }
}
