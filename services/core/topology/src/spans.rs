//! Spans of one service within spans of another. Owns the newest spans by their ids, and those that wait for the span
//! around them; a restart forgets both.

use std::collections::{BTreeMap, VecDeque};

/// Spans that are remembered, and that wait.
const SPANS_MAX: usize = 20_000;

/// What is read of a span.
#[derive(Clone, Copy, Debug)]
pub struct SpanSeen<'a> {
    /// The service that it ran in.
    pub service: &'a str,
    /// The request that it belongs to.
    pub trace: u128,
    /// Its own id within the request.
    pub id: u64,
    /// The span that it is within; 0 at the root.
    pub parent: u64,
    /// Whom a call says that it reaches; empty where it does not say.
    pub peer: &'a str,
}

/// Services of spans by their ids, and calls whose outer span is still to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NewestSpans {
    services: BTreeMap<(u128, u64), String>,
    waiting: BTreeMap<(u128, u64), Vec<String>>,
    order: VecDeque<(u128, u64)>,
    waiting_order: VecDeque<(u128, u64)>,
}

impl NewestSpans {
    /// Takes in a span; answers the calls that it shows, as caller and called.
    pub(crate) fn note(&mut self, span: &SpanSeen<'_>) -> Vec<(String, String)> {
        let own = (span.trace, span.id);
        let mut calls: Vec<(String, String)> = Vec::new();
        if span.parent != 0 {
            match self.services.get(&(span.trace, span.parent)) {
                Some(caller) => calls.push((caller.clone(), span.service.to_owned())),
                None => self.wait((span.trace, span.parent), span.service),
            }
        }
        let called = self.waiting.remove(&own).unwrap_or_default();
        calls.extend(called.into_iter().map(|called| (span.service.to_owned(), called)));
        if self.services.insert(own, span.service.to_owned()).is_none() {
            self.order.push_back(own);
        }
        while self.order.len() > SPANS_MAX {
            if let Some(old) = self.order.pop_front() {
                self.services.remove(&old);
            }
        }
        calls.retain(|(caller, called)| caller != called);
        calls
    }

    fn wait(&mut self, around: (u128, u64), service: &str) {
        let waiting = self.waiting.entry(around).or_default();
        if waiting.len() < 16 && !waiting.iter().any(|known| known == service) {
            waiting.push(service.to_owned());
        }
        self.waiting_order.push_back(around);
        while self.waiting_order.len() > SPANS_MAX {
            if let Some(old) = self.waiting_order.pop_front() {
                self.waiting.remove(&old);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_seen_whichever_span_comes_first() {
        let span = |service, id, parent| SpanSeen { service, trace: 7, id, parent, peer: "" };
        let mut spans = NewestSpans::default();
        assert!(spans.note(&span("shop", 1, 0)).is_empty());
        assert_eq!(spans.note(&span("pg", 2, 1)), [("shop".to_owned(), "pg".to_owned())]);
        assert!(spans.note(&span("mail", 5, 4)).is_empty());
        assert_eq!(spans.note(&span("shop", 4, 1)), [("shop".to_owned(), "mail".to_owned())]);
        let other = SpanSeen { trace: 8, ..span("pg", 9, 1) };
        assert!(spans.note(&other).is_empty(), "another request");
    }
}
