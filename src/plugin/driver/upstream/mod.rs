//! The upstream driver: forwards each call to a real plugin.
//!
//! Each connection of an engine has one connection to the upstream, so that a close and a reset pass through. A request
//! is sent as it came and the reply is passed on as it arrives, without a time limit. If the engine gives up, the
//! upstream's connection is closed too.

pub mod connection;
mod exchange;
pub mod incoming;
mod past_replies;
mod shadow;

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use self::{connection::ExchangeError, exchange::Exchange, incoming::IncomingReply, shadow::Shadow};
use super::{Answer, Driver, DriverCall, Forwarding, Preview};
use crate::{
    domain::model::{
        entry::Call,
        protocol::{Operation, Request},
    },
    hub::Hub,
    net::Upstream,
    plugin::{
        connection_control::{ConnectionControl, Disconnect},
        http_reply::HttpReply,
    },
};

/// How long a call that finds no plugin waits for a new one to be put aside.
const TAKEN_AGAIN_TIMEOUT: Duration = Duration::from_millis(200);

/// A driver that forwards calls to another plugin.
#[derive(Clone)]
pub struct UpstreamDriver {
    forwarding: Forwarding,
    shadow: Arc<Shadow>,
}

impl UpstreamDriver {
    /// A driver in front of a plugin.
    pub fn new(hub: Arc<Hub>, upstream: Upstream) -> Self {
        Self { forwarding: Forwarding::new(upstream), shadow: Arc::new(Shadow::new(hub)) }
    }

    /// The latest mountpoint that the upstream has given for a volume; empty if it has given none.
    pub fn mountpoint(&self, name: &str) -> String {
        self.shadow.mountpoint(name)
    }
}

impl UpstreamDriver {
    /// Connects to the plugin, if this connection has none to it yet.
    async fn open(&self, control: &ConnectionControl) -> Result<(), ExchangeError> {
        let mut taken_again = self.forwarding.taken_again.subscribe();
        let opened = control.upstream().open(self.forwarding.address()).await;
        if opened.is_err() {
            // The plugin may have started again, and its new socket is not aside yet.
            self.forwarding.suspected.notify_one();
            if timeout(TAKEN_AGAIN_TIMEOUT, taken_again.changed()).await.is_ok() {
                return control.upstream().open(self.forwarding.address()).await;
            }
        }
        opened
    }

    async fn mask(
        &self,
        operation: Operation,
        request: &Request,
        incoming: IncomingReply,
        recorded: &mut Call,
    ) -> Answer {
        match incoming.collect(recorded).await {
            Ok(reply) => {
                if let Some(upstream) = &mut recorded.upstream {
                    upstream.masked = true;
                }
                Answer::Reply(self.shadow.masked(operation, request, reply))
            }
            Err((disconnect, reason)) => Answer::Disconnect(disconnect, reason),
        }
    }
}

impl Driver for UpstreamDriver {
    const FORWARDS: bool = true;

    fn forwarding(&self) -> Option<&Forwarding> {
        Some(&self.forwarding)
    }

    async fn call(&self, call: &DriverCall<'_>, recorded: &mut Call) -> Answer {
        let DriverCall { operation, request, http, control } = call;
        let exchange = Exchange::new(Arc::clone(&self.shadow), *operation, (*request).clone());
        // The upstream may close a connection after the first of two calls, or while the call was held. Without us the call
        // would have come before.
        if recorded.upstream.is_some() {
            control.upstream().reopen();
        } else if recorded.held_seq.is_some() {
            control.upstream().renew();
        }
        let sent = match self.open(control).await {
            Ok(()) => control.upstream().send(http.to_request()).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok((response, guard)) => {
                let incoming = Box::new(IncomingReply::new(response, guard, exchange));
                match operation.filter(|operation| self.shadow.is_masked(*operation, request)) {
                    Some(operation) => Box::pin(self.mask(operation, request, *incoming, recorded)).await,
                    None => Answer::Incoming(incoming),
                }
            }
            Err(error) => {
                self.forwarding.suspected.notify_one();
                let disconnect =
                    if error.is_connection_reset() { Disconnect::Reset } else { Disconnect::Eof };
                Answer::Disconnect(disconnect, error.to_string().into())
            }
        }
    }

    fn preview(&self, operation: Operation, request: &Request, preview: Preview) -> Option<HttpReply> {
        match preview {
            Preview::Current => {
                let latest = self.shadow.latest(operation, request);
                Some(latest.unwrap_or_else(|| self.shadow.success(operation, request)))
            }
            Preview::Stale => self.shadow.stale(operation, request),
            Preview::Success => Some(self.shadow.success(operation, request)),
        }
    }
}
