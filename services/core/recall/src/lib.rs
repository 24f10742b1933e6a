//! What is kept of an incident, and how two are compared: is this the same problem again, or does it only
//! look like it? Owns the memory's form and the comparison; refuses to know where memories lie and how
//! vectors are made: a cosine is handed in.
//!
//! Most incidents look alike far from where something broke: errors rise, latency rises, a budget burns. So
//! "the same" is decided by what is seen at the root and by what few distinct problems share; what many
//! share counts for little. How many share it is counted over the remembered incidents ([`Rarity`]), never
//! looked up by name.
//!
//! - [`remember`]: evidence → [`Remembered`], bounded.
//! - [`text`]: what of it is embedded; its version is [`TEXTS`].
//! - [`recall`]: compares one with many and sorts them: the same problem first, then look-alikes.

mod compare;
mod rarity;
mod recall;
mod remembered;
mod signs;
mod template;
mod text;

pub use compare::{compare, shown};
pub use rarity::Rarity;
pub use recall::{SHOWN_MIN, is_past, recall, sort};
pub use remembered::{AlertSign, Remembered, RememberedShift, RememberedTemplate, Root, TEXTS, remember};
pub use text::{template_text, text};
