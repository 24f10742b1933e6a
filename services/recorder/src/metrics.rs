//! Owns the export of metrics: asks Prometheus for ranges, at the end of a recording, and writes `timestamp,service,metric,value`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;

use crate::compress;
use crate::error::Error;
use crate::limits::{QUERY_POINTS_MAX, QUERY_TIMEOUT, SAMPLES_MAX};
use crate::options::MetricQuery;

#[derive(Deserialize)]
struct QueryAnswer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<QuerySeries>,
}

#[derive(Deserialize)]
struct QuerySeries {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

/// One row of the CSV; the timestamp is in milliseconds, so that rows can be sorted.
type MetricRow = (i64, String, String, f64);

/// Asks for every metric between two moments and writes them by time; returns how many samples there were.
pub(crate) async fn export(
    prometheus: &str,
    queries: &[MetricQuery],
    from: Timestamp,
    to: Timestamp,
    step: Duration,
    path: &Path,
) -> Result<u64, Error> {
    let address = address(prometheus)?;
    let client = reqwest::Client::builder().timeout(QUERY_TIMEOUT).build();
    let client = client.map_err(|source| Error::Query { metric: "any".to_owned(), source })?;
    let mut rows: Vec<MetricRow> = Vec::new();
    for query in queries {
        for (from, to) in ranges(from, to, step) {
            let answer = ask(&client, &address, query, from, to, step).await?;
            append(&mut rows, query, answer)?;
        }
    }
    rows.sort_by(|a, b| (a.0, &a.1, &a.2).cmp(&(b.0, &b.1, &b.2)));
    write(path, &rows)?;
    Ok(rows.len() as u64)
}

/// Whether the address can be asked at all; checked before a recording, so that it does not fail after it.
pub(crate) fn address(prometheus: &str) -> Result<Url, Error> {
    let wrong = || Error::Address(prometheus.to_owned());
    let base = Url::parse(prometheus.trim_end_matches('/')).map_err(|_| wrong())?;
    if base.cannot_be_a_base() {
        return Err(wrong());
    }
    Url::parse(&format!("{}/api/v1/query_range", base.as_str().trim_end_matches('/'))).map_err(|_| wrong())
}

/// The stretch in pieces that Prometheus is willing to answer.
fn ranges(from: Timestamp, to: Timestamp, step: Duration) -> Vec<(i64, i64)> {
    let (step, end) = (i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1), to.as_millisecond());
    let piece = step.saturating_mul(QUERY_POINTS_MAX.cast_signed());
    let mut pieces = Vec::new();
    let mut start = from.as_millisecond();
    while start <= end {
        pieces.push((start, end.min(start.saturating_add(piece - step))));
        start = start.saturating_add(piece);
    }
    pieces
}

async fn ask(
    client: &reqwest::Client,
    address: &Url,
    query: &MetricQuery,
    from: i64,
    to: i64,
    step: Duration,
) -> Result<Vec<QuerySeries>, Error> {
    let mut url = address.clone();
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    url.query_pairs_mut()
        .append_pair("query", &query.query)
        .append_pair("start", &seconds(from))
        .append_pair("end", &seconds(to))
        .append_pair("step", &step.as_secs_f64().to_string());
    let failed = |source| Error::Query { metric: query.metric.clone(), source };
    let answer: QueryAnswer = client.get(url).send().await.map_err(failed)?.json().await.map_err(failed)?;
    match answer.data {
        Some(data) if answer.status == "success" => Ok(data.result),
        _ => Err(Error::Refused { metric: query.metric.clone(), detail: answer.error }),
    }
}

fn append(rows: &mut Vec<MetricRow>, query: &MetricQuery, series: Vec<QuerySeries>) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for one in series {
        let service = one.metric.get(&query.service_label).or(query.service.as_ref());
        let service = service.cloned().unwrap_or_default();
        if !seen.insert(service.clone()) {
            return Err(Error::Ambiguous { metric: query.metric.clone(), service });
        }
        if rows.len().saturating_add(one.values.len()) > SAMPLES_MAX {
            return Err(Error::TooManySamples { max: SAMPLES_MAX });
        }
        let numbers = one
            .values
            .iter()
            .filter_map(|(at, value)| Some((at, value.parse::<f64>().ok().filter(|v| v.is_finite())?)));
        rows.extend(numbers.map(|(at, value)| {
            #[allow(clippy::cast_possible_truncation, reason = "unix milliseconds fit for ages")]
            let at = (at * 1000.0).round() as i64;
            (at, service.clone(), query.metric.clone(), value)
        }));
    }
    Ok(())
}

fn write(path: &Path, rows: &[MetricRow]) -> Result<(), Error> {
    compress::write(path, |out| {
        writeln!(out, "timestamp,service,metric,value")?;
        for (at, service, metric, value) in rows {
            writeln!(out, "{}.{:03},{service},{metric},{}", at / 1000, at % 1000, short(*value))?;
        }
        Ok(())
    })
}

/// Seven significant digits: more than a scrape is exact to, and half the size.
fn short(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(service: Option<&str>) -> MetricQuery {
        MetricQuery {
            metric: "m".into(),
            query: "q".into(),
            service_label: "service".into(),
            service: service.map(Into::into),
        }
    }

    fn series(service: Option<&str>, values: &[(f64, &str)]) -> QuerySeries {
        QuerySeries {
            metric: service.map(|s| ("service".to_owned(), s.to_owned())).into_iter().collect(),
            values: values.iter().map(|(at, value)| (*at, (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn a_series_belongs_to_the_service_of_its_label_or_else_of_its_query() {
        let mut rows = Vec::new();
        append(
            &mut rows,
            &query(Some("db")),
            vec![series(Some("a"), &[(1.5, "2")]), series(None, &[(1.0, "NaN"), (2.0, "3")])],
        )
        .unwrap();
        assert_eq!(rows, [(1500, "a".into(), "m".into(), 2.0), (2000, "db".into(), "m".into(), 3.0)]);
    }

    #[test]
    fn two_series_for_one_service_are_an_error() {
        let twice = vec![series(Some("a"), &[]), series(Some("a"), &[])];
        assert!(matches!(append(&mut Vec::new(), &query(None), twice), Err(Error::Ambiguous { .. })));
    }

    #[test]
    fn a_long_stretch_is_asked_for_in_pieces_that_neither_overlap_nor_leave_a_gap() {
        let (from, to) = (Timestamp::from_second(0).unwrap(), Timestamp::from_second(25_000).unwrap());
        let pieces = ranges(from, to, Duration::from_secs(1));
        assert_eq!(pieces, [(0, 9_999_000), (10_000_000, 19_999_000), (20_000_000, 25_000_000)]);
    }

    #[test]
    fn an_address_may_have_a_path_and_must_be_a_url() {
        assert_eq!(address("http://127.0.0.1:9090/").unwrap().as_str(), "http://127.0.0.1:9090/api/v1/query_range");
        assert_eq!(address("http://h/prom").unwrap().as_str(), "http://h/prom/api/v1/query_range");
        assert!(matches!(address("localhost:9090"), Err(Error::Address(_))));
    }
}
