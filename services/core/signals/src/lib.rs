//! hindcast-signals.
