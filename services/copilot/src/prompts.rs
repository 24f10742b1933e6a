//! What a model is told: three templates, embedded in the binary and replaceable by a folder. Their version is
//! a hash over all of them, which every reply records: a changed prompt is another version, never a silent one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The templates: name and embedded text. A folder's file has the name with `.md.j2` behind it.
const TEMPLATES: [(&str, &str); 3] = [
    ("system", include_str!("../../../prompts/system.md.j2")),
    ("user", include_str!("../../../prompts/user.md.j2")),
    ("schema", include_str!("../../../prompts/schema.md.j2")),
];
const TEMPLATE_BYTES_MAX: u64 = 64 * 1024;
const VERSION_DIGITS: usize = 12;

/// Prompts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// A file of the folder cannot be read.
    #[error("the prompt {0} cannot be read; give a readable file of at most 64 KiB, or leave it out")]
    Io(PathBuf, #[source] std::io::Error),
    /// A template is wrong, or names what is not there.
    #[error("the prompt {name} is wrong: {detail}")]
    Template {
        /// The template: `system`, `user` or `schema`.
        name: String,
        /// What is wrong, with the line.
        detail: String,
    },
}

/// The templates, compiled and checked; cheap to clone.
#[derive(Clone, Debug)]
pub struct Prompts {
    environment: Arc<Environment<'static>>,
    version: Arc<str>,
}

/// What the incident is called in a prompt.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct IncidentWords {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) severity: String,
}

/// Everything that the user prompt may name. Text of others is fenced already.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct UserWords {
    pub(crate) earlier: String,
    pub(crate) question: String,
    pub(crate) now: String,
    pub(crate) live: bool,
    pub(crate) incident: IncidentWords,
    pub(crate) cause: String,
    pub(crate) seen: String,
    pub(crate) runbooks: String,
    pub(crate) events: String,
    pub(crate) tools: bool,
}

impl Prompts {
    /// The embedded prompts.
    ///
    /// # Errors
    /// Never with the embedded ones, which a test renders.
    pub fn embedded() -> Result<Self, PromptError> {
        Self::of(TEMPLATES.map(|(name, text)| (name, text.to_owned())))
    }

    /// The embedded prompts, each replaced by the folder's file of its name where there is one.
    ///
    /// # Errors
    /// When a file cannot be read, is no template, or names what no prompt is given.
    pub fn open(folder: &Path) -> Result<Self, PromptError> {
        let mut texts = Vec::with_capacity(TEMPLATES.len());
        for (name, embedded) in TEMPLATES {
            let path = folder.join(format!("{name}.md.j2"));
            let text = if path.is_file() { read(&path)? } else { embedded.to_owned() };
            texts.push((name, text));
        }
        Self::of(texts)
    }

    fn of(texts: impl IntoIterator<Item = (&'static str, String)>) -> Result<Self, PromptError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut hasher = Sha256::new();
        for (name, text) in texts {
            for part in [name.as_bytes(), text.as_bytes()] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
            environment.add_template_owned(name, text).map_err(|error| wrong(name, &error))?;
        }
        let digits = hindcast_domain::hex::hex(&hasher.finalize());
        let version = digits.get(..VERSION_DIGITS).unwrap_or(&digits).into();
        let prompts = Self { environment: Arc::new(environment), version };
        // What a template names and nobody gives is found now, not when somebody asks.
        prompts.system()?;
        prompts.user(&UserWords::default())?;
        prompts.schema(1, true)?;
        prompts.schema(1, false)?;
        Ok(prompts)
    }

    /// The first digits of a hash over all templates.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    fn render(&self, name: &str, words: impl Into<minijinja::Value>) -> Result<String, PromptError> {
        let template = self.environment.get_template(name).map_err(|error| wrong(name, &error))?;
        template.render(words).map_err(|error| wrong(name, &error))
    }

    pub(crate) fn system(&self) -> Result<String, PromptError> {
        self.render("system", context! { open => crate::fence::OPEN, close => crate::fence::CLOSE })
    }

    pub(crate) fn user(&self, words: &UserWords) -> Result<String, PromptError> {
        self.render("user", Serde(words))
    }

    pub(crate) fn schema(&self, claims_max: usize, unresolved: bool) -> Result<String, PromptError> {
        self.render("schema", context! { claims_max, unresolved })
    }
}

fn read(path: &Path) -> Result<String, PromptError> {
    let io = |error| PromptError::Io(path.to_owned(), error);
    if std::fs::metadata(path).map_err(io)?.len() > TEMPLATE_BYTES_MAX {
        return Err(io(std::io::Error::other("it is too large")));
    }
    std::fs::read_to_string(path).map_err(io)
}

fn wrong(name: &str, error: &minijinja::Error) -> PromptError {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    PromptError::Template { name: name.to_owned(), detail: format!("{error}{line}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> UserWords {
        UserWords {
            earlier: String::new(),
            question: crate::fence::fence("what caused it?"),
            now: "2026-11-24T12:10:00Z".into(),
            live: true,
            incident: IncidentWords {
                id: "INC-0123456789ABCDEF".into(),
                status: "open".into(),
                severity: "critical".into(),
            },
            cause: "postgres: connections ran out (E1, E2)".into(),
            seen: "never seen".into(),
            runbooks: "none fits".into(),
            events: crate::fence::fence("E1 12:00:00 PgDown on postgres fired (critical)"),
            tools: true,
        }
    }

    #[test]
    fn the_prompts_are_these() {
        let prompts = Prompts::embedded().unwrap();
        insta::assert_snapshot!("system", prompts.system().unwrap());
        insta::assert_snapshot!("user", prompts.user(&words()).unwrap());
        let past = UserWords { live: false, tools: false, earlier: "You said: …".into(), ..words() };
        insta::assert_snapshot!("user_of_the_past", prompts.user(&past).unwrap());
        insta::assert_snapshot!("schema", prompts.schema(6, true).unwrap());
    }

    #[test]
    fn a_changed_template_is_another_version_and_a_wrong_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let embedded = Prompts::embedded().unwrap();
        assert_eq!(Prompts::open(folder.path()).unwrap().version(), embedded.version());
        std::fs::write(folder.path().join("system.md.j2"), "Be brief.").unwrap();
        let own = Prompts::open(folder.path()).unwrap();
        assert_ne!(own.version(), embedded.version());
        assert_eq!(own.system().unwrap(), "Be brief.");
        std::fs::write(folder.path().join("user.md.j2"), "{{ nothing_of_ours }}").unwrap();
        let refused = Prompts::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("user"), "{refused}");
    }
}
