//! Closed vocabularies: one macro that makes an enum of words which are plain strings in JSON.
//!
//! A `closed` vocabulary refuses every other word. An `open` one keeps an unknown word in `Other`, because a
//! ledger, a file or a client of another version may hold it: what was read is written back unchanged.
//! The JSON of both is the word itself, so a `String` field becomes a vocabulary without a new event version.

use schemars::{Schema, json_schema};
#[doc(hidden)]
pub use {schemars, serde};

/// A word that a closed vocabulary does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}, got {got:?}", expected.join(", "))]
pub struct UnknownWord {
    /// The words of the vocabulary.
    pub expected: &'static [&'static str],
    /// The word that came.
    pub got: String,
}

/// The schema of a closed vocabulary: a string with an enumeration.
#[must_use]
pub fn closed_schema(words: &[&str]) -> Schema {
    json_schema!({ "type": "string", "enum": words })
}

/// The schema of an open vocabulary: a string with the known words as examples.
#[must_use]
pub fn open_schema(words: &[&str]) -> Schema {
    json_schema!({ "type": "string", "examples": words })
}

/// Declares a vocabulary: `vocabulary! { /// Doc. pub enum Name: open { /// Doc. Variant = "word", } }`.
#[macro_export]
macro_rules! vocabulary {
    ($(#[$meta:meta])* $vis:vis enum $name:ident: closed { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every word of the vocabulary, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The same as text.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it is in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::vocabulary::UnknownWord;
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::vocabulary::UnknownWord { expected: Self::WORDS, got: text.to_owned() }),
                }
            }
        }

        impl<'de> $crate::vocabulary::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::vocabulary::serde::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let text = <::std::string::String as $crate::vocabulary::serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(<D::Error as $crate::vocabulary::serde::de::Error>::custom)
            }
        }

        $crate::vocabulary!(@both $name closed_schema);
    };

    ($(#[$meta:meta])* $vis:vis enum $name:ident: open { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
            /// A word that this version does not know, kept as it came.
            Other(::std::string::String),
        }

        impl $name {
            /// Every known word, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The same as text.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it is in JSON.
            #[must_use]
            pub const fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word.as_str(),
                }
            }
        }

        // The order of the text, so that maps and lists keep the order that they had as text.
        impl ::core::cmp::Ord for $name {
            fn cmp(&self, other: &Self) -> ::core::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl ::core::cmp::PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> ::core::option::Option<::core::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($word => Self::$variant,)+
                    _ => Self::Other(text.to_owned()),
                }
            }
        }

        impl ::core::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl<'de> $crate::vocabulary::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::vocabulary::serde::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let text = <::std::string::String as $crate::vocabulary::serde::Deserialize>::deserialize(from)?;
                Ok(Self::from(text))
            }
        }

        $crate::vocabulary!(@both $name open_schema);
    };

    (@both $name:ident $schema:ident) => {
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::cmp::PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl ::core::cmp::PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl $crate::vocabulary::serde::Serialize for $name {
            fn serialize<S: $crate::vocabulary::serde::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl $crate::vocabulary::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(stringify!($name))
            }

            fn json_schema(
                _: &mut $crate::vocabulary::schemars::SchemaGenerator,
            ) -> $crate::vocabulary::schemars::Schema {
                $crate::vocabulary::$schema(Self::WORDS)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    vocabulary! {
        /// Two words.
        pub enum Narrow: closed {
            /// Spelled `first`.
            First = "first",
            /// The second one of the example.
            SecondWord = "second_word",
        }
    }

    vocabulary! {
        /// One word, and whatever else there was.
        pub enum Wide: open {
            /// Spelled `first`.
            First = "first",
        }
    }

    #[test]
    fn a_word_is_a_plain_string_in_both_directions() {
        for word in Narrow::ALL {
            let text = serde_json::to_string(word).unwrap();
            assert_eq!(text, format!("{:?}", word.as_str()));
            assert_eq!(serde_json::from_str::<Narrow>(&text).unwrap(), *word);
        }
        assert!(serde_json::from_str::<Narrow>("\"third\"").unwrap_err().to_string().contains("second_word"));
    }

    #[test]
    fn an_open_vocabulary_writes_back_what_it_does_not_know() {
        let known: Wide = serde_json::from_str("\"first\"").unwrap();
        assert_eq!((known, Wide::ALL), (Wide::First, &[Wide::First][..]));
        let old: Wide = serde_json::from_str("\"of 2024\"").unwrap();
        assert_eq!(old, Wide::Other("of 2024".to_owned()));
        assert_eq!(serde_json::to_string(&old).unwrap(), "\"of 2024\"");
    }

    #[test]
    fn a_schema_is_a_string_with_its_words() {
        let narrow = schemars::schema_for!(Option<Narrow>).to_value();
        assert_eq!(narrow["enum"], serde_json::json!(["first", "second_word", null]));
        let wide = schemars::schema_for!(Wide).to_value();
        assert_eq!((wide["type"].as_str(), &wide["examples"]), (Some("string"), &serde_json::json!(["first"])));
    }
}
