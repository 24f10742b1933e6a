//! Reads a `catalog-info.yaml` of Backstage: dependencies and owners of its components, resources, systems and APIs.
//! Owns which fields say so (<https://backstage.io/docs/features/software-catalog/descriptor-format>).

use hindcast_domain::links::{LinkKind, LinkObserved, LinkSighting, LinkSource, ServiceLink};
use hindcast_domain::yaml;
use serde_json::Value;

/// How sure a file makes, in thousandths: people wrote it, and it ages.
const CONFIDENCE: i32 = 900;
/// Documents of one file.
const DOCUMENTS_MAX: usize = 2_000;
/// Kinds of things that run, and may fail.
const KINDS: [&str; 3] = ["Component", "Resource", "API"];

/// The links of a file, which may have several documents.
///
/// # Errors
/// Which document cannot be read, and why.
pub fn read(text: &str) -> Result<Vec<LinkObserved>, String> {
    let mut documents: Vec<Value> = Vec::new();
    for (index, part) in parts(text).enumerate() {
        if index == DOCUMENTS_MAX {
            return Err(format!("expected at most {DOCUMENTS_MAX} documents"));
        }
        let document = yaml::read_bytes(part.as_bytes()).map_err(|error| format!("document {}: {error}", index + 1))?;
        documents.push(document);
    }
    let provided: Vec<(String, String)> = documents.iter().flat_map(provided).collect();
    Ok(documents.iter().flat_map(|document| links(document, &provided)).collect())
}

/// The documents between lines of three dashes, without empty ones.
fn parts(text: &str) -> impl Iterator<Item = String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        match parts.last_mut() {
            Some(part) if line.trim_end() != "---" => {
                part.push_str(line);
                part.push('\n');
            }
            _ => parts.push(String::new()),
        }
    }
    let says = |part: &String| part.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    parts.into_iter().filter(says)
}

/// The component of each API that a document provides.
fn provided(document: &Value) -> Vec<(String, String)> {
    let Some(name) = document["metadata"]["name"].as_str() else { return Vec::new() };
    let apis = names(&document["spec"]["providesApis"]);
    apis.into_iter().map(|api| (api, name.to_owned())).collect()
}

fn links(document: &Value, provided: &[(String, String)]) -> Vec<LinkObserved> {
    let is_of_kind = document["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind));
    let (Some(name), spec) = (document["metadata"]["name"].as_str().filter(|_| is_of_kind), &document["spec"]) else {
        return Vec::new();
    };
    let link = |kind, to: &str, field: &str| {
        let link = ServiceLink { kind, from: name.to_owned(), to: to.to_owned() };
        let sample = format!("spec.{field}: {to}");
        let sighting = LinkSighting { source: LinkSource::Backstage, count: 1, confidence: CONFIDENCE, sample };
        LinkObserved { link, sighting }
    };
    let mut found: Vec<LinkObserved> = Vec::new();
    found.extend(names(&spec["dependsOn"]).iter().map(|to| link(LinkKind::DependsOn, to, "dependsOn")));
    for api in names(&spec["consumesApis"]) {
        let by = provided.iter().find(|(known, _)| *known == api).map_or(api.as_str(), |(_, component)| component);
        found.push(link(LinkKind::DependsOn, by, "consumesApis"));
    }
    found.extend(spec["owner"].as_str().map(|owner| link(LinkKind::OwnedBy, reference(owner), "owner")));
    found.retain(|seen| seen.link.is_valid());
    found
}

/// The names of a list of references.
fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(|text| reference(text).to_owned()).collect()
}

/// `kind:namespace/name`, of which kind and namespace may be absent.
fn reference(text: &str) -> &str {
    let text = text.trim();
    let name = text.rsplit_once('/').map_or(text, |(_, name)| name);
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# the shop
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: shop
spec:
  type: service
  owner: group:default/checkout
  dependsOn: [resource:default/orders-db, component:mailer]
  consumesApis: [payments]
---
kind: Component
metadata: {name: payments-api}
spec: {owner: pay, providesApis: [payments]}
---
kind: Group
metadata: {name: pay}
spec: {owner: nobody, children: []}
";

    #[test]
    fn a_file_names_dependencies_and_owners() {
        let seen = read(FILE).unwrap();
        let told: Vec<_> =
            seen.iter().map(|s| (s.link.kind.as_str(), s.link.from.as_str(), s.link.to.as_str())).collect();
        assert_eq!(
            told,
            [
                ("depends_on", "shop", "orders-db"),
                ("depends_on", "shop", "mailer"),
                ("depends_on", "shop", "payments-api"),
                ("owned_by", "shop", "checkout"),
                ("owned_by", "payments-api", "pay"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_document() {
        assert!(read("kind: Component\n---\na: [").unwrap_err().starts_with("document 2"));
        assert!(read("").unwrap().is_empty() && read("just words").unwrap().is_empty());
    }
}
