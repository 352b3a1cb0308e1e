//! Refuses requests of web pages on a TCP port: a browser would make them for any page that its user reads.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use super::http_reply::HttpReply;
use crate::net::TrustedHosts;

/// Puts the check in front of a router.
pub fn refuse(router: Router, hosts: TrustedHosts) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(hosts), check))
}

async fn check(State(hosts): State<Arc<TrustedHosts>>, request: Request, next: Next) -> Response {
    match refusal(request.headers(), &hosts) {
        Some(reason) => HttpReply::text(StatusCode::FORBIDDEN, &reason).into_response(),
        None => next.run(request).await,
    }
}

/// Why a request is refused, if it is.
fn refusal(headers: &HeaderMap, hosts: &TrustedHosts) -> Option<String> {
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Some("requests from web pages are refused; use an engine, or curl".to_owned());
    }
    let host = headers.get(header::HOST)?.to_str().unwrap_or(".");
    (!hosts.accepts(host)).then(|| {
        format!("the host {host:?} is not trusted; use the IP address, or the host that --listen names")
    })
}
