//! Links between services: what evidence proposes and what people say of it. Pure; what evidence is worth together, the
//! domain says.

use std::collections::BTreeMap;

use hindcast_domain::LinkId;
use hindcast_domain::command::{Code, Rejected};
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::links::{LINKS_PER_COMMAND_MAX, LinkJudged, LinkObserved, LinkVerdict, ServiceLinks};

/// What evidence that was seen makes of a link.
pub(crate) fn observed(links: &ServiceLinks, seen: &LinkObserved) -> Option<Draft> {
    let proposed = links.propose(seen)?;
    Some(Draft::system(proposed.link.id(), Event::LinkProposed(proposed)))
}

/// Links that a person proposes from a file, each once.
pub(crate) fn proposed(links: &ServiceLinks, seen: &[LinkObserved], actor: &str) -> Result<Vec<Draft>, Rejected> {
    if seen.len() > LINKS_PER_COMMAND_MAX {
        let detail = format!("expected at most {LINKS_PER_COMMAND_MAX} links, got {}", seen.len());
        return Err(Rejected::new(Code::Invalid, detail));
    }
    if let Some(wrong) = seen.iter().find(|seen| !seen.link.is_valid()) {
        let detail = format!("expected two names that differ, got {:?} and {:?}", wrong.link.from, wrong.link.to);
        return Err(Rejected::new(Code::Invalid, detail));
    }
    let once: BTreeMap<_, _> = seen.iter().map(|seen| (seen.link.id(), seen)).collect();
    let proposed = once.values().filter_map(|seen| links.propose(seen));
    let drafts: Vec<Draft> =
        proposed.map(|proposed| Draft::by(actor, proposed.link.id(), Event::LinkProposed(proposed))).collect();
    if drafts.is_empty() {
        return Err(Rejected::new(Code::Conflict, "all of these links are known already"));
    }
    Ok(drafts)
}

/// A person's word about a link.
pub(crate) fn judged(
    links: &ServiceLinks,
    id: &LinkId,
    verdict: LinkVerdict,
    actor: &str,
) -> Result<Vec<Draft>, Rejected> {
    let known = links.get(id).ok_or_else(|| Rejected::new(Code::NotFound, format!("expected a link, got {id}")))?;
    if known.verdict == Some(verdict) {
        return Err(Rejected::new(Code::Conflict, format!("{id} is {verdict} already")));
    }
    let judged = LinkJudged { link: known.link.clone(), verdict };
    Ok(vec![Draft::by(actor, id, Event::LinkJudged(judged))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_domain::links::{LinkKind, LinkSighting, LinkSource, ServiceLink};

    fn seen(from: &str, to: &str) -> LinkObserved {
        let link = ServiceLink { kind: LinkKind::DependsOn, from: from.into(), to: to.into() };
        let sighting = LinkSighting { source: LinkSource::Backstage, count: 1, confidence: 900, sample: String::new() };
        LinkObserved { link, sighting }
    }

    #[test]
    fn a_file_with_one_wrong_link_proposes_none_and_one_link_twice_is_one() {
        let links = ServiceLinks::default();
        let drafts = proposed(&links, &[seen("a", "b"), seen("a", "b"), seen("b", "c")], "ada").unwrap();
        assert_eq!(drafts.len(), 2);
        assert_eq!(proposed(&links, &[seen("a", "b"), seen("a", "a")], "ada").unwrap_err().code, Code::Invalid);
        assert_eq!(
            judged(&links, &seen("a", "b").link.id(), LinkVerdict::Denied, "ada").unwrap_err().code,
            Code::NotFound
        );
    }
}
