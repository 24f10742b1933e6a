//! The verifier: whether what is said stands in the events that are cited for it. It sees no model: a claim is
//! checked the same way, whoever made it.
//!
//! The one contract of this crate: *a claim is `supported` only if every event that it cites exists, was known
//! at the position of the question, belongs to the asker's tenant and environment, and every number, time,
//! service, id and quoted word of the claim, and every step of its path, stands in them*. Pure.
