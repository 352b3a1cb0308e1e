//! The client: one call to a plugin, tried again as `dockerd` tries it (moby `pkg/plugins/client.go`).
//!
//! A failure below HTTP is tried again after 1, 2, 4 and 8 s; any HTTP reply is final. A request
//! that is sent again has an **empty body**, because the first try has used it up: moby has had that
//! error for years, and a faithful client has it too.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    profile::Profile,
    reply::{self, Fields},
    transport::{BodyLost, DriverAddress, Lost, ReceivedReply, Transport},
};
use crate::{domain::model::protocol::Operation, engine_api::Clock};

const ACCEPT: &str = "application/vnd.docker.plugins.v1.2+json";
/// No further try begins after this.
const GIVE_UP: Duration = Duration::from_secs(30);
const DEADLINE: &str = "context deadline exceeded";

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    /// The plugin could not be asked. Only this leaves the daemon in doubt.
    #[error("{0}")]
    Unreachable(String),
    /// It answered, and not with success. The daemon takes any such reply to a Get for "no such volume".
    #[error("{0}")]
    Refused(String),
    /// The daemon did not survive the reply.
    #[error("the daemon died")]
    Fatal,
}

/// A caller of one plugin.
#[derive(Clone)]
pub(super) struct DaemonClient {
    transport: Transport,
    clock: Clock,
    host: String,
    url_host: String,
    user_agent: String,
    gzip: bool,
}

impl DaemonClient {
    pub(super) fn new(address: DriverAddress, profile: Profile, clock: Clock) -> Self {
        Self {
            host: profile.host(&address),
            url_host: profile.url_host(&address),
            user_agent: profile.user_agent(),
            gzip: matches!(address, DriverAddress::Tcp(_)),
            transport: Transport::new(address, clock, profile.idle_connections()),
            clock,
        }
    }

    /// Calls the plugin and reads the first JSON value of its reply. `limit` holds for each try.
    pub(super) async fn call(
        &self,
        operation: Operation,
        mut body: Bytes,
        limit: Option<Duration>,
    ) -> Result<Value, CallError> {
        let start = Instant::now();
        let mut pause = Duration::from_secs(1);
        loop {
            let lost = match self.attempt(operation, body.clone(), limit).await {
                Ok(end) => return end,
                Err(lost) => lost,
            };
            if pause + self.clock.since(start) >= GIVE_UP {
                let url = format!("http://{}{}", self.url_host, operation.path());
                return Err(CallError::Unreachable(format!("Post {url:?}: {}", lost.text)));
            }
            if lost.sent {
                body.clear();
            }
            self.clock.sleep(pause).await;
            pause *= 2;
        }
    }

    /// One try. What fails below HTTP can be tried again; a reply is the end, whatever it says.
    async fn attempt(
        &self,
        operation: Operation,
        body: Bytes,
        limit: Option<Duration>,
    ) -> Result<Result<Value, CallError>, Lost> {
        let start = Instant::now();
        let head = self.clock.timeout(limit, self.transport.send(self.request(operation, body))).await;
        let reply = head.unwrap_or_else(|_| Err(Lost { text: DEADLINE.into(), sent: true }))?;
        let left = limit.map(|limit| limit.saturating_sub(self.clock.since(start)));
        let read = self.clock.timeout(left, read(operation, reply)).await;
        Ok(read.unwrap_or_else(|_| Err(CallError::Unreachable(DEADLINE.into()))))
    }

    /// The request with Go's headers in Go's order. There is no Content-Type.
    fn request(&self, operation: Operation, body: Bytes) -> Request<Full<Bytes>> {
        let request = Request::post(operation.path())
            .header(header::HOST, &self.host)
            .header(header::USER_AGENT, &self.user_agent)
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::ACCEPT, ACCEPT);
        let request = if self.gzip { request.header(header::ACCEPT_ENCODING, "gzip") } else { request };
        request.body(Full::new(body)).expect("every part of the request was checked when it was made")
    }
}

async fn read(operation: Operation, reply: ReceivedReply) -> Result<Value, CallError> {
    let status = reply.status();
    let (body, lost) = read_body(reply, status == 200).await;
    if status != 200 {
        let message = lost.map_or_else(|| error_text(&body), |lost| lost.text);
        let method = operation.path().trim_start_matches('/');
        return Err(CallError::Refused(format!("{method}: {message}")));
    }
    match (reply::first_value(&body), lost) {
        (Some(value), _) => value.map_err(CallError::Refused),
        (None, Some(lost)) if lost.network => Err(CallError::Unreachable(lost.text)),
        (None, _) if body.trim_ascii().is_empty() => Err(CallError::Refused("EOF".into())),
        (None, _) => Err(CallError::Refused("unexpected EOF".into())),
    }
}

/// Reads a body: whole, or until its first JSON value is complete.
async fn read_body(mut reply: ReceivedReply, first_value_only: bool) -> (Vec<u8>, Option<BodyLost>) {
    let mut body = Vec::new();
    // A long body is not parsed again for each piece of it.
    let mut look_at = 1;
    loop {
        match reply.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(lost) => return (body, Some(lost)),
        }
        if first_value_only && body.len() >= look_at {
            if reply::first_value(&body).is_some() {
                break;
            }
            look_at = body.len() * 2;
        }
    }
    reply.finish();
    (body, None)
}

/// What a reply that is not 200 says: its `Err`, else all of it.
fn error_text(body: &[u8]) -> String {
    let json = serde_json::from_slice(body).ok();
    let message =
        json.and_then(|json| Fields::of(json, "responseErr").and_then(|mut fields| fields.text("Err")).ok());
    message
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}
