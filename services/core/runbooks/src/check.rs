//! Checks a runbook before anything is proposed from it: names, patterns, bounds, placeholders and sources.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::{Applies, InvalidRunbook, PARAMS_MAX, Runbook, RunbookParam, RunbookSign, STEPS_MAX, Type, value};

/// Characters of a text at most.
const TEXT_CHARS_MAX: usize = 2_000;
/// Signs, targets, phrases and patterns of one list.
const LIST_MAX: usize = 32;

static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{\s*([A-Za-z0-9_.-]*)\s*\}\}").ok());

/// Checks a runbook.
///
/// # Errors
/// The first field that is wrong, with what was expected there.
pub fn check(runbook: &Runbook) -> Result<(), InvalidRunbook> {
    name("name", &runbook.name, 64)?;
    for (field, text) in [
        ("title", &runbook.title),
        ("about", &runbook.about),
        ("effect.text", &runbook.effect.text),
        ("risk.what", &runbook.risk.what),
        ("reversible.how", &runbook.reversible.how),
    ] {
        self::text(field, text)?;
    }
    if runbook.title.contains('\n') {
        return Err(wrong("title", "one line", &runbook.title));
    }
    if value::seconds(&runbook.effect.within).is_none() {
        return Err(wrong("effect.within", "a length of time such as 5m", &runbook.effect.within));
    }
    applies(&runbook.applies)?;
    if runbook.params.len() > PARAMS_MAX {
        return Err(wrong("params", &format!("at most {PARAMS_MAX}"), &runbook.params.len().to_string()));
    }
    for (key, param) in &runbook.params {
        name(&format!("params.{key}"), &key.replace('_', "-"), 32)?;
        self::param(&format!("params.{key}"), param)?;
    }
    lists(runbook)?;
    placeholders(runbook)
}

fn wrong(field: &str, expected: &str, got: &str) -> InvalidRunbook {
    InvalidRunbook::Field {
        field: field.to_owned(),
        expected: expected.to_owned(),
        got: format!("{:?}", value::cut(got)),
    }
}

fn name(field: &str, name: &str, length_max: usize) -> Result<(), InvalidRunbook> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if plain && begins && name.len() <= length_max {
        return Ok(());
    }
    Err(wrong(field, &format!("a name of at most {length_max} lower-case letters, digits and hyphens"), name))
}

fn text(field: &str, text: &str) -> Result<(), InvalidRunbook> {
    if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        return Err(wrong(field, &format!("1 to {TEXT_CHARS_MAX} characters"), text));
    }
    Ok(())
}

fn pattern(field: &str, pattern: &str) -> Result<(), InvalidRunbook> {
    match Regex::new(pattern) {
        Ok(_) if pattern.len() <= 500 => Ok(()),
        _ => Err(wrong(field, "a regular expression of at most 500 characters", pattern)),
    }
}

fn list<T>(field: &str, items: &[T], least: usize, most: usize) -> Result<(), InvalidRunbook> {
    if (least..=most).contains(&items.len()) {
        return Ok(());
    }
    Err(wrong(field, &format!("{least} to {most} items"), &items.len().to_string()))
}

fn applies(applies: &Applies) -> Result<(), InvalidRunbook> {
    list("applies.service", &applies.service, 0, LIST_MAX)?;
    list("applies.signs", &applies.signs, 0, LIST_MAX)?;
    for expression in &applies.service {
        pattern("applies.service", expression)?;
    }
    for sign in &applies.signs {
        if *sign == RunbookSign::default() {
            return Err(wrong("applies.signs", "words, text, alert or metric", "an empty sign"));
        }
        if sign.moved.is_some() && sign.metric.is_none() {
            return Err(wrong("applies.signs", "a metric beside moved", "moved alone"));
        }
        for expression in [&sign.text, &sign.alert, &sign.metric].into_iter().flatten() {
            pattern("applies.signs", expression)?;
        }
    }
    Ok(())
}

fn param(field: &str, param: &RunbookParam) -> Result<(), InvalidRunbook> {
    text(&format!("{field}.about"), &param.about)?;
    let of_string = param.pattern.is_some() || !param.one_of.is_empty() || param.max_length.is_some();
    if of_string && param.kind != Type::String {
        return Err(wrong(field, "pattern, one_of and max_length for a string only", "them for another type"));
    }
    if let Some(pattern) = &param.pattern
        && value::whole(pattern).is_err()
    {
        return Err(wrong(&format!("{field}.pattern"), "a regular expression", pattern));
    }
    if let Some(unsafe_one) = param.one_of.iter().find(|one| !value::is_safe(one)) {
        return Err(wrong(&format!("{field}.one_of"), "values of safe characters", unsafe_one));
    }
    for (bound, value) in [("min", &param.min), ("max", &param.max)] {
        if let Some(value) = value
            && value::size(param.kind, value).is_none()
        {
            return Err(wrong(&format!("{field}.{bound}"), "a bound of the parameter's type", &value.to_string()));
        }
    }
    if matches!(param.kind, Type::Integer | Type::Number | Type::Duration)
        && (param.min.is_none() || param.max.is_none())
    {
        return Err(wrong(field, "min and max", "an open range"));
    }
    if let Some(default) = &param.default {
        value::checked(field, param, default)?;
    }
    for source in &param.from {
        if !is_source(source) {
            return Err(wrong(
                &format!("{field}.from"),
                "cause.service, alert.label.NAME, alert.annotation.NAME, change.version, change.previous_version, finding.metric or incident.id",
                source,
            ));
        }
    }
    Ok(())
}

fn is_source(source: &str) -> bool {
    let fixed = ["cause.service", "change.version", "change.previous_version", "finding.metric", "incident.id"];
    let named = |prefix: &str| source.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    fixed.contains(&source) || named("alert.label.") || named("alert.annotation.")
}

fn lists(runbook: &Runbook) -> Result<(), InvalidRunbook> {
    list("targets", &runbook.targets, 1, LIST_MAX)?;
    list("steps", &runbook.steps, 1, STEPS_MAX)?;
    list("checks", &runbook.checks, 0, STEPS_MAX)?;
    list("known_as", &runbook.known_as, 0, LIST_MAX)?;
    for target in &runbook.targets {
        text("targets", target)?;
    }
    for step in runbook.checks.iter().chain(&runbook.steps) {
        text("steps.text", &step.text)?;
        step.command.iter().try_for_each(|command| text("steps.command", command))?;
    }
    runbook.known_as.iter().try_for_each(|phrase| text("known_as", phrase))
}

/// Every placeholder is a parameter, and every parameter is used.
fn placeholders(runbook: &Runbook) -> Result<(), InvalidRunbook> {
    let Some(regex) = PLACEHOLDER.as_ref() else {
        return Ok(());
    };
    let steps = runbook.checks.iter().chain(&runbook.steps);
    let texts = steps.flat_map(|step| std::iter::once(&step.text).chain(&step.command)).chain(&runbook.targets);
    let mut used = BTreeSet::new();
    for text in texts.chain([&runbook.effect.text, &runbook.title]) {
        for captures in regex.captures_iter(text) {
            let name = captures.get(1).map_or("", |name| name.as_str());
            if !runbook.params.contains_key(name) {
                return Err(wrong("steps", "placeholders of parameters that it has", name));
            }
            used.insert(name.to_owned());
        }
    }
    match runbook.params.keys().find(|name| !used.contains(*name)) {
        Some(name) => Err(wrong("params", "parameters that a step or target uses", name)),
        None => Ok(()),
    }
}

/// Puts values in the places of their parameters.
pub(super) fn rendered(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let Some(regex) = PLACEHOLDER.as_ref() else {
        return text.to_owned();
    };
    let put = |captures: &regex::Captures| {
        let whole = captures.get(0).map_or("", |whole| whole.as_str());
        captures.get(1).and_then(|name| value(name.as_str())).unwrap_or_else(|| whole.to_owned())
    };
    regex.replace_all(text, put).trim().to_owned()
}
