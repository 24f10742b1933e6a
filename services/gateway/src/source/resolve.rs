//! From configuration to sources that are ready: what is checked, and how a key's reference becomes the key.
//! Owns the messages that say what is wrong; refuses to show a key in one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hindcast_domain::{SecretHash, Span};

use super::{AuthConfig, Env, KeyConfig, SOURCES_MAX, Source, SourceConfig, SourceError, SourceMap};
use crate::auth::{Guard, KnownKey, Scheme};
use crate::format::{self, Format};
use crate::time;

/// Checks all sources and reads their keys.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn resolve(configs: &[SourceConfig], env: &Env) -> Result<BTreeMap<String, Arc<Source>>, SourceError> {
    if configs.len() > SOURCES_MAX {
        return Err(SourceError::TooMany(configs.len()));
    }
    check_replicas(configs)?;
    let mut sources = BTreeMap::new();
    for config in configs {
        let source = source(config, env)?;
        if sources.insert(config.name.clone(), Arc::new(source)).is_some() {
            return Err(SourceError::Twice(config.name.clone()));
        }
    }
    Ok(sources)
}

/// Checks which sources are replicas of which.
///
/// # Errors
/// The first that is a replica of itself, of a source that is not configured, or of one that is a replica.
pub fn check_replicas(configs: &[SourceConfig]) -> Result<(), SourceError> {
    for config in configs {
        let Some(first) = &config.replica_of else { continue };
        let is_first = |other: &&SourceConfig| other.name == *first && other.name != config.name;
        if configs.iter().find(is_first).is_none_or(|other| other.replica_of.is_some()) {
            return Err(SourceError::Field {
                source_name: config.name.clone(),
                field: "replica_of",
                expected: "the name of another configured source that is no replica",
                got: first.clone(),
            });
        }
    }
    Ok(())
}

/// Checks one source without reading its keys.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(config: &SourceConfig) -> Result<(), SourceError> {
    keyless(config).map(|_| ())
}

/// A source without its guard, to read a payload that is at hand.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn keyless(config: &SourceConfig) -> Result<Source, SourceError> {
    let (format, stale_after) = shape(config)?;
    let map = config.map.as_ref().map(SourceMap::compile).transpose().map_err(|wrong| SourceError::Expression {
        source_name: config.name.clone(),
        field: wrong.field,
        detail: wrong.detail,
    })?;
    Ok(Source {
        name: config.name.clone(),
        format,
        environment: config.environment.clone(),
        service: config.service.clone(),
        stale_after,
        replica_of: config.replica_of.clone(),
        guard: None,
        mapping: config.mapping.clone(),
        map,
    })
}

fn shape(config: &SourceConfig) -> Result<(&'static Format, Option<Span>), SourceError> {
    let name = &config.name;
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_word) {
        return Err(SourceError::Name(name.clone()));
    }
    let format = format::find(&config.format).filter(|format| format.is_built()).ok_or_else(|| {
        let known = format::FORMATS.iter().filter(|format| format.is_built()).map(|format| format.name);
        SourceError::Format {
            source_name: name.clone(),
            got: config.format.clone(),
            known: known.collect::<Vec<_>>().join(", "),
        }
    })?;
    if format::find(name).is_some_and(|namesake| namesake.name != format.name) {
        return Err(SourceError::Misnamed { source_name: name.clone(), got: config.format.clone() });
    }
    let wrong = |field, expected, got: &str| SourceError::Field {
        source_name: name.clone(),
        field,
        expected,
        got: got.to_owned(),
    };
    if config.environment.as_ref().is_some_and(|environment| environment.trim().is_empty()) {
        return Err(wrong("environment", "a word", ""));
    }
    if config.mapping.is_some() && format.name != "generic" {
        return Err(wrong("mapping", "a mapping only with the format generic", format.name));
    }
    if config.map.is_some() && !format.makes_alerts() {
        return Err(wrong("map", "expressions only with a format of alerts", format.name));
    }
    let stale_after = match &config.stale_after {
        None => None,
        Some(text) => Some(time::duration(text).ok_or_else(|| wrong("stale_after", "a duration such as 12h", text))?),
    };
    if let Some(auth) = &config.auth {
        auth_shape(config, auth)?;
    }
    Ok((format, stale_after))
}

fn auth_shape(config: &SourceConfig, auth: &AuthConfig) -> Result<(), SourceError> {
    let (AuthConfig::Bearer { keys } | AuthConfig::Basic { keys, .. } | AuthConfig::Hmac { keys, .. }) = auth else {
        return Ok(());
    };
    let wrong =
        |field, expected, got: String| SourceError::Field { source_name: config.name.clone(), field, expected, got };
    if keys.is_empty() || keys.len() > 16 {
        return Err(wrong("auth.keys", "1 to 16 keys", keys.len().to_string()));
    }
    if keys.iter().map(|key| &key.id).collect::<BTreeSet<_>>().len() != keys.len() {
        return Err(wrong("auth.keys", "every id once", "one twice".to_owned()));
    }
    if let AuthConfig::Hmac { header, .. } = auth
        && header.parse::<axum::http::HeaderName>().is_err()
    {
        return Err(wrong("auth.header", "a header's name", header.clone()));
    }
    for key in keys {
        let references = [&key.token_env, &key.token_file, &key.token_sha256];
        if references.iter().filter(|reference| reference.is_some()).count() != 1 {
            let detail = "expected exactly one of token_env, token_file and token_sha256".to_owned();
            return Err(SourceError::Key { source_name: config.name.clone(), key: key.id.clone(), detail });
        }
    }
    Ok(())
}

fn source(config: &SourceConfig, env: &Env) -> Result<Source, SourceError> {
    let keyless = keyless(config)?;
    let key = |key: &KeyConfig, detail: String| SourceError::Key {
        source_name: config.name.clone(),
        key: key.id.clone(),
        detail,
    };
    let hashed = |keys: &[KeyConfig]| {
        keys.iter().map(|k| hashed(k, env).map_err(|detail| key(k, detail))).collect::<Result<Vec<_>, _>>()
    };
    let guard = match &config.auth {
        None => None,
        Some(AuthConfig::Open) => Some(Guard::open()),
        Some(AuthConfig::Bearer { keys }) => {
            Some(Guard::new(Scheme::Bearer { keys: hashed(keys)?, or_password: false }))
        }
        Some(AuthConfig::Basic { username, keys }) => {
            Some(Guard::new(Scheme::Basic { username: username.clone(), keys: hashed(keys)? }))
        }
        Some(AuthConfig::Hmac { header, prefix, encoding, keys }) => {
            let secret = |k: &KeyConfig| match secret(k, env) {
                Ok(Some(secret)) => Ok((k.id.clone(), secret.into_bytes())),
                Ok(None) => Err(key(k, "expected token_env or token_file: a hash cannot check a signature".to_owned())),
                Err(detail) => Err(key(k, detail)),
            };
            let keys = keys.iter().map(secret).collect::<Result<Vec<_>, _>>()?;
            let (header, prefix) = (header.to_ascii_lowercase(), prefix.clone());
            Some(Guard::new(Scheme::Hmac { header, prefix, encoding: *encoding, keys }))
        }
    };
    Ok(Source { guard, ..keyless })
}

/// The key itself, or `None` where only its hash is known.
fn secret(key: &KeyConfig, env: &Env) -> Result<Option<String>, String> {
    let text = match (&key.token_env, &key.token_file) {
        (Some(name), _) => {
            env(name).ok_or_else(|| format!("expected the environment variable {name}, it is not set"))?
        }
        (None, Some(path)) => {
            std::fs::read_to_string(path).map_err(|error| format!("expected the file {path}: {error}"))?
        }
        (None, None) => return Ok(None),
    };
    match text.trim() {
        "" => Err("expected a key, it is empty".to_owned()),
        text => Ok(Some(text.to_owned())),
    }
}

fn hashed(key: &KeyConfig, env: &Env) -> Result<KnownKey, String> {
    let hash = match secret(key, env)? {
        Some(secret) => SecretHash::of(&secret),
        None => SecretHash::from_hex(key.token_sha256.as_deref().unwrap_or_default())
            .ok_or("expected the 64 hexadecimal digits of a SHA-256 in token_sha256")?,
    };
    Ok(KnownKey { id: key.id.clone(), hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<SourceConfig, toml::de::Error> {
        toml::from_str(text)
    }

    fn env() -> Env {
        Arc::new(|name| match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(" \n".to_owned()),
            _ => None,
        })
    }

    fn problem(text: &str) -> String {
        match config(text) {
            Ok(config) => resolve(&[config], &env()).map(|_| ()).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let keyed = |key: &str| format!("name='a'\nformat='generic'\nauth={{scheme='bearer',keys=[{{id='k',{key}}}]}}");
        let hmac = "name='a'\nformat='github'\nauth={scheme='hmac',keys=[{id='k',token_sha256='00'}]}";
        for (text, part) in [
            ("name='A b'\nformat='generic'", "expected a name"),
            ("name='a'\nformat='nagios'", "expected one of the formats alertmanager,"),
            ("name='a'\nformat='pagerduty'", "expected one of the formats"),
            ("name='grafana'\nformat='generic'", "use another name"),
            ("name='a'\nformat='generic'\nstale_after='12'", "`stale_after`"),
            ("name='a'\nformat='generic'\nenvironment=' '", "`environment`"),
            ("name='a'\nformat='github'\nmapping={name='x'}", "`mapping`"),
            ("name='a'\nformat='change'\nmap={service='name'}", "`map`"),
            ("name='a'\nformat='grafana'\nmap={service='labels.'}", "`map.service`: line 1"),
            ("name='a'\nformat='generic'\ncolour='red'", "unknown field `colour`"),
            ("name='a'\nformat='generic'\nauth={scheme='magic'}", "magic"),
            ("name='a'\nformat='generic'\nauth={scheme='bearer',keys=[]}", "1 to 16 keys"),
            (&keyed("token_env='UNSET'"), "environment variable UNSET"),
            (&keyed("token_env='EMPTY'"), "it is empty"),
            (&keyed("token_file='/no/such/file'"), "expected the file /no/such/file"),
            (&keyed("token_sha256='00'"), "64 hexadecimal digits"),
            (&keyed("token_env='SET',token_file='x'"), "exactly one of"),
            (hmac, "a hash cannot check a signature"),
        ] {
            assert!(problem(text).contains(part), "{text}: {}", problem(text));
        }
        let pair = |of: &str| {
            let first = "name='a'\nformat='prometheus'".to_owned();
            [first, format!("name='b'\nformat='prometheus'\nreplica_of='{of}'")].map(|text| config(&text).unwrap())
        };
        assert!(resolve(&pair("a"), &env()).is_ok());
        for of in ["b", "c"] {
            let wrong = resolve(&pair(of), &env()).map(|_| ()).unwrap_err().to_string();
            assert!(wrong.contains("another configured source"), "{wrong}");
        }
        let twice = [config("name='a'\nformat='generic'").unwrap(), config("name='a'\nformat='change'").unwrap()];
        assert_eq!(resolve(&twice, &env()).map(|_| ()), Err(SourceError::Twice("a".to_owned())));
    }

    #[test]
    fn a_configuration_shows_no_key() {
        let text = "name='a'\nformat='generic'\nauth={scheme='bearer',keys=[{id='k',token_sha256='abcdef'}]}";
        let shown = format!("{:?}", config(text).unwrap());
        assert!(shown.contains("KeyConfig(k)") && !shown.contains("abcdef"), "{shown}");
    }
}
