//! hindcast-embed-fastembed.
