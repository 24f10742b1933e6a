//! Texts that are one record: the pieces of a line that was cut, and the lines of a stack trace. Owns which go together and
//! what the whole says; refuses to know where records are kept.

use hindcast_domain::{Span, Time};
use hindcast_log_templates::{plain as template, trace};
use hindcast_telemetry::{LogLevel, LogRecord};

use super::clean::Cleaner;
use super::line::Line;
use super::shaped::RestFollows;
use super::{MESSAGE_BYTES_MAX, RecordLabels, shaped};

/// How far apart in time the lines of one trace may be.
const TRACE_SPAN: Span = Span::seconds(5);

/// Whether a text goes on with the record before it: its rest, or a part of the same trace, which may have no time.
pub(super) fn goes_on(before: &LogRecord, rest_follows: bool, message: &str, time: Option<Time>) -> bool {
    let near = before.time - TRACE_SPAN..=before.time + TRACE_SPAN;
    let is_near = time.is_none_or(|time| near.contains(&time));
    rest_follows
        || (is_near && trace::continues_after(&before.message, message) && before.message.len() < MESSAGE_BYTES_MAX)
}

/// How a text goes on with a record.
pub(super) struct Joined {
    /// The record's text was cut, and this is its rest.
    pub(super) rest: Option<RestFollows>,
    /// The rest of this text follows in its turn.
    pub(super) follows: Option<RestFollows>,
    pub(super) now: Time,
}

impl Joined {
    /// Puts the text behind the record's; what was cut in two is read anew once it is whole. Labels that it has then, and
    /// what is still to come.
    pub(super) fn onto(
        self,
        before: &mut LogRecord,
        text: &str,
        level: Option<LogLevel>,
        cleaner: &mut Cleaner,
    ) -> (RecordLabels, Option<RestFollows>) {
        before.level = before.level.max(level.unwrap_or(before.level));
        let Some(rest) = self.rest else {
            before.message.push('\n');
            before.message.push_str(text);
            return (RecordLabels::new(), self.follows);
        };
        before.message.push_str(&rest.unfinished);
        before.message.push_str(text);
        // A secret may lie across the cut.
        before.message = cleaner.text(&before.message);
        if let Some(mut follows) = self.follows {
            let open = template::unfinished(&before.message).to_owned();
            before.message = template::uncoloured(&before.message).into_owned();
            follows.unfinished.insert_str(0, &open);
            return (RecordLabels::new(), Some(follows));
        }
        let (whole, _) = shaped::plain(Line::of_text(std::mem::take(&mut before.message)), self.now);
        before.message = cleaner.text(&whole.message);
        // No piece of it said a level: that is read as "info".
        let said = whole.level.unwrap_or(before.level);
        before.level = if before.level == LogLevel::Info { said } else { before.level.max(said) };
        (whole.labels, None)
    }
}
