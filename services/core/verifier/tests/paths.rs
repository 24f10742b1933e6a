//! Paths, walked step by step.

use hindcast_api::{ClaimVerdict, PathStep, StepRole};
use hindcast_verifier::judge;

use crate::sentences::{DEPLOY, ERRORS, LINE, NGINX, cite, court, time};

fn step(role: StepRole, at: &str, service: &str, text: &str, event: &str) -> PathStep {
    PathStep { role, time: time(at), service: service.into(), text: text.into(), citations: vec![cite(event)] }
}

fn walked(path: Vec<PathStep>) -> (ClaimVerdict, Option<String>) {
    let mut claim = hindcast_verifier::way(&path);
    judge(&mut claim, &court());
    (claim.verdict, claim.reason)
}

fn path() -> Vec<PathStep> {
    vec![
        step(
            StepRole::Broke,
            "03:11:07",
            "postgres",
            "new log line \"FATAL: sorry, too many clients already …\" ×1,204",
            LINE,
        ),
        step(StepRole::Then, "03:11:19", "checkout", "http_error_ratio rose from 0.002 to 0.384", ERRORS),
        step(StepRole::Alarmed, "03:12:30", "nginx", "NginxHigh5xxRate fired", NGINX),
    ]
}

#[test]
fn a_path_is_walked_step_by_step() {
    assert_eq!(walked(path()), (ClaimVerdict::Supported, None));
    type Change = fn(&mut Vec<PathStep>);
    let wrong: &[(&str, Change)] = &[
        ("another service", |path| path[1].service = "redis".into()),
        ("another time", |path| path[1].time = time("03:11:30")),
        ("another figure", |path| path[1].text = "http_error_ratio rose from 0.002 to 0.9".into()),
        ("the other way", |path| path.reverse()),
        ("roles", |path| path[0].role = StepRole::Alarmed),
        ("two of what broke", |path| path[1].role = StepRole::Broke),
        ("no event", |path| path[2].citations.clear()),
        ("nothing that depends on it", |path| {
            path.remove(0);
            path.swap(0, 1);
        }),
        ("the deploy's event", |path| path[0].citations = vec![cite(DEPLOY)]),
    ];
    for (name, change) in wrong {
        let mut path = path();
        change(&mut path);
        let (verdict, reason) = walked(path);
        assert_eq!(verdict, ClaimVerdict::Unsupported, "{name}: {reason:?}");
    }
}
