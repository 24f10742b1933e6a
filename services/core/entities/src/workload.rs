//! From the name of a pod or a job to the name of what made it. Owns the forms that the controllers of Kubernetes
//! give such names; a name of another form is kept as it is.
//!
//! A replica set and its pods get suffixes of the letters and digits that make no word
//! (<https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go>); a stateful set counts its pods
//! (<https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id>); a cron job appends
//! the minute of its run to its jobs (<https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/>).

/// Digits of a cron job's suffix: minutes since 1970 have eight of them until the year 2160.
const RUN_DIGITS_MIN: usize = 5;
/// Characters of a pod's random suffix.
const RANDOM_LENGTH: usize = 5;

/// The workload that a pod belongs to, by the pod's name.
pub(crate) fn of_pod(pod: &str) -> &str {
    let Some((stem, last)) = pod.rsplit_once('-') else { return pod };
    if is_ordinal(last) {
        return stem;
    }
    if last.len() != RANDOM_LENGTH || !last.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return pod;
    }
    if let Some((owner, hash)) = stem.rsplit_once('-')
        && is_hash(hash)
    {
        return owner;
    }
    if is_random(last) { of_job(stem) } else { pod }
}

/// The deployment that a replica set belongs to, by the replica set's name.
pub(crate) fn of_replica_set(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((owner, hash)) if is_hash(hash) => owner,
        _ => name,
    }
}

/// The cron job that made a job, by the job's name.
pub(crate) fn of_job(job: &str) -> &str {
    match job.rsplit_once('-') {
        Some((owner, run)) if run.len() >= RUN_DIGITS_MIN && run.bytes().all(|b| b.is_ascii_digit()) => owner,
        _ => job,
    }
}

fn is_ordinal(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The hash of a pod template: 4 to 10 hexadecimal or random characters, with a digit among them.
fn is_hash(text: &str) -> bool {
    let is_form = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f')) || is_random(text);
    (4..=10).contains(&text.len()) && is_form && text.bytes().any(|b| b.is_ascii_digit())
}

/// Only characters of which Kubernetes makes random names: no vowel, and no digit that looks like one.
fn is_random(text: &str) -> bool {
    text.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffixes_of_controllers_are_taken_off_and_nothing_else() {
        for (pod, workload) in [
            ("pay-7f9c5d8b4-x2k9z", "pay"),
            ("pay-7f9c-abcde", "pay"),
            ("cart-redis-6c7f8d9b5-q8w7r", "cart-redis"),
            ("rabbitmq-0", "rabbitmq"),
            ("alertmanager-main-12", "alertmanager-main"),
            ("fluent-bit-x7k2p", "fluent-bit"),
            ("nightly-export-28123456-zx8cv", "nightly-export"),
            ("kube-proxy", "kube-proxy"),
            ("order-store", "order-store"),
            ("worker", "worker"),
            ("api-v2-green", "api-v2-green"),
            ("kube-scheduler-master-1", "kube-scheduler-master"),
        ] {
            assert_eq!(of_pod(pod), workload, "{pod}");
        }
        assert_eq!(of_replica_set("stock-5b6c7d8f99"), "stock");
        assert_eq!(of_job("nightly-export-28123"), "nightly-export");
        assert_eq!(of_job("import-2024"), "import-2024");
    }
}
