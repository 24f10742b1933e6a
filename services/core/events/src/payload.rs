//! From a payload's text to the event of its type, without an untyped value in between.

use hindcast_domain::event::Event;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::upcast::Upcaster;

/// A payload in its current version.
pub(crate) fn typed(kind: &str, data: Option<&RawValue>) -> Result<Event, serde_json::Error> {
    Event::deserialize(Tagged { kind, data })
}

/// A payload of an earlier version.
pub(crate) fn lifted(kind: &str, data: Option<&RawValue>, upcasters: &[Upcaster]) -> Result<Event, serde_json::Error> {
    let old = data.map_or(Ok(Value::Null), |data| serde_json::from_str(data.get()))?;
    let current = upcasters.iter().fold(old, |payload, upcast| upcast(payload));
    let current = serde_json::value::to_raw_value(&current)?;
    typed(kind, Some(&current))
}

/// The two entries that an event consists of: its type, then its payload as it was written.
struct Tagged<'de> {
    kind: &'de str,
    data: Option<&'de RawValue>,
}

impl<'de> Deserializer<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(Entries { left: 2, of: self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'de> {
    left: u8,
    of: Tagged<'de>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let key = match self.left {
            2 => "type",
            1 => "data",
            _ => return Ok(None),
        };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        self.left -= 1;
        match (self.left, self.of.data) {
            (1, _) => seed.deserialize(BorrowedStrDeserializer::new(self.of.kind)),
            (_, Some(data)) => seed.deserialize(data),
            (_, None) => seed.deserialize(RawValue::NULL),
        }
    }
}
