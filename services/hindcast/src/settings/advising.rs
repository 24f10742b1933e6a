//! Settings of what advises: telemetry, memory, runbooks and the copilot. Secrets are named, never held.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

/// The flags of what advises.
#[derive(Args, Clone, Debug, Default)]
pub struct AdvisingFlags {
    /// An OpenAI-compatible server that the copilot may ask, such as http://127.0.0.1:8080/v1 [default: none].
    #[arg(long, value_name = "URL", env = "HINDCAST_MODEL_URL")]
    pub model_url: Option<String>,

    /// The model's name at that server.
    #[arg(long, value_name = "NAME", env = "HINDCAST_MODEL")]
    pub model: Option<String>,

    /// Where the embedding model lies [default: where `hindcast embedder install` puts it].
    #[arg(long, value_name = "DIR", env = "HINDCAST_MODEL_DIR")]
    pub model_dir: Option<PathBuf>,

    /// A Qdrant server that keeps the vectors [default: files in the data folder].
    #[arg(long, value_name = "URL", env = "QDRANT_URL")]
    pub qdrant_url: Option<String>,

    /// A folder of runbooks, beside those that are built in.
    #[arg(long, value_name = "DIR", env = "HINDCAST_RUNBOOKS")]
    pub runbooks: Option<PathBuf>,
}

/// How telemetry is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// How long, in hours.
    pub retention_h: i64,
    /// How much at most, in megabytes on disk; pinned windows come on top.
    pub max_mb: u64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { retention_h: 24, max_mb: 4_096 }
    }
}

/// How the past is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Where the embedding model lies.
    pub model_dir: Option<PathBuf>,
    /// A Qdrant server that keeps the vectors; files in the data folder where absent.
    pub qdrant_url: Option<String>,
    /// The environment variable that holds its key.
    pub qdrant_api_key_env: Option<String>,
}

/// Whether and how a language model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Copilot {
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
    /// Calls for one answer.
    pub calls_per_answer: u32,
    /// Tokens written for one answer.
    pub tokens_per_answer: u32,
    /// Seconds for one answer.
    pub seconds_per_answer: u64,
    /// Calls for one incident.
    pub calls_per_incident: u32,
    /// Calls a day.
    pub calls_per_day: u32,
    /// Dollars a day; 0 for no limit.
    pub dollars_per_day: f64,
    /// A folder of prompts that replace those that are built in.
    pub prompts: Option<PathBuf>,
}

impl Default for Copilot {
    fn default() -> Self {
        Self {
            base_url: None,
            model: None,
            api_key_env: None,
            input_price: 0.0,
            output_price: 0.0,
            calls_per_answer: 6,
            tokens_per_answer: 2_000,
            seconds_per_answer: 120,
            calls_per_incident: 60,
            calls_per_day: 500,
            dollars_per_day: 5.0,
            prompts: None,
        }
    }
}

/// All of it, resolved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Advising {
    /// How telemetry is kept.
    pub telemetry: Telemetry,
    /// How the past is remembered.
    pub memory: Memory,
    /// Whether and how a language model is asked.
    pub copilot: Copilot,
    /// A folder of runbooks, beside those that are built in.
    pub runbooks: Option<PathBuf>,
}

impl Advising {
    /// Lays the flags over what the file says, and checks it.
    ///
    /// # Errors
    /// What makes no sense, and what to do.
    pub fn resolve(mut self, flags: &AdvisingFlags) -> anyhow::Result<Self> {
        let over = |flag: &Option<String>, file: Option<String>| flag.clone().or(file);
        self.copilot.base_url = over(&flags.model_url, self.copilot.base_url);
        self.copilot.model = over(&flags.model, self.copilot.model);
        self.memory.qdrant_url = over(&flags.qdrant_url, self.memory.qdrant_url);
        self.memory.model_dir = flags.model_dir.clone().or(self.memory.model_dir);
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
                && self.copilot.seconds_per_answer > 0,
            "expected the caps per answer of [copilot] above 0"
        );
        ensure!(
            self.copilot.input_price >= 0.0 && self.copilot.output_price >= 0.0 && self.copilot.dollars_per_day >= 0.0,
            "expected prices of [copilot] of 0 or more"
        );
        Ok(self)
    }

    /// As people may see it.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        let mut shown = self.clone();
        shown.copilot.base_url = shown.copilot.base_url.as_deref().map(super::without_credentials);
        shown.memory.qdrant_url = shown.memory.qdrant_url.as_deref().map(super::without_credentials);
        serde_json::to_value(shown).unwrap_or_default()
    }
}
