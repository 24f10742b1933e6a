//! From what a person types to an id: whole ids, unique prefixes, senders' fingerprints, names, nothing at all.
//! Nothing at all means the newest; an id that is given and empty means no thing.

use hindcast_api::{Code, Problem};

use super::Reader;
use crate::error::Error;
use crate::store::keys::{DocumentKind, List, MentionIndex};

/// How many candidates an ambiguous prefix names.
const NAMED_MAX: usize = 5;

impl Reader {
    /// An incident's id; the newest where nothing is given.
    pub(crate) fn find_incident(&self, text: Option<&str>) -> Result<String, Problem> {
        self.find(DocumentKind::Incident, List::Incidents, "INC-", "an incident", text)
    }

    /// A silence's id.
    pub(crate) fn find_silence(&self, text: &str) -> Result<String, Problem> {
        self.find(DocumentKind::Silence, List::Silences, "SIL-", "a silence", Some(text))
    }

    /// A parked item's id.
    pub(crate) fn find_parked(&self, text: &str) -> Result<String, Problem> {
        self.find(DocumentKind::Parked, List::Parked, "EVT-", "a dead letter", Some(text))
    }

    fn find(
        &self,
        kind: DocumentKind,
        list: List,
        prefix: &str,
        what: &str,
        text: Option<&str>,
    ) -> Result<String, Problem> {
        let Some(text) = given(text, what)? else {
            let newest = self.store.list(list, self.at, None).next().transpose()?;
            return newest.map(|(_, id)| id).ok_or_else(|| Problem::new(Code::NotFound, "there is none yet"));
        };
        let id = spelt(prefix, text, what)?;
        one(self.store.ids(kind, &id, self.at, NAMED_MAX)?, what, text)
    }

    /// An event's position, by its id or a unique prefix.
    pub(crate) fn find_event(&self, text: &str) -> Result<u64, Problem> {
        let id = spelt("EVT-", text, "an event")?;
        let found = self.store.events_by_id(&id, self.at, 2)?;
        match found.as_slice() {
            [position] => Ok(*position),
            [] => Err(Problem::new(Code::NotFound, format!("expected an event, found none that begins with {text:?}"))),
            _ => Err(Problem::new(Code::Ambiguous, format!("several events begin with {text:?}"))),
        }
    }

    /// An alert's fingerprint: ours, its sender's, its name, or a unique prefix; the newest where nothing is
    /// given, and the newest of a name.
    pub(crate) fn find_alert(&self, text: Option<&str>) -> Result<String, Problem> {
        let Some(text) = given(text, "an alert")? else {
            return self.find(DocumentKind::Alert, List::Alerts, "", "an alert", None);
        };
        let lower = text.to_ascii_lowercase();
        if self.store.first(DocumentKind::Alert, &lower, self.at)?.is_some() {
            return Ok(lower);
        }
        for about in [MentionIndex::SentAs, MentionIndex::Named] {
            if let Some(newest) = self.store.about(about, text, self.at).next_back() {
                return Ok(self.noted(&newest?.value)?);
            }
        }
        one(self.alerts_like(text)?, "an alert", text)
    }

    /// Fingerprints that begin like this, or whose sender's do.
    pub(crate) fn alerts_like(&self, text: &str) -> Result<Vec<String>, Error> {
        let mut found = self.store.ids(DocumentKind::Alert, &text.to_ascii_lowercase(), self.at, NAMED_MAX)?;
        found.extend(self.store.noted(MentionIndex::SentAs, text, self.at, NAMED_MAX)?);
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// All alerts that a filter's fingerprint means.
    pub(crate) fn alerts_of(&self, text: &str) -> Result<Vec<String>, Error> {
        let lower = text.trim().to_ascii_lowercase();
        if self.store.first(DocumentKind::Alert, &lower, self.at)?.is_some() {
            return Ok(vec![lower]);
        }
        let sent = self.store.about(MentionIndex::SentAs, text.trim(), self.at);
        let sent = sent.map(|mention| self.noted(&mention?.value)).collect::<Result<Vec<_>, _>>()?;
        if sent.is_empty() { self.alerts_like(text.trim()) } else { Ok(sent) }
    }

    /// All alerts of a name.
    pub(crate) fn alerts_named(&self, name: &str) -> Result<Vec<String>, Error> {
        self.store.about(MentionIndex::Named, name, self.at).map(|mention| self.noted(&mention?.value)).collect()
    }

    /// The id that is noted beside an entry.
    pub(crate) fn noted(&self, value: &[u8]) -> Result<String, Error> {
        std::str::from_utf8(value).map(ToOwned::to_owned).map_err(|_| Error::Form { expected: "an id" })
    }
}

/// What was given, if anything was. An empty text was meant to name something, and names nothing.
fn given<'a>(text: Option<&'a str>, what: &str) -> Result<Option<&'a str>, Problem> {
    match text.map(str::trim) {
        Some("") => Err(nameless(what)),
        given => Ok(given),
    }
}

fn nameless(what: &str) -> Problem {
    Problem::new(Code::NotFound, format!("expected {what}, got an empty id"))
        .remedy("Give an id or a unique prefix of one. Leave the id out to mean the newest, where that is allowed.")
}

/// An id's beginning as we spell it: in capitals, behind its prefix. A prefix without a digit names nothing.
fn spelt(prefix: &str, text: &str, what: &str) -> Result<String, Problem> {
    let upper = text.trim().to_ascii_uppercase();
    match upper.strip_prefix(prefix).unwrap_or(&upper) {
        "" => Err(nameless(what)),
        digits => Ok(format!("{prefix}{digits}")),
    }
}

fn one(mut found: Vec<String>, what: &str, text: &str) -> Result<String, Problem> {
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Problem::new(Code::NotFound, format!("expected {what}, found none for {text:?}"))),
        (Some(last), false) => {
            found.push(last);
            Err(Problem::new(Code::Ambiguous, format!("{text:?} may be {}", found.join(", "))))
        }
    }
}
