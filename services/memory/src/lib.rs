//! hindcast-memory.
