//! The volume plugin protocol: its nine operations and their bodies, exactly as on the wire.
//!
//! The source for every form is what real engines send and accept: `dockerd` 20.10 and current
//! moby (`pkg/plugins`, `daemon/volume/drivers`), and podman (`libpod/plugin`).

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

/// The media type of every answer.
pub const CONTENT_TYPE: &str = "application/vnd.docker.plugins.v1+json";

/// The largest request body that is read, in bytes. Engines send well under 1 KiB.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// A volume's options, as given to `docker volume create --opt KEY=VALUE`.
pub type Options = BTreeMap<String, String>;

/// One of the nine calls of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// The handshake: which plugin interfaces are implemented.
    Activate,
    /// The driver's scope. `dockerd` asks once per adapter, podman never.
    Capabilities,
    /// A new volume with its options.
    Create,
    /// One volume by name.
    Get,
    /// All volumes.
    List,
    /// A volume's mountpoint. No current engine calls it.
    Path,
    /// Make a volume usable for one mount ID.
    Mount,
    /// The end of one mount ID.
    Unmount,
    /// The end of a volume.
    Remove,
}

impl Operation {
    /// All nine, in the order in which the console shows their counters.
    pub const ALL: [Self; 9] = [
        Self::Activate,
        Self::Capabilities,
        Self::Create,
        Self::Get,
        Self::List,
        Self::Path,
        Self::Mount,
        Self::Unmount,
        Self::Remove,
    ];

    /// The path of the HTTP request.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Activate => "/Plugin.Activate",
            Self::Capabilities => "/VolumeDriver.Capabilities",
            Self::Create => "/VolumeDriver.Create",
            Self::Get => "/VolumeDriver.Get",
            Self::List => "/VolumeDriver.List",
            Self::Path => "/VolumeDriver.Path",
            Self::Mount => "/VolumeDriver.Mount",
            Self::Unmount => "/VolumeDriver.Unmount",
            Self::Remove => "/VolumeDriver.Remove",
        }
    }

    /// The operation behind an HTTP path, matched exactly as Go's router does.
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.path() == path)
    }

    /// The word for it in rules, counters and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Capabilities => "capabilities",
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Path => "path",
            Self::Mount => "mount",
            Self::Unmount => "unmount",
            Self::Remove => "remove",
        }
    }

    /// Whether the call is about one volume, and so must carry a name.
    pub const fn names_a_volume(self) -> bool {
        !matches!(self, Self::Activate | Self::Capabilities | Self::List)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Operation {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|operation| operation.word() == word).ok_or(())
    }
}

/// What a request's body says. Absent parts are empty, as engines leave out what a call does not need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The volume.
    #[serde(rename = "Name")]
    pub name: String,
    /// The mount ID: 64 hexadecimal digits from `dockerd`, one constant from podman.
    #[serde(rename = "ID")]
    pub id: String,
    /// The options of a new volume. `dockerd` sends `null` for none.
    #[serde(rename = "Opts", deserialize_with = "null_is_empty")]
    pub options: Options,
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Options, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Request {
    /// Reads a body. An empty one is an empty request: podman lists with one, and `dockerd` retries with one.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        match body.trim_ascii_start().first() {
            None => Ok(Self::default()),
            Some(b'{') => serde_json::from_slice(body),
            // A derived reader would take an array for the fields in their order.
            Some(_) => Err(serde::de::Error::custom("expected a JSON object")),
        }
    }
}

/// The end that called, told from its headers.
///
/// `dockerd` sends `Accept: application/vnd.docker.plugins.v1.2+json` and no Content-Type; podman sends
/// `Host: plugin`, a Content-Type and no Accept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Caller {
    /// A real `dockerd`.
    Docker,
    /// A real podman.
    Podman,
    /// The simulated daemon, which says so in its `User-Agent`.
    Simulated,
    /// Anybody else: curl, a test, a plugin helper.
    #[default]
    Other,
}

impl Caller {
    /// The `User-Agent` by which the simulated daemon makes itself known.
    pub const SIMULATED_AGENT: &str = "voltergeist-simulated";

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Simulated, Self::Other];

    /// The word for it in rules and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Simulated => "simulated",
            Self::Other => "other",
        }
    }

    /// Whether this end sends a body with a call, so that an empty one means a retry. Podman lists with
    /// an empty body; `dockerd` leaves it empty for the handshake alone, until it retries.
    pub const fn owes_a_body(self, operation: Operation) -> bool {
        match operation {
            Operation::Activate => false,
            Operation::Capabilities | Operation::List => matches!(self, Self::Docker | Self::Simulated),
            _ => true,
        }
    }

    /// Tells the caller from its headers, which `header` looks up by lower-case name.
    pub fn recognise<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let starts = |name, prefix: &str| header(name).is_some_and(|value| value.starts_with(prefix));
        if starts("user-agent", Self::SIMULATED_AGENT) {
            Self::Simulated
        } else if starts("accept", "application/vnd.docker.plugins.") {
            Self::Docker
        } else if header("host") == Some("plugin")
            && starts("content-type", "application/vnd.docker.plugins.")
        {
            Self::Podman
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A volume as `Get` and `List` describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name, which the engine believes without comparing.
    pub name: String,
    /// Where it is, or will be once mounted.
    pub mountpoint: String,
    /// When it was created; anything that is not RFC 3339 makes `dockerd` call the volume missing.
    pub created: Timestamp,
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Status {
            #[serde(rename = "Hello")]
            hello: &'static str,
        }
        let mut volume = serializer.serialize_struct("Volume", 4)?;
        volume.serialize_field("CreatedAt", &format_args!("{:.0}", self.created))?;
        volume.serialize_field("Mountpoint", &self.mountpoint)?;
        volume.serialize_field("Name", &self.name)?;
        volume.serialize_field("Status", &Status { hello: "world" })?;
        volume.end()
    }
}

/// What the driver answers when nothing interferes. What a variant holds is sent under the variant's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Reply {
    /// To `Activate`: a volume driver and nothing else.
    #[serde(skip)]
    Activated,
    /// To `Capabilities`: the scope is global.
    #[serde(skip)]
    Capabilities,
    /// Success without a word.
    #[serde(skip)]
    Done,
    /// To `Get`.
    Volume(Description),
    /// To `List`.
    Volumes(Vec<Description>),
    /// To `Mount` and `Path`.
    Mountpoint(String),
    /// The protocol's own way to say no: status 200 with an `Err`.
    #[serde(rename = "Err")]
    Refused(String),
    /// An error as Go's `http.Error` writes it: status 500 with a text.
    #[serde(skip)]
    Broken(String),
}

impl Reply {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        if matches!(self, Self::Broken(_)) { 500 } else { 200 }
    }

    /// The body's bytes.
    pub fn body(&self) -> Vec<u8> {
        let mut body = match self {
            Self::Activated => br#"{"Implements":["VolumeDriver"]}"#.to_vec(),
            Self::Capabilities => br#"{"Capabilities":{"Scope":"global"}}"#.to_vec(),
            Self::Done => b"{}".to_vec(),
            Self::Broken(text) => text.as_bytes().to_vec(),
            _ => serde_json::to_vec(self).expect("a reply has only text keys"),
        };
        body.push(b'\n');
        body
    }

    /// What went wrong, if anything did.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Refused(why) | Self::Broken(why) => Some(why),
            _ => None,
        }
    }
}

/// Why a name cannot be a volume of this driver.
///
/// Docker does not check names for plugins: `..`, `a/b` and an empty name all arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// The body had no name, as in `dockerd`'s retry with an empty body.
    #[error("the request names no volume; send {{\"Name\": \"…\"}} (dockerd retries with an empty body)")]
    Missing,
    /// A path rather than a name.
    #[error(
        "a volume name must be one plain path component: not \".\" or \"..\", and without \"/\" or NUL; choose another name"
    )]
    NotPlain,
    /// Longer than a file name can be.
    #[error("a volume name can have at most 255 bytes; choose a shorter one")]
    TooLong,
    /// The directory in which the driver keeps its own records.
    #[error("\"{RESERVED_NAME}\" is where the driver keeps its records; choose another name")]
    Reserved,
}

/// The one plain name that no volume can have.
pub const RESERVED_NAME: &str = ".voltergeist";

/// Accepts a name that is one plain path component.
pub fn check_name(name: &str) -> Result<(), BadName> {
    match name {
        "" => Err(BadName::Missing),
        "." | ".." => Err(BadName::NotPlain),
        _ if name.contains(['/', '\0']) => Err(BadName::NotPlain),
        _ if name.len() > 255 => Err(BadName::TooLong),
        RESERVED_NAME => Err(BadName::Reserved),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_found_by_its_path_and_by_its_word() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_path(operation.path()), Some(operation));
            assert_eq!(operation.word().parse(), Ok(operation));
        }
        assert_eq!(Operation::from_path("/VolumeDriver.get"), None);
    }

    #[test]
    fn a_body_is_read_as_engines_send_it() {
        let named = |name: &str| Request { name: name.into(), ..Request::default() };
        for (body, expected) in [
            (r#"{"Name":"v1","Opts":null}"#, named("v1")),
            ("{\"Name\":\"v1\"}\n", named("v1")),
            ("", Request::default()),
            ("{}\n", Request::default()),
            (r#"{"Name":"v","ID":"7f"}"#, Request { id: "7f".into(), ..named("v") }),
            (
                r#"{"Name":"v","Opts":{"tier":"gold"}}"#,
                Request { options: [("tier".into(), "gold".into())].into(), ..named("v") },
            ),
        ] {
            assert_eq!(Request::parse(body.as_bytes()).expect(body), expected);
        }
        for body in ["{", "[]", r#"{"Name":5}"#, "{} {}"] {
            assert!(Request::parse(body.as_bytes()).is_err(), "{body} was read");
        }
    }

    #[test]
    fn a_name_that_could_lead_anywhere_is_refused() {
        for (name, expected) in [
            ("", Err(BadName::Missing)),
            (".", Err(BadName::NotPlain)),
            ("..", Err(BadName::NotPlain)),
            ("a/b", Err(BadName::NotPlain)),
            ("a\0b", Err(BadName::NotPlain)),
            (".voltergeist", Err(BadName::Reserved)),
            ("...", Ok(())),
            ("-x", Ok(())),
            ("größe mit raum", Ok(())),
        ] {
            assert_eq!(check_name(name), expected, "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(255)), Ok(()));
        assert_eq!(check_name(&"x".repeat(256)), Err(BadName::TooLong));
    }

    #[test]
    fn the_caller_is_told_from_its_headers() {
        let caller = |headers: &'static [(&str, &str)]| {
            Caller::recognise(|name| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
        };
        assert_eq!(
            caller(&[
                ("accept", "application/vnd.docker.plugins.v1.2+json"),
                ("user-agent", "Go-http-client/1.1")
            ]),
            Caller::Docker
        );
        assert_eq!(
            caller(&[("host", "plugin"), ("content-type", "application/vnd.docker.plugins.v1.1+json")]),
            Caller::Podman
        );
        assert_eq!(
            caller(&[
                ("user-agent", "voltergeist-simulated/20.10"),
                ("accept", "application/vnd.docker.plugins.v1.2+json")
            ]),
            Caller::Simulated
        );
        assert_eq!(caller(&[("user-agent", "curl/8.0"), ("accept", "*/*")]), Caller::Other);
    }
}
