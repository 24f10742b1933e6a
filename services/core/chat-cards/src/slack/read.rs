//! What a delivery of Slack means. Owns the shapes of its events, buttons, dialogs and typed commands; refuses to
//! look at a signature, which holds already when anything here is called. Unknown fields are ignored.
//! Source: Slack, "Events API", "Handling user interaction", "Implementing slash commands", "Socket Mode".

use serde_json::Value;

use crate::interaction::{ChatReply, ChatVerb, Interaction, Meaning, UnreadableDelivery, Vendor};
use crate::text::{self, FilledText, cut};

/// Characters of an id of Slack's.
const ID_MAX: usize = 128;
/// Characters of a text that is looked at.
const TEXT_MAX: usize = 8_000;
/// Bytes of an address that an answer is taken at.
const ADDRESS_MAX: usize = 2_048;

type SlackRead = Result<Meaning, UnreadableDelivery>;

/// A delivery of the Events API.
///
/// # Errors
/// What is no JSON object of a known shape.
pub fn events(body: &[u8]) -> SlackRead {
    event(&json(body)?)
}

/// A delivery of a button, a dialog or a shortcut: a form with a JSON document.
///
/// # Errors
/// What is no form with a known document.
pub fn interactive(body: &[u8]) -> SlackRead {
    let payload = form(body, "payload").ok_or_else(|| unreadable("a form with a payload", "none"))?;
    interaction(&json(payload.as_bytes())?)
}

/// A typed command: a form.
///
/// # Errors
/// A form without the fields of a command.
pub fn command(body: &[u8]) -> SlackRead {
    let field = |name: &str| form(body, name);
    slash(&field)
}

/// A delivery over a connection of ours, by its kind.
///
/// # Errors
/// As those of the doors.
pub fn socket(kind: &str, payload: &Value) -> SlackRead {
    match kind {
        "events_api" => event(payload),
        "interactive" => interaction(payload),
        "slash_commands" => slash(&|name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned)),
        _ => Ok(Meaning::Nothing("unknown kind")),
    }
}

fn event(body: &Value) -> SlackRead {
    match string(body, "/type") {
        Some("url_verification") => {
            let challenge = string(body, "/challenge").ok_or_else(|| unreadable("a challenge", "none"))?;
            return Ok(Meaning::Challenge(cut(challenge, 1_024)));
        }
        Some("event_callback") => {}
        Some("app_rate_limited") => return Ok(Meaning::Nothing("the vendor holds events back")),
        other => return Err(unreadable("an event_callback", other.unwrap_or("no type"))),
    }
    let kind = string(body, "/event/type").unwrap_or_default();
    let mentioned = kind == "app_mention";
    let direct = kind == "message" && string(body, "/event/channel_type") == Some("im");
    if !mentioned && !direct {
        return Ok(Meaning::Nothing("unknown event"));
    }
    // What a bot says, ourselves included, and what becomes of a message later is nobody's question; a message with a
    // file, and one that is shown in the channel too, are a person's.
    let is_there = |path| body.pointer(path).is_some_and(|value| !value.is_null());
    let is_said = matches!(string(body, "/event/subtype"), Some("file_share" | "thread_broadcast"));
    if is_there("/event/bot_id") || is_there("/event/subtype") && !is_said {
        return Ok(Meaning::Nothing("no person's message"));
    }
    let id = |path, what| string(body, path).filter(|id| is_id(id)).ok_or_else(|| unreadable(what, "none"));
    let ts = id("/event/ts", "a message's ts")?;
    let thread = string(body, "/event/thread_ts").filter(|ts| is_id(ts)).unwrap_or(ts);
    let said = plain(string(body, "/event/text").unwrap_or_default());
    Ok(person(Interaction {
        vendor: Vendor::Slack,
        key: id("/event_id", "an event_id")?.to_owned(),
        team: named(body, "/team_id"),
        user: id("/event/user", "a user")?.to_owned(),
        user_name: None,
        channel: id("/event/channel", "a channel")?.to_owned(),
        thread: Some(thread.to_owned()),
        service_url: None,
        message: None,
        seen: None,
        verb: text::parse(&said),
        reply: ChatReply::default(),
    }))
}

fn interaction(payload: &Value) -> SlackRead {
    let user = string(payload, "/user/id").filter(|id| is_id(id)).ok_or_else(|| unreadable("a user", "none"))?;
    let base = |key: String, verb: ChatVerb, seen: Option<u64>| Interaction {
        vendor: Vendor::Slack,
        key,
        team: named(payload, "/team/id"),
        user: user.to_owned(),
        user_name: string(payload, "/user/name").or(string(payload, "/user/username")).map(|name| cut(name, 80)),
        channel: named(payload, "/channel/id").or(named(payload, "/container/channel_id")).unwrap_or_default(),
        thread: named(payload, "/message/thread_ts").or(named(payload, "/container/message_ts")),
        service_url: None,
        message: named(payload, "/container/message_ts").or(named(payload, "/message/ts")),
        seen,
        verb,
        reply: ChatReply {
            response_url: string(payload, "/response_url").filter(|url| url.len() <= ADDRESS_MAX).map(str::to_owned),
            trigger: named(payload, "/trigger_id"),
        },
    };
    match string(payload, "/type") {
        Some("block_actions") => {
            let action = payload.pointer("/actions/0").ok_or_else(|| unreadable("an action", "none"))?;
            let carried = string(action, "/value").or(string(action, "/selected_option/value")).unwrap_or_default();
            let Ok(carried) = serde_json::from_str::<Value>(carried) else {
                return Ok(Meaning::Nothing("a link"));
            };
            let Some((verb, seen)) = text::of_value(&carried, &FilledText::default()) else {
                return Ok(Meaning::Nothing("a button of another version"));
            };
            // A press is the same however often it is delivered: who, which button, when.
            let at = named(action, "/action_ts").ok_or_else(|| unreadable("an action_ts", "none"))?;
            let which = string(action, "/action_id").unwrap_or_default();
            let message = string(payload, "/container/message_ts").unwrap_or_default();
            Ok(person(base(format!("{user}/{message}/{which}/{at}"), verb, seen)))
        }
        Some("view_submission") => {
            let view = payload.get("view").ok_or_else(|| unreadable("a view", "none"))?;
            let carried = string(view, "/private_metadata").unwrap_or_default();
            let carried: Value =
                serde_json::from_str(carried).map_err(|_| unreadable("a dialog of ours", "another"))?;
            let filled = filled(view);
            let Some((verb, seen)) = text::of_value(&carried, &filled) else {
                return Ok(Meaning::Nothing("a dialog that was left empty"));
            };
            let id = named(view, "/id").ok_or_else(|| unreadable("a view's id", "none"))?;
            let mut said = base(format!("{user}/{id}"), verb, seen);
            // A dialog stands in no channel: it carries where it was opened from.
            said.channel = named(&carried, "/c").unwrap_or_default();
            said.thread = named(&carried, "/m");
            Ok(person(said))
        }
        Some("view_closed") => Ok(Meaning::Nothing("a dialog that was closed")),
        Some("shortcut" | "message_action") => {
            // Without its time every later one would be taken for this one again.
            let at = named(payload, "/action_ts").ok_or_else(|| unreadable("an action_ts", "none"))?;
            Ok(person(base(format!("{user}/shortcut/{at}"), ChatVerb::Help, None)))
        }
        other => Err(unreadable("block_actions or view_submission", other.unwrap_or("no type"))),
    }
}

/// What stands in a dialog's inputs: what was typed, or what was chosen, by the name of each.
fn filled(view: &Value) -> FilledText {
    let inputs = view.pointer("/state/values").and_then(Value::as_object);
    let given = |input: &Value| {
        let input = input.as_object()?.values().next()?;
        let several = || {
            let chosen = input.get("selected_options")?.as_array()?;
            Some(chosen.iter().filter_map(|one| string(one, "/value")).collect::<Vec<_>>().join("\n"))
        };
        let one = string(input, "/value").or(string(input, "/selected_option/value")).map(str::to_owned);
        one.or_else(several).map(|text| cut(&text, TEXT_MAX))
    };
    FilledText::of(inputs.into_iter().flatten().filter_map(|(name, input)| Some((name.as_str(), given(input)?))))
}

fn slash(field: &dyn Fn(&str) -> Option<String>) -> SlackRead {
    if field("ssl_check").is_some() {
        return Ok(Meaning::Nothing("a check of the certificate"));
    }
    let id = |name, what| field(name).filter(|id| is_id(id)).ok_or_else(|| unreadable(what, "none"));
    let user = id("user_id", "a user_id")?;
    let trigger = id("trigger_id", "a trigger_id")?;
    let typed = plain(&cut(&field("text").unwrap_or_default(), TEXT_MAX));
    Ok(person(Interaction {
        vendor: Vendor::Slack,
        key: format!("{user}/{trigger}"),
        team: field("team_id").filter(|id| is_id(id)),
        user_name: field("user_name").map(|name| cut(&name, 80)),
        user,
        channel: id("channel_id", "a channel_id")?,
        thread: None,
        service_url: None,
        message: None,
        seen: None,
        verb: text::parse(&typed),
        reply: ChatReply {
            response_url: field("response_url").filter(|url| url.len() <= ADDRESS_MAX),
            trigger: Some(trigger),
        },
    }))
}

fn person(said: Interaction) -> Meaning {
    Meaning::Person(Box::new(said))
}

/// A text as a person typed it: the mention of us in front is taken off, and Slack's escapes are undone.
fn plain(said: &str) -> String {
    let mut rest = said.trim();
    while let Some((mention, behind)) = rest.strip_prefix("<@").and_then(|rest| rest.split_once('>')) {
        if mention.chars().any(char::is_whitespace) {
            break;
        }
        rest = behind.trim_start();
    }
    let mut text = String::with_capacity(rest.len());
    let mut left = rest;
    // A link is written as its words, a mention of somebody else stays as it is.
    while let Some((before, behind)) = left.split_once("<http") {
        text.push_str(before);
        let (link, after) = behind.split_once('>').unwrap_or((behind, ""));
        let link = format!("http{link}");
        text.push_str(link.split_once('|').map_or(link.as_str(), |(_, words)| words));
        left = after;
    }
    text.push_str(left);
    cut(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), TEXT_MAX)
}

fn is_id(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= ID_MAX
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || byte == b'-')
}

/// Whether a form is Slack's question whether our certificate is good, which comes without a signature and asks for
/// nothing else: exactly `ssl_check=1`.
#[must_use]
pub fn is_certificate_check(form: &[u8]) -> bool {
    self::form(form, "ssl_check").as_deref() == Some("1")
}

fn form(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
}

fn json(body: &[u8]) -> Result<Value, UnreadableDelivery> {
    let value: Value = serde_json::from_slice(body).map_err(|_| unreadable("a JSON document", "something else"))?;
    if value.is_object() { Ok(value) } else { Err(unreadable("a JSON object", "another value")) }
}

fn string<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

/// An id of Slack's, where one stands there.
fn named(value: &Value, path: &str) -> Option<String> {
    string(value, path).filter(|id| is_id(id)).map(str::to_owned)
}

fn unreadable(expected: &'static str, got: &str) -> UnreadableDelivery {
    let word: String = got.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ')).take(40).collect();
    UnreadableDelivery { expected, got: word }
}

#[cfg(test)]
mod tests;
