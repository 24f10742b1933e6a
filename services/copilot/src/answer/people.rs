//! Who answers for a service, who is on call, and what depends on what.

use hindcast_api::Problem;
use hindcast_domain::catalog::Service;
use hindcast_domain::oncall::{self, OnCallRules};
use hindcast_domain::text::listed;

use super::line::{AnswerLine, IntentAnswer, stated};
use super::scene::AnswerScene;
use super::told::lines;
use crate::evidence;
use crate::situation::Situation;
use crate::understand::names::NamedKind;

/// Names of one line.
const NAMES_MAX: usize = 12;

/// Who answers for a service, or is on call.
pub(super) async fn owner(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let on_call = on_call(scene).await?;
    if scene.part.says("on call") || scene.part.has(&["oncall", "on-call", "shift"]) {
        let mut all = on_call.into_iter();
        let lead = all.next().unwrap_or_else(|| stated("Not recorded: no schedule of people on call is configured"));
        let mut answer = IntentAnswer::new(lead);
        answer.all(all);
        return Ok(answer);
    }
    let catalog = &scene.book.catalog.services;
    if let Some(team) = scene.part.of(NamedKind::Team).first() {
        let theirs: Vec<&str> =
            catalog.iter().filter(|one| one.owner.as_deref() == Some(*team)).map(|one| one.name.as_str()).collect();
        let text = if theirs.is_empty() {
            format!("The catalogue names no service of {team}")
        } else {
            format!("{team} owns {}, by the service catalogue", listed(&theirs, NAMES_MAX))
        };
        return Ok(IntentAnswer::new(stated(text)));
    }
    let named = scene.services();
    let services: Vec<&str> =
        if named.is_empty() { situation.map(Situation::services).unwrap_or_default() } else { named };
    let line = |name: &&str| {
        let owner = catalog.iter().find(|one| one.name == **name).and_then(|one| one.owner.as_deref());
        stated(match owner {
            Some(owner) => format!("{owner} owns {name}, by the service catalogue"),
            None => format!("Not recorded: the service catalogue names no owner of {name}"),
        })
    };
    let mut all = services.iter().map(line);
    let lead = all.next().unwrap_or_else(|| stated("Not recorded: no service is named, and no incident has one"));
    let mut answer = IntentAnswer::new(lead);
    answer.all(all);
    answer.all(on_call);
    Ok(answer)
}

async fn on_call(scene: &AnswerScene<'_>) -> Result<Vec<AnswerLine>, Problem> {
    let section = scene.seen.configured(oncall::SECTION).await?;
    let rules: OnCallRules = section.and_then(|(_, content)| serde_json::from_value(content).ok()).unwrap_or_default();
    let service = scene.services().first().copied();
    let line = |call: &oncall::OnCall| {
        let until = call.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let next = call.next.as_ref().map(|next| format!(", then {next}")).unwrap_or_default();
        stated(format!("{} is on call by the schedule {}{until}{next}", call.who, call.schedule))
    };
    Ok(rules.at(scene.now, service).iter().map(line).collect())
}

/// Words by which a question asks for what the ledger does not count.
const UNCOUNTED: [&str; 14] = [
    "users",
    "customers",
    "people",
    "revenue",
    "money",
    "orders",
    "user",
    "customer",
    "buy",
    "sales",
    "clients",
    "dollars",
    "euros",
    "shoppers",
];

/// What is affected, and what depends on what.
pub(super) fn impact(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> IntentAnswer {
    if scene.part.has(&["depend", "depends", "dependencies", "downstream", "upstream", "needs", "dependents"])
        && let Some(answer) = dependencies(scene)
    {
        return answer;
    }
    let Some(situation) = situation else { return super::help::no_incident(scene) };
    let told = lines(evidence::conclusions::blast, situation);
    if scene.part.has(&UNCOUNTED) {
        let mut answer = IntentAnswer::new(stated(
            "Not recorded: how many people or how much money it concerns stands in no event; what is recorded is below",
        ));
        answer.all(told);
        return answer;
    }
    if let Some(name) = scene.services().first() {
        return of_service(situation, name, told);
    }
    let wants_rest = scene.part.has(&["not", "working", "healthy", "else", "risk", "next"]);
    let mut told = told;
    if wants_rest && told.len() > 1 {
        told.rotate_left(1);
    }
    let mut told = told.into_iter();
    let lead = told.next().unwrap_or_else(|| {
        let hit: Vec<&str> = situation.incident.services.iter().map(String::as_str).collect();
        stated(format!("{} of its alerts are about {}", situation.incident.alerts, listed(&hit, NAMES_MAX)))
    });
    let mut answer = IntentAnswer::new(lead);
    answer.all(told);
    answer
}

fn of_service(situation: &Situation, name: &str, told: Vec<AnswerLine>) -> IntentAnswer {
    let radius = situation.causes.as_ref().map(|causes| &causes.blast_radius);
    let has = |of: Option<&Vec<String>>| of.is_some_and(|all| all.iter().any(|one| one == name));
    let cites = evidence::about::first_of(situation, name);
    let id = &situation.incident.id;
    let lead = if has(radius.map(|radius| &radius.hit)) {
        super::line::said([format!("Yes: {name} is affected by {id}"), format!("Yes: {name} is affected")], cites)
    } else if has(radius.map(|radius| &radius.at_risk)) {
        stated(format!("Not yet: {name} depends on what failed, and nothing is seen on it"))
    } else {
        stated(format!("No sign: no alert and no finding of {id} is about {name}"))
    };
    let mut answer = IntentAnswer::new(lead);
    answer.all(told);
    answer
}

/// What a service depends on, and what depends on it.
fn dependencies(scene: &AnswerScene<'_>) -> Option<IntentAnswer> {
    let catalog = &scene.book.catalog.services;
    let name = *scene.services().first()?;
    let on: Vec<&str> = catalog
        .iter()
        .filter(|one| one.name == name)
        .flat_map(|one| one.depends_on.iter().map(String::as_str))
        .collect();
    let by: Vec<&str> = catalog
        .iter()
        .filter(|one| one.depends_on.iter().any(|of| of == name))
        .map(|one: &Service| one.name.as_str())
        .collect();
    let list = |names: &[&str]| if names.is_empty() { "nothing".to_owned() } else { listed(names, NAMES_MAX) };
    let below = format!("{name} depends on {}, by the service catalogue", list(&on));
    let above =
        format!("{} depends on {name}, by the service catalogue", hindcast_domain::text::capitalized(&list(&by)));
    let asks_below = scene.part.says(&format!("does {name} depend"))
        || scene.part.says(&format!("{name} depends"))
        || scene.part.has(&["upstream", "dependencies", "needs"]);
    let (first, second) = if asks_below { (below, above) } else { (above, below) };
    let mut answer = IntentAnswer::new(stated(first));
    answer.line(stated(second));
    Some(answer)
}
