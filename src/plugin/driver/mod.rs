//! What answers a call.

mod builtin;
mod directory_name;
mod disk_store;
mod group_sync;
mod long_list;
mod mount_table;
mod records;
mod trash;
pub mod upstream;
mod volume_directory;

pub use builtin::BuiltinDriver;
pub use disk_store::{DiskError, DiskStore};
pub use trash::delete_directory;
pub use upstream::UpstreamDriver;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tokio::sync::{Notify, watch};

use self::{long_list::LongList, upstream::incoming::IncomingReply};
use super::{
    connection_control::{ConnectionControl, Disconnect},
    http_reply::HttpReply,
    request_body::HttpRequest,
};
use crate::{
    domain::model::{
        entry::Call,
        protocol::{Operation, Request},
    },
    net::{Address, Upstream},
};

/// What answers a call, without any fault.
///
/// The reply and the work are separate, because a rule may want one without the other: `lie` is a reply without
/// the work, and a reset after the call is the work without a reply.
pub trait Driver: Send + Sync + 'static {
    /// Whether requests that are no call of the protocol reach the driver too.
    const FORWARDS: bool = false;

    /// Where it forwards calls to, if it does.
    fn forwarding(&self) -> Option<&Forwarding> {
        None
    }

    /// Does the work, unless the reply is an error, and replies. Changes of volumes are appended to those of `recorded`.
    fn call(&self, call: &DriverCall<'_>, recorded: &mut Call) -> impl Future<Output = Answer> + Send;

    /// The reply without the work, if the driver knows it.
    fn preview(&self, operation: Operation, request: &Request, preview: Preview) -> Option<HttpReply>;
}

/// Where a driver forwards calls to.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The plugin.
    pub upstream: Upstream,
    /// Notified when the plugin may not listen any more.
    pub suspected: Arc<Notify>,
    /// Changes when the plugin's place was taken again.
    pub taken_again: watch::Sender<()>,
    /// Where the plugin is since its place was given back.
    given_back: Arc<OnceLock<Address>>,
}

impl Forwarding {
    /// To this plugin.
    pub fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            suspected: Arc::default(),
            taken_again: watch::Sender::new(()),
            given_back: Arc::default(),
        }
    }

    /// Where the plugin is now.
    pub fn address(&self) -> &Address {
        self.given_back.get().unwrap_or(&self.upstream.address)
    }

    /// Notes that its socket is at its own path again.
    pub fn note_given_back(&self, path: PathBuf) {
        drop(self.given_back.set(Address::Unix(Some(path))));
    }
}

/// A call as the driver gets it.
#[derive(Clone, Copy)]
pub struct DriverCall<'c> {
    /// What is asked; none if the path is no operation's.
    pub operation: Option<Operation>,
    /// The body, parsed.
    pub request: &'c Request,
    /// The request as it came.
    pub http: &'c HttpRequest,
    /// The connection that it came on.
    pub control: &'c ConnectionControl,
}

/// How a driver answers.
pub enum Answer {
    /// With a reply.
    Reply(HttpReply),
    /// With a reply that is still arriving.
    Incoming(Box<IncomingReply>),
    /// With a list that is sent in parts.
    List(Box<LongList>),
    /// With the end of the connection, for this reason.
    Disconnect(Disconnect, Box<str>),
}

impl Answer {
    /// The whole reply; or how the connection ends, and why.
    pub async fn collect(self, recorded: &mut Call) -> Result<HttpReply, (Disconnect, Box<str>)> {
        match self {
            Self::Reply(reply) => Ok(reply),
            Self::Incoming(incoming) => incoming.collect(recorded).await,
            Self::List(list) => Ok(list.collect()),
            Self::Disconnect(disconnect, reason) => Err((disconnect, reason)),
        }
    }
}

/// Which reply to preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// The reply to the call.
    Current,
    /// The reply before the latest change that made a difference to it.
    Stale,
    /// Success, even where the call would fail.
    Success,
}
