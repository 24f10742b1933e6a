//! What an alert is about, apart from who observed it. Owns the words for things that break and what makes two of
//! them one thing; refuses to know how labels name them, which is `hindcast-entities`' work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vocabulary;

vocabulary! {
    /// What kind of thing breaks.
    pub enum EntityKind: open {
        /// A program that answers others, by the name that its team gives it.
        Service = "service",
        /// A deployment, stateful set, daemon set or replica set.
        Workload = "workload",
        /// A pod of a workload.
        Pod = "pod",
        /// A container outside Kubernetes.
        Container = "container",
        /// A job, a cron job, a workflow or a build.
        Job = "job",
        /// A machine, virtual or not, or a member of a cluster of machines.
        Node = "node",
        /// A group of nodes that grows and shrinks together.
        NodePool = "node_pool",
        /// A virtual machine, as its hypervisor names it.
        VirtualMachine = "virtual_machine",
        /// A switch, a router, a power supply: hardware that is asked over a network.
        Device = "device",
        /// A persistent volume or a claim on one.
        Volume = "volume",
        /// A namespace, as the holder of a quota.
        Namespace = "namespace",
        /// A whole cluster.
        Cluster = "cluster",
        /// A storage system, or a bucket of one.
        Storage = "storage",
        /// A certificate, by its own name or by the address that serves it.
        Certificate = "certificate",
        /// An address that a prober asks.
        ProbeTarget = "probe_target",
        /// A database, or the server of databases.
        Database = "database",
        /// A server of queues or topics.
        Broker = "broker",
        /// A queue of a message broker or of a job runner.
        Queue = "queue",
        /// An exchange of a message broker.
        Exchange = "exchange",
        /// A topic of a message broker.
        Topic = "topic",
        /// A group of consumers of a topic.
        ConsumerGroup = "consumer_group",
        /// A worker of a task queue.
        Worker = "worker",
        /// An application of a delivery tool.
        Application = "application",
        /// A route from outside into a cluster.
        Ingress = "ingress",
        /// What scales a workload.
        Autoscaler = "autoscaler",
        /// What limits how many pods of a workload may be away.
        DisruptionBudget = "disruption_budget",
        /// A schedule of backups.
        Backup = "backup",
        /// A rule of the alerting itself.
        AlertRule = "alert_rule",
    }
}

/// One thing that can break, with its scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// What kind of thing it is.
    pub kind: EntityKind,
    /// Its name within its scope.
    pub name: String,
    /// The Kubernetes namespace that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The Kubernetes cluster that it is in, as the sender names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

impl Entity {
    /// Whether two names mean one thing: kind and name are equal, and no part of the scope that both name differs.
    /// A sender that leaves its cluster out means the cluster that it is in.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name && self.may_share_scope_with(other)
    }

    /// Whether no part of the scope that both name differs.
    #[must_use]
    pub fn may_share_scope_with(&self, other: &Self) -> bool {
        let agrees = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        agrees(&self.namespace, &other.namespace) && agrees(&self.cluster, &other.cluster)
    }
}

impl std::fmt::Display for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.as_str().replace('_', " "), self.name)?;
        if let Some(namespace) = &self.namespace {
            write!(f, " in {namespace}")?;
        }
        if let Some(cluster) = &self.cluster {
            write!(f, " of {cluster}")?;
        }
        Ok(())
    }
}

/// What an alert is about, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertSubject {
    /// The thing that is broken; absent where the labels name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// The exporter, prober or controller that observed it; absent where the program reports on itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_by: Option<String>,
    /// The rule that decided, by its name in the rules file or in the source's own mapping.
    pub rule: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(namespace: Option<&str>, cluster: Option<&str>) -> Entity {
        Entity {
            kind: EntityKind::Pod,
            name: "pay-0".into(),
            namespace: namespace.map(Into::into),
            cluster: cluster.map(Into::into),
        }
    }

    #[test]
    fn a_scope_divides_where_both_name_it() {
        let here = entity(Some("payments"), Some("eu"));
        assert!(here.is_same_as(&entity(Some("payments"), None)));
        assert!(here.is_same_as(&entity(None, None)));
        assert!(!here.is_same_as(&entity(Some("search"), Some("eu"))));
        assert!(!here.is_same_as(&entity(Some("payments"), Some("us"))));
        assert!(!here.is_same_as(&Entity { kind: EntityKind::Workload, ..here.clone() }));
        assert_eq!(here.to_string(), "pod pay-0 in payments of eu");
    }
}
