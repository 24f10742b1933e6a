//! What every store of telemetry does alike; run by each adapter.
