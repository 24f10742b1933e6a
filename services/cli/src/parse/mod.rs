//! How words on the command line are read. Owns durations, times and matchers as people type them; refuses
//! to know what they are used for, and what time it is.

pub mod id;
pub mod matcher;
pub mod span;
pub mod when;
