//! Teams' wire: the outgoing webhook's signature, what activities mean, and Adaptive Cards within their limits.

mod elements;
pub mod forms;
pub mod limits;
mod markdown;
pub mod outgoing;
pub mod read;
pub mod render;
