//! `docs/metrics.md` lists every metric as the catalogue declares it.
//! `HINDCAST_TEST_DOCUMENTS=update` writes the list anew.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test that cannot go on fails

use std::fmt::Write as _;
use std::path::Path;

use hindcast_metrics::{catalog, process};

const BEGIN: &str = "| metric | kind | labels | meaning |\n|---|---|---|---|\n";

fn table() -> String {
    let mut rows: Vec<(String, &str, String, &str)> = catalog::all()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{}`", label.name)).collect();
            (metric.name.to_owned(), metric.kind.word(), labels.join(", "), metric.help)
        })
        .collect();
    rows.push((format!("{}_total", catalog::LEFT_OUT.0), "counter", String::new(), catalog::LEFT_OUT.1));
    let of_process = |(name, help): (&str, &'static str)| {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        (name.to_owned(), kind, String::new(), help)
    };
    rows.extend(process::NAMES.map(of_process));
    rows.sort();
    let mut text = BEGIN.to_owned();
    for (name, kind, labels, help) in rows {
        writeln!(text, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
    }
    text
}

#[test]
fn the_document_lists_every_metric() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/metrics.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the document has the table");
    let after = rest.split_once("\n\n").map(|(_, after)| format!("\n{after}")).unwrap_or_default();
    let whole = format!("{before}{}{after}", table());
    if std::env::var("HINDCAST_TEST_DOCUMENTS").is_ok_and(|set| set == "update") {
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "run it with HINDCAST_TEST_DOCUMENTS=update");
}
