//! A request to the upstream and what its reply means: the entry's view of it, and what it says of the volumes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use bytes::Bytes;

use super::shadow::Shadow;
use crate::{
    domain::model::{
        entry::{Body, Call, UpstreamReply},
        protocol::{MAX_BODY_LEN, Operation, Request},
        volume::Volumes,
    },
    plugin::http_reply::error_in,
};

/// A request that was sent to the upstream.
pub struct Exchange {
    shadow: Arc<Shadow>,
    operation: Option<Operation>,
    request: Request,
    started: Instant,
    /// The volumes when it was sent.
    volumes: Volumes,
}

impl Exchange {
    /// Begins now.
    pub fn new(shadow: Arc<Shadow>, operation: Option<Operation>, request: Request) -> Self {
        let volumes = shadow.volumes();
        Self { shadow, operation, request, started: Instant::now(), volumes }
    }

    /// How many bytes of the reply are needed: all of a list of volumes, within reason.
    pub fn kept(&self) -> usize {
        if self.operation == Some(Operation::List) { MAX_BODY_LEN } else { Body::KEPT }
    }

    /// Notes the whole reply, learns from it, and returns the error in it.
    pub fn finish(
        &self,
        status: StatusCode,
        bytes: &Bytes,
        stored: &Body,
        call: &mut Call,
    ) -> Option<Box<str>> {
        self.note(status, stored, call);
        let error = error_in(status, bytes);
        if let Some(operation) = self.operation {
            let Self { request, volumes, .. } = self;
            self.shadow.learn((operation, request, volumes), (status, bytes), error.is_none(), call);
        }
        error
    }

    /// Notes a reply that is too long to learn from.
    pub fn finish_long(&self, status: StatusCode, stored: &Body, call: &mut Call) -> Option<Box<str>> {
        self.note(status, stored, call);
        (status != StatusCode::OK).then(|| status.to_string().into())
    }

    fn note(&self, status: StatusCode, stored: &Body, call: &mut Call) {
        let micros = self.started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        let duration = Duration::from_micros(micros);
        let reply = Some(stored.clone());
        call.upstream =
            Some(Box::new(UpstreamReply { status: status.as_u16(), duration, reply, masked: false }));
    }
}
