//! Fills a runbook's parameters: every value checked, none unknown, none missing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::rendered;
use super::{InvalidRunbook, Runbook, RunbookStep, value};

/// A runbook with its parameters filled in, for reading.
#[derive(Clone, Debug, PartialEq)]
pub struct FilledRunbook {
    /// Every parameter, defaults included.
    pub params: BTreeMap<String, Value>,
    /// What it would touch.
    pub targets: Vec<String>,
    /// What to look at before, then what to do.
    pub steps: Vec<String>,
    /// What should be seen afterwards.
    pub effect: String,
    /// The runbook's title.
    pub title: String,
}

/// Fills a runbook.
///
/// # Errors
/// The first parameter that is unknown, missing, or may not have its value.
pub fn fill(runbook: &Runbook, params: &BTreeMap<String, Value>) -> Result<FilledRunbook, InvalidRunbook> {
    if let Some(got) = params.keys().find(|name| !runbook.params.contains_key(*name)) {
        let known: Vec<&str> = runbook.params.keys().map(String::as_str).collect();
        return Err(InvalidRunbook::Unknown { known: known.join(", "), got: value::cut(got) });
    }
    let mut filled = BTreeMap::new();
    for (name, param) in &runbook.params {
        let given = params.get(name).filter(|value| !value.is_null()).or(param.default.as_ref());
        let given = given.ok_or_else(|| InvalidRunbook::Missing { name: name.clone(), about: param.about.clone() })?;
        filled.insert(name.clone(), value::checked(name, param, given)?);
    }
    let put = |text: &str| rendered(text, |name| filled.get(name).map(value::written));
    let line = |label: &str, step: &RunbookStep| {
        let text = put(&step.text);
        match &step.command {
            Some(command) => format!("{label}{text}\n    {}", put(command).replace('\n', "\n    ")),
            None => format!("{label}{text}"),
        }
    };
    let checks = runbook.checks.iter().map(|step| line("Check: ", step));
    let steps = checks.chain(runbook.steps.iter().map(|step| line("", step))).collect();
    Ok(FilledRunbook {
        targets: runbook.targets.iter().map(|target| put(target)).collect(),
        effect: format!("{} (within {})", put(&runbook.effect.text), runbook.effect.within),
        title: put(&runbook.title),
        steps,
        params: filled,
    })
}
