//! Log templates: which lines were written by one statement of a program. Owns the miner and its state;
//! refuses to know time, levels and what is novel or bursting: that is for who counts.
//!
//! A line is masked ([`crate::mask`]); lines that are equal then are one template. Two templates that differ in
//! few words become one when these words behave like values: either they look like identifiers, or there are
//! too many of them to be states of one thing. This is Drain's fixed depth tree (He et al., ICWS 2017) with
//! the mask in front of it and evidence in place of a similarity threshold.

mod template;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use serde::{Deserialize, Serialize};

use crate::mask::Masked;
use crate::near::{AsIs, NEAR_MAX, NearTemplate, TemplateIndex};
use crate::settings::TemplateSettings;

pub(crate) use template::{MinedTemplate, common};

/// Templates of one service; lines of others are counted and have none.
pub const TEMPLATES_MAX: usize = 2_000;
/// Templates of all services of one miner together.
pub const TEMPLATES_TOTAL_MAX: usize = 10_000;
/// Services of one miner; lines of others are counted and have no template.
pub const SERVICES_MAX: usize = 1_000;
/// Masked lines of one service whose template is remembered; then they are looked up anew.
const KNOWN_MAX: usize = 16_384;
/// The rules by which words are masked: rises when a line's signature may change. Templates that were masked by others
/// are masked anew and keep their ids.
const FORM: u32 = 2;

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
    /// The template that took the line in.
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
    settings: TemplateSettings,
    #[serde(skip)]
    masked: Masked,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct TemplateShelf {
    /// By which rules the words of its templates are masked; none in snapshots older than the second ones.
    #[serde(default)]
    form: u32,
    templates: Vec<MinedTemplate>,
    #[serde(skip)]
    near: TemplateIndex,
    /// By a line's signature: its template, and what was shown of the last such line.
    #[serde(skip)]
    known: HashMap<u64, (u32, u64), BuildHasherDefault<AsIs>>,
    #[serde(skip)]
    ready: bool,
}

impl Miner {
    /// A miner with other settings than those in use, for measuring.
    #[must_use]
    pub fn with(settings: TemplateSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Learns one line of a service. `None` where it has no room: the line is counted in [`Miner::overflow`].
    pub fn learn(&mut self, service: &str, line: &str) -> Option<Learnt> {
        self.masked.read(line, &self.settings);
        self.overflow.cut += u64::from(self.masked.cut);
        let has_place = self.services.len() < SERVICES_MAX;
        let shelf = match self.services.get_mut(service) {
            Some(shelf) => shelf,
            None if has_place => self.services.entry(service.to_owned()).or_default(),
            None => {
                self.overflow.lines += 1;
                return None;
            }
        };
        let learnt = shelf.learn(service, &self.masked, self.total < TEMPLATES_TOTAL_MAX, &self.settings);
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
            let MinedTemplate { id, version, lines, .. } = template;
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

/// Each line's template, after all lines were read.
#[derive(Debug, Default)]
pub struct MinedLines {
    /// Id and final text, once each.
    pub templates: Vec<(String, String)>,
    /// Which of them, line by line; none where a line had no room.
    pub lines: Vec<Option<usize>>,
}

/// Gives each line its template's id and final text: what is learnt from later lines counts for earlier ones.
pub fn mine<'a>(lines: impl Iterator<Item = &'a str>, settings: TemplateSettings) -> MinedLines {
    let mut miner = Miner::with(settings);
    let learnt: Vec<Option<TemplateHandle>> =
        lines.map(|line| miner.learn("", line).map(|learnt| learnt.handle)).collect();
    let mut mined = MinedLines { templates: Vec::new(), lines: Vec::with_capacity(learnt.len()) };
    let mut places: Vec<Option<usize>> = vec![None; miner.len()];
    for handle in learnt {
        let root = handle.map(|handle| miner.root("", handle));
        let place = root.and_then(|root| {
            let place = places.get_mut(root.index())?;
            if place.is_none()
                && let Some(shown) = miner.template("", root)
            {
                *place = Some(mined.templates.len());
                mined.templates.push((shown.id.to_owned(), shown.text));
            }
            *place
        });
        mined.lines.push(place);
    }
    mined
}

impl TemplateShelf {
    fn learn(&mut self, service: &str, line: &Masked, has_room: bool, settings: &TemplateSettings) -> Option<Learnt> {
        self.prepare(settings);
        let signature = line.signature();
        let shown = line.shown();
        if let Some(&(index, last)) = self.known.get(&signature) {
            let index = self.root(index);
            let template = self.templates.get_mut(index as usize)?;
            if shown == last {
                template.lines += 1;
                let handle = TemplateHandle(index);
                return Some(Learnt { handle, is_new: false, is_wider: false, merged: Vec::new() });
            }
            self.known.insert(signature, (index, shown));
            let is_wider = template.absorb(line);
            if is_wider {
                self.near.open(index, template);
            }
            return Some(Learnt { handle: TemplateHandle(index), is_new: false, is_wider, merged: Vec::new() });
        }
        let learnt = self.place(service, line, has_room, settings)?;
        self.known.insert(signature, (learnt.handle.0, shown));
        Some(learnt)
    }

    /// Builds what a snapshot does not hold.
    fn prepare(&mut self, settings: &TemplateSettings) {
        if self.ready {
            return;
        }
        if self.form != FORM {
            let mut masked = Masked::default();
            for template in self.templates.iter_mut().filter(|template| template.into.is_none()) {
                template.mask_anew(&mut masked, settings);
            }
            self.form = FORM;
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
    fn place(&mut self, service: &str, line: &Masked, has_room: bool, settings: &TemplateSettings) -> Option<Learnt> {
        let near = self.near(line);
        if let Some(index) = near.fitting {
            let template = self.templates.get_mut(index as usize)?;
            let is_wider = template.absorb(line);
            if is_wider {
                self.near.open(index, template);
            }
            return Some(Learnt { handle: TemplateHandle(index), is_new: false, is_wider, merged: Vec::new() });
        }
        if let Some(kin) = near.kin(line, &self.templates, settings) {
            return self.merge(line, &kin);
        }
        if !has_room || self.templates.len() >= TEMPLATES_MAX {
            return None;
        }
        let index = u32::try_from(self.templates.len()).ok()?;
        let template = MinedTemplate::first(service, line);
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

#[cfg(test)]
mod tests;
