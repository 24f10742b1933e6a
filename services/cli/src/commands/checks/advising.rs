//! What `doctor` says of what advises: telemetry, the embedder, the memory and the model. Owns the look for a model
//! on this machine; refuses to ask any other host, whatever is configured and whoever sends it elsewhere.

use std::time::Duration;

use futures::future::join_all;
use hindcast_domain::Span;
use reqwest::{Client, Url};
use serde_json::Value;

use super::figures::MetricFigures;
use super::outcome::Check;
use crate::text::clean;
use crate::text::times::brief;
use hindcast_domain::text::count;

/// Where people run models: Ollama, vLLM, llama.cpp and others, LM Studio.
const MODEL_PORTS: [u16; 4] = [11_434, 8_000, 8_080, 1_234];
/// How long a model may take to say that it is there.
const MODEL_PATIENCE: Duration = Duration::from_millis(300);
/// Bytes of a list of models that are read.
const MODEL_BYTES_MAX: usize = 256 * 1024;
/// Characters of a model's name that are told.
const NAME_CHARS_MAX: usize = 80;

/// Every check of this sort.
pub(super) async fn all(figures: &MetricFigures, server_is_here: bool) -> Vec<Check> {
    let mut checks = vec![telemetry(figures), embedder(figures), memory(figures)];
    checks.extend(model(figures, server_is_here, &MODEL_PORTS).await);
    checks
}

fn telemetry(figures: &MetricFigures) -> Check {
    let (Some(kept), Some(hours)) =
        (figures.value("hindcast_telemetry_kept_bytes"), figures.value("hindcast_telemetry_retention_hours"))
    else {
        let remedy = "Ask the process that takes telemetry in, with --server.";
        return Check::note("telemetry", "this server stores no logs and metrics", remedy);
    };
    #[allow(clippy::cast_possible_truncation)] // hours of a setting
    let retention = brief(Span::hours(hours as i64));
    let most = figures.value("hindcast_telemetry_max_bytes").map(|most| format!(" of at most {}", bytes(most)));
    let pinned = figures.value("hindcast_telemetry_pinned_bytes").filter(|pinned| *pinned > 0.0);
    let pinned = pinned.map(|pinned| format!("; {} more are pinned to incidents", bytes(pinned)));
    let (most, pinned) = (most.unwrap_or_default(), pinned.unwrap_or_default());
    let damaged = figures.value("hindcast_telemetry_damaged_total").unwrap_or(0.0);
    let detail = format!("{}{most} are kept, for {retention}{pinned}", bytes(kept));
    if damaged > 0.0 {
        let detail = format!("{detail}; {damaged} blocks could not be read");
        return Check::note("telemetry", detail, "Look at the disk; what is lost is telemetry, and no event.");
    }
    Check::ok("telemetry", detail)
}

fn embedder(figures: &MetricFigures) -> Check {
    let Some(told) = figures.told("hindcast_memory_info") else {
        return Check::note("embedder", "the embedder is unknown", "Use a server of this version.");
    };
    if told.label("stand_in") == "true" {
        let detail = format!("{}: hashed words replace a missing embedding model", clean(told.label("embedder")));
        return Check::note("embedder", detail, "`hindcast embedder install`, then start the server again.");
    }
    Check::ok("embedder", clean(told.label("embedder")))
}

fn memory(figures: &MetricFigures) -> Check {
    let store = match figures.told("hindcast_memory_info").map(|told| told.label("store")) {
        Some("flat") => "files of the data folder".to_owned(),
        Some("qdrant") => "Qdrant".to_owned(),
        Some(other) => clean(other),
        None => "an unknown vector store".to_owned(),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
    match figures.value("hindcast_memory_vectors") {
        Some(vectors) => Check::ok("memory", format!("{} in {store}", count(vectors as u64, "vector"))),
        None => Check::note(
            "memory",
            format!("{store}: the number of vectors is unknown"),
            "Look whether it answers, and at the server's log.",
        ),
    }
}

/// Which model words answers. One that is seen on this machine is mentioned; none is used unless it is configured.
async fn model(figures: &MetricFigures, server_is_here: bool, ports: &[u16]) -> Vec<Check> {
    let Some(http) = client() else { return Vec::new() };
    if let Some(told) = figures.told("hindcast_copilot_info") {
        return vec![configured(&http, told.label("model"), told.label("server"), server_is_here).await];
    }
    let mut checks = vec![Check::ok("model", "none is configured: answers come from evidence alone")];
    let seen = join_all(ports.iter().map(|port| named(&http, *port))).await;
    for (port, name) in ports.iter().zip(seen) {
        let Some(name) = name else { continue };
        checks.push(Check::note(
            "model",
            format!("{name} runs at 127.0.0.1:{port}; none is used unless it is configured"),
            format!("Nothing has to be done. `--model-url http://127.0.0.1:{port}/v1 --model {name}` would use it."),
        ));
    }
    checks
}

async fn configured(http: &Client, model: &str, server: &str, server_is_here: bool) -> Check {
    let detail = format!("{} at {} is configured to write answers", clean(model), clean(server));
    let Some(port) = loopback_port(server).filter(|_| server_is_here) else {
        return Check::ok("model", detail);
    };
    match answers(http, &format!("http://127.0.0.1:{port}")).await {
        true => Check::ok("model", detail),
        false => Check::note(
            "model",
            format!("{detail}, and does not answer: answers come from evidence alone"),
            "Start it; an answer that it does not write says so under `missing`.",
        ),
    }
}

/// The port of an address on this machine.
fn loopback_port(server: &str) -> Option<u16> {
    let url = Url::parse(server).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_here { url.port_or_known_default() } else { None }
}

/// A client that follows nobody to another host.
fn client() -> Option<Client> {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(MODEL_PATIENCE).build().ok()
}

/// Whether anything answers over HTTP there, whatever it says.
async fn answers(http: &Client, address: &str) -> bool {
    http.get(address).send().await.is_ok()
}

/// The first model that a server on this machine names.
async fn named(http: &Client, port: u16) -> Option<String> {
    let mut response = http.get(format!("http://127.0.0.1:{port}/v1/models")).send().await.ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MODEL_BYTES_MAX {
            return None;
        }
    }
    let list: Value = serde_json::from_slice(&body).ok()?;
    let names = list.get("data")?.as_array()?;
    let name = names.iter().find_map(|model| model.get("id")?.as_str())?;
    Some(clean(&name.chars().take(NAME_CHARS_MAX).collect::<String>()))
}

/// `12.3 MiB`.
fn bytes(count: f64) -> String {
    let mut size = count;
    for unit in ["bytes", "KiB", "MiB"] {
        if size < 1_024.0 {
            return if unit == "bytes" { format!("{size:.0} {unit}") } else { format!("{size:.1} {unit}") };
        }
        size /= 1_024.0;
    }
    format!("{size:.1} GiB")
}

#[cfg(test)]
mod tests {
    use super::super::CheckOutcome;
    use super::*;
    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;
    use tokio::net::TcpListener;

    async fn serves(router: Router) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        port
    }

    fn models(name: &'static str) -> Router {
        let list = move || async move { format!("{{\"data\":[{{\"id\":{name:?}}}]}}") };
        Router::new().route("/v1/models", get(list))
    }

    #[tokio::test]
    async fn a_model_on_this_machine_is_mentioned_within_its_bound_and_none_elsewhere_is_asked() {
        let there = serves(models("tiny-1")).await;
        let elsewhere = serves(models("never-named")).await;
        let away = Redirect::temporary(&format!("http://127.0.0.1:{elsewhere}/v1/models"));
        let redirects = serves(Router::new().fallback(move || std::future::ready(away.clone()))).await;
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page = serves(Router::new().fallback(|| async { "<html>" })).await;
        let ports = [silent.local_addr().unwrap().port(), redirects, page, there];
        let began = tokio::time::Instant::now();
        let checks = model(&MetricFigures::default(), true, &ports).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        let said: Vec<(CheckOutcome, &str)> =
            checks.iter().map(|check| (check.verdict, check.detail.as_str())).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[0], (CheckOutcome::Ok, "none is configured: answers come from evidence alone"));
        assert!(said[1].0 == CheckOutcome::Note && said[1].1.contains(&format!("tiny-1 runs at 127.0.0.1:{there}")));
    }

    #[tokio::test]
    async fn a_model_that_is_configured_is_named_and_no_other_is_looked_for() {
        let there = serves(models("tiny-1")).await;
        let told = |server: &str| {
            MetricFigures::read(&format!("hindcast_copilot_info{{model=\"big\",server=\"{server}\"}} 1\n"))
        };
        let said = async |server: &str| model(&told(server), true, &[there]).await.remove(0);
        let running = said(&format!("http://localhost:{there}/v1")).await;
        assert_eq!(running.verdict, CheckOutcome::Ok);
        assert!(running.detail.contains("big at http://localhost"), "{}", running.detail);
        let gone = said("http://127.0.0.1:1/v1").await;
        assert!(gone.verdict == CheckOutcome::Note && gone.detail.contains("does not answer"), "{}", gone.detail);
        // An address elsewhere is never asked: nobody answers there, and nothing is said of it.
        assert_eq!(said("https://models.invalid/v1").await.verdict, CheckOutcome::Ok);
    }

    #[test]
    fn what_is_kept_is_told_with_its_bounds() {
        let figures = MetricFigures::read(
            "hindcast_telemetry_kept_bytes 12897485\nhindcast_telemetry_retention_hours 24\n\
             hindcast_telemetry_max_bytes 4294967296\nhindcast_telemetry_pinned_bytes 2048\n\
             hindcast_memory_info{store=\"flat\",embedder=\"hashing\",stand_in=\"true\"} 1\n\
             hindcast_memory_vectors 812\n",
        );
        assert_eq!(
            telemetry(&figures).detail,
            "12.3 MiB of at most 4.0 GiB are kept, for 1 d; 2.0 KiB more are pinned to incidents"
        );
        assert_eq!(memory(&figures).detail, "812 vectors in files of the data folder");
        let check = embedder(&figures);
        assert!(check.verdict == CheckOutcome::Note && check.detail.contains("hashed words"), "{}", check.detail);
        assert_eq!(telemetry(&MetricFigures::default()).verdict, CheckOutcome::Note);
        assert_eq!(memory(&MetricFigures::default()).verdict, CheckOutcome::Note);
        assert_eq!(embedder(&MetricFigures::default()).verdict, CheckOutcome::Note);
    }
}
