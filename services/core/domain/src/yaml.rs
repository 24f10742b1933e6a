//! Reads and writes the YAML that people keep: runbooks, service catalogues. Owns the bounds of one document, so
//! that a hostile file costs no more than its size. Refuses to know what a document means, and opens no file.
//!
//! JSON is YAML, so one reader serves both. Scalars follow YAML 1.2: `yes` is text, `true` is a boolean, `0755`
//! is text, and a merge key (`<<`) is refused instead of being taken for a field.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::options::MergeKeyPolicy;

/// Nested sequences and mappings of a document.
const DEPTH_MAX: usize = 32;
/// Scalars, sequences and mappings of a document.
const NODES_MAX: usize = 1_000_000;
/// Aliases (`*name`) of a document; each may stand for no more than the document's own nodes.
const ALIASES_MAX: usize = 1_000;
/// Nodes that aliases may repeat, all together.
const REPLAYED_MAX: usize = 100_000;
/// Bytes of a document's scalars.
const SCALAR_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why a text is not the expected YAML: what is wrong, at which line and column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct YamlError(String);

/// Reads one document.
///
/// # Errors
/// When the text is no YAML, exceeds a bound, or does not have the form of `T`; the message names the line and
/// the column.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 2 * NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_total_scalar_bytes: SCALAR_BYTES_MAX,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPLAYED_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        null_as_string: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| YamlError(error.to_string()))
}

/// The same for bytes, which must be UTF-8.
///
/// # Errors
/// As [`read`].
pub fn read_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, YamlError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| YamlError(format!("expected UTF-8, got another byte at offset {}", error.valid_up_to())))?;
    read(text)
}

/// Writes a value as one document.
///
/// # Errors
/// When the value has no form in YAML.
pub fn write<T: Serialize>(value: &T) -> Result<String, YamlError> {
    serde_saphyr::to_string(value).map_err(|error| YamlError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn yaml_1_2_and_json_are_read_alike() {
        let expect = json!({"a": [1, true, "yes", null, "0755", 1.5], "b": {"c": "x: y"}});
        let yaml = "a: [1, true, yes, ~, 0755, 1.5]\nb:\n  c: 'x: y'\n";
        assert_eq!(read::<Value>(yaml).unwrap(), expect);
        assert_eq!(read_bytes::<Value>(expect.to_string().as_bytes()).unwrap(), expect);
        assert_eq!(read::<Value>(&write(&expect).unwrap()).unwrap(), expect);
    }

    #[test]
    fn an_error_names_line_and_column() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Service {
            #[expect(dead_code, reason = "only its form is read")]
            tier: u8,
        }
        for (text, expect) in [
            ("tier: high\n", "line 1, column 7"),
            ("tier: 1\nteir: 2\n", "line 2, column 1"),
            ("tier: 1\ntier: 2\n", "line 2, column 1"),
            ("tier: [\n", "line 1, column 7"),
            ("<<: {tier: 1}\n", "line 1, column 1"),
        ] {
            let error = read::<Service>(text).unwrap_err().to_string();
            assert!(error.contains(expect) && !error.contains('\n'), "{text:?}: {error}");
        }
        assert!(read_bytes::<Value>(b"a: \xff").unwrap_err().to_string().contains("offset 3"));
    }

    #[test]
    fn a_hostile_document_is_refused_early() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for at in 1..9 {
            let before = format!("*a{}, ", at - 1).repeat(10);
            bomb += &format!("a{at}: &a{at} [{}]\n", before.trim_end_matches(", "));
        }
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let indented: String = (0..200).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
        for text in [bomb.as_str(), &deep, &indented, "a: 1\n---\nb: 2\n"] {
            let head: String = text.chars().take(40).collect();
            assert!(read::<Value>(text).is_err(), "{head}");
        }
    }
}
