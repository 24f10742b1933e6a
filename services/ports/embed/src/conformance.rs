//! What every embedder does alike; run by each adapter.
