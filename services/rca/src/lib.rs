//! hindcast-rca.
