//! Reads a text: which of its words are quotations, ids, times, durations, numbers, versions and names, and
//! where they stand. Owns the spelling of all of these, for claims and events alike; refuses to know whether
//! any of it is true.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::figures::{FigureUnit, Hedge, WrittenFigure};
use crate::known::KnownNames;
use crate::times::{self, WrittenSpan, WrittenTime};
use crate::words::{self, fold};

/// Bytes of a text that are read.
pub(crate) const TEXT_BYTES_MAX: usize = 8 * 1024;

/// One thing that a text says and that can be looked up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TextAssertion {
    /// Text in quotation marks, folded.
    Quote(String),
    /// An id, or a prefix of one, in lower case.
    Id(String),
    /// `#8812`: a position.
    Position(u64),
    /// A time, a time of day, or a day.
    Moment(WrittenTime),
    /// A length of time.
    Stretch(WrittenSpan),
    /// A number.
    Figure(WrittenFigure),
    /// A version, without its `v`, in lower case.
    Version(String),
    /// A name that is no plain word, in lower case.
    Name(String),
    /// A service, by its one name.
    Service(String),
    /// A person, in lower case.
    Person(String),
    Severity(&'static str),
}

/// A thing that is said, with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextToken {
    /// Bytes of the text.
    pub at: Range<usize>,
    pub said: TextAssertion,
}

/// A text that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextReading {
    /// The text as it was written, cut to the limit: for people. It has the places of `text`.
    pub raw: String,
    /// The text in lower case; places are bytes of it.
    pub text: String,
    /// The text with all that was read blanked out.
    pub rest: String,
    /// What it says, by place.
    pub tokens: Vec<TextToken>,
}

impl TextReading {
    /// The clause that a place stands in: the text between the nearest marks and joining words.
    pub fn clause(&self, place: usize) -> Range<usize> {
        let cuts = || CLAUSES.find_iter(&self.rest);
        let from = cuts().filter(|cut| cut.end() <= place).map(|cut| cut.end()).last().unwrap_or(0);
        let to = cuts().find(|cut| cut.start() >= place).map_or(self.rest.len(), |cut| cut.start());
        from..to
    }

    /// What stands at a place, as it was written.
    pub fn written(&self, at: &Range<usize>) -> &str {
        self.raw.get(at.clone()).unwrap_or_default().trim()
    }

    /// The services that are named in a range.
    pub fn services(&self, range: &Range<usize>) -> Vec<&str> {
        let inside = self.tokens.iter().filter(|token| token.at.start >= range.start && token.at.end <= range.end);
        let mut all: Vec<&str> = inside
            .filter_map(|token| match &token.said {
                TextAssertion::Service(service) => Some(service.as_str()),
                _ => None,
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A pattern of ours: it compiles, or no claim could ever be judged.
pub(crate) fn pattern(pattern: &str) -> Regex {
    match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(error) => panic!("a pattern of the verifier does not compile: {error}"),
    }
}

macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| pattern($pattern));)*
    };
}

patterns! {
    CLAUSES = r"[;.!?]\s|[;\n]|→|->|,\s|\b(?:and|but|while|whereas|then|after|before|because|until)\b";
    QUOTES = "\"([^\"]{2,})\"|“([^”]{2,})”|«([^»]{2,})»|`([^`]{2,})`|(?:^|[\\s(\\[:])['‘]([^'‘’]{2,})['’](?:$|[\\s.,;:)\\]])";
    LINKS = r"https?://[^\s)\]>]+";
    IDS = r"\b(?:inc|evt|sil|ntc|fnd|cnv|prp)-[0-9a-z]{4,16}\b";
    POSITIONS = r"(?:^|[\s(\[])#(\d{1,19})\b";
    ADDRESSES = r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b";
    STAMPS = r"\b(\d{4}-\d\d-\d\d)[t ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(z\b|utc\b|[+-]\d\d:?\d\d)?";
    DAYS = r"\b(\d{4})-(\d\d)-(\d\d)\b";
    NAMED_DAYS = concat!(
        r"\b(?:(\d{1,2})(?:st|nd|rd|th)?\s(?:of\s)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:,?\s(\d{4}))?",
        r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s(\d{4})\b)?)"
    );
    CLOCKS = r"\b(\d{1,2})(?::|\.)(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(a\.?m\b\.?|p\.?m\b\.?)|\b(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:\s?(?:z|utc)\b)?|\b(\d{1,2})\s?(am|pm)\b";
    VERSIONS = r"\bv\.?\s?(\d+(?:\.\d+)*(?:[-.+][0-9a-z]+)*)\b|\bversion\s(\d+(?:\.\d+)*(?:[-.+][0-9a-z]+)*)\b|\b(\d+\.\d+\.\d+(?:[-.+][0-9a-z]+)*)\b";
    STRETCHES = concat!(
        r"(?:\b|~|≈)((?:\d[\d,]*(?:\.\d+)?[\s-]?(?:ms|milliseconds?|msecs?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?)\b",
        r"(?:,?\s(?:and\s)?|)?)+)(\s?ago\b)?"
    );
    PARTS = r"(\d[\d,]*(?:\.\d+)?)[\s-]?([a-z]+)";
    FIGURES = concat!(
        r"(?:^|[^0-9a-z_.])([×x]\s?)?([-+−]?(?:\d{1,3}(?:[,\x{202f}\x{2009}]\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d{1,3})?)",
        r"\s?(%|percent\b|per\scent\b|k\b|thousand\b|million\b|billion\b|bn\b|[kmgtp]i?b\b|bytes?\b|m\b|×|x\b|times\b)?"
    );
    HEXES = r"\b[0-9a-f]{8,64}\b";
    TOKENS = r"[a-z0-9_/<][a-z0-9_./@:<>*#=+-]*[a-z0-9_/>*)]";
    SEVERITIES = concat!(
        r"\b(critical|warning)\b",
        r"|\b(?:severity|priority)\b(?:[\s:=]+|[^.;,]{1,60}?\s(?:is|was|as|to|at)\s)(critical|high|medium|low|info)\b",
        r"|\b(high|medium|low|info)(?:[\s-](?:severity|priority)\b|\s(?:alerts?|incidents?|pages?)\b)"
    );
    DONE_BY = concat!(
        r"\b(?:acknowledged|resolved|assigned|reassigned|deployed|released|shipped|declared|reopened|merged|noted|snoozed|silenced|closed|rolled\sback)\s+(?:at\s+)?(?:by|to)\s([a-z][a-z0-9._@-]*[a-z0-9])\b",
        r"|(?:^|[.;,]\s)([a-z][a-z0-9._@-]*[a-z0-9])\s(?:has\s|had\s)?(?:acknowledged|snoozed|declared|reassigned|reopened)\b"
    );
    BETWEEN = r"\b(?:after|later|until|till|took|within|lasted|lasting|for|between|ahead|before|since|apart|delay|behind|passed|elapsed|lie|lies|lay|following|earlier|long|into)\b";
    HEDGES = r"(about|around|roughly|approximately|approx\.?|some|nearly|almost|close to|circa|ca\.|~|≈)\s?$";
    MORE = r"(more than|over|above|at least|exceed(?:s|ed|ing)?|beyond|>|≥)\s?$";
    LESS = r"(less than|under|below|fewer than|at most|within|up to|<|≤)\s?$";
}

/// Reads a claim's text.
pub(crate) fn read(text: &str, known: &KnownNames) -> TextReading {
    let mut reader = TextReader::new(text);
    reader.quotes();
    reader.figures_and_times();
    reader.services(known);
    reader.people(known);
    reader.severities();
    reader.names();
    reader.done()
}

/// Reads a text of an event, which is not looked at for services or severities in its own words.
pub(crate) fn read_foreign(text: &str) -> Vec<TextAssertion> {
    let mut reader = TextReader::new(text);
    reader.figures_and_times();
    reader.done().tokens.into_iter().map(|token| token.said).collect()
}

struct TextReader {
    /// As it was written, cut to the limit; lower and rest have its length in bytes.
    raw: String,
    lower: String,
    rest: String,
    tokens: Vec<TextToken>,
}

impl TextReader {
    fn new(text: &str) -> Self {
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let raw = text.get(..end).unwrap_or_default().to_owned();
        // only ASCII is lowered, so that places stay
        let lower = raw.to_ascii_lowercase();
        Self { rest: lower.clone(), raw, lower, tokens: Vec::new() }
    }

    fn done(mut self) -> TextReading {
        self.tokens.sort_by_key(|token| (token.at.start, token.at.end));
        TextReading { raw: self.raw, text: self.lower, rest: self.rest, tokens: self.tokens }
    }

    fn take(&mut self, at: Range<usize>, said: Option<TextAssertion>) {
        self.rest.replace_range(at.clone(), &" ".repeat(at.len()));
        self.tokens.extend(said.map(|said| TextToken { at, said }));
    }

    /// Takes every match of a pattern, group 0 or the first group that took part.
    fn each(
        &mut self,
        pattern: &Regex,
        said: impl Fn(&Captures, &str) -> Option<(Range<usize>, Option<TextAssertion>)>,
    ) {
        let rest = self.rest.clone();
        let all: Vec<_> = pattern.captures_iter(&rest).filter_map(|captures| said(&captures, &rest)).collect();
        for (at, said) in all {
            self.take(at, said);
        }
    }

    fn quotes(&mut self) {
        let raw = self.raw.clone();
        for captures in QUOTES.captures_iter(&raw) {
            let Some(inner) = captures.iter().skip(1).flatten().next() else {
                continue;
            };
            let folded = fold(inner.as_str());
            let folded = folded.trim_matches(|c: char| c == ' ' || c == '.' || c == ',').to_owned();
            self.take(inner.range(), (!folded.is_empty()).then_some(TextAssertion::Quote(folded)));
        }
    }

    fn figures_and_times(&mut self) {
        let whole = |captures: &Captures| captures.get(0).map_or(0..0, |whole| whole.range());
        let text =
            |captures: &Captures, index: usize| captures.get(index).map_or("", |group| group.as_str()).to_owned();
        self.each(&LINKS, |c, _| {
            Some((whole(c), Some(TextAssertion::Name(text(c, 0).trim_end_matches(['.', ',']).to_owned()))))
        });
        self.each(&IDS, |c, _| Some((whole(c), Some(TextAssertion::Id(text(c, 0))))));
        self.each(&POSITIONS, |c, _| {
            let digits = c.get(1)?;
            Some((digits.start() - 1..digits.end(), Some(TextAssertion::Position(digits.as_str().parse().ok()?))))
        });
        self.each(&ADDRESSES, |c, _| Some((whole(c), Some(TextAssertion::Name(text(c, 0))))));
        self.each(&STAMPS, |c, _| Some((whole(c), times::stamp(c).map(TextAssertion::Moment))));
        self.each(&DAYS, |c, _| Some((whole(c), times::day(c).map(TextAssertion::Moment))));
        self.each(&NAMED_DAYS, |c, _| Some((whole(c), times::named_day(c).map(TextAssertion::Moment))));
        self.each(&VERSIONS, |c, _| {
            let version = c.iter().skip(1).flatten().next()?;
            Some((whole(c), Some(TextAssertion::Version(version.as_str().to_owned()))))
        });
        self.each(&CLOCKS, |c, _| Some((whole(c), times::clock(c).map(TextAssertion::Moment))));
        self.each(&STRETCHES, |c, rest| {
            let parts = c.get(1)?;
            let at = parts.start()..c.get(0)?.end();
            let mut stretch = times::stretch(&PARTS, parts.as_str(), c.get(2).is_some(), hedge(rest, at.start))?;
            stretch.between = is_between(rest, &at);
            Some((at, Some(TextAssertion::Stretch(stretch))))
        });
        self.each(&HEXES, |c, _| {
            let word = text(c, 0);
            let mixed = word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic());
            mixed.then(|| (whole(c), Some(TextAssertion::Id(word))))
        });
        self.each(&FIGURES, |c, rest| {
            let digits = c.get(2)?;
            let end = c.get(3).map_or(digits.end(), |unit| unit.end());
            let begin = c.get(1).map_or(digits.start(), |times| times.start());
            // what goes on as a word is a name, not a number
            if rest.get(end..).and_then(|tail| tail.chars().next()).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
            let unit = FigureUnit::of(c.get(3).map_or("", |unit| unit.as_str()));
            let figure = WrittenFigure::read(digits.as_str(), unit, hedge(rest, begin))?;
            Some((begin..end, Some(TextAssertion::Figure(figure))))
        });
    }

    fn services(&mut self, known: &KnownNames) {
        let mut names: Vec<(&String, &String)> = known.services.iter().collect();
        // the longest name first, so that an alias that holds another name is read whole
        names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(b.0)));
        for (name, one) in names {
            let rest = self.rest.clone();
            for at in words::places(&rest, name) {
                self.take(at..at + name.len(), Some(TextAssertion::Service(one.clone())));
            }
        }
        for (word, value) in words::NUMBERS {
            let rest = self.rest.clone();
            for at in words::places(&rest, word) {
                let figure =
                    WrittenFigure { value, decimals: 0, unit: FigureUnit::None, hedge: Hedge::None, word: true };
                self.take(at..at + word.len(), Some(TextAssertion::Figure(figure)));
            }
        }
    }

    fn people(&mut self, known: &KnownNames) {
        for person in &known.people {
            let rest = self.rest.clone();
            for at in words::places(&rest, person) {
                self.take(at..at + person.len(), Some(TextAssertion::Person(person.clone())));
            }
        }
        // a name that no event knows can only be told by where it stands
        self.each(&DONE_BY, |c, _| {
            let name = c.iter().skip(1).flatten().next()?;
            let anybody = words::NOBODY.contains(&name.as_str());
            (!anybody).then(|| (name.range(), Some(TextAssertion::Person(name.as_str().to_owned()))))
        });
    }

    fn severities(&mut self) {
        self.each(&SEVERITIES, |c, _| {
            let word = c.iter().skip(1).flatten().next()?;
            let known = ["critical", "high", "medium", "low", "info", "warning"];
            let severity = known.into_iter().find(|known| *known == word.as_str())?;
            Some((word.range(), Some(TextAssertion::Severity(severity))))
        });
    }

    fn names(&mut self) {
        let raw = self.raw.clone();
        self.each(&TOKENS, |c, _| {
            let found = c.get(0)?;
            let written = raw.get(found.range())?.trim_matches(|c: char| ":.,*".contains(c) && c != '*');
            let at = found.start()..found.start() + found.as_str().len();
            is_name(written).then(|| (at, Some(TextAssertion::Name(written.to_lowercase()))))
        });
    }
}

/// Whether a word is a name rather than a plain word: `HighErrorRate`, `http_error_ratio`, `/srv/data`,
/// `shop.py`, `a::b`, `u@h`.
fn is_name(word: &str) -> bool {
    let bytes = word.as_bytes();
    let letters = bytes.iter().any(u8::is_ascii_alphabetic);
    if !letters || bytes.len() < 3 {
        return false;
    }
    let humps = word.as_bytes().windows(2).filter(|pair| matches!(pair, [a, b] if !a.is_ascii_uppercase() && a.is_ascii_alphanumeric() && b.is_ascii_uppercase())).count();
    let dotted = word.split('.').count() > 1 && word.split('.').all(|part| part.len() >= 2);
    let path = word.starts_with('/') || word.matches('/').count() > 1;
    humps > 0 || word.contains('_') || word.contains("::") || word.contains('@') || word.contains('=') || dotted || path
}

/// Whether the words around a length of time make it one between two events.
fn is_between(text: &str, at: &Range<usize>) -> bool {
    let mut from = at.start.saturating_sub(60);
    let mut to = (at.end + 40).min(text.len());
    while !text.is_char_boundary(from) {
        from += 1;
    }
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    text.get(from..to).is_some_and(|around| BETWEEN.is_match(around))
}

/// How a number is hedged by the words before it.
fn hedge(text: &str, at: usize) -> Hedge {
    let head = text.get(..at).unwrap_or_default();
    if HEDGES.is_match(head) {
        Hedge::About
    } else if MORE.is_match(head) {
        Hedge::More
    } else if LESS.is_match(head) {
        Hedge::Less
    } else {
        Hedge::None
    }
}
