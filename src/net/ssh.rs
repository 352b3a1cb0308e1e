//! A control socket of another machine, forwarded by the user's own `ssh`.
//!
//! So authentication is what people already have: keys, agents, jump hosts, `~/.ssh/config`.

use std::{fmt, io, path::PathBuf, process::Stdio, str::FromStr, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, sleep},
};

/// `ssh://[USER@]HOST[:PORT][/NAME]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshTarget {
    /// As `ssh` takes it: `[USER@]HOST`.
    destination: String,
    port: Option<u16>,
    /// The name of the instance there.
    name: Option<String>,
}

/// A text that is not such a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an SSH address; write ssh://[USER@]HOST[:PORT][/NAME]")]
pub struct SshTargetError(String);

impl FromStr for SshTarget {
    type Err = SshTargetError;

    fn from_str(text: &str) -> Result<Self, SshTargetError> {
        let wrong = || SshTargetError(text.to_owned());
        let rest = text.strip_prefix("ssh://").ok_or_else(wrong)?;
        let (host, name) = rest.split_once('/').unwrap_or((rest, ""));
        let (destination, port) = match host.rsplit_once(':') {
            Some((destination, port)) if !port.ends_with(']') => {
                (destination, Some(port.parse().map_err(|_| wrong())?))
            }
            _ => (host, None),
        };
        let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "._-@:[]%".contains(c));
        // What begins with a dash would be an option of ssh.
        if destination.is_empty() || destination.starts_with('-') || !plain(destination) || !plain(name) {
            return Err(wrong());
        }
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { destination: destination.to_owned(), port, name })
    }
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssh://{}", self.destination)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.name.as_ref().map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

/// How long `ssh` may take to open the forwarded socket once it is logged in.
const FORWARD: Duration = Duration::from_secs(30);

/// A forwarded socket. It ends when this is dropped.
#[derive(Debug)]
pub struct Forward {
    /// The socket here.
    pub socket: PathBuf,
    _ssh: Child,
    _directory: TempDir,
}

impl SshTarget {
    fn ssh(&self, may_ask: bool) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(["-T", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=5"]);
        if let Some(port) = self.port {
            ssh.args(["-p", &port.to_string()]);
        }
        if !may_ask {
            // The console has the terminal.
            ssh.args(["-o", "BatchMode=yes"]);
        }
        ssh.stdin(Stdio::null()).kill_on_drop(true);
        ssh
    }

    /// Asks for the path of the control socket there, and forwards it. `may_ask`: whether `ssh` may ask for a password.
    pub async fn forward(&self, may_ask: bool) -> io::Result<Forward> {
        let remote = self.find(may_ask).await?;
        let directory = tempfile::Builder::new().prefix("voltergeist-ssh").tempdir()?;
        let socket = directory.path().join("control.sock");
        let mut ssh = self.ssh(may_ask);
        ssh.arg("-N").arg("-L").arg(format!("{}:{remote}", socket.display())).arg(&self.destination);
        ssh.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = ssh.spawn().map_err(|error| no_ssh(&error))?;
        let deadline = Instant::now() + FORWARD;
        while !socket.exists() {
            if let Some(status) = child.try_wait()? {
                return Err(self.failed(&mut child, &status.to_string()).await);
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{self}: ssh does not forward {remote}")));
            }
            sleep(Duration::from_millis(20)).await;
        }
        // What it says later would fill the pipe.
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    tracing::debug!("ssh: {line}");
                }
            });
        }
        Ok(Forward { socket, _ssh: child, _directory: directory })
    }

    /// The path of the control socket on the other machine.
    async fn find(&self, may_ask: bool) -> io::Result<String> {
        let [system, user] = match &self.name {
            Some(name) => [format!("{name}.sock"), format!("{name}.control.sock")],
            None => ["*.sock".to_owned(), "*.control.sock".to_owned()],
        };
        let script = format!(
            "for s in /run/voltergeist/{system} \"${{XDG_RUNTIME_DIR:-/nonexistent}}\"/voltergeist/{user} \
             /tmp/voltergeist-$(id -u)/{user}; do if [ -S \"$s\" ]; then echo \"$s\"; fi; done"
        );
        let mut ssh = self.ssh(may_ask);
        ssh.arg(&self.destination).arg(script).stderr(Stdio::piped());
        let output = ssh.output().await.map_err(|error| no_ssh(&error))?;
        if !output.status.success() {
            let problem = String::from_utf8_lossy(&output.stderr);
            let problem = problem.trim().lines().next_back().unwrap_or("it gave no reason").to_owned();
            return Err(io::Error::other(format!("{self}: ssh failed: {problem}")));
        }
        let found = String::from_utf8_lossy(&output.stdout);
        let sockets: Vec<&str> = found.lines().collect();
        match sockets[..] {
            [] => Err(io::Error::other(format!("{self}: no instance runs there under this name"))),
            [socket] => Ok(socket.to_owned()),
            [first, ..] if self.name.is_some() => Ok(first.to_owned()),
            _ => Err(io::Error::other(format!(
                "{self}: several instances run there; choose one: {}",
                sockets
                    .iter()
                    .map(|socket| format!("ssh://{}/{}", self.destination, name_of(socket)))
                    .collect::<Vec<_>>()
                    .join(" ")
            ))),
        }
    }

    async fn failed(&self, child: &mut Child, status: &str) -> io::Error {
        let mut text = String::new();
        if let Some(stderr) = &mut child.stderr {
            let _ = stderr.read_to_string(&mut text).await;
        }
        let problem = text.trim().lines().next_back().unwrap_or(status).to_owned();
        io::Error::other(format!("{self}: ssh failed: {problem}"))
    }
}

fn name_of(socket: &str) -> &str {
    let file = socket.rsplit('/').next().unwrap_or(socket);
    file.strip_suffix(".control.sock").or_else(|| file.strip_suffix(".sock")).unwrap_or(file)
}

fn no_ssh(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot run ssh: {error}; install an OpenSSH client"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_parse_and_print() {
        for text in [
            "ssh://host",
            "ssh://me@host",
            "ssh://me@host:2222",
            "ssh://me@host/demo",
            "ssh://host:22/my-driver",
            "ssh://[::1]/x",
        ] {
            let target: SshTarget = text.parse().expect(text);
            assert_eq!(target.to_string(), text);
        }
        for text in [
            "host",
            "ssh://",
            "ssh:///name",
            "ssh://-oProxyCommand=x",
            "ssh://host/a b",
            "ssh://host:x",
            "ssh://h/a/b",
        ] {
            assert_eq!(text.parse::<SshTarget>(), Err(SshTargetError(text.to_owned())), "{text}");
        }
    }
}
