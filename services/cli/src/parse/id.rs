//! Ids as people type them: whole, or a unique prefix. An id that is given and empty, such as a shell variable that
//! is not set, is wrong usage and never "the newest".

/// Reads an id: the text without blanks around it.
///
/// # Errors
/// When nothing is left of it.
pub fn id(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected an id or a unique prefix of one, got nothing".to_owned()),
        id => Ok(id.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_given_is_not_empty() {
        assert_eq!(id(" INC-4JPZ "), Ok("INC-4JPZ".to_owned()));
        for nothing in ["", " ", "\t", "\u{a0}\n"] {
            assert!(id(nothing).is_err(), "{nothing:?}");
        }
    }
}
