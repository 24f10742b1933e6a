//! The runbooks that are put in force: those that are built in, and those of a folder. Owns where they come
//! from; what they mean is `hindcast_runbooks`'s business.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use hindcast_runbooks::Runbook;

macro_rules! built_in {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../runbooks/", $name, ".yaml")))
    };
}

/// Files that are a part of the binary: (name, text).
const BUILT_IN: &[(&str, &str)] = &[
    built_in!("backup-rerun"),
    built_in!("certificate-renew"),
    built_in!("deploy-rollback"),
    built_in!("dns-restore-resolver"),
    built_in!("elasticsearch-assign-shards"),
    built_in!("etcd-free-space"),
    built_in!("exporter-restore-target"),
    built_in!("haproxy-take-out-server"),
    built_in!("host-find-busy-process"),
    built_in!("host-free-disk-space"),
    built_in!("host-out-of-memory"),
    built_in!("host-raise-open-files"),
    built_in!("host-synchronise-clock"),
    built_in!("inspect-service"),
    built_in!("jvm-relieve-heap"),
    built_in!("kafka-consumer-lag"),
    built_in!("kafka-restore-replicas"),
    built_in!("kubernetes-grow-volume"),
    built_in!("kubernetes-inspect-crash-loop"),
    built_in!("kubernetes-raise-memory"),
    built_in!("kubernetes-replace-node"),
    built_in!("mongodb-restore-primary"),
    built_in!("mysql-end-long-transactions"),
    built_in!("mysql-restart-replication"),
    built_in!("nginx-take-out-upstream"),
    built_in!("pg-end-idle-transactions"),
    built_in!("pg-free-disk-space"),
    built_in!("pg-replica-catch-up"),
    built_in!("rabbitmq-drain-queue"),
    built_in!("redis-free-memory"),
    built_in!("redis-start"),
    built_in!("scale-out-service"),
    built_in!("service-restart"),
];

/// All runbooks in canonical form: built in, then those of a folder, which replace others of their name.
///
/// # Errors
/// When a file cannot be read, or is no valid runbook.
pub fn in_force(folder: Option<&Path>) -> anyhow::Result<serde_json::Value> {
    let mut runbooks: BTreeMap<String, Runbook> = BTreeMap::new();
    for (name, text) in BUILT_IN {
        let runbook = Runbook::parse(text).with_context(|| format!("the runbook {name}"))?;
        ensure!(runbooks.insert(runbook.name.clone(), runbook).is_none(), "two runbooks of one name: {name}");
    }
    for runbook in folder.map(of_folder).transpose()?.unwrap_or_default() {
        runbooks.insert(runbook.name.clone(), runbook);
    }
    Ok(serde_json::to_value(runbooks.into_values().collect::<Vec<_>>())?)
}

/// The runbooks of a folder, by file name.
fn of_folder(folder: &Path) -> anyhow::Result<Vec<Runbook>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("the runbooks {}", folder.display()))?;
    let mut files: Vec<_> = entries.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"));
    files.sort();
    let of_file = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).with_context(|| format!("the runbook {}", path.display()))?;
        Runbook::parse(&text).with_context(|| format!("the runbook {}", path.display()))
    };
    files.iter().map(of_file).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test says so by panicking

    use super::*;

    #[test]
    fn every_runbook_of_the_repository_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runbooks");
        let files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str().unwrap().strip_suffix(".yaml").map(str::to_owned))
            .collect();
        assert_eq!(files.len(), BUILT_IN.len(), "{files:?}");
        assert_eq!(in_force(None).unwrap().as_array().unwrap().len(), BUILT_IN.len());
    }
}
