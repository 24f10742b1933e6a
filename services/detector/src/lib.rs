//! hindcast-detector.
