//! The rules file: its form, its checks, and the compiled rules. Owns what a rule may say; refuses to know any exporter
//! by name: those are in `rules.yaml`.

use std::collections::BTreeMap;

use hindcast_domain::entity::EntityKind;
use hindcast_domain::yaml;
use serde::Deserialize;

use crate::memo::AnswerMemo;
use crate::pattern::Pattern;

/// Exporters of one file.
const EXPORTERS_MAX: usize = 500;
/// Subjects of one exporter.
const SUBJECTS_MAX: usize = 50;

/// What is wrong with a rules file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// It is no YAML of the expected form.
    #[error("expected a rules file: {0}")]
    Form(#[from] yaml::YamlError),
    /// A rule that cannot be followed.
    #[error("{exporter}: expected {expected}, got {got:?}")]
    Rule {
        /// The exporter whose rule it is.
        exporter: String,
        /// What would be right.
        expected: &'static str,
        /// What came.
        got: String,
    },
}

/// Where an exporter stands, seen from what it measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stands {
    /// It measures many other things: the labels of its own scrape target name none of them.
    Apart,
    /// One exporter for one server: the scrape target says where the server is.
    Beside,
    /// The program reports on itself.
    Inside,
}

/// How a label's value becomes a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameShape {
    /// The label as it came.
    Whole,
    /// The host of an address: without scheme, user, path and port.
    Host,
}

/// Where a name comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) label: String,
    /// The label under which a scraper keeps the exporter's own value when its target has the same label.
    pub(crate) exported: String,
    pub(crate) shape: NameShape,
}

impl Pick {
    fn compile(text: &str) -> Option<Self> {
        let (shape, label) = match text.strip_prefix("host(").and_then(|rest| rest.strip_suffix(')')) {
            Some(label) => (NameShape::Host, label),
            None => (NameShape::Whole, text),
        };
        let is_name = !label.is_empty() && !label.contains(['(', ')', ' ']);
        is_name.then(|| Self { label: label.to_owned(), exported: format!("exported_{label}"), shape })
    }
}

/// One kind of thing that an exporter's alerts can be about.
#[derive(Clone, Debug)]
pub(crate) struct SubjectRule {
    pub(crate) kind: EntityKind,
    /// Names of alerts to which it applies; all where empty.
    pub(crate) alerts: Vec<Pattern>,
    /// Labels that must be there.
    pub(crate) with: Vec<String>,
    pub(crate) name: Vec<Pick>,
    /// The name where no label gives one.
    pub(crate) is: Option<String>,
    pub(crate) namespace: Vec<Pick>,
    /// Whether the exporter is a part of what is broken, so that nobody else observed it.
    pub(crate) itself: bool,
    /// How receipts and explanations call it.
    pub(crate) rule: String,
}

/// An exporter, or a program that reports on itself, with what its alerts can be about.
#[derive(Clone, Debug)]
pub(crate) struct Exporter {
    pub(crate) name: String,
    pub(crate) stands: Stands,
    pub(crate) jobs: Vec<Pattern>,
    pub(crate) alerts: Vec<Pattern>,
    pub(crate) alerts_maybe: Vec<Pattern>,
    pub(crate) marks: Vec<String>,
    pub(crate) cluster: Vec<Pick>,
    pub(crate) subjects: Vec<SubjectRule>,
}

/// All rules, compiled.
#[derive(Clone, Debug)]
pub(crate) struct CompiledRules {
    pub(crate) exporters: Vec<Exporter>,
    pub(crate) services: Vec<(String, EntityKind)>,
    pub(crate) shapes: Vec<SubjectRule>,
    /// Names of alerts that say a scrape target does not answer.
    pub(crate) down: Vec<Pattern>,
    /// Names that scrape configurations give to many things at once, and names of exporters of no rule.
    pub(crate) watchers: Vec<Pattern>,
    /// Labels that only one exporter has, with the first exporter that claims each.
    pub(crate) marks: BTreeMap<String, usize>,
    /// What was found for texts in lower case.
    pub(crate) known: KnownTexts,
}

/// Answers that follow from a text in lower case alone; an exporter is told by its place in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownTexts {
    /// The exporter that a job names.
    pub(crate) jobs: AnswerMemo<Option<usize>>,
    /// The exporter whose alerts bear a name.
    pub(crate) alerts: AnswerMemo<Option<usize>>,
    /// The exporter whose alerts may bear a name, as services' may.
    pub(crate) alerts_maybe: AnswerMemo<Option<usize>>,
    /// The exporter that a program is, with how well its name fits.
    pub(crate) programs: AnswerMemo<Option<(usize, usize)>>,
    /// Whether a value names any exporter.
    pub(crate) watchers: AnswerMemo<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(rename = "version")]
    _version: u32,
    services: Vec<ServiceForm>,
    watchers: Vec<String>,
    down: Vec<String>,
    exporters: Vec<ExporterForm>,
    shapes: Vec<SubjectForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceForm {
    label: String,
    kind: EntityKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExporterForm {
    exporter: String,
    source: String,
    stands: Stands,
    #[serde(default)]
    jobs: Vec<String>,
    #[serde(default)]
    alerts: Vec<String>,
    #[serde(default)]
    alerts_maybe: Vec<String>,
    #[serde(default)]
    marks: Vec<String>,
    #[serde(default = "cluster_label")]
    cluster: Vec<String>,
    #[serde(default)]
    subjects: Vec<SubjectForm>,
}

fn cluster_label() -> Vec<String> {
    vec!["cluster".to_owned()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectForm {
    kind: EntityKind,
    #[serde(default)]
    alerts: Vec<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    name: Vec<String>,
    #[serde(default)]
    is: Option<String>,
    #[serde(default = "namespace_label")]
    namespace: Vec<String>,
    #[serde(default)]
    itself: bool,
    #[serde(default)]
    source: Option<String>,
}

fn namespace_label() -> Vec<String> {
    vec!["namespace".to_owned()]
}

/// Reads and checks a rules file.
pub(crate) fn compile(text: &str) -> Result<CompiledRules, RulesError> {
    let file: FileForm = yaml::read(text)?;
    let of_file = Checked { exporter: "rules" };
    if file.exporters.len() > EXPORTERS_MAX {
        return of_file.wrong("at most 500 exporters", &file.exporters.len().to_string());
    }
    let exporters: Vec<Exporter> = file.exporters.into_iter().map(exporter).collect::<Result<_, _>>()?;
    let mut marks = BTreeMap::new();
    for (place, exporter) in exporters.iter().enumerate() {
        exporter.marks.iter().for_each(|mark| {
            marks.entry(mark.clone()).or_insert(place);
        });
    }
    Ok(CompiledRules {
        exporters,
        marks,
        known: KnownTexts::default(),
        services: file.services.into_iter().map(|form| (form.label, form.kind)).collect(),
        shapes: Checked { exporter: "labels" }.subjects(file.shapes, "labels")?,
        down: of_file.patterns(&file.down)?,
        watchers: of_file.patterns(&file.watchers)?,
    })
}

fn exporter(form: ExporterForm) -> Result<Exporter, RulesError> {
    let check = Checked { exporter: &form.exporter };
    check.source(&form.source)?;
    let jobs = check.patterns(&form.jobs)?;
    let alerts = check.patterns(&form.alerts)?;
    let alerts_maybe = check.patterns(&form.alerts_maybe)?;
    if jobs.is_empty() && alerts.is_empty() && form.marks.is_empty() {
        return check.wrong("jobs, alerts or marks by which it is known", "none");
    }
    Ok(Exporter {
        stands: form.stands,
        cluster: check.picks(&form.cluster)?,
        subjects: check.subjects(form.subjects, &form.exporter)?,
        name: form.exporter,
        jobs,
        alerts,
        alerts_maybe,
        marks: form.marks,
    })
}

/// Checks the parts of one exporter's rules.
struct Checked<'a> {
    exporter: &'a str,
}

impl Checked<'_> {
    fn wrong<T>(&self, expected: &'static str, got: &str) -> Result<T, RulesError> {
        Err(RulesError::Rule { exporter: self.exporter.to_owned(), expected, got: got.to_owned() })
    }

    fn source(&self, source: &str) -> Result<(), RulesError> {
        if source.starts_with("https://") { Ok(()) } else { self.wrong("a source as an https address", source) }
    }

    fn patterns(&self, texts: &[String]) -> Result<Vec<Pattern>, RulesError> {
        let compiled = |text: &String| match Pattern::compile(text) {
            Some(pattern) => Ok(pattern),
            None => self.wrong("a pattern with `*` at its ends alone", text),
        };
        texts.iter().map(compiled).collect()
    }

    fn picks(&self, texts: &[String]) -> Result<Vec<Pick>, RulesError> {
        let compiled = |text: &String| match Pick::compile(text) {
            Some(pick) => Ok(pick),
            None => self.wrong("a label or host(label)", text),
        };
        texts.iter().map(compiled).collect()
    }

    fn subjects(&self, forms: Vec<SubjectForm>, owner: &str) -> Result<Vec<SubjectRule>, RulesError> {
        if forms.len() > SUBJECTS_MAX {
            return self.wrong("at most 50 subjects", &forms.len().to_string());
        }
        forms.into_iter().map(|form| self.subject(form, owner)).collect()
    }

    fn subject(&self, form: SubjectForm, owner: &str) -> Result<SubjectRule, RulesError> {
        if let Some(source) = &form.source {
            self.source(source)?;
        }
        if form.name.is_empty() && form.is.is_none() {
            return self.wrong("`name` or `is` for every subject", form.kind.as_str());
        }
        Ok(SubjectRule {
            alerts: self.patterns(&form.alerts)?,
            with: form.with,
            name: self.picks(&form.name)?,
            namespace: self.picks(&form.namespace)?,
            rule: format!("{owner}/{}", form.kind.as_str()),
            is: form.is,
            itself: form.itself,
            kind: form.kind,
        })
    }
}
