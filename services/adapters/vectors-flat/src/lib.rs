//! hindcast-vectors-flat.
