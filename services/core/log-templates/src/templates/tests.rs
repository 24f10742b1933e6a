//! Tests of the module above.

use super::*;

fn learnt(lines: &[&str]) -> (Miner, Vec<TemplateHandle>) {
    let mut miner = Miner::default();
    let handles = lines.iter().map(|line| miner.learn("shop", line).unwrap().handle).collect();
    (miner, handles)
}

fn texts(lines: &[&str]) -> Vec<String> {
    learnt(lines).0.templates("shop").map(|(_, shown)| shown.text).collect()
}

#[test]
fn lines_that_differ_in_values_are_one_template() {
    assert_eq!(texts(&["order 4711 placed in 3 ms", "order 12 placed in 9 ms"]), ["order <*> placed in <*> ms"]);
    assert_eq!(texts(&["took 5 ms", "took 7 seconds", "took 00:01"]), ["took <*>"]);
    assert_eq!(texts(&["sent 0 bytes to all", "sent 1165 bytes (1.13 KB) to all"]), ["sent <*> to all"]);
}

#[test]
fn states_stay_apart_and_names_do_not() {
    assert_eq!(texts(&["link is up now", "link is down now"]).len(), 2);
    let loaded = ["cannot load module net.core of the store", "cannot load module disk.io of the store"];
    assert_eq!(texts(&loaded), ["cannot load module <*> of the store"]);
    let users = ["login of anna failed", "login of bert failed", "login of carl failed", "login of dora failed"];
    assert_eq!(texts(&users[..3]).len(), 3, "three may be states");
    assert_eq!(texts(&users), ["login of <*> failed"], "four are values");
}

#[test]
fn an_id_stays_while_the_text_is_generalised_and_the_version_rises() {
    let users = ["login of anna failed", "login of bert failed", "login of carl failed", "login of dora failed"];
    let mut miner = Miner::default();
    let first = miner.learn("shop", users[0]).unwrap();
    let (id, version) = {
        let shown = miner.template("shop", first.handle).unwrap();
        (shown.id.to_owned(), shown.version)
    };
    assert!(first.is_new && id.starts_with("TPL-") && version == 1);
    let later: Vec<Learnt> = users[1..].iter().map(|line| miner.learn("shop", line).unwrap()).collect();
    let last = &later[2];
    assert!(!last.is_new && last.is_wider);
    assert_eq!((last.handle, last.merged.len()), (first.handle, 2));
    let shown = miner.template("shop", first.handle).unwrap();
    assert_eq!((shown.id, shown.version, shown.lines), (id.as_str(), 2, 4));
    assert_eq!(miner.root("shop", last.merged[0]), first.handle, "an old handle leads to it");
    assert!(!miner.learn("shop", "login of emma failed").unwrap().is_new);
}

#[test]
fn services_have_templates_of_their_own() {
    let mut miner = Miner::default();
    let ids: Vec<String> = ["a", "b"]
        .iter()
        .map(|service| {
            let handle = miner.learn(service, "started").unwrap().handle;
            miner.template(service, handle).unwrap().id.to_owned()
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_snapshot_goes_on_as_if_nothing_had_happened() {
    let lines: Vec<String> =
        (0..400).map(|n| format!("job {} of queue-{} ended {}", n, n % 7, "abcdef".repeat(n % 5))).collect();
    let mut whole = Miner::default();
    let mut halved = Miner::default();
    for (at, line) in lines.iter().enumerate() {
        if at == 200 {
            halved = serde_json::from_slice(&serde_json::to_vec(&halved).unwrap()).unwrap();
        }
        let (one, other) = (whole.learn("s", line).unwrap(), halved.learn("s", line).unwrap());
        assert_eq!(one, other, "line {at}");
    }
    let shown =
        |miner: &Miner| miner.templates("s").map(|(_, s)| (s.id.to_owned(), s.text, s.version)).collect::<Vec<_>>();
    assert_eq!(shown(&whole), shown(&halved));
}

#[test]
fn everything_is_bounded_and_what_has_no_room_is_counted() {
    let mut miner = Miner::default();
    let word = |n: usize| n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect::<String>();
    for n in 0..TEMPLATES_MAX + 50 {
        // As many words as templates differ in none but all of them.
        miner.learn("s", &format!("{} {} {}", word(n), word(n * 31 + 7), word(n * 17 + 3)));
    }
    assert!(miner.templates("s").count() <= TEMPLATES_MAX);
    let long = "x ".repeat(10_000);
    let handle = miner.learn("t", &long).unwrap().handle;
    assert!(miner.template("t", handle).unwrap().text.len() < crate::mask::LINE_BYTES_MAX);
    assert_eq!(miner.overflow().cut, 1);
    assert!(miner.overflow().lines > 0);
    (0..SERVICES_MAX + 5).for_each(|n| drop(miner.learn(&format!("service-{n}"), "started")));
    assert!(miner.learn("one-too-many", "started").is_none());
}

#[test]
fn a_second_pass_gives_every_line_its_final_template() {
    let users = ["login of anna failed now", "login of bert failed now", "login of carl failed now"];
    let lines = users.into_iter().chain(["login of dora failed now", ""]);
    let mined = mine(lines, TemplateSettings::default());
    let texts: Vec<&str> = mined.lines.iter().map(|place| mined.templates[place.unwrap()].1.as_str()).collect();
    let user = "login of <*> failed now";
    assert_eq!(texts, [user, user, user, user, ""]);
}

#[test]
fn a_snapshot_by_older_rules_is_masked_anew_and_keeps_its_ids() {
    let lines = ["login of anna failed now", "job 7 of 10.0.0.1:80 took 5 ms", "link is up", "at 03:12:00 U11 said no"];
    let mut miner = Miner::default();
    let ids: Vec<String> = lines
        .iter()
        .map(|line| {
            let handle = miner.learn("s", line).unwrap().handle;
            miner.template("s", handle).unwrap().id.to_owned()
        })
        .collect();
    let mut snapshot = serde_json::to_value(&miner).unwrap();
    let shelf = &mut snapshot["services"]["s"];
    shelf.as_object_mut().unwrap().remove("form");
    for template in shelf["templates"].as_array_mut().unwrap() {
        template["words"].as_array_mut().unwrap().iter_mut().for_each(|word| word["sig"] = 1.into());
    }
    let mut again: Miner = serde_json::from_value(snapshot).unwrap();
    for (line, id) in lines.iter().zip(&ids) {
        let learnt = again.learn("s", line).unwrap();
        assert!(!learnt.is_new, "{line}");
        assert_eq!(again.template("s", learnt.handle).unwrap().id, id, "{line}");
    }
}

#[test]
fn a_server_that_fails_has_a_template_of_its_own() {
    let line = |status| format!("10.0.0.1 \"GET /a HTTP/1.1\" {status} 512 rt=0.01");
    assert_eq!(texts(&[&line(200), &line(404), &line(204)]), ["<*> \"GET <*> HTTP/<*>\" <*> <*> rt=<*>"]);
    let failed = [
        "<*> \"GET <*> HTTP/<*>\" <*> <*> rt=<*>",
        "<*> \"GET <*> HTTP/<*>\" 502 <*> rt=<*>",
        "<*> \"GET <*> HTTP/<*>\" 503 <*> rt=<*>",
    ];
    assert_eq!(texts(&[&line(200), &line(502), &line(503), &line(502), &line(201)]), failed);
    for said in ["upstream said status=503 to us", "upstream said {\"status\":503} to us", "done, status: 503 for us"] {
        assert!(texts(&[said])[0].contains("503"), "{said}");
    }
    assert_eq!(texts(&["the target said status code 503 to us"]), ["the target said status code <*> to us"]);
    assert_eq!(texts(&["503 lines in 500 files of 504"]), ["<*> lines in <*> files of <*>"]);
}

#[test]
fn how_a_value_is_written_is_shown_until_it_varies() {
    assert_eq!(texts(&["began 03:12:00 of day", "began 03:12:01 of day"]), ["began <*>:<*>:<*> of day"]);
    assert_eq!(texts(&["began 03:12:00 of day", "began 17 of day"]), ["began <*> of day"]);
    assert_eq!(texts(&["channels 1 2 3 are up", "channels 4 5 6 are up"]), ["channels <*> <*> <*> are up"]);
    assert_eq!(texts(&["channels 1 2 3 are up", "channels 4 are up"]), ["channels <*> are up"]);
    assert_eq!(texts(&["unit U11 is lost", "unit U11 is lost"]), ["unit U11 is lost"]);
    assert_eq!(texts(&["unit U11 is lost", "unit U12 is lost"]), ["unit <*> is lost"]);
}

#[test]
fn what_is_marked_as_a_value_needs_little_evidence() {
    let quoted = ["said \"no\" to all of them", "said \"oh my word\" to all of them", "said \"yes\" to all of them"];
    assert_eq!(texts(&quoted), ["said \"<*>\" to all of them"]);
    assert_eq!(texts(&["made by owner=anna in time", "made by owner=bert in time"]), ["made by owner=<*> in time"]);
    let states: Vec<String> =
        ["OPEN", "SHUT", "LOST", "FULL"].iter().map(|state| format!("the gate is now {state} to all")).collect();
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    assert_eq!(texts(&states).len(), 4);
    for key in ["state=", "job.status=", "\"result\":\""] {
        let lines = ["open", "shut", "lost", "full"].map(|state| format!("the big gate said {key}{state} to all"));
        assert_eq!(texts(&lines.each_ref().map(String::as_str)).len(), 4, "{key}");
    }
}
