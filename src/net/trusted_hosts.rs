//! Which `Host` headers a server on a TCP port accepts.

use std::net::IpAddr;

/// Tells requests that were meant for this server from those that a web page makes after its own name was pointed at
/// this machine (DNS rebinding).
#[derive(Clone, Debug, Default)]
pub struct TrustedHosts {
    /// The host in the configured address.
    listen: String,
}

impl TrustedHosts {
    /// Trusts the host in an address `HOST:PORT` too.
    pub fn new(host_port: &str) -> Self {
        Self { listen: host(host_port).to_ascii_lowercase() }
    }

    /// Whether a `Host` header can be trusted: an IP address, a name without a dot, which no web site has, a name below
    /// `localhost`, or the configured host. `dockerd` sends an empty one or `plugin.moby.localhost` to a socket.
    pub fn accepts(&self, header: &str) -> bool {
        let host = host(header).to_ascii_lowercase();
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address || !host.contains('.') || host.ends_with(".localhost") || host == self.listen
    }
}

/// `HOST` of `HOST:PORT` or `HOST`.
fn host(header: &str) -> &str {
    match header.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => header,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_that_no_web_site_can_have_is_trusted() {
        let hosts = TrustedHosts::new("plugin.example.org:80");
        for trusted in [
            "",
            "127.0.0.1",
            "127.0.0.1:7000",
            "[::1]:7000",
            "[::1]",
            "192.168.1.5:80",
            "localhost:80",
            "LOCALHOST",
            "voltergeist:7000",
            "plugin.moby.localhost",
            "Plugin.Example.org:8080",
        ] {
            assert!(hosts.accepts(trusted), "{trusted}");
        }
        for foreign in
            ["evil.example", "evil.example:7000", "127.0.0.1.evil.example", "localhost.evil.example", "a.b."]
        {
            assert!(!hosts.accepts(foreign), "{foreign}");
        }
        assert!(!TrustedHosts::default().accepts("plugin.example.org"));
    }
}
