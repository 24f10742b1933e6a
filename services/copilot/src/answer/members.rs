//! The alerts of one incident, by what put each of them into it: they may fire in another one since.

use hindcast_api::{Citation, Incident, Problem, WhyMember};
use hindcast_domain::text::listed;

use super::line::{IntentAnswer, said, stated};
use super::scene::AnswerScene;

/// Names in the line that answers.
const NAMES_MAX: usize = 10;

/// Which alerts an incident has, and how many.
pub(super) async fn of_incident(scene: &AnswerScene<'_>, one: &Incident) -> Result<IntentAnswer, Problem> {
    let why = scene.seen.why(&one.id).await?;
    let names: Vec<String> = why.members.iter().map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let plural = if one.alerts == 1 { "alert" } else { "alerts" };
    let listed = if names.is_empty() { String::new() } else { format!(": {}", listed(&names, NAMES_MAX)) };
    let mut answer = IntentAnswer::new(stated(format!(
        "{} {plural} of {} \"{}\", {} of them fire {}{listed}",
        one.alerts,
        one.id,
        one.title,
        one.firing,
        scene.as_of()
    )));
    answer.all(why.members.iter().map(|it| {
        let short = it.text.split_once(" (").map_or(it.text.as_str(), |(short, _)| short).to_owned();
        said([it.text.clone(), short], [Citation { event: it.event.clone(), position: it.position }])
    }));
    Ok(answer)
}

fn name(one: &WhyMember) -> String {
    one.service.as_deref().map_or_else(|| one.name.clone(), |service| format!("{} on {service}", one.name))
}
