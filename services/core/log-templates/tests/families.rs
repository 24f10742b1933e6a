//! Statements made at random, with slots of many kinds: the miner must find which lines were written by one statement,
//! and where its slots are. Nothing here is of a real system, so nothing here can be learnt by heart.

use std::collections::BTreeMap;

use hindcast_log_templates::{TemplateSettings, mine};

const SEEDS: std::ops::Range<u64> = 1..9;
const FAMILIES: usize = 50;
const LINES: usize = 40;

/// A generator of numbers that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % most
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// A word of no language.
    fn word(&mut self) -> String {
        const SYLLABLES: [&str; 16] =
            ["mo", "ri", "tu", "la", "so", "ni", "ku", "po", "vi", "ro", "lu", "ti", "zo", "mi", "pu", "xo"];
        (0..3 + self.below(3)).map(|_| self.of(&SYLLABLES)).collect()
    }

    fn number(&mut self, most: usize) -> String {
        self.below(most).to_string()
    }

    fn digits(&mut self, radix: usize, count: usize) -> String {
        (0..count).map(|_| char::from(b"0123456789abcdef"[self.below(radix)])).collect()
    }
}

/// What varies in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Number,
    Hex,
    Address,
    Socket,
    Clock,
    Day,
    Uuid,
    File,
    Link,
    Host,
    Mail,
    Span,
    Numbered,
    User,
    Key,
    Quote,
    List,
    Flag,
    Object,
    Source,
}

const SLOTS: [Slot; 20] = [
    Slot::Number,
    Slot::Hex,
    Slot::Address,
    Slot::Socket,
    Slot::Clock,
    Slot::Day,
    Slot::Uuid,
    Slot::File,
    Slot::Link,
    Slot::Host,
    Slot::Mail,
    Slot::Span,
    Slot::Numbered,
    Slot::User,
    Slot::Key,
    Slot::Quote,
    Slot::List,
    Slot::Flag,
    Slot::Object,
    Slot::Source,
];

impl Slot {
    /// How a template shows it.
    fn shown(self) -> &'static str {
        match self {
            Self::Socket => "<*>:<*>",
            Self::Clock => "<*>:<*>:<*>",
            Self::Day => "<*>-<*>-<*>",
            Self::Span => "<*> ms",
            Self::Key => "owner=<*>",
            Self::Quote => "\"<*>\"",
            Self::Object => "Zone@<*>",
            Self::Source => "Zone.java:<*>",
            Self::Numbered => "unit-<*>",
            _ => "<*>",
        }
    }

    fn value(self, dice: &mut Dice, names: &[String]) -> String {
        let name = names[dice.below(names.len())].clone();
        let address = |dice: &mut Dice| format!("10.{}.{}.{}", dice.below(256), dice.below(256), dice.below(256));
        match self {
            Self::Number => dice.number(100_000),
            Self::Hex => format!("0x{}", dice.digits(16, 8)),
            Self::Address => address(dice),
            Self::Socket => format!("{}:{}", address(dice), 1_024 + dice.below(60_000)),
            Self::Clock => format!("{:02}:{:02}:{:02}", dice.below(24), dice.below(60), dice.below(60)),
            Self::Day => format!("2026-{:02}-{:02}", 1 + dice.below(12), 1 + dice.below(28)),
            Self::Uuid => [8, 4, 4, 4, 12].map(|count| format!("1{}", dice.digits(16, count - 1))).join("-"),
            Self::File => format!("/var/{name}/{}.log", dice.word()),
            Self::Link => format!("https://{name}.example.org/{}?q={}", dice.word(), dice.below(99)),
            Self::Host => format!("{name}{}.example.net", dice.below(3)),
            Self::Mail => format!("{name}@example.org"),
            Self::Span => format!("{} ms", dice.below(9_000)),
            Self::Numbered => format!("unit-{}", dice.below(500)),
            Self::User => name,
            Self::Key => format!("owner={name}"),
            Self::Quote => format!("\"{}\"", (0..=dice.below(3)).map(|_| dice.word()).collect::<Vec<_>>().join(" ")),
            Self::List => (0..=dice.below(6)).map(|_| dice.number(64)).collect::<Vec<_>>().join(" "),
            Self::Flag => dice.of(&["true", "false"]).to_owned(),
            Self::Object => format!("Zone@{}", dice.digits(16, 7)),
            Self::Source => format!("Zone.java:{}", dice.below(900)),
        }
    }
}

/// Lines with the family that each is of, and each family's template and slots.
struct Made {
    lines: Vec<(usize, String)>,
    families: Vec<(String, Vec<Slot>)>,
}

fn made(seed: u64) -> Made {
    let mut dice = Dice(seed);
    let (mut lines, mut families) = (Vec::new(), Vec::new());
    for family in 0..FAMILIES {
        let names: Vec<String> = (0..12).map(|_| dice.word()).collect();
        let slots: Vec<Slot> = (0..=dice.below(2)).map(|_| SLOTS[dice.below(SLOTS.len())]).collect();
        // A word stands between two slots, and before the first.
        let words: Vec<String> = (0..5 + dice.below(4)).map(|_| dice.word()).collect();
        let places: Vec<usize> = (0..slots.len()).map(|slot| 1 + 2 * slot + dice.below(2)).collect();
        let text = |values: Vec<String>| {
            let mut parts = Vec::new();
            for (at, word) in words.iter().enumerate() {
                parts.push(word.clone());
                parts.extend(places.iter().position(|place| *place == at).map(|slot| values[slot].clone()));
            }
            parts.join(" ")
        };
        for _ in 0..LINES {
            let values = slots.iter().map(|slot| slot.value(&mut dice, &names)).collect();
            lines.push((family, text(values)));
        }
        families.push((text(slots.iter().map(|slot| slot.shown().to_owned()).collect()), slots));
    }
    for at in (1..lines.len()).rev() {
        lines.swap(at, dice.below(at + 1));
    }
    Made { lines, families }
}

/// The share of families whose lines are exactly one template's, the share whose template is right as well, and the
/// kinds of slots of those that are not.
fn judged(settings: TemplateSettings) -> (f64, f64, BTreeMap<Slot, usize>) {
    let (mut exact, mut right, mut all, mut wrong) = (0, 0, 0, BTreeMap::new());
    for seed in SEEDS {
        let Made { lines, families } = made(seed);
        let mined = mine(lines.iter().map(|(_, line)| line.as_str()), settings);
        let mut of_family: Vec<BTreeMap<Option<usize>, usize>> = vec![BTreeMap::new(); families.len()];
        let mut sizes: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        for ((family, _), place) in lines.iter().zip(&mined.lines) {
            *of_family[*family].entry(*place).or_default() += 1;
            *sizes.entry(*place).or_default() += 1;
        }
        for ((template, slots), places) in families.iter().zip(&of_family) {
            all += 1;
            let one = places.iter().next().filter(|(place, lines)| places.len() == 1 && sizes[*place] == **lines);
            exact += usize::from(one.is_some());
            let found = one.and_then(|(place, _)| mined.templates.get((*place)?)).map(|(_, text)| text);
            if found == Some(template) {
                right += 1;
                continue;
            }
            slots.iter().for_each(|slot| *wrong.entry(*slot).or_default() += 1);
            println!("{template}\n    {found:?}");
        }
    }
    #[allow(clippy::cast_precision_loss)] // a few hundred
    let share = |part: usize| part as f64 / all as f64;
    (share(exact), share(right), wrong)
}

#[test]
fn statements_and_their_slots_are_found() {
    let (exact, right, wrong) = judged(TemplateSettings::default());
    println!("{exact} of the families are whole, {right} have the right template; wrong: {wrong:?}");
    assert!(exact >= 0.97 && right >= 0.95, "{exact} {right} {wrong:?}");
}

#[test]
fn a_rule_that_is_switched_off_is_missed() {
    let (_, used, _) = judged(TemplateSettings::default());
    let off = |change: fn(&mut TemplateSettings)| {
        let mut settings = TemplateSettings::default();
        change(&mut settings);
        judged(settings).1
    };
    let without = [
        ("parts", off(|settings| settings.parts = false)),
        ("lists", off(|settings| settings.list = 0)),
        ("quotations", off(|settings| settings.quoted = 0)),
        ("hosts", off(|settings| settings.hosts = false)),
        ("variants", off(|settings| (settings.variants, settings.keyed_variants) = (64, 64))),
    ];
    for (rule, right) in without {
        assert!(right < used - 0.01, "without {rule}: {right}, with it {used}");
    }
}
