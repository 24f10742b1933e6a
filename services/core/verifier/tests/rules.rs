//! Each rule of the verifier by itself: sentences that it alone keeps from a tick, and that get one when it is off; and
//! sentences made at random from the words of the events, of which none may get one.

use hindcast_api::{ClaimVerdict, Event};
use hindcast_verifier::{Checks, Court, judge, parse, tell};

use crate::generator::{Rng, World, claim, court};
use crate::sentences::{self, DEPLOY, ERRORS, LINE, NGINX, OPENED, OVER, POSTGRES, TAKEN};

/// A rule, how it is switched off, and sentences that it keeps from a tick, with what they cite.
struct Rule {
    name: &'static str,
    off: fn(&mut Checks),
    sentences: &'static [(&'static str, &'static [&'static str])],
}

const RULES: [Rule; 13] = [
    Rule {
        name: "every word is read",
        off: |checks| checks.words = false,
        sentences: &[
            ("Only postgres alarmed at 03:11:34", &[POSTGRES]),
            ("postgres alarmed at 03:11:34, probably", &[POSTGRES]),
            ("I think that postgres alarmed at 03:11:34", &[POSTGRES]),
            ("all of postgres alarmed at 03:11:34", &[POSTGRES]),
            ("checkout v42 was deployed by grace without review", &[DEPLOY]),
        ],
    },
    Rule {
        name: "a verb has its subject and its object",
        off: |checks| checks.frames = false,
        sentences: &[
            ("ada was acknowledged at 03:19", &[TAKEN]),
            ("INC-G5TEMRF4Z7S8GZ6D acknowledged ada at 03:19", &[TAKEN]),
            ("was acknowledged at 03:19", &[TAKEN]),
        ],
    },
    Rule {
        name: "a denial is not what happened",
        off: |checks| checks.denials = false,
        sentences: &[
            ("postgres did not fire", &[POSTGRES]),
            ("it was never acknowledged", &[TAKEN]),
            ("the error ratio of checkout fell from 0.2 % to 38 %", &[ERRORS]),
        ],
    },
    Rule {
        name: "a cause is ranked or said",
        off: |checks| checks.causes = false,
        sentences: &[("postgres led to the errors of checkout", &[LINE, ERRORS])],
    },
    Rule {
        name: "a sender's order is no advice",
        off: |checks| checks.senders = false,
        sentences: &[("the alert on redis says \"run rm -rf / as root\"", &[sentences::ATTACK])],
    },
    Rule {
        name: "what comes first began first",
        off: |checks| checks.order = false,
        sentences: &[("nginx alarmed before postgres alarmed", &[POSTGRES, NGINX])],
    },
    Rule {
        name: "times",
        off: |checks| checks.times = false,
        sentences: &[
            ("postgres alarmed at 03:31", &[POSTGRES]),
            ("It lasted 47 min from opening to end", &[OPENED, OVER]),
        ],
    },
    Rule {
        name: "numbers",
        off: |checks| checks.numbers = false,
        sentences: &[("postgres wrote that line 12,040 times", &[LINE]), ("Three alerts fired", &[POSTGRES, NGINX])],
    },
    Rule {
        name: "services",
        off: |checks| checks.services = false,
        sentences: &[("redis alarmed at 03:11:34", &[POSTGRES])],
    },
    Rule {
        name: "people",
        off: |checks| checks.people = false,
        sentences: &[("bob acknowledged it at 03:19", &[TAKEN]), ("grace resolved it at 03:49", &[OVER])],
    },
    Rule {
        name: "ids and versions",
        off: |checks| checks.ids = false,
        sentences: &[("checkout v43 was deployed", &[DEPLOY]), ("INC-7Q2K5M8N was opened", &[OPENED])],
    },
    Rule {
        name: "severities",
        off: |checks| checks.severities = false,
        sentences: &[("PostgresConnectionsExhausted is a low severity alert", &[POSTGRES])],
    },
    Rule {
        name: "each citation says something of it",
        off: |checks| checks.bears = false,
        sentences: &[("postgres alarmed at 03:11:34", &[POSTGRES, DEPLOY])],
    },
];

#[test]
fn each_rule_alone_keeps_its_sentences_from_a_tick() {
    for rule in RULES {
        for (text, cited) in rule.sentences {
            let verdict = |off: fn(&mut Checks)| sentences::judged_by(text, cited, off);
            let (with, why) = verdict(|_| ());
            assert_ne!(with, ClaimVerdict::Supported, "{}: {text:?}", rule.name);
            assert!(why.is_some());
            let (without, why) = verdict(rule.off);
            assert_eq!(without, ClaimVerdict::Supported, "{}: {text:?} {why:?}", rule.name);
        }
    }
}

fn told(world: &World, court: &Court) -> Vec<(Event, String)> {
    let all = world.seen().into_iter();
    all.filter_map(|event| Some((event.clone(), hindcast_api::assertion::render(&tell(event, court)?)))).collect()
}

fn verdict(text: &str, event: &Event, court: &Court) -> (ClaimVerdict, Option<String>) {
    let mut claim = claim(text, &[event]);
    judge(&mut claim, court);
    (claim.verdict, claim.reason)
}

/// A sentence of ours is read back as what it was made from, and stands as free text too.
#[test]
fn what_is_rendered_is_read_back() {
    let mut read = 0;
    for seed in 1..=120 {
        let world = World::new(seed);
        let court = court(&world);
        for (event, text) in told(&world, &court) {
            let made = tell(&event, &court).unwrap();
            let back = parse(&text, &court).unwrap_or_else(|| panic!("seed {seed}: {text:?} is not read"));
            assert_eq!(back, [made], "seed {seed}: {text:?}");
            assert_eq!(verdict(&text, &event, &court), (ClaimVerdict::Supported, None), "seed {seed}: {text:?}");
            read += 1;
        }
    }
    assert!(read > 2_000, "{read}");
}

/// Words that make another sentence of a true one, wherever they stand.
const CHANGES: [&str; 34] = [
    "not",
    "never",
    "only",
    "all",
    "every",
    "most",
    "first",
    "last",
    "still",
    "again",
    "no",
    "nobody",
    "everything",
    "I",
    "we",
    "our",
    "you",
    "must",
    "should",
    "will",
    "may",
    "might",
    "could",
    "probably",
    "because",
    "caused",
    "safe",
    "delete",
    "restart",
    "run",
    "stopped",
    "twice",
    "more",
    "healthy",
];

/// A true sentence with one more word, with a word of another sentence, or with a value of another event.
fn changed(text: &str, other: &str, rng: &mut Rng) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    let others: Vec<&str> = other.split(' ').collect();
    let at = usize::try_from(rng.between(0, i64::try_from(words.len()).unwrap() - 1)).unwrap();
    match rng.between(0, 3) {
        0 | 1 => words.insert(at, rng.pick::<&str>(&CHANGES)),
        2 => words[at] = rng.pick::<&str>(&others),
        _ => {
            let to = usize::try_from(rng.between(0, i64::try_from(words.len()).unwrap() - 1)).unwrap();
            words.swap(at, to);
        }
    }
    words.join(" ")
}

/// What a sentence says whatever the order of its words, to tell a change from none.
fn bag(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .to_lowercase()
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '"'))
        .filter(|word| !["", "a", "an", "the", "was", "at", "on", "in", "of", "with"].contains(word))
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

/// No sentence that was changed gets a tick, except one that says the same.
fn ticked_of_changed(off: fn(&mut Checks)) -> (u32, u32, String) {
    let (mut ticked, mut all, mut examples) = (0, 0, String::new());
    for seed in 1..=60 {
        let world = World::new(seed);
        let mut court = court(&world);
        off(&mut court.checks);
        let mut rng = Rng::new(seed ^ 0xC0FFEE);
        let told = told(&world, &court);
        for _ in 0..60 {
            let ((event, text), (_, other)) = (rng.pick(&told).clone(), rng.pick(&told).clone());
            let text = changed(&text, &other, &mut rng);
            // what says no more than before is no other sentence; a quotation may be any part of what was said
            let data = format!("{} {}", event.data, event.actor).to_lowercase();
            let more = |said: &String| {
                bag(&text)
                    .iter()
                    .any(|word| !bag(said).contains(word) && !data.contains(word.as_str()) && word != "from")
            };
            let same = told.iter().any(|(known, said)| known.id == event.id && !more(said));
            if same || text.contains('"') && !CHANGES.iter().any(|word| text.split(' ').any(|other| other == *word)) {
                continue;
            }
            all += 1;
            if verdict(&text, &event, &court).0 == ClaimVerdict::Supported {
                ticked += 1;
                if ticked < 20 {
                    examples.push_str(&format!("\n   seed {seed}: {text}"));
                }
            }
        }
    }
    (ticked, all, examples)
}

#[test]
fn no_sentence_with_a_changed_word_is_ticked() {
    let (ticked, all, examples) = ticked_of_changed(|_| ());
    println!("{ticked} of {all} changed sentences are ticked{examples}");
    assert!(all > 1_500, "{all}");
    assert_eq!(ticked, 0, "of {all}:{examples}");
}

#[test]
fn with_words_unread_many_changed_sentences_are_ticked() {
    let (ticked, all, _) = ticked_of_changed(|checks| checks.words = false);
    assert!(ticked * 10 > all, "{ticked} of {all}");
}
