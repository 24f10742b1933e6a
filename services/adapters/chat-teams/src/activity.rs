//! Conversations and activities as the connector wants them. Pure: it owns the two shapes, and refuses what
//! the connector could not place.

use hindcast_messaging::chat::Error;
use serde_json::{Value, json};

/// What a thread of a channel is set apart by.
const THREAD: &str = ";messageid=";

/// A conversation, and which thread of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversation<'a> {
    /// The channel or chat, without a thread.
    pub(crate) base: &'a str,
    /// The message that the thread hangs on. Chats have no threads.
    pub(crate) root: Option<&'a str>,
}

impl<'a> Conversation<'a> {
    /// Takes apart what is known of a place. A thread is a message's id, or the id of a whole conversation.
    pub(crate) fn of(channel: &'a str, thread: Option<&'a str>) -> Self {
        let (base, within) = split(channel);
        let root = thread.map_or(within, |thread| split(thread).1.or(Some(thread))).filter(|root| !root.is_empty());
        Self { base, root: root.filter(|_| is_channel(base)) }
    }

    /// The conversation's id: with its thread, where it is in one.
    pub(crate) fn id(&self) -> String {
        self.root.map_or_else(|| self.base.to_owned(), |root| format!("{}{THREAD}{root}", self.base))
    }

    /// Whether it is a channel of a team, where every message without a thread begins one.
    pub(crate) fn is_channel(&self) -> bool {
        is_channel(self.base)
    }

    /// Whether one person alone reads it.
    pub(crate) fn is_personal(&self) -> bool {
        self.base.starts_with("a:") || self.base.ends_with("@unq.gbl.spaces")
    }
}

fn split(id: &str) -> (&str, Option<&str>) {
    id.split_once(THREAD).map_or((id, None), |(base, root)| (base, Some(root)))
}

fn is_channel(base: &str) -> bool {
    base.ends_with("@thread.tacv2") || base.ends_with("@thread.skype")
}

/// The message's id within the id of the conversation that was begun with it.
pub(crate) fn root_of(conversation: &str) -> Option<&str> {
    split(conversation).1
}

/// An activity of what the renderer gave: an activity already, or an Adaptive Card that becomes one.
///
/// # Errors
/// `Never` when it is neither.
pub(crate) fn of_body(body: &Value) -> Result<Value, Error> {
    let Some(fields) = body.as_object() else {
        return Err(Error::Never("expected an activity or an Adaptive Card to show, got no object".into()));
    };
    if fields.get("type").and_then(Value::as_str) == Some("AdaptiveCard") {
        let card = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": body});
        return Ok(json!({"type": "message", "attachments": [card]}));
    }
    let mut activity = fields.clone();
    activity.entry("type").or_insert_with(|| json!("message"));
    Ok(Value::Object(activity))
}

/// The same for one person's eyes.
pub(crate) fn to_one(mut activity: Value, user: &str) -> Value {
    if let Some(fields) = activity.as_object_mut() {
        fields.insert("recipient".into(), json!({"id": user}));
    }
    activity
}

/// The same, calling nobody.
pub(crate) fn calling_nobody(mut activity: Value) -> Value {
    if let Some(entities) = activity.get_mut("entities").and_then(Value::as_array_mut) {
        entities.retain(|entity| entity["type"] != "mention");
    }
    activity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_apart_however_it_is_written() {
        let channel = "19:x@thread.tacv2";
        let of = |channel, thread| Conversation::of(channel, thread).id();
        assert_eq!(of(channel, None), channel);
        assert_eq!(of(channel, Some("17")), "19:x@thread.tacv2;messageid=17");
        assert_eq!(of("19:x@thread.tacv2;messageid=17", None), "19:x@thread.tacv2;messageid=17");
        assert_eq!(of(channel, Some("19:x@thread.tacv2;messageid=17")), "19:x@thread.tacv2;messageid=17");
        assert_eq!(of("19:x@thread.tacv2;messageid=16", Some("17")), "19:x@thread.tacv2;messageid=17");
        assert_eq!(of("a:1pL6i", Some("17")), "a:1pL6i", "a chat has no threads");
        assert_eq!(of(channel, Some("")), channel);
    }

    #[test]
    fn a_bare_card_becomes_a_message() {
        let card = json!({"type": "AdaptiveCard", "version": "1.5", "body": []});
        let activity = of_body(&card).unwrap();
        assert_eq!((&activity["type"], &activity["attachments"][0]["content"]), (&json!("message"), &card));
        assert_eq!(of_body(&json!({"text": "x"})).unwrap(), json!({"text": "x", "type": "message"}));
        assert!(matches!(of_body(&json!("x")), Err(Error::Never(_))));
    }
}
