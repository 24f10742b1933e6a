//! A model that says what it was told to say, in order: for tests of loops and failures.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::{Bounds, Error, Llm, ModelReply, ModelRequest};

/// Replies in order; keeps what it was asked.
#[derive(Debug, Default)]
pub struct Scripted {
    replies: Mutex<VecDeque<Result<ModelReply, Error>>>,
    asked: Mutex<Vec<ModelRequest>>,
}

impl Scripted {
    /// A model that gives these replies and then none.
    pub fn new(replies: impl IntoIterator<Item = Result<ModelReply, Error>>) -> Self {
        Self { replies: Mutex::new(replies.into_iter().collect()), asked: Mutex::default() }
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<ModelRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Llm for Scripted {
    fn model(&self) -> &str {
        "scripted"
    }

    async fn chat(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let next = self.replies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let reply = next.unwrap_or_else(|| Err(Error::Unreachable("the script has ended".to_owned())))?;
        if reply.text.len() > bounds.bytes_max {
            return Err(Error::TooLarge(bounds.bytes_max));
        }
        if let Some(deltas) = deltas {
            // Nobody may listen; the reply is whole all the same.
            drop(deltas.try_send(reply.text.clone()));
        }
        Ok(reply)
    }
}
