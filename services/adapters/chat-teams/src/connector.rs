//! The connector: shows messages in Teams, and changes them. Owns the chat port for Teams; refuses to read
//! what stands in a conversation, for which an app has no right.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::chat::Place;
use hindcast_messaging::chat::{Chat, Error, Outgoing, VendorLookup, Whisper};
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::UnixClock;
use crate::activity::{self, Conversation};
use crate::hosts::{self, HOSTS, Hosts};
use crate::token::TokenSource;
use crate::wire;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;

/// Who is spoken to, in errors.
const WHO: &str = "the Teams connector";

/// How Teams is spoken to.
#[derive(Clone)]
pub struct Options {
    /// The app's id, as the Bot Framework registered it.
    pub app_id: String,
    /// The app's password (client secret).
    pub app_password: Secret,
    /// The directory of a single-tenant app. `None` for a multi-tenant one: `botframework.com`.
    pub tenant: Option<String>,
    /// Where tokens are given, if not at the public cloud. Plain HTTP to this very machine is for tests, and
    /// allows conversations there too.
    pub token_url: Option<String>,
    /// What the token is for.
    pub scope: String,
    /// Where conversations are served of which nothing came in yet, such as
    /// `https://smba.trafficmanager.net/emea/`.
    pub service_url: Option<String>,
    /// The hosts that conversations may be served at: our token goes to them.
    pub hosts: Vec<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Whether a word to one person alone is tried as such; otherwise it stands in the thread for all.
    pub targeted: bool,
    /// Tells the time.
    pub clock: UnixClock,
}

impl Options {
    /// What suits the public cloud.
    #[must_use]
    pub fn new(app_id: impl Into<String>, app_password: Secret, clock: UnixClock) -> Self {
        Self {
            app_id: app_id.into(),
            app_password,
            tenant: None,
            token_url: None,
            scope: "https://api.botframework.com/.default".into(),
            service_url: None,
            hosts: HOSTS.map(str::to_owned).to_vec(),
            timeout: Duration::from_secs(10),
            targeted: true,
            clock,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("app_id", &self.app_id).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// Client of the Bot Connector API.
pub struct Teams {
    client: Client,
    tokens: TokenSource,
    hosts: Hosts,
    app_id: String,
    tenant: Option<String>,
    service_url: Option<String>,
    targeted: bool,
}

impl std::fmt::Debug for Teams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teams").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

impl Teams {
    /// Teams, by its settings alone: nothing is connected to.
    ///
    /// # Errors
    /// When a setting cannot be worked with.
    pub fn open(options: Options) -> Result<Self, Misconfigured> {
        if options.app_id.is_empty() {
            return Err(Misconfigured { what: "teams.app_id", expected: "the app's id", got: "nothing".into() });
        }
        if options.app_password.expose().is_empty() {
            return Err(Misconfigured { what: "teams.app_password", expected: "a password", got: "nothing".into() });
        }
        let directory = options.tenant.as_deref().unwrap_or("botframework.com");
        let directory = wire::segment(directory).ok_or_else(|| Misconfigured {
            what: "teams.tenant",
            expected: "a directory's id or domain",
            got: "something else".into(),
        })?;
        let address = options
            .token_url
            .unwrap_or_else(|| format!("https://login.microsoftonline.com/{directory}/oauth2/v2.0/token"));
        let url = hosts::trusted(&address).ok_or_else(|| Misconfigured {
            what: "teams.token_url",
            expected: "an https URL",
            got: "another one".into(),
        })?;
        let hosts = Hosts::new(&options.hosts, hosts::is_loopback(&url));
        if let Some(service_url) = &options.service_url {
            hosts.check(service_url).map_err(|got| Misconfigured {
                what: "teams.service_url",
                expected: "an https URL at an allowed host",
                got: got.into(),
            })?;
        }
        let client = wire::client(options.timeout)?;
        let tokens = TokenSource {
            client: client.clone(),
            url,
            app_id: options.app_id.clone(),
            password: options.app_password,
            scope: options.scope,
            clock: options.clock,
            kept: Mutex::new(None),
        };
        Ok(Self {
            client,
            tokens,
            hosts,
            app_id: options.app_id,
            tenant: options.tenant,
            service_url: options.service_url,
            targeted: options.targeted,
        })
    }

    /// Where a conversation is served: as its delivery said, or as is configured.
    fn service<'a>(&'a self, said: Option<&'a str>) -> Result<&'a str, Error> {
        let service = said.or(self.service_url.as_deref()).ok_or_else(|| {
            Error::Never(
                "where this conversation is served is unknown; set teams.service_url, or write to the app there once"
                    .into(),
            )
        })?;
        Ok(service)
    }

    /// An address below a service's, each part of `path` one segment.
    fn address(&self, service: &str, path: &[&str]) -> Result<Url, Error> {
        let mut url = self.hosts.check(service).map_err(|why| Error::Never(why.into()))?;
        let mut whole = url.path().trim_end_matches('/').to_owned();
        for part in path {
            let part = wire::segment(part).ok_or_else(|| {
                Error::Never("expected the id of a conversation or message, got none that can be one".into())
            })?;
            whole.push('/');
            whole.push_str(&part);
        }
        url.set_path(&whole);
        Ok(url)
    }

    /// One request with our token; with a new one where the old is refused.
    async fn ask(&self, method: &Method, url: &Url, body: &Value) -> Result<Value, Error> {
        let mut token = self.tokens.get(None).await?;
        let mut response = self.send(method, url, body, &token).await?;
        if response.status().as_u16() == 401 {
            token = self.tokens.get(Some(&token)).await?;
            response = self.send(method, url, body, &token).await?;
        }
        if !response.status().is_success() {
            return Err(wire::refusal(WHO, response).await);
        }
        let bytes = wire::body(WHO, response, wire::REPLY_MAX).await?;
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn send(&self, method: &Method, url: &Url, body: &Value, token: &str) -> Result<reqwest::Response, Error> {
        let request = self.client.request(method.clone(), url.clone());
        let request = request.header(AUTHORIZATION, format!("Bearer {token}")).json(body);
        request.send().await.map_err(|error| wire::unreached(WHO, error))
    }

    /// Begins a thread in a channel; the message's id.
    async fn begin(&self, service: &str, channel: &str, activity: Value) -> Result<String, Error> {
        let mut data = json!({"channel": {"id": channel}});
        if let (Some(tenant), Some(data)) = (&self.tenant, data.as_object_mut()) {
            data.insert("tenant".into(), json!({"id": tenant}));
        }
        let wanted = json!({
            "isGroup": true,
            "bot": {"id": format!("28:{}", self.app_id)},
            "channelData": data,
            "activity": activity,
        });
        let begun = self.ask(&Method::POST, &self.address(service, &["v3", "conversations"])?, &wanted).await?;
        let message = begun["activityId"].as_str().or_else(|| activity::root_of(begun["id"].as_str()?));
        message.map(str::to_owned).ok_or_else(nameless)
    }

    /// Adds to a conversation; the message's id.
    async fn add(&self, service: &str, to: &Conversation<'_>, activity: &Value) -> Result<String, Error> {
        let url = self.address(service, &["v3", "conversations", &to.id(), "activities"])?;
        let added = self.ask(&Method::POST, &url, activity).await?;
        added["id"].as_str().map(str::to_owned).ok_or_else(nameless)
    }
}

/// Trying again would show it twice: it stands there, and cannot be changed.
fn nameless() -> Error {
    Error::Never(format!("{WHO} took the message and did not say its id"))
}

#[async_trait]
impl Chat for Teams {
    fn vendor(&self) -> &'static str {
        "teams"
    }

    async fn post(&self, message: &Outgoing) -> Result<Place, Error> {
        let service = self.service(message.service_url.as_deref())?;
        let to = Conversation::of(&message.channel, message.thread.as_deref());
        let activity = activity::of_body(&message.body)?;
        let id = match to.root {
            None if to.is_channel() => self.begin(service, to.base, activity).await?,
            _ => self.add(service, &to, &activity).await?,
        };
        Ok(Place {
            channel: to.base.to_owned(),
            message: id,
            thread: to.root.map(str::to_owned),
            service_url: Some(service.to_owned()),
        })
    }

    async fn update(&self, place: &Place, body: &Value) -> Result<(), Error> {
        let service = self.service(place.service_url.as_deref())?;
        // A message without a thread is the root of its own.
        let to = Conversation::of(&place.channel, place.thread.as_deref().or(Some(&place.message)));
        let mut activity = activity::of_body(body)?;
        if let Some(fields) = activity.as_object_mut() {
            fields.insert("id".into(), json!(place.message));
        }
        let url = self.address(service, &["v3", "conversations", &to.id(), "activities", &place.message])?;
        self.ask(&Method::PUT, &url, &activity).await.map(|_| ())
    }

    /// Reading a conversation takes rights of Microsoft Graph that an app of ours does not ask for.
    async fn find(&self, _message: &Outgoing) -> Result<VendorLookup, Error> {
        Ok(VendorLookup::CannotLook)
    }

    /// Shown to the one person where the vendor can; else a reply that calls nobody. No chat is opened for it.
    async fn whisper(&self, whisper: &Whisper) -> Result<(), Error> {
        let service = self.service(whisper.service_url.as_deref())?;
        let to = Conversation::of(&whisper.channel, whisper.thread.as_deref());
        let activity = activity::of_body(&whisper.body)?;
        if self.targeted && !to.is_personal() && !whisper.user.is_empty() {
            let mut url = self.address(service, &["v3", "conversations", &to.id(), "activities"])?;
            url.set_query(Some("isTargetedActivity=true"));
            match self.ask(&Method::POST, &url, &activity::to_one(activity.clone(), &whisper.user)).await {
                Err(Error::Never(why)) => tracing::debug!(why, "a word to one person alone was refused; it is a reply"),
                other => return other.map(|_| ()),
            }
        }
        let url = self.address(service, &["v3", "conversations", &to.id(), "activities"])?;
        self.ask(&Method::POST, &url, &activity::calling_nobody(activity)).await.map(|_| ())
    }

    async fn open(&self, _trigger: &str, _dialog: &Value) -> Result<(), Error> {
        Err(Error::Never("Teams shows forms inside the card".into()))
    }

    /// Gets a token: that is all that can be asked without a conversation.
    async fn hello(&self) -> Result<String, Error> {
        self.tokens.get(None).await?;
        Ok(format!("app {}", self.app_id))
    }
}
