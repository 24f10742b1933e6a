//! A server on loopback that speaks Qdrant's own protocol, so that what we send and filter by is put to the
//! test without a Qdrant: it keeps points in memory and evaluates filters as the protocol says. What it does
//! not know it refuses. It says nothing about how a real server behaves under load or on a disk.

mod collections;
mod filter;
mod points;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::{PointId, Value};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::{Request, Status};

/// A point as it is kept.
#[derive(Clone, Debug)]
struct Kept {
    id: PointId,
    vector: Vec<f32>,
    payload: HashMap<String, Value>,
}

#[derive(Debug, Default)]
struct Collection {
    size: u64,
    points: BTreeMap<String, Kept>,
    /// Fields that have an index, with its type.
    indexes: BTreeMap<String, i32>,
}

#[derive(Debug, Default)]
struct State {
    collections: BTreeMap<String, Collection>,
    /// Writes that are still done; the ones after them fail as if the server were gone.
    writes_left: Option<u64>,
    writes: u64,
}

/// The server; it ends with its runtime.
#[derive(Clone)]
pub struct StandIn {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Clone)]
struct Service {
    state: Arc<Mutex<State>>,
}

impl Service {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn collection(&mut self, name: &str) -> Result<&mut Collection, Status> {
        self.collections.get_mut(name).ok_or_else(|| Status::not_found(format!("Collection `{name}` doesn't exist!")))
    }

    /// Counts a write, or fails it.
    fn write(&mut self) -> Result<(), Status> {
        match &mut self.writes_left {
            Some(0) => return Err(Status::unavailable("the server is gone")),
            Some(left) => *left -= 1,
            None => {}
        }
        self.writes += 1;
        Ok(())
    }
}

impl StandIn {
    /// Starts one that wants this key, where one is named.
    pub async fn start(key: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let service = Service { state: Arc::clone(&state) };
        let key = key.map(str::to_owned);
        let check = move |request: Request<()>| {
            let got = request.metadata().get("api-key").and_then(|value| value.to_str().ok());
            match &key {
                Some(key) if got != Some(key.as_str()) => Err(Status::unauthenticated("wrong key")),
                _ => Ok(request),
            }
        };
        const BYTES_MAX: usize = 64 * 1024 * 1024;
        let points = PointsServer::new(service.clone()).max_decoding_message_size(BYTES_MAX);
        let points = tonic::service::interceptor::InterceptedService::new(points, check.clone());
        let collections = CollectionsServer::with_interceptor(service, check);
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        tokio::spawn(Server::builder().add_service(points).add_service(collections).serve_with_incoming(incoming));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets so many writes through, then fails them; `None` lets all through.
    pub fn fail_after(&self, writes: Option<u64>) {
        self.state.lock().unwrap().writes_left = writes;
    }

    /// Writes that were done so far.
    pub fn writes(&self) -> u64 {
        self.state.lock().unwrap().writes
    }

    /// The indexes of the only collection.
    pub fn indexes(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.collections.values().flat_map(|collection| collection.indexes.keys().cloned()).collect()
    }

    /// The names of all collections.
    pub fn collections(&self) -> Vec<String> {
        self.state.lock().unwrap().collections.keys().cloned().collect()
    }
}

/// A point's id as a key.
fn key(id: Option<&PointId>) -> Result<String, Status> {
    use qdrant_client::qdrant::point_id::PointIdOptions;
    match id.and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Uuid(uuid)) if is_uuid(uuid) => Ok(uuid.clone()),
        other => Err(Status::invalid_argument(format!("Unable to parse UUID: {other:?}"))),
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
