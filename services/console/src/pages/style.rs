//! The one stylesheet and the icon, named by their content so that a browser may keep them for ever.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The stylesheet of all pages, served under a name that holds its hash.
pub const CSS: &str = include_str!("console.css");
/// The favicon, as SVG.
pub const ICON: &str = include_str!("icon.svg");

static PATH: LazyLock<String> = LazyLock::new(|| {
    let hash = hindcast_domain::hex::hex(&Sha256::digest(CSS.as_bytes())[..6]);
    format!("/assets/console-{hash}.css")
});

/// Where the stylesheet is.
#[must_use]
pub fn path() -> &'static str {
    &PATH
}
