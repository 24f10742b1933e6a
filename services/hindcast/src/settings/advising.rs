//! Settings of what advises: telemetry, memory, runbooks and the copilot. Secrets are named, never held.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::vector_stores::{MemoryFlags, MemorySettings};

/// The flags of what advises.
#[derive(Args, Clone, Debug, Default)]
pub struct AdvisingFlags {
    /// An OpenAI-compatible server that the copilot may ask, such as http://127.0.0.1:8080/v1 [default: none].
    #[arg(long, value_name = "URL", env = "HINDCAST_MODEL_URL")]
    pub model_url: Option<String>,

    /// The model's name at that server.
    #[arg(long, value_name = "NAME", env = "HINDCAST_MODEL")]
    pub model: Option<String>,

    #[command(flatten)]
    pub memory: MemoryFlags,

    /// A folder of runbooks, beside those that are built in.
    #[arg(long, value_name = "DIR", env = "HINDCAST_RUNBOOKS")]
    pub runbooks: Option<PathBuf>,
}

/// How telemetry is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// How long, in hours.
    pub retention_h: i64,
    /// How much at most, in megabytes on disk; pinned windows come on top.
    pub max_mb: u64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { retention_h: 24, max_mb: 4_096 }
    }
}

/// Whether and how a language model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CopilotSettings {
    /// An OpenAI-compatible server; nobody is asked where absent.
    pub base_url: Option<String>,
    /// The model's name at that server.
    pub model: Option<String>,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// Dollars for a million tokens read.
    pub input_price: f64,
    /// Dollars for a million tokens written.
    pub output_price: f64,
    /// Most calls of the language model for one answer.
    pub calls_per_answer: u32,
    /// Tokens of one reply.
    pub tokens_per_answer: u32,
    /// Tokens of one answer, read and written, over all its calls.
    pub answer_tokens_max: u64,
    /// Most seconds that an answer may take.
    pub seconds_per_answer: u64,
    /// Most calls of the language model for one incident.
    pub calls_per_incident: u32,
    /// Most calls of the language model in one day, over all incidents.
    pub calls_per_day: u32,
    /// Dollars for one answer; 0 for no limit.
    pub dollars_per_answer: f64,
    /// Dollars for one incident, within 30 days; 0 for no limit.
    pub dollars_per_incident: f64,
    /// Dollars a day; 0 for no limit.
    pub dollars_per_day: f64,
    /// A folder of prompts that replace those that are built in.
    pub prompts: Option<PathBuf>,
}

impl Default for CopilotSettings {
    fn default() -> Self {
        Self {
            base_url: None,
            model: None,
            api_key_env: None,
            input_price: 0.0,
            output_price: 0.0,
            calls_per_answer: 6,
            tokens_per_answer: 2_000,
            answer_tokens_max: 60_000,
            seconds_per_answer: 120,
            calls_per_incident: 60,
            calls_per_day: 500,
            dollars_per_answer: 0.5,
            dollars_per_incident: 1.0,
            dollars_per_day: 5.0,
            prompts: None,
        }
    }
}

impl CopilotSettings {
    /// Every key that is money, with what it says.
    fn money(&self) -> [(&'static str, f64); 5] {
        [
            ("input_price", self.input_price),
            ("output_price", self.output_price),
            ("dollars_per_answer", self.dollars_per_answer),
            ("dollars_per_incident", self.dollars_per_incident),
            ("dollars_per_day", self.dollars_per_day),
        ]
    }

    /// Bounds of the model's use, as the copilot takes them.
    #[must_use]
    pub fn caps(&self) -> hindcast_copilot::Caps {
        let seconds = Duration::from_secs(self.seconds_per_answer);
        hindcast_copilot::Caps {
            steps_max: self.calls_per_answer.saturating_sub(1),
            reply_tokens_max: self.tokens_per_answer,
            answer_tokens_max: self.answer_tokens_max,
            answer_cost_micros_max: micros(self.dollars_per_answer),
            call_timeout: seconds,
            answer_timeout: seconds,
            incident_calls_max: self.calls_per_incident,
            incident_cost_micros_max: micros(self.dollars_per_incident),
            day_calls_max: self.calls_per_day,
            day_cost_micros_max: micros(self.dollars_per_day),
            ..hindcast_copilot::Caps::default()
        }
    }
}

/// Dollars as millionths, rounded up, so that no cap becomes "no limit" by being small.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it saturates, and was checked to be 0 or more
fn micros(dollars: f64) -> u64 {
    (dollars * 1_000_000.0).ceil() as u64
}

/// All of it, resolved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdvisingSettings {
    /// How telemetry is kept.
    pub telemetry: TelemetrySettings,
    /// How the past is remembered.
    pub memory: MemorySettings,
    /// Whether and how a language model is asked.
    pub copilot: CopilotSettings,
    /// A folder of runbooks, beside those that are built in.
    pub runbooks: Option<PathBuf>,
}

impl AdvisingSettings {
    /// Lays the flags over what the file says, and checks it.
    ///
    /// # Errors
    /// What makes no sense, and what to do.
    pub fn resolve(mut self, flags: &AdvisingFlags) -> anyhow::Result<Self> {
        let over = |flag: &Option<String>, file: Option<String>| flag.clone().or(file);
        self.copilot.base_url = over(&flags.model_url, self.copilot.base_url);
        self.copilot.model = over(&flags.model, self.copilot.model);
        self.memory = self.memory.under(&flags.memory);
        self.runbooks = flags.runbooks.clone().or(self.runbooks);
        if let Some(url) = &self.copilot.base_url {
            ensure!(
                url.starts_with("http://") || url.starts_with("https://"),
                "expected base_url of [copilot] to be an http or https address, got {url:?}"
            );
            if self.copilot.model.is_none() {
                bail!(
                    "expected the model's name beside its address\nremedy: set --model, HINDCAST_MODEL, or model under [copilot]"
                );
            }
        }
        ensure!(
            self.telemetry.retention_h > 0 && self.telemetry.max_mb > 0,
            "expected retention_h and max_mb of [telemetry] above 0"
        );
        ensure!(
            self.copilot.calls_per_answer > 0
                && self.copilot.tokens_per_answer > 0
                && self.copilot.answer_tokens_max > 0
                && self.copilot.seconds_per_answer > 0,
            "expected the caps per answer of [copilot] above 0"
        );
        for (key, dollars) in self.copilot.money() {
            ensure!(
                dollars.is_finite() && dollars >= 0.0,
                "expected {key} of [copilot] to be dollars of 0 or more, got {dollars}"
            );
        }
        Ok(self)
    }

    /// As people may see it.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        let mut shown = self.clone();
        shown.copilot.base_url = shown.copilot.base_url.as_deref().map(super::values::without_credentials);
        shown.memory = shown.memory.shown();
        serde_json::to_value(shown).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(toml: &str) -> anyhow::Result<AdvisingSettings> {
        AdvisingSettings { copilot: toml::from_str(toml)?, ..AdvisingSettings::default() }
            .resolve(&AdvisingFlags::default())
    }

    #[test]
    fn each_cap_of_the_file_reaches_the_copilot() -> anyhow::Result<()> {
        let file = "calls_per_answer = 3\ntokens_per_answer = 7\nanswer_tokens_max = 70\nseconds_per_answer = 5\n\
                    calls_per_incident = 11\ncalls_per_day = 13\ndollars_per_answer = 0.25\n\
                    dollars_per_incident = 0.0000001\ndollars_per_day = 0";
        let caps = resolved(file)?.copilot.caps();
        assert_eq!((caps.steps_max, caps.reply_tokens_max, caps.answer_tokens_max), (2, 7, 70));
        assert_eq!((caps.incident_calls_max, caps.day_calls_max), (11, 13));
        assert_eq!(caps.answer_cost_micros_max, 250_000);
        assert_eq!(caps.incident_cost_micros_max, 1, "a small cap is no missing one");
        assert_eq!(caps.day_cost_micros_max, 0, "0 is no limit");
        assert_eq!(caps.answer_timeout, Duration::from_secs(5));
        Ok(())
    }

    #[test]
    fn money_that_is_none_is_refused_by_its_name() {
        for key in ["input_price", "output_price", "dollars_per_answer", "dollars_per_incident", "dollars_per_day"] {
            for wrong in ["-0.5", "nan", "inf"] {
                let said = resolved(&format!("{key} = {wrong}")).err().map(|error| error.to_string());
                assert!(said.as_ref().is_some_and(|said| said.contains(key)), "{key} = {wrong}: {said:?}");
            }
            assert!(resolved(&format!("{key} = 0")).is_ok());
        }
        assert!(resolved("answer_tokens_max = 0").is_err());
    }
}
