//! What a pattern means to Go, what Go refuses, and that any text is read or refused.

use super::*;

fn is_match(pattern: &str, text: &str) -> bool {
    anchored(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}")).is_match(text)
}

#[test]
fn a_pattern_means_what_it_means_to_go() {
    for (pattern, text) in [
        (r"api\-gw\.prod", "api-gw.prod"),
        (r"a\<b\>\_\@\/", "a<b>_@/"),
        (r"\Qa.b\E", "a.b"),
        (r"\Qa.b*", "a.b*"),
        (r"\Qa.\E+", "a..."),
        ("a{", "a{"),
        ("tmpl-{{x}}", "tmpl-{{x}}"),
        ("a{1,2,3}}", "a{1,2,3}}"),
        ("x{,2}", "x{,2}"),
        ("[^[]+", "abc"),
        ("[[]x", "[x"),
        ("[]a]+", "a]"),
        ("[a-c-e]+", "ab-e"),
        ("[a-]+", "a-"),
        ("[a&&b]+", "&ab"),
        ("[x~~+--z]+", "~,-xz"),
        (r"[\]\\[]+", r"[\]"),
        (r"[[:alpha:][:^digit:]]", "é"),
        (r"[\w.-]{1,253}", "web-1.eu"),
        (r"[^\D]+", "12"),
        (r"\w{1,63}\.\w{1,63}\.example\.com", "web.eu.example.com"),
        (r"\x41\x{1F600}\101\0", "A\u{1F600}A\0"),
        (r"\pL\p{Greek}\P{^Greek}", "xαβ"),
        ("(?i)Db|(?P<n>x)(?<m>y)", "dB"),
        ("(?i:a)b", "Ab"),
        ("(?s-i:.)", "\n"),
        ("a||b", ""),
        ("()", ""),
        (r"a\b.\bb", "a b"),
        ("名前", "名前"),
        ("a{2}?", "aa"),
    ] {
        assert!(is_match(pattern, text), "{pattern} {text:?}");
    }
    for (pattern, text) in [
        (r"\d+", "٣٤"),
        (r"\w+", "é"),
        (r"\s", "\u{a0}"),
        (r"\s", "\u{b}"),
        (".", "\n"),
        ("ab", "xab"),
        ("a|b", "ab"),
        (r"é\b", "é"),
    ] {
        assert!(!is_match(pattern, text), "{pattern} {text:?}");
    }
}

#[test]
fn what_go_refuses_is_refused() {
    for pattern in [
        "(",
        ")",
        "a)(",
        "[",
        "[a",
        "[z-a]",
        "[[:nothing:]]",
        "*",
        "a**",
        "a|*",
        "(*a)",
        "a{1001}",
        "a{3,2}",
        r"\1",
        r"\8",
        r"\C",
        r"\E",
        r"\y",
        r"\é",
        r"\",
        r"\x4",
        r"\x{110000}",
        r"\p{Nothing}",
        "(?=a)",
        "(?!a)",
        "(?#a)",
        "(?x)a",
        "(?)a",
        "(?i-)a",
        "(?P<>a)",
        "(?P<a",
        "(?P=a)",
        "(?>a)",
        "a??*",
        "a+*",
    ] {
        assert!(anchored(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn long_alternations_fit_and_what_is_too_long_does_not() {
    let names: Vec<String> = (0..6_000).map(|n| format!("host-{n}.example.com")).collect();
    let pattern = names.join("|");
    assert!(is_match(&pattern, "host-5999.example.com") && !is_match(&pattern, "host-6000.example.com"));
    assert_eq!(anchored(&"a".repeat(PATTERN_MAX + 1)).err(), Some(BadPattern::Long));
    assert!(anchored(&"(".repeat(PATTERN_MAX)).is_err(), "no depth overflows the stack");
}

/// Whatever is written, reading it ends, and what is read compiles or is named too large.
#[test]
fn any_text_is_read_or_refused() {
    const PIECES: [&str; 32] = [
        "a", "\\", "[", "]", "(", ")", "{", "}", "*", "+", "?", "|", "^", "$", ".", "-", "1", ",", ":", "p", "Q", "E",
        "x", "é", "&", "~", "#", " ", "i", "<", ">", "P",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut sound = 0;
    for _ in 0..3_000 {
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let many = 1 + next(12);
        let pattern: String = (0..many).map(|_| PIECES[next(PIECES.len())]).collect();
        match anchored(&pattern) {
            Ok(regex) => {
                sound += 1;
                let _ = regex.is_match("a-[1]");
            }
            Err(why) => assert_ne!(why, BadPattern::Size, "{pattern} is sound to us and not to the engine"),
        }
    }
    assert!(sound > 200, "{sound} of 3,000 were expressions");
}
