//! What comes in: every token that must be refused is, for its own reason; the vendor's keys are kept, looked
//! up anew and bounded as promised; and without keys nothing is believed.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use crate::teams;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use hindcast_chat_teams::{AuthorityOptions, BotAuthority};
use hindcast_messaging::chat::{Authority, Denied};
use serde_json::{Value, json};
use teams::{APP_ID, At, Teams, Token, User};

/// When the tests take place, in seconds since 1970.
const NOW: i64 = 1_795_526_950;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

struct Scene {
    teams: Teams,
    now: Arc<AtomicI64>,
    authority: BotAuthority,
}

impl Scene {
    async fn set() -> Self {
        let teams = Teams::start().await;
        teams.set_time(NOW);
        let now = Arc::new(AtomicI64::new(NOW));
        let authority = BotAuthority::new(options(&teams, &now)).unwrap();
        Self { teams, now, authority }
    }

    async fn check(&self, token: Token) -> Result<String, Denied> {
        self.check_text(&self.teams.authorization(token)).await
    }

    async fn check_text(&self, authorization: &str) -> Result<String, Denied> {
        self.authority.check(authorization, &self.teams.service_url(), "msteams").await
    }

    /// Lets time pass, for both sides.
    fn pass(&self, seconds: i64) {
        let now = self.now.fetch_add(seconds, Ordering::SeqCst) + seconds;
        self.teams.set_time(now);
    }

    fn fetches(&self) -> u64 {
        self.teams.counts().keys
    }
}

fn options(teams: &Teams, now: &Arc<AtomicI64>) -> AuthorityOptions {
    let now = Arc::clone(now);
    let clock = Arc::new(move || now.load(Ordering::SeqCst));
    AuthorityOptions {
        metadata_url: teams.metadata_url(),
        timeout: Duration::from_secs(2),
        ..AuthorityOptions::new(APP_ID, clock)
    }
}

fn invalid(result: Result<String, Denied>) -> String {
    match result {
        Err(Denied::Invalid(why)) => why,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A word of the reason for which a token must be refused.
fn reason(token: Token) -> &'static str {
    match token {
        Token::AlgNone | Token::AlgNoneInCapitals => "no JWT of an algorithm",
        Token::HmacWithPublicDer | Token::HmacWithPublicPem | Token::Pss => "not RS256, RS384 or RS512",
        Token::OtherAudience => "not for our app",
        Token::OtherIssuer | Token::IssuerWithSlash => "issuer",
        Token::ListOfAudiences | Token::NoAudience | Token::NoIssuer | Token::NoExpiry | Token::IssuerTwice => {
            "cannot be read"
        }
        Token::Expired => "run out",
        Token::NotYet => "not valid yet",
        Token::NotEndorsed | Token::EndorsedForNothing => "not endorsed",
        Token::OtherServiceUrl | Token::NoServiceUrl | Token::TwoServiceUrls => "another service URL",
        Token::UnknownKid => "no key of the vendor's",
        Token::NoKid => "names no key",
        Token::StolenKid
        | Token::KeyAlong
        | Token::SignatureByteChanged
        | Token::ClaimChanged
        | Token::SignatureEmpty => "signature does not hold",
        Token::SignatureMissing => "no JWT",
        Token::Critical => "wants something understood",
        Token::Doubled | Token::Nothing => "one token",
        Token::Basic => "another scheme",
        Token::Bare => "expected Authorization: Bearer",
        Token::Good | Token::Good384 | Token::Good512 => unreachable!(),
    }
}

#[tokio::test]
async fn a_good_token_is_believed_and_every_bad_one_refused_for_its_own_reason() {
    let scene = Scene::set().await;
    for token in Token::GOOD {
        assert_eq!(scene.check(token).await.as_deref(), Ok("key-current"), "{token:?}");
    }
    for token in Token::BAD {
        let why = invalid(scene.check(token).await);
        assert!(why.contains(reason(token)), "{token:?}: {why}");
        assert!(!why.contains("eyJ"), "{token:?}: the token is never shown: {why}");
    }
    assert_eq!(scene.check(Token::Good).await.as_deref(), Ok("key-current"), "and it is still believed");
}

#[tokio::test]
async fn each_defect_is_the_only_one() {
    // With the one check satisfied that it fails, a token passes: so it was that check which refused it.
    let scene = Scene::set().await;
    let (teams, now) = (&scene.teams, &scene.now);
    let check = async |options: AuthorityOptions, token: Token, service_url: &str| {
        BotAuthority::new(options).unwrap().check(&teams.authorization(token), service_url, "msteams").await
    };
    let here = teams.service_url();

    let other_app = AuthorityOptions { app_id: "00000000-0000-4000-8000-000000000000".into(), ..options(teams, now) };
    assert!(check(other_app, Token::OtherAudience, &here).await.is_ok());

    let other_issuer = |issuer: &str| AuthorityOptions { issuer: issuer.into(), ..options(teams, now) };
    assert!(check(other_issuer("https://sts.windows.net/evil/"), Token::OtherIssuer, &here).await.is_ok());
    assert!(check(other_issuer("https://api.botframework.com/"), Token::IssuerWithSlash, &here).await.is_ok());

    let elsewhere = "https://smba.trafficmanager.net/evil/";
    assert!(check(options(teams, now), Token::OtherServiceUrl, elsewhere).await.is_ok());
    assert!(check(options(teams, now), Token::Good, elsewhere).await.is_err());

    let another_time = |seconds: i64| options(teams, &Arc::new(AtomicI64::new(NOW + seconds)));
    assert!(check(another_time(-1), Token::Expired, &here).await.is_ok(), "five minutes' leeway, to the second");
    assert!(check(another_time(10), Token::NotYet, &here).await.is_ok(), "five minutes' leeway, to the second");
    assert!(check(another_time(9), Token::NotYet, &here).await.is_err());
    assert!(check(another_time(HOUR + 299), Token::Good, &here).await.is_ok());
    assert!(check(another_time(HOUR + 300), Token::Good, &here).await.is_err());

    teams.rotate_keys();
    assert_eq!(check(options(teams, now), Token::Good, &here).await.as_deref(), Ok("key-next"));
}

#[tokio::test]
async fn a_claim_may_be_spelt_either_way_and_time_may_be_missing_at_its_start() {
    let scene = Scene::set().await;
    let mut claims = scene.teams.claims();
    let fields = claims.as_object_mut().unwrap();
    let here = fields.remove("serviceurl").unwrap();
    fields.insert("serviceUrl".into(), here);
    fields.remove("nbf");
    assert!(scene.check_text(&scene.teams.signed(&claims)).await.is_ok());
    claims["exp"] = json!("soon");
    assert!(invalid(scene.check_text(&scene.teams.signed(&claims)).await).contains("cannot be read"));
}

#[tokio::test]
async fn only_teams_is_listened_to_and_only_at_microsofts_addresses() {
    let scene = Scene::set().await;
    let good = scene.teams.authorization(Token::Good);
    let here = scene.teams.service_url();
    for channel in ["webchat", "directline", "emulator", "MSTEAMS", ""] {
        assert!(invalid(scene.authority.check(&good, &here, channel).await).contains("channelId"), "{channel}");
    }
    // A token that is right for an address does not make the address right.
    for there in
        ["https://evil.example/", "http://smba.trafficmanager.net/emea/", "https://smba.trafficmanager.net:1/", ""]
    {
        let mut claims = scene.teams.claims();
        claims["serviceurl"] = json!(there);
        let why = invalid(scene.authority.check(&scene.teams.signed(&claims), there, "msteams").await);
        assert!(why.contains("service URL"), "{there}: {why}");
    }
    // Exactly the same address: not nearly.
    let nearly = here.trim_end_matches('/').to_owned();
    assert!(invalid(scene.authority.check(&good, &nearly, "msteams").await).contains("another service URL"));
}

#[tokio::test]
async fn without_keys_nothing_is_believed() {
    let scene = Scene::set().await;
    scene.teams.keys_down(true);
    for token in [Token::Good, Token::UnknownKid, Token::StolenKid] {
        assert!(matches!(scene.check(token).await, Err(Denied::Unavailable(_))), "{token:?}");
    }
    // What no key could make good is refused all the same.
    invalid(scene.check(Token::AlgNone).await);
    invalid(scene.check(Token::HmacWithPublicDer).await);
    // And as soon as keys can be had, the good one is believed.
    scene.teams.keys_down(false);
    scene.pass(5);
    assert!(scene.check(Token::Good).await.is_ok());
}

#[tokio::test]
async fn a_key_service_that_is_nowhere_makes_it_unavailable_and_says_so_soon() {
    let scene = Scene::set().await;
    let nowhere = AuthorityOptions { metadata_url: "http://127.0.0.1:9/".into(), ..options(&scene.teams, &scene.now) };
    let authority = BotAuthority::new(nowhere).unwrap();
    let began = Instant::now();
    let denied = authority.check(&scene.teams.authorization(Token::Good), &scene.teams.service_url(), "msteams").await;
    let Err(Denied::Unavailable(why)) = denied else { panic!("{denied:?}") };
    assert!(why.contains("cannot be reached") && !why.contains("127.0.0.1"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn keys_are_fetched_once_a_day() {
    let scene = Scene::set().await;
    for _ in 0..20 {
        scene.check(Token::Good).await.unwrap();
        scene.check(Token::StolenKid).await.unwrap_err();
    }
    assert_eq!(scene.fetches(), 1);
    scene.pass(DAY);
    scene.check(Token::Good).await.unwrap();
    assert_eq!(scene.fetches(), 1);
    scene.pass(1);
    scene.check(Token::Good).await.unwrap();
    scene.check(Token::Good).await.unwrap();
    assert_eq!(scene.fetches(), 2);
}

#[tokio::test]
async fn old_keys_do_for_five_days_while_the_vendor_is_away_and_no_longer() {
    let scene = Scene::set().await;
    scene.check(Token::Good).await.unwrap();
    scene.teams.keys_down(true);
    for day in 1..=5 {
        scene.pass(DAY);
        assert!(scene.check(Token::Good).await.is_ok(), "day {day}");
    }
    // A key that is not among them may be a new one: nothing can be said.
    assert!(matches!(scene.check(Token::UnknownKid).await, Err(Denied::Unavailable(_))));
    scene.pass(1);
    assert!(matches!(scene.check(Token::Good).await, Err(Denied::Unavailable(_))));
    scene.teams.keys_down(false);
    scene.pass(60);
    assert!(scene.check(Token::Good).await.is_ok());
}

#[tokio::test]
async fn while_old_keys_do_the_vendor_is_asked_every_five_minutes_at_most() {
    let scene = Scene::set().await;
    scene.check(Token::Good).await.unwrap();
    scene.teams.keys_down(true);
    scene.pass(DAY + 1);
    let before = scene.teams.counts().metadata;
    for _ in 0..50 {
        scene.check(Token::Good).await.unwrap();
    }
    assert_eq!(scene.teams.counts().metadata, before + 1);
    scene.pass(300);
    scene.check(Token::Good).await.unwrap();
    assert_eq!(scene.teams.counts().metadata, before + 2);
}

#[tokio::test]
async fn a_new_key_is_learnt_at_once_and_a_withdrawn_one_forgotten() {
    let scene = Scene::set().await;
    scene.check(Token::Good).await.unwrap();
    let old = scene.teams.signed(&scene.teams.claims());
    scene.pass(HOUR);
    scene.teams.rotate_keys();
    assert_eq!(scene.check(Token::Good).await.as_deref(), Ok("key-next"));
    assert_eq!(scene.fetches(), 2);
    assert!(invalid(scene.check_text(&old).await).contains("no key of the vendor's"));
}

#[tokio::test]
async fn a_key_that_the_vendor_withdrew_is_forgotten_within_a_day() {
    let scene = Scene::set().await;
    scene.check(Token::Good).await.unwrap();
    let mut claims = scene.teams.claims();
    claims["exp"] = json!(NOW + 3 * DAY);
    let old = scene.teams.signed(&claims);
    scene.teams.rotate_keys();
    scene.pass(DAY);
    assert!(scene.check_text(&old).await.is_ok(), "keys are looked up once a day");
    scene.pass(1);
    assert!(invalid(scene.check_text(&old).await).contains("no key of the vendor's"));
}

#[tokio::test]
async fn a_flood_of_invented_keys_makes_no_flood_of_fetches() {
    let scene = Scene::set().await;
    scene.check(Token::Good).await.unwrap();
    scene.pass(HOUR);
    let flood = (0..200).map(|_| scene.check(Token::UnknownKid));
    for denied in futures::future::join_all(flood).await {
        invalid(denied);
    }
    assert_eq!(scene.fetches(), 2, "one for the first, one for the flood");
    // Those who are known are served meanwhile, and a minute later one more look is allowed.
    scene.check(Token::Good).await.unwrap();
    scene.pass(59);
    invalid(scene.check(Token::UnknownKid).await);
    assert_eq!(scene.fetches(), 2);
    scene.pass(1);
    invalid(scene.check(Token::UnknownKid).await);
    assert_eq!(scene.fetches(), 3);
}

#[tokio::test]
async fn a_clock_that_steps_back_blocks_nothing() {
    let scene = Scene::set().await;
    scene.check(Token::Good).await.unwrap();
    scene.pass(-30 * DAY);
    scene.check(Token::Good).await.unwrap();
    scene.teams.rotate_keys();
    assert_eq!(scene.check(Token::Good).await.as_deref(), Ok("key-next"));
}

#[tokio::test]
async fn whoever_goes_away_half_way_does_not_take_the_fetch_along() {
    let scene = Scene::set().await;
    let gone = tokio::time::timeout(Duration::from_micros(1), scene.check(Token::Good)).await;
    assert!(gone.is_err(), "it went away");
    // Within the pause no second attempt is made, and yet the keys come.
    assert!(scene.check(Token::Good).await.is_ok());
    assert_eq!(scene.fetches(), 1);
}

/// A door as small as one can be: one header, checked before anything of the delivery is believed.
async fn door(authority: BotAuthority) -> String {
    use axum::http::{HeaderMap, StatusCode};
    let authority = Arc::new(authority);
    let take = move |headers: HeaderMap, axum::Json(activity): axum::Json<Value>| {
        let authority = Arc::clone(&authority);
        async move {
            let text = |name: &str| activity[name].as_str().unwrap_or_default();
            let header = headers["authorization"].to_str().unwrap();
            match authority.check(header, text("serviceUrl"), text("channelId")).await {
                Ok(_) => (StatusCode::OK, axum::Json(activity.clone())),
                Err(_) => (StatusCode::FORBIDDEN, axum::Json(Value::Null)),
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/teams/messages", listener.local_addr().unwrap());
    let app = axum::Router::new().route("/teams/messages", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

#[tokio::test]
async fn what_a_person_does_gets_through_a_door_and_what_a_stranger_sends_does_not() {
    let scene = Scene::set().await;
    let door = door(scene.authority).await;
    let (teams, ada) = (&scene.teams, User::new("Ada"));
    let (status, said) = teams.say(&door, &ada, &At::channel("19:x@thread.tacv2"), "ack 7Q2K").await;
    assert_eq!((status, &said["text"]), (200, &json!("<at>Hindcast</at> ack 7Q2K\n")));
    let activity = teams.message(&ada, &At::chat("a:1"), "ack 7Q2K");
    for token in [Token::AlgNone, Token::StolenKid, Token::OtherServiceUrl, Token::Doubled] {
        let (status, said) = teams.deliver(&door, &teams.authorization(token), &activity).await;
        assert_eq!((status, said), (403, Value::Null), "{token:?}");
    }
    let mut elsewhere = activity;
    elsewhere["serviceUrl"] = json!("https://evil.example/");
    let (status, _) = teams.deliver(&door, &teams.authorization(Token::Good), &elsewhere).await;
    assert_eq!(status, 403);
}

#[test]
fn settings_that_cannot_be_worked_with_are_refused() {
    let clock = || Arc::new(|| NOW);
    let said = |options: AuthorityOptions| BotAuthority::new(options).err().map(|error| error.to_string());
    assert_eq!(said(AuthorityOptions::new(APP_ID, clock())), None);
    assert!(said(AuthorityOptions::new("", clock())).unwrap().contains("teams.app_id"));
    let plain = AuthorityOptions {
        metadata_url: "http://login.botframework.com/".into(),
        ..AuthorityOptions::new("a", clock())
    };
    assert!(said(plain).unwrap().contains("https"));
}
