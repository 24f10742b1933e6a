//! Values that every section reads alike: the environment, and addresses as people may see them.

/// An address as people may see it: what stands before an `@` may be a password.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => url.to_owned(),
    }
}

/// A value of the environment, for references to secrets.
#[allow(clippy::disallowed_methods)] // settings are the door to the environment
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
