//! Log templates: which lines were written by one statement of a program. Owns the miner and its state;
//! refuses to know time, levels and what is novel or bursting: that is for who counts.
//!
//! A line is masked ([`crate::mask`]); lines that are equal then are one template. Two templates that differ in
//! few words become one when these words behave like values: either they look like identifiers, or there are
//! too many of them to be states of one thing. This is Drain's fixed depth tree (He et al., ICWS 2017) with
//! the mask in front of it and evidence in place of a similarity threshold.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use hindcast_domain::id;
use serde::{Deserialize, Serialize};

use crate::mask::{MaskToken, Masked, WILDCARD};
use crate::near::{AsIs, DIFFERING_MAX, NEAR_MAX, NearTemplate, TemplateIndex, common};

/// Templates of one service; lines of others are counted and have none.
pub const TEMPLATES_MAX: usize = 2_000;
/// Templates of all services of one miner together.
pub const TEMPLATES_TOTAL_MAX: usize = 10_000;
/// Services of one miner; lines of others are counted and have no template.
pub const SERVICES_MAX: usize = 1_000;
/// Masked lines of one service whose template is remembered; then they are looked up anew.
const KNOWN_MAX: usize = 16_384;

/// Which template of a service; stays valid, through merges too, as long as its miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateHandle(u32);

impl TemplateHandle {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// Its template.
    pub handle: TemplateHandle,
    /// No line of this template was ever seen.
    pub is_new: bool,
    /// The template's text was generalised by it.
    pub is_wider: bool,
    /// Templates that became a part of this one by it: their lines are its own from now on.
    pub merged: Vec<TemplateHandle>,
}

/// A template as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownTemplate<'a> {
    /// `TPL-` and a hash of service and first text; stays the same.
    pub id: &'a str,
    /// Rises when the text is generalised; from 1.
    pub version: u32,
    /// Words with `<*>` for what varies.
    pub text: String,
    /// Lines that it was learnt from.
    pub lines: u64,
}

/// Lines that could not be given a template, or only in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// Lines without a template: too many services or templates.
    pub lines: u64,
    /// Lines of which only the beginning was looked at.
    pub cut: u64,
    /// Times that remembered lines were forgotten and looked up anew.
    pub forgotten: u64,
}

/// A streaming miner of templates, per service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Miner {
    services: BTreeMap<String, TemplateShelf>,
    total: usize,
    overflow: Overflow,
    #[serde(skip)]
    masked: Masked,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct TemplateShelf {
    templates: Vec<Template>,
    #[serde(skip)]
    near: TemplateIndex,
    #[serde(skip)]
    known: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    #[serde(skip)]
    ready: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Template {
    id: String,
    version: u32,
    lines: u64,
    pub(crate) words: Vec<TemplateWord>,
    /// The template that it became a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    into: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TemplateWord {
    /// The signature of what was there first.
    pub(crate) sig: u64,
    pub(crate) text: String,
    /// Bytes before and behind the `<*>` that any word fits which begins and ends so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<(u16, u16)>,
}

impl Miner {
    /// Learns one line of a service. `None` where it has no room: the line is counted in [`Miner::overflow`].
    pub fn learn(&mut self, service: &str, line: &str) -> Option<Learnt> {
        self.masked.read(line);
        self.overflow.cut += u64::from(self.masked.cut);
        if !self.services.contains_key(service) {
            if self.services.len() >= SERVICES_MAX {
                self.overflow.lines += 1;
                return None;
            }
            self.services.insert(service.to_owned(), TemplateShelf::default());
        }
        let shelf = self.services.get_mut(service)?;
        let learnt = shelf.learn(service, &self.masked, self.total < TEMPLATES_TOTAL_MAX);
        self.total += usize::from(learnt.as_ref().is_some_and(|learnt| learnt.is_new));
        self.overflow.lines += u64::from(learnt.is_none());
        if shelf.known.len() >= KNOWN_MAX {
            shelf.known.clear();
            self.overflow.forgotten += 1;
        }
        learnt
    }

    /// The template of a handle, or the one that it became a part of.
    #[must_use]
    pub fn template(&self, service: &str, handle: TemplateHandle) -> Option<ShownTemplate<'_>> {
        let shelf = self.services.get(service)?;
        let template = shelf.templates.get(shelf.root(handle.0) as usize)?;
        Some(ShownTemplate {
            id: &template.id,
            version: template.version,
            text: template.text(),
            lines: template.lines,
        })
    }

    /// The handle of the template that this one became a part of; itself while it stands.
    #[must_use]
    pub fn root(&self, service: &str, handle: TemplateHandle) -> TemplateHandle {
        self.services.get(service).map_or(handle, |shelf| TemplateHandle(shelf.root(handle.0)))
    }

    /// Templates of a service that stand, oldest first.
    pub fn templates<'a>(
        &'a self,
        service: &str,
    ) -> impl Iterator<Item = (TemplateHandle, ShownTemplate<'a>)> + use<'a> {
        let shelf = self.services.get(service);
        let all = shelf.into_iter().flat_map(|shelf| (0_u32..).zip(&shelf.templates));
        all.filter(|(_, template)| template.into.is_none()).map(|(index, template)| {
            let Template { id, version, lines, .. } = template;
            (TemplateHandle(index), ShownTemplate { id, version: *version, text: template.text(), lines: *lines })
        })
    }

    /// Templates that were made, of all services.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.total
    }

    /// Whether it has learnt nothing yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// What had no room.
    #[must_use]
    pub const fn overflow(&self) -> Overflow {
        self.overflow
    }
}

/// Gives each line its template's id and final text: what is learnt from later lines counts for earlier ones.
/// Line numbers begin with 1. A line that has no room has an empty id and itself as its text.
pub fn mine<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(u64, String, String)> {
    let mut miner = Miner::default();
    let learnt: Vec<Result<TemplateHandle, &str>> =
        lines.map(|line| miner.learn("", line).map(|learnt| learnt.handle).ok_or(line)).collect();
    let mut shown: HashMap<TemplateHandle, (String, String)> = HashMap::new();
    let numbered = (1..).zip(learnt);
    let finals = numbered.map(|(number, line)| match line {
        Ok(handle) => {
            let handle = miner.root("", handle);
            let entry = shown.entry(handle).or_insert_with(|| match miner.template("", handle) {
                Some(template) => (template.id.to_owned(), template.text),
                None => (String::new(), String::new()),
            });
            (number, entry.0.clone(), entry.1.clone())
        }
        Err(line) => (number, String::new(), line.to_owned()),
    });
    finals.collect()
}

impl TemplateShelf {
    fn learn(&mut self, service: &str, line: &Masked, has_room: bool) -> Option<Learnt> {
        self.prepare();
        let signature = line.signature();
        if let Some(&index) = self.known.get(&signature) {
            let index = self.root(index);
            let template = self.templates.get_mut(index as usize)?;
            let is_wider = template.absorb(line);
            if is_wider {
                self.near.open(index, template);
            }
            return Some(Learnt { handle: TemplateHandle(index), is_new: false, is_wider, merged: Vec::new() });
        }
        let learnt = self.place(service, line, has_room)?;
        self.known.insert(signature, learnt.handle.0);
        Some(learnt)
    }

    /// Builds what a snapshot does not hold.
    fn prepare(&mut self) {
        if self.ready {
            return;
        }
        for (index, template) in (0..).zip(&self.templates) {
            if template.into.is_none() {
                self.near.add(index, template);
            }
        }
        self.ready = true;
    }

    fn root(&self, mut index: u32) -> u32 {
        while let Some(into) = self.templates.get(index as usize).and_then(|template| template.into) {
            index = into;
        }
        index
    }

    /// Finds a template for a line that is not known word for word, or makes one.
    fn place(&mut self, service: &str, line: &Masked, has_room: bool) -> Option<Learnt> {
        let near = self.near(line);
        if let Some(index) = near.fitting {
            let template = self.templates.get_mut(index as usize)?;
            let is_wider = template.absorb(line);
            if is_wider {
                self.near.open(index, template);
            }
            return Some(Learnt { handle: TemplateHandle(index), is_new: false, is_wider, merged: Vec::new() });
        }
        if let Some(kin) = near.kin(line, &self.templates) {
            return self.merge(line, &kin);
        }
        if !has_room || self.templates.len() >= TEMPLATES_MAX {
            return None;
        }
        let index = u32::try_from(self.templates.len()).ok()?;
        let template = Template::first(service, line);
        self.near.add(index, &template);
        self.templates.push(template);
        Some(Learnt { handle: TemplateHandle(index), is_new: true, is_wider: false, merged: Vec::new() })
    }

    fn near(&self, line: &Masked) -> NearTemplate {
        let mut near = NearTemplate::default();
        let mut most = usize::MAX;
        for index in self.near.candidates(line) {
            let Some(template) = self.templates.get(index as usize).filter(|template| template.into.is_none()) else {
                continue;
            };
            match template.differing(line) {
                Some(0) => {
                    let open = template.words.iter().filter(|word| word.open.is_some()).count();
                    if open < most {
                        most = open;
                        near.fitting = Some(index);
                    }
                }
                Some(mask) if near.others.len() < NEAR_MAX => near.others.push((index, mask)),
                _ => {}
            }
        }
        near
    }

    /// The oldest takes in the others and the line.
    fn merge(&mut self, line: &Masked, kin: &[u32]) -> Option<Learnt> {
        let (&oldest, others) = kin.split_first()?;
        for &index in others {
            let other = self.templates.get_mut(index as usize)?;
            other.into = Some(oldest);
            let (words, lines) = (std::mem::take(&mut other.words), other.lines);
            let template = self.templates.get_mut(oldest as usize)?;
            template.lines += lines;
            for (mine, theirs) in template.words.iter_mut().zip(&words) {
                mine.widen_to(&theirs.text, theirs.sig);
            }
        }
        let template = self.templates.get_mut(oldest as usize)?;
        for (word, token) in template.words.iter_mut().zip(line.tokens()) {
            word.widen_to(line.text(token), token.sig);
        }
        template.lines += 1;
        template.version += 1;
        self.near.open(oldest, template);
        let merged = others.iter().map(|index| TemplateHandle(*index)).collect();
        Some(Learnt { handle: TemplateHandle(oldest), is_new: false, is_wider: true, merged })
    }
}

impl Template {
    fn first(service: &str, line: &Masked) -> Self {
        let word = |token: &MaskToken| TemplateWord { sig: token.sig, text: line.text(token).to_owned(), open: None };
        let words: Vec<TemplateWord> = line.tokens().iter().map(word).collect();
        let mut template = Self { id: String::new(), version: 1, lines: 1, words, into: None };
        template.id = format!("TPL-{}", id::derive(&[service.as_bytes(), template.text().as_bytes()]));
        template
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for word in &self.words {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&word.text);
        }
        text
    }

    /// The words in which a line of as many words differs, as bits; `None` for too many.
    fn differing(&self, line: &Masked) -> Option<u128> {
        let mut mask = 0_u128;
        for (at, (word, token)) in self.words.iter().zip(line.tokens()).enumerate() {
            if word.sig != token.sig && !word.fits(line.text(token)) {
                mask |= 1 << at;
                if mask.count_ones() > DIFFERING_MAX {
                    return None;
                }
            }
        }
        Some(mask)
    }

    /// Counts a line that fits; whether it made the text wider.
    fn absorb(&mut self, line: &Masked) -> bool {
        self.lines += 1;
        let mut wider = false;
        for (word, token) in self.words.iter_mut().zip(line.tokens()) {
            wider |= word.widen_to(line.text(token), token.sig);
        }
        self.version += u32::from(wider);
        wider
    }
}

impl TemplateWord {
    fn fits(&self, text: &str) -> bool {
        let Some((before, behind)) = self.open else {
            return false;
        };
        let (before, behind) = (usize::from(before), usize::from(behind));
        let (mine, theirs) = (self.text.as_bytes(), text.as_bytes());
        theirs.len() >= before + behind
            && mine[..before] == theirs[..before]
            && mine[mine.len() - behind..] == theirs[theirs.len() - behind..]
    }

    /// Makes room for another text; whether that changed anything.
    fn widen_to(&mut self, text: &str, sig: u64) -> bool {
        if self.text == text || self.fits(text) {
            return false;
        }
        if sig == self.sig && self.open.is_none() && text.starts_with(WILDCARD) && self.text.starts_with(WILDCARD) {
            // One value written in several ways: with another unit, or with a port.
            let trail = text.len() - text.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '>').len();
            let same = self.text.ends_with(&text[text.len() - trail..]);
            let trail = if same { &text[text.len() - trail..] } else { "" };
            if self.text.strip_prefix(WILDCARD) == Some(trail) {
                return false;
            }
            self.text = format!("{WILDCARD}{trail}");
            return true;
        }
        let (before, behind) = common(self.text.as_bytes(), text.as_bytes());
        let tail = self.text.split_off(self.text.len() - behind);
        self.text.truncate(before);
        self.text.push_str(WILDCARD);
        self.text.push_str(&tail);
        self.open = Some((u16::try_from(before).unwrap_or(0), u16::try_from(behind).unwrap_or(0)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(lines: &[&str]) -> (Miner, Vec<TemplateHandle>) {
        let mut miner = Miner::default();
        let handles = lines.iter().map(|line| miner.learn("shop", line).unwrap().handle).collect();
        (miner, handles)
    }

    fn texts(lines: &[&str]) -> Vec<String> {
        learnt(lines).0.templates("shop").map(|(_, shown)| shown.text).collect()
    }

    #[test]
    fn lines_that_differ_in_values_are_one_template() {
        assert_eq!(texts(&["order 4711 placed in 3 ms", "order 12 placed in 9 ms"]), ["order <*> placed in <*> ms"]);
        assert_eq!(texts(&["took 5 ms", "took 7 seconds", "took 00:01"]), ["took <*>"]);
        assert_eq!(texts(&["sent 0 bytes to all", "sent 1165 bytes (1.13 KB) to all"]), ["sent <*> to all"]);
    }

    #[test]
    fn states_stay_apart_and_names_do_not() {
        assert_eq!(texts(&["link is up now", "link is down now"]).len(), 2);
        let loaded = ["cannot load module net.core of the store", "cannot load module disk.io of the store"];
        assert_eq!(texts(&loaded), ["cannot load module <*> of the store"]);
        let users = ["login of anna failed", "login of bert failed", "login of carl failed", "login of dora failed"];
        assert_eq!(texts(&users[..3]).len(), 3, "three may be states");
        assert_eq!(texts(&users), ["login of <*> failed"], "four are values");
    }

    #[test]
    fn an_id_stays_while_the_text_is_generalised_and_the_version_rises() {
        let users = ["login of anna failed", "login of bert failed", "login of carl failed", "login of dora failed"];
        let mut miner = Miner::default();
        let first = miner.learn("shop", users[0]).unwrap();
        let (id, version) = {
            let shown = miner.template("shop", first.handle).unwrap();
            (shown.id.to_owned(), shown.version)
        };
        assert!(first.is_new && id.starts_with("TPL-") && version == 1);
        let later: Vec<Learnt> = users[1..].iter().map(|line| miner.learn("shop", line).unwrap()).collect();
        let last = &later[2];
        assert!(!last.is_new && last.is_wider);
        assert_eq!((last.handle, last.merged.len()), (first.handle, 2));
        let shown = miner.template("shop", first.handle).unwrap();
        assert_eq!((shown.id, shown.version, shown.lines), (id.as_str(), 2, 4));
        assert_eq!(miner.root("shop", last.merged[0]), first.handle, "an old handle leads to it");
        assert!(!miner.learn("shop", "login of emma failed").unwrap().is_new);
    }

    #[test]
    fn services_have_templates_of_their_own() {
        let mut miner = Miner::default();
        let ids: Vec<String> = ["a", "b"]
            .iter()
            .map(|service| {
                let handle = miner.learn(service, "started").unwrap().handle;
                miner.template(service, handle).unwrap().id.to_owned()
            })
            .collect();
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn a_snapshot_goes_on_as_if_nothing_had_happened() {
        let lines: Vec<String> =
            (0..400).map(|n| format!("job {} of queue-{} ended {}", n, n % 7, "abcdef".repeat(n % 5))).collect();
        let mut whole = Miner::default();
        let mut halved = Miner::default();
        for (at, line) in lines.iter().enumerate() {
            if at == 200 {
                halved = serde_json::from_slice(&serde_json::to_vec(&halved).unwrap()).unwrap();
            }
            let (one, other) = (whole.learn("s", line).unwrap(), halved.learn("s", line).unwrap());
            assert_eq!(one, other, "line {at}");
        }
        let shown =
            |miner: &Miner| miner.templates("s").map(|(_, s)| (s.id.to_owned(), s.text, s.version)).collect::<Vec<_>>();
        assert_eq!(shown(&whole), shown(&halved));
    }

    #[test]
    fn everything_is_bounded_and_what_has_no_room_is_counted() {
        let mut miner = Miner::default();
        let word = |n: usize| n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect::<String>();
        for n in 0..TEMPLATES_MAX + 50 {
            // As many words as templates differ in none but all of them.
            miner.learn("s", &format!("{} {} {}", word(n), word(n * 31 + 7), word(n * 17 + 3)));
        }
        assert!(miner.templates("s").count() <= TEMPLATES_MAX);
        let long = "x ".repeat(10_000);
        let handle = miner.learn("t", &long).unwrap().handle;
        assert!(miner.template("t", handle).unwrap().text.len() < crate::mask::LINE_BYTES_MAX);
        assert_eq!(miner.overflow().cut, 1);
        assert!(miner.overflow().lines > 0);
        (0..SERVICES_MAX + 5).for_each(|n| drop(miner.learn(&format!("service-{n}"), "started")));
        assert!(miner.learn("one-too-many", "started").is_none());
    }

    #[test]
    fn a_second_pass_gives_every_line_its_final_template() {
        let mined = mine(
            ["login of anna failed", "login of bert failed", "login of carl failed", "login of dora failed", ""]
                .into_iter(),
        );
        let texts: Vec<&str> = mined.iter().map(|(_, _, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            ["login of <*> failed", "login of <*> failed", "login of <*> failed", "login of <*> failed", ""]
        );
        assert_eq!(mined.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }
}
