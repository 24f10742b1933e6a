//! What every store of vectors does alike; run by each adapter.
