//! hindcast-telemetry-files.
