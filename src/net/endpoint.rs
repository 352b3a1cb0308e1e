//! Where a console finds an instance: by name, by address, or on another machine.

use std::{fmt, path::PathBuf, sync::Arc};

use tokio::sync::Mutex;

use super::{
    Address, Paths,
    client::{Client, ClientError},
    is_listening,
    ssh::{Forward, SshTarget},
};

/// One instance, and how to reach it.
pub struct Endpoint {
    /// As it is shown.
    name: String,
    kind: EndpointKind,
    token: Option<String>,
}

enum EndpointKind {
    Address(Address),
    /// The forwarded socket, while it is there, and whether there was one before.
    Ssh(SshTarget, Arc<Mutex<(Option<Forward>, bool)>>),
}

/// Why a word names no instance.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum EndpointError {
    /// It is neither a name nor an address.
    #[error("{0}")]
    Wrong(String),
    #[error("no instance named {name:?} runs here; {}", list(.running))]
    NoInstance { name: String, running: Vec<String> },
    #[error("which instance? {}", list(.0))]
    Which(Vec<String>),
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none is running; start one, or name a socket, tcp://HOST:PORT or ssh://HOST".to_owned(),
        names => format!("running: {}", names.join(" ")),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Endpoint {
    /// The instance that a word means: a name, a path, `unix:PATH`, `tcp://HOST:PORT` or `ssh://[USER@]HOST[/NAME]`.
    pub fn find(word: &str, paths: &Paths, token: Option<String>) -> Result<Self, EndpointError> {
        let kind = if word.starts_with("ssh://") {
            let target =
                word.parse::<SshTarget>().map_err(|error| EndpointError::Wrong(error.to_string()))?;
            EndpointKind::Ssh(target, Arc::default())
        } else if word.starts_with("unix:") || word.starts_with("tcp://") {
            EndpointKind::Address(
                word.parse().map_err(|error: super::AddressError| EndpointError::Wrong(error.to_string()))?,
            )
        } else if word.contains('/') {
            EndpointKind::Address(Address::Unix(Some(word.into())))
        } else {
            let socket = paths.control_socket(word);
            let no_instance = || EndpointError::NoInstance { name: word.to_owned(), running: names(paths) };
            EndpointKind::Address(Address::Unix(Some(socket.ok_or_else(no_instance)?)))
        };
        Ok(Self { name: word.to_owned(), kind, token })
    }

    /// A short name for a column: that of the instance, or its machine.
    pub fn label(&self) -> &str {
        let name = self.name.strip_prefix("tcp://").unwrap_or(&self.name);
        if let Some(target) = name.strip_prefix("ssh://") {
            return target.rsplit_once('@').map_or(target, |(_, host)| host);
        }
        let file = name.rsplit('/').next().unwrap_or(name);
        let socket = file.strip_suffix(".sock").unwrap_or(file);
        let socket = socket.strip_suffix(".control").unwrap_or(socket);
        if socket.is_empty() { name } else { socket }
    }

    /// The instance with this control socket, shown by a name.
    pub fn socket(name: &str, path: PathBuf) -> Self {
        Self { name: name.to_owned(), kind: EndpointKind::Address(Address::Unix(Some(path))), token: None }
    }

    /// The only instance that runs here.
    pub fn only(paths: &Paths) -> Result<Self, EndpointError> {
        match &names(paths)[..] {
            [name] => Self::find(name, paths, None),
            names => Err(EndpointError::Which(names.to_vec())),
        }
    }

    /// A client that reaches it now. Over SSH, the socket is forwarded again if that has ended.
    pub async fn client(&self) -> Result<Client, ClientError> {
        let address = match &self.kind {
            EndpointKind::Address(address) => address.clone(),
            EndpointKind::Ssh(target, forward) => {
                let mut forward = forward.lock().await;
                let is_open =
                    forward.0.as_ref().is_some_and(|forward| is_listening(&forward.socket).unwrap_or(false));
                if !is_open {
                    // Only before the console takes the terminal can ssh ask for a password.
                    let may_ask = !std::mem::replace(&mut forward.1, true);
                    let opened =
                        target.forward(may_ask).await.map_err(|error| ClientError::Ssh(error.to_string()))?;
                    forward.0 = Some(opened);
                }
                Address::Unix(forward.0.as_ref().map(|forward| forward.socket.clone()))
            }
        };
        Ok(Client::new(address, self.token.as_deref()))
    }
}

/// The names of the instances that run here.
fn names(paths: &Paths) -> Vec<String> {
    paths.running_instances().into_iter().map(|instance| instance.name).collect()
}
