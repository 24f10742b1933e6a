//! Deploys, flags and configuration changes, as a script sends them. Owns the names of their fields;
//! refuses to know what a change may have caused.

use hindcast_api::{Code, Problem};
use hindcast_domain::event::Change;
use hindcast_domain::limits::TEXT_BYTES_MAX;
use serde_json::Value;

use super::{Bad, Context, Item, Payload, SplitPayload, fields, prometheus};
use crate::time;

const KNOWN: [&str; 15] = [
    "title",
    "service",
    "environment",
    "env",
    "kind",
    "version",
    "at",
    "time",
    "actor",
    "author",
    "url",
    "id",
    "status",
    "type",
    "changes",
];

/// The changes of a payload: one, a list, or a list in `changes`.
pub(crate) fn split(payload: Payload, _context: &Context<'_>) -> Result<SplitPayload, Problem> {
    let items = match payload.json {
        Value::Array(items) => items,
        Value::Object(mut object) => match object.remove("changes") {
            Some(Value::Array(items)) => items,
            _ => vec![Value::Object(object)],
        },
        other => {
            let detail = format!("expected a change or a list of changes, got {}", fields::kind(&other));
            return Err(Problem::new(Code::Invalid, detail).remedy("Send an object with a `title`."));
        }
    };
    // A change has no place for fields of the sender's own, so the delivery names them.
    let unmapped = items.iter().filter_map(Value::as_object).flat_map(|item| fields::unknown(item, &KNOWN));
    let unmapped = unmapped.take(super::UNMAPPED_MAX).collect();
    Ok(SplitPayload { items, unmapped, ..SplitPayload::default() })
}

/// One change.
pub(crate) fn item(value: &Value, context: &Context<'_>) -> Result<Item, Bad> {
    let object = prometheus::object(value)?;
    let text = |names: &[&str]| fields::first(object, names).map(|(_, text)| text);
    let service = text(&["service"]).or_else(|| context.source.service.clone());
    let version = text(&["version"]);
    let kind = text(&["kind", "type"]).unwrap_or_else(|| "deploy".to_owned());
    let title = text(&["title"]).or_else(|| match (&service, &version) {
        (Some(service), Some(version)) => Some(format!("{kind} {service} {version}")),
        _ => None,
    });
    let title = title.ok_or_else(|| {
        Bad::new("no_title", "expected a title, got none", "Send a `title`, or `service` and `version`.")
    })?;
    let at = time::lenient(object.get("at").or_else(|| object.get("time")))
        .map_err(|error| Bad::new("bad_time", format!("at: {error}"), "Send the time in RFC 3339, or leave it out."))?;
    let environment = context.environment(text(&["environment", "env"]).as_deref());
    let change = Change {
        source: context.source.name.clone(),
        kind: kind.into(),
        title,
        service,
        version,
        status: text(&["status"]),
        at: at.unwrap_or(context.now),
        author: text(&["author", "actor"]),
        url: text(&["url"]),
        source_id: text(&["id"]),
    };
    bounded(&change)?;
    Ok(Item::Change { environment, change: Box::new(change) })
}

/// Holds a change to the limits.
pub(crate) fn bounded(change: &Change) -> Result<(), Bad> {
    let optional = [&change.service, &change.version, &change.status, &change.author, &change.url, &change.source_id];
    let texts = optional.into_iter().flatten().map(String::as_str).chain([change.title.as_str(), change.kind.as_str()]);
    match texts.map(str::len).max().filter(|bytes| *bytes > TEXT_BYTES_MAX) {
        None => Ok(()),
        Some(bytes) => {
            let detail = format!("expected at most {TEXT_BYTES_MAX} bytes a field, got {bytes}");
            Err(Bad::new("over_limit", detail, "Send shorter texts."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{changes, codes, read};
    use serde_json::json;

    #[test]
    fn a_change_is_read_from_what_a_script_sends() {
        let normalised = read(
            "change",
            json!([
                {"title": "Deploy shop 1.4", "service": "shop", "version": "1.4", "at": "2026-11-24T13:00:00Z",
                 "actor": "ada", "id": "d-1", "status": "succeeded", "more": 1},
                {"service": "cart", "version": 2, "kind": "flag"},
                {"service": "cart"}, {"title": "t", "at": "soon"}
            ]),
        );
        let changes = changes(&normalised);
        assert_eq!((changes[0].author.as_deref(), changes[0].kind.as_str()), (Some("ada"), "deploy"));
        assert_eq!(changes[0].at, "2026-11-24T13:00:00Z".parse().unwrap());
        assert_eq!(
            (changes[1].title.as_str(), changes[1].at),
            ("flag cart 2", "2026-11-24T13:30:00Z".parse().unwrap())
        );
        assert_eq!(codes(&normalised), ["no_title", "bad_time"]);
        assert_eq!(normalised.unmapped, ["/more"]);
    }
}
