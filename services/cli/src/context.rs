//! What every command works with: the server, the terminal, and how answers are wanted. Owns paging through
//! lists, ids that are left out, and printing of JSON; refuses to know any command.

use clap::Args;
use hindcast_domain::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::client::{ApiClient, Path, typed};
use crate::error::{Error, Result};
use crate::parse::when::{AsOfArg, When, as_of};
use crate::terminal::Terminal;
use crate::text::ids::Ids;
use crate::text::times::Times;

/// Items of the largest page that a server gives.
const PAGE: usize = hindcast_api::LIMIT_MAX;

/// What every command works with.
pub struct CliContext<'a> {
    /// The server that commands ask.
    pub client: ApiClient,
    /// Where output goes.
    pub terminal: &'a mut Terminal,
    /// Whether JSON is wanted.
    pub json: bool,
    /// Whether ids are wanted whole.
    pub full: bool,
}

/// The option `--as-of`, shared by every command that can look back.
#[derive(Args, Clone, Debug, Default)]
pub struct AsOfArgs {
    /// Show the state at a position, or at a time such as 2026-11-20T03:12:00Z, 03:12 or 2h (ago).
    #[arg(long = "as-of", value_name = "POSITION|TIME", value_parser = as_of, allow_hyphen_values = true)]
    pub as_of: Option<AsOfArg>,
}

/// How much of a list.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
    /// The number of items at most.
    #[arg(long, value_name = "N", default_value_t = hindcast_api::LIMIT_DEFAULT, conflicts_with = "all")]
    pub limit: usize,
    /// List everything, page by page.
    #[arg(long)]
    pub all: bool,
    /// Continue an earlier list: the value of `next` in its JSON answer.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// A list, or as much of it as was wanted, with each item as it came.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The items as the server sent them.
    pub items: Vec<Box<RawValue>>,
    /// Where it goes on.
    pub next: Option<String>,
    /// The position that it shows.
    pub position: u64,
}

#[derive(serde::Deserialize)]
struct RawPage {
    items: Vec<Box<RawValue>>,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    position: u64,
}

impl CliContext<'_> {
    /// What time it is: for the server where it has said so, else here.
    #[must_use]
    pub fn now(&self) -> Time {
        self.client.server_time().unwrap_or_else(|| self.terminal.now())
    }

    /// As of when, as it is sent.
    #[must_use]
    pub fn as_of(&self, as_of: &AsOfArgs) -> Option<String> {
        as_of.as_of.map(|as_of| as_of.query(self.now()))
    }

    /// Times relative to now; to the time that is looked back to; and to nothing where that is a position.
    #[must_use]
    pub fn times(&self, as_of: &AsOfArgs) -> Times {
        let now = self.now();
        Times::new(match as_of.as_of {
            None => Some(now),
            Some(AsOfArg::When(when)) => Some(when.past(now)),
            Some(AsOfArg::Position(_)) => None,
        })
    }

    /// An option that looks back, as it is sent.
    #[must_use]
    pub fn past(&self, when: Option<When>) -> Option<Time> {
        when.map(|when| when.past(self.now()))
    }

    /// An incident, the newest where no id was given, and as of when it is to be asked further: the position of this
    /// answer, so that all parts of what is shown are of one. A server that names none is asked as it was.
    ///
    /// # Errors
    /// When there is none.
    pub async fn incident_seen(&self, id: Option<&str>, as_of: &AsOfArgs) -> Result<SeenIncident> {
        let mut then = self.as_of(as_of);
        let mut id = id.map(|id| id.trim().to_owned());
        if id.is_none() {
            let path = Path::new("/api/v1/incidents").maybe("as_of", then.as_ref()).query("limit", 1);
            let page: RawPage = typed("/api/v1/incidents", &self.client.get(&path).await?)?;
            id = Some(newest(&page)?);
            then = Some(page.position.to_string());
        }
        let path = Path::new("/api/v1/incidents").join(&id.unwrap_or_default()).maybe("as_of", then.as_ref());
        let (document, position) = self.client.get_of(&path).await?;
        Ok(SeenIncident { document, position, then: position.map(|position| position.to_string()).or(then) })
    }

    /// An id, or that of the newest incident where none was given.
    ///
    /// # Errors
    /// When there is none.
    pub async fn incident_id(&self, id: Option<&str>, as_of: &AsOfArgs) -> Result<String> {
        if let Some(id) = id {
            return Ok(id.trim().to_owned());
        }
        let path = Path::new("/api/v1/incidents").maybe("as_of", self.as_of(as_of)).query("limit", 1);
        let page: RawPage = typed("/api/v1/incidents", &self.client.get(&path).await?)?;
        newest(&page)
    }

    /// One page of a list.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn page(&self, path: &Path, cursor: Option<&str>, limit: usize) -> Result<Listed> {
        let path = path.clone().query("limit", limit.clamp(1, PAGE)).maybe("cursor", cursor);
        let page: RawPage = typed("a list", &self.client.get(&path).await?)?;
        Ok(Listed { items: page.items, next: page.next, position: page.position })
    }

    /// A list through as many pages as it takes.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn list(&self, path: Path, args: &ListArgs) -> Result<Listed> {
        if args.limit == 0 {
            return Err(Error::Usage("expected a limit of at least 1, got 0".to_owned()));
        }
        let wanted = if args.all { usize::MAX } else { args.limit };
        let path = path.maybe("as_of", self.as_of(&args.as_of));
        let mut listed = self.page(&path, args.cursor.as_deref(), wanted).await?;
        while listed.items.len() < wanted
            && let Some(next) = listed.next.take()
        {
            let page = self.page(&path, Some(&next), wanted - listed.items.len()).await?;
            if page.next.as_ref() == Some(&next) {
                return Err(Error::failed(
                    "expected the next page of the list, got the same page twice",
                    "This is a defect of Hindcast: please report it.",
                ));
            }
            listed.items.extend(page.items);
            listed.next = page.next;
        }
        Ok(listed)
    }

    /// Everything of a list.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn list_all<T: DeserializeOwned>(&self, path: Path, as_of: &AsOfArgs) -> Result<Vec<T>> {
        let args = ListArgs { as_of: as_of.clone(), limit: PAGE, all: true, cursor: None };
        let listed = self.list(path, &args).await?;
        items(&listed)
    }

    /// Prints a JSON document: as it came, and laid out where a person reads it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print_json(&mut self, document: &impl Serialize) -> Result<()> {
        let text = if self.terminal.is_interactive() {
            serde_json::to_value(document).and_then(|value| serde_json::to_string_pretty(&value))
        } else {
            serde_json::to_string(document)
        };
        let text =
            text.map_err(|error| Error::failed(error.to_string(), "This is a defect of Hindcast: please report it."))?;
        Ok(self.terminal.line(&text)?)
    }

    /// Ids made short among those in sight.
    #[must_use]
    pub fn ids<'b>(&self, ids: impl IntoIterator<Item = &'b str>) -> Ids {
        Ids::of(ids, self.full)
    }

    /// Says on standard error that there is more of a list.
    pub fn say_if_more(&mut self, listed: &Listed) {
        if listed.next.is_some() {
            self.terminal.say(&format!("these are the first {}; --all lists everything", listed.items.len()));
        }
    }
}

/// An incident as the server sent it, and the position that it is of.
#[derive(Debug)]
pub struct SeenIncident {
    /// As it came.
    pub document: Box<RawValue>,
    /// The position, where the server names it.
    pub position: Option<u64>,
    /// As of when its parts are to be asked.
    pub then: Option<String>,
}

/// The id of the first incident of a list.
fn newest(page: &RawPage) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Identified {
        id: String,
    }
    let newest = page.items.first().ok_or_else(|| Error::NothingFound("there is no incident yet".to_owned()))?;
    Ok(typed::<Identified>("/api/v1/incidents", newest)?.id)
}

/// The items of a list, typed.
///
/// # Errors
/// When one has another form.
pub fn items<T: DeserializeOwned>(listed: &Listed) -> Result<Vec<T>> {
    listed.items.iter().map(|item| typed("a list", item)).collect()
}
