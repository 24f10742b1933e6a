//! Regular expressions as RE2 and Go's `regexp` read them, which is what Alertmanager, Prometheus and their tools take.
//! The engine beneath has the same semantics and another surface: its classes are Unicode's, its brackets have set
//! operations, braces must be repetitions. So each pattern is read by RE2's grammar and written anew in the engine's.
//!
//! Source: the syntax page of RE2 (<https://github.com/google/re2/wiki/Syntax>) and the documentation of Go's
//! `regexp/syntax` with its flags `Perl`.

mod escape;

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

use crate::limits::PATTERN_MAX;
use escape::{escaped, perl, unicode};

/// Bytes that a compiled expression may take.
const SIZE_MAX: usize = 16 << 20;
/// How often at most a repetition may be asked for, as in RE2.
const REPEAT_MAX: u32 = 1_000;

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// Longer than [`PATTERN_MAX`] bytes.
    #[error("it is longer than {PATTERN_MAX} bytes")]
    Long,
    /// `)` without `(`, or the other way round.
    #[error("a parenthesis has no partner")]
    Parenthesis,
    /// `[` without `]`.
    #[error("a bracket does not end")]
    Bracket,
    /// A class, range or Unicode name that does not exist.
    #[error("there is no class or range {0:?}")]
    Class(String),
    /// An escape that RE2 does not know.
    #[error("there is no escape {0:?}")]
    Escape(String),
    /// `*`, `+`, `?` or `{n}` behind nothing, or behind another one.
    #[error("a repetition has nothing to repeat")]
    Repetition,
    /// A number of repetitions above 1,000, or a range that runs backwards.
    #[error("a repetition has no such count")]
    Count,
    /// A group such as `(?=`.
    #[error("there is no group that begins with (?{0}")]
    Group(String),
    /// It takes too much memory, or nests too deep.
    #[error("it is too large")]
    Size,
}

/// The expression, which must match a text as a whole.
///
/// # Errors
/// When RE2 would not take it, or it is too large.
pub fn anchored(pattern: &str) -> Result<Regex, BadPattern> {
    if pattern.len() > PATTERN_MAX {
        return Err(BadPattern::Long);
    }
    let text = format!("^(?:{})$", translated(pattern)?);
    RegexBuilder::new(&text).size_limit(SIZE_MAX).build().map_err(|_| BadPattern::Size)
}

/// The pattern in the engine's syntax.
fn translated(pattern: &str) -> Result<String, BadPattern> {
    let mut reader =
        PatternReader { rest: pattern.chars().peekable(), out: String::new(), last: Last::Nothing, depth: 0 };
    while let Some(character) = reader.rest.next() {
        reader.piece(character)?;
    }
    if reader.depth == 0 { Ok(reader.out) } else { Err(BadPattern::Parenthesis) }
}

/// What stands before the present place, for a repetition to repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Atom,
    Repetition,
}

struct PatternReader<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    last: Last,
    depth: usize,
}

impl PatternReader<'_> {
    fn piece(&mut self, character: char) -> Result<(), BadPattern> {
        match character {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.group(),
            ')' => {
                self.depth = self.depth.checked_sub(1).ok_or(BadPattern::Parenthesis)?;
                self.atom(")");
                Ok(())
            }
            '|' => {
                self.out.push('|');
                self.last = Last::Nothing;
                Ok(())
            }
            '*' | '+' | '?' => self.repetition(&character.to_string()),
            '{' => match self.count()? {
                Some(count) => self.repetition(&count),
                None => {
                    self.literal('{');
                    Ok(())
                }
            },
            '^' | '$' | '.' => {
                self.atom(&character.to_string());
                Ok(())
            }
            other => {
                self.literal(other);
                Ok(())
            }
        }
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.last = Last::Atom;
    }

    fn literal(&mut self, character: char) {
        let mut buffer = [0; 4];
        let text = regex::escape(character.encode_utf8(&mut buffer));
        self.atom(&text);
    }

    fn repetition(&mut self, sign: &str) -> Result<(), BadPattern> {
        if self.last != Last::Atom {
            return Err(BadPattern::Repetition);
        }
        self.out.push_str(sign);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        self.last = Last::Repetition;
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}` behind its brace; anything else leaves the brace to be a character.
    fn count(&mut self) -> Result<Option<String>, BadPattern> {
        let mut ahead = self.rest.clone();
        let mut inner = String::new();
        let closed = loop {
            match ahead.next() {
                Some('}') => break true,
                Some(c) if c.is_ascii_digit() || c == ',' => inner.push(c),
                _ => break false,
            }
        };
        let (least, most) = inner.split_once(',').map_or((inner.as_str(), None), |(least, most)| (least, Some(most)));
        if !closed || least.is_empty() || most.is_some_and(|most| most.contains(',')) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= REPEAT_MAX).ok_or(BadPattern::Count);
        let from = number(least)?;
        let most = most.filter(|most| !most.is_empty());
        if let Some(most) = most
            && number(most)? < from
        {
            return Err(BadPattern::Count);
        }
        self.rest = ahead;
        Ok(Some(format!("{{{inner}}}")))
    }

    fn escape(&mut self) -> Result<(), BadPattern> {
        match self.rest.peek().copied() {
            Some(edge @ ('A' | 'z')) => self.atom(&format!("\\{edge}")),
            // ASCII word boundaries, as RE2 has them.
            Some(edge @ ('b' | 'B')) => self.atom(&format!("(?-u:\\{edge})")),
            Some('Q') => {
                self.rest.next();
                return self.quoted();
            }
            Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => self.atom(perl(class)),
            Some('p' | 'P') => {
                let class = unicode(&mut self.rest)?;
                self.atom(&class);
                return Ok(());
            }
            _ => {
                let character = escaped(&mut self.rest)?;
                self.literal(character);
                return Ok(());
            }
        }
        self.rest.next();
        Ok(())
    }

    /// `\Q…\E`: everything stands for itself, up to the end if it does not end.
    fn quoted(&mut self) -> Result<(), BadPattern> {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.next_if_eq(&'E').is_some() {
                break;
            }
            self.literal(character);
        }
        Ok(())
    }

    /// What is behind `(`. Nobody asks for what a group caught, so each is written as one that catches nothing.
    fn group(&mut self) -> Result<(), BadPattern> {
        self.depth += 1;
        self.last = Last::Nothing;
        if self.rest.next_if_eq(&'?').is_none() {
            self.out.push_str("(?:");
            return Ok(());
        }
        let mut head: String = String::new();
        loop {
            let Some(character) = self.rest.next() else {
                return Err(BadPattern::Group(head));
            };
            head.push(character);
            match character {
                '<' => {
                    if !matches!(head.as_str(), "<" | "P<") {
                        return Err(BadPattern::Group(head));
                    }
                    self.named()?;
                    self.out.push_str("(?:");
                    return Ok(());
                }
                ':' | ')' => break,
                _ if head.len() > 8 => return Err(BadPattern::Group(head)),
                _ => {}
            }
        }
        let flags = head.trim_end_matches([':', ')']);
        let bare = flags.trim_start_matches(['i', 'm', 's', 'U']);
        let off = bare.strip_prefix('-').map(|off| !off.is_empty() && off.chars().all(|c| "imsU".contains(c)));
        let sound = bare.is_empty() || off == Some(true);
        if !sound || (head == ")") {
            return Err(BadPattern::Group(head));
        }
        self.out.push_str("(?");
        self.out.push_str(&head);
        if head.ends_with(')') {
            self.depth -= 1;
        }
        Ok(())
    }

    fn named(&mut self) -> Result<(), BadPattern> {
        let mut name = String::new();
        for character in self.rest.by_ref() {
            match character {
                '>' if !name.is_empty() => return Ok(()),
                c if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                _ => break,
            }
        }
        Err(BadPattern::Group(format!("<{name}")))
    }

    /// What is behind `[`.
    fn class(&mut self) -> Result<(), BadPattern> {
        let mut out = String::from("[");
        if self.rest.next_if_eq(&'^').is_some() {
            out.push('^');
        }
        let mut first = true;
        loop {
            let Some(&character) = self.rest.peek() else {
                return Err(BadPattern::Bracket);
            };
            if character == ']' && !first {
                self.rest.next();
                break;
            }
            first = false;
            if let Some(named) = self.posix()? {
                out.push_str(&named);
                continue;
            }
            if character == '\\' {
                let mut ahead = self.rest.clone();
                ahead.next();
                match ahead.peek().copied() {
                    Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
                        ahead.next();
                        self.rest = ahead;
                        out.push_str(perl(class));
                        continue;
                    }
                    Some('p' | 'P') => {
                        out.push_str(&unicode(&mut ahead)?);
                        self.rest = ahead;
                        continue;
                    }
                    _ => {}
                }
            }
            self.range(&mut out)?;
        }
        out.push(']');
        self.atom(&out);
        Ok(())
    }

    /// `[:alpha:]` or `[:^alpha:]`, in a class.
    fn posix(&mut self) -> Result<Option<String>, BadPattern> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('[') || ahead.next() != Some(':') {
            return Ok(None);
        }
        let mut name = String::new();
        loop {
            match ahead.next() {
                Some(':') if ahead.peek() == Some(&']') => break,
                Some(c) => name.push(c),
                None => return Ok(None),
            }
        }
        ahead.next();
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(&name)) {
            return Err(BadPattern::Class(name));
        }
        self.rest = ahead;
        Ok(Some(format!("[:{name}:]")))
    }

    /// A character or a range of a class.
    fn range(&mut self, out: &mut String) -> Result<(), BadPattern> {
        let low = self.member()?;
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.peek().is_some_and(|next| *next != ']');
        if !is_range {
            out.push_str(&format!("\\x{{{:X}}}", u32::from(low)));
            return Ok(());
        }
        self.rest = ahead;
        let high = self.member()?;
        if high < low {
            return Err(BadPattern::Class(format!("{low}-{high}")));
        }
        out.push_str(&format!("\\x{{{:X}}}-\\x{{{:X}}}", u32::from(low), u32::from(high)));
        Ok(())
    }

    fn member(&mut self) -> Result<char, BadPattern> {
        match self.rest.next() {
            Some('\\') => escaped(&mut self.rest),
            Some(character) => Ok(character),
            None => Err(BadPattern::Bracket),
        }
    }
}

#[cfg(test)]
mod tests;
