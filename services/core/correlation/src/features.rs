//! What is known of a pair of alerts, as numbers, before anything is weighed. Owns their names, their order and their
//! version; refuses to take a measure.

/// The version of [`Features`]: rises when one of them means something else.
pub const FEATURES_VERSION: u32 = 2;

/// What is known of a pair of alerts before anything is weighed. Information is in nats.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// Information of entities that both name.
    pub same_entity: f64,
    /// Information of the rule, where it is the same.
    pub same_name: f64,
    /// Information of the namespace, where it is the same.
    pub same_namespace: f64,
    /// Information of labels that both have.
    pub labels: f64,
    /// Information of the two most telling words that both have, where the rules differ.
    pub words: f64,
    /// 1.0 where both are about one service, or one thing that exporters watch.
    pub same_service: f64,
    /// 1.0 for a direct call; less over one service between them, and where both call a third.
    pub topology: f64,
    /// 1.0 where the catalogue knows both services and no way; 1.0 more where one explains itself.
    pub no_path: f64,
    /// 1.0 where both are in a namespace or cluster, and not in the same.
    pub apart: f64,
    /// Logarithm of how much likelier the time between them is under one cause than by chance.
    pub time: f64,
    /// What the same alert has against chance that comes back and does not page.
    pub returning: f64,
}

/// The order of the features, for whatever lists them.
macro_rules! each_feature {
    ($then:ident) => {
        $then! {
            same_entity same_name same_namespace labels words same_service topology no_path apart time returning
        }
    };
}
pub(crate) use each_feature;

macro_rules! listed {
    ($($feature:ident)*) => {
        impl Features {
            /// Their names, in the order of [`Features::values`].
            pub const NAMES: [&'static str; Self::COUNT] = [$(stringify!($feature)),*];

            /// The measures, in the order of [`Features::NAMES`].
            #[must_use]
            pub const fn values(&self) -> [f64; Self::COUNT] {
                [$(self.$feature),*]
            }

            /// The measures from their values, in the order of [`Features::NAMES`].
            #[must_use]
            pub const fn from_values(of: [f64; Self::COUNT]) -> Self {
                let [$($feature),*] = of;
                Self { $($feature),* }
            }
        }
    };
}
each_feature!(listed);

impl Features {
    /// How many there are.
    pub const COUNT: usize = 11;
}
