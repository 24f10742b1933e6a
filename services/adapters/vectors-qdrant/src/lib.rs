//! hindcast-vectors-qdrant.
