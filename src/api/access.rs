//! Who may use the API.
//!
//! A Unix socket has the mode of its file. A TCP port is open to every program of the machine, and to web pages that a
//! browser there shows, so it asks for a token and looks at what browsers say about themselves.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq as _;

use crate::net::TrustedHosts;

/// What a request must have.
#[derive(Clone, Debug, Default)]
pub struct Access {
    token: Option<String>,
    /// Those of a TCP port; none for a Unix socket.
    hosts: Option<TrustedHosts>,
}

impl Access {
    /// For a Unix socket, whose file has a mode.
    pub fn by_file() -> Self {
        Self::default()
    }

    /// For a TCP port on this `HOST:PORT`.
    pub fn by_token(token: Option<String>, host_port: &str) -> Self {
        Self { token, hosts: Some(TrustedHosts::new(host_port)) }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), (StatusCode, String)> {
        // A browser marks the requests of web pages so.
        if headers.contains_key(header::ORIGIN) {
            let text = "requests from web pages are refused; use curl\n";
            return Err((StatusCode::FORBIDDEN, text.into()));
        }
        // A page whose name was made to point to this machine sends its own name, and no `Origin` with a GET.
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if self.hosts.as_ref().is_some_and(|hosts| !hosts.accepts(host)) {
            let text = format!("requests for the host {host:?} are refused; use the IP address\n");
            return Err((StatusCode::FORBIDDEN, text));
        }
        let Some(token) = &self.token else { return Ok(()) };
        let given = headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        let given = given.and_then(|given| given.strip_prefix(b"Bearer ")).unwrap_or_default();
        if given.ct_eq(token.as_bytes()).into() {
            return Ok(());
        }
        let text = "a token is needed: --token-file FILE, or curl -H \"Authorization: Bearer $(cat FILE)\"\n";
        Err((StatusCode::UNAUTHORIZED, text.into()))
    }
}

/// Refuses what may not use the API.
pub async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn status(access: &Access, headers: &[(header::HeaderName, &str)]) -> u16 {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().expect("a header's value")))
            .collect();
        access.check(&headers).map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[test]
    fn a_port_wants_its_token_and_its_own_name_and_no_web_page() {
        let bearer = format!("Bearer {TOKEN}");
        let access = Access::by_token(Some(TOKEN.into()), "ghost.example:4321");
        let with_token = (header::AUTHORIZATION, bearer.as_str());
        for (host, expected) in [
            ("127.0.0.1:4321", 200),
            ("[::1]:4321", 200),
            ("localhost:4321", 200),
            ("localhost", 200),
            ("ghost.example:4321", 200),
            ("GHOST.example", 200),
            ("evil.example:4321", 403),
        ] {
            assert_eq!(status(&access, &[(header::HOST, host), with_token.clone()]), expected, "{host}");
        }
        let host = (header::HOST, "127.0.0.1");
        for given in ["", "Bearer", "Bearer 0123456789abcdeX", "Bearer 0123", "Basic 0123456789abcdef"] {
            assert_eq!(status(&access, &[host.clone(), (header::AUTHORIZATION, given)]), 401, "{given}");
        }
        assert_eq!(status(&access, std::slice::from_ref(&host)), 401);
        let page = (header::ORIGIN, "http://evil.example");
        assert_eq!(status(&access, &[host.clone(), with_token, page.clone()]), 403);

        let without = Access::by_token(None, "127.0.0.1:4321");
        assert_eq!(status(&without, std::slice::from_ref(&host)), 200);
        assert_eq!(status(&without, &[(header::HOST, "evil.example")]), 403);
        assert_eq!(status(&Access::by_file(), &[(header::HOST, "anything")]), 200);
        assert_eq!(status(&Access::by_file(), &[page]), 403);
    }
}
