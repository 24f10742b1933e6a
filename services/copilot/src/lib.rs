//! hindcast-copilot.
