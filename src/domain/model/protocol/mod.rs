//! The volume plugin protocol: its nine operations and their bodies, exactly as on the wire.
//!
//! The source for every form is what real engines send and accept: `dockerd` 20.10 and current
//! moby (`pkg/plugins`, `daemon/volume/drivers`), and podman (`libpod/plugin`).

mod caller;
mod name;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

pub use caller::Caller;
pub use name::{
    BadDriverName, BadRequest, MAX_ID_LEN, MAX_NAME_LEN, check_driver_name, check_name, check_options,
    recorded_name, start,
};

/// The media type of every reply.
pub const CONTENT_TYPE: &str = "application/vnd.docker.plugins.v1+json";

/// The largest request body that is read, in bytes. Engines send well under 1 KiB.
pub const MAX_BODY_LEN: usize = 1024 * 1024;

/// A volume's options, as given to `docker volume create --opt KEY=VALUE`.
pub type Options = BTreeMap<String, String>;

/// One of the nine calls of the protocol.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
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
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.first_chunk().expect("all of them");

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

    /// The method that the path names, such as `VolumeDriver.Get`.
    pub fn method(self) -> &'static str {
        self.path().trim_start_matches('/')
    }

    /// The operation of an HTTP path, matched exactly as Go's router does.
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.path() == path)
    }

    /// The word for it in rules, counters and on the screen.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the call is about one volume, and so must carry a name.
    pub const fn requires_volume(self) -> bool {
        !matches!(self, Self::Activate | Self::Capabilities | Self::List)
    }
}

/// Whether a text is a method of a plugin interface, such as `NetworkDriver.GetCapabilities`.
pub fn is_method(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    text.split_once('.').is_some_and(|(interface, method)| is_name(interface) && is_name(method))
}

/// The method that a request line calls, as in `POST /NetworkDriver.GetCapabilities`.
pub fn method_in(request_line: &str) -> Option<&str> {
    let path = request_line.strip_prefix("POST /")?.split('?').next()?;
    is_method(path).then_some(path)
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
    #[serde(rename = "Opts", deserialize_with = "options")]
    pub options: Options,
}

/// Options by their keys. `null` is empty, and another value that is no text is kept as its JSON: `true`, `5`, `["a"]`.
fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Options, D::Error> {
    let options: BTreeMap<String, Value> = Option::deserialize(deserializer)?.unwrap_or_default();
    let text = |value| match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        value => value.to_string(),
    };
    Ok(options.into_iter().map(|(key, value)| (key, text(value))).collect())
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

/// What the driver replies when nothing interferes. What a variant holds is sent under the variant's name.
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
    /// An error as the protocol has it: status 200 with an `Err`.
    #[serde(rename = "Err")]
    Error(String),
    /// An error as Go's `http.Error` writes it: status 500 with a text.
    #[serde(skip)]
    ServerError(String),
}

impl Reply {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        if matches!(self, Self::ServerError(_)) { 500 } else { 200 }
    }

    /// The body's bytes.
    pub fn body(&self) -> Vec<u8> {
        let mut body = match self {
            Self::Activated => br#"{"Implements":["VolumeDriver"]}"#.to_vec(),
            Self::Capabilities => br#"{"Capabilities":{"Scope":"global"}}"#.to_vec(),
            Self::Done => b"{}".to_vec(),
            Self::ServerError(text) => text.as_bytes().to_vec(),
            _ => serde_json::to_vec(self).expect("a reply has only text keys"),
        };
        body.push(b'\n');
        body
    }

    /// What went wrong, if anything did.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Error(why) | Self::ServerError(why) => Some(why),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_found_by_its_path_and_by_its_word() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_path(operation.path()), Some(operation));
            assert_eq!(operation.as_str().parse(), Ok(operation));
        }
        assert_eq!(Operation::from_path("/VolumeDriver.get"), None);
    }

    #[test]
    fn a_method_is_found_in_a_request_line() {
        for (line, expected) in [
            ("POST /NetworkDriver.GetCapabilities", Some("NetworkDriver.GetCapabilities")),
            ("POST /IpamDriver.RequestPool?x=1", Some("IpamDriver.RequestPool")),
            ("GET /NetworkDriver.GetCapabilities", None),
            ("POST /networks", None),
            ("POST /A.b", None),
            ("POST /A.B.C", None),
            ("POST /A.", None),
            ("(no HTTP request)", None),
        ] {
            assert_eq!(method_in(line), expected, "{line}");
        }
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
            (
                r#"{"Name":"v","Opts":{"readonly":true,"size":5,"none":null,"list":["a", 1.5]}}"#,
                Request {
                    options: [("readonly", "true"), ("size", "5"), ("none", ""), ("list", r#"["a",1.5]"#)]
                        .map(|(key, value)| (key.into(), value.into()))
                        .into(),
                    ..named("v")
                },
            ),
        ] {
            assert_eq!(Request::parse(body.as_bytes()).expect(body), expected);
        }
        for body in ["{", "[]", r#"{"Name":5}"#, "{} {}"] {
            assert!(Request::parse(body.as_bytes()).is_err(), "{body} was read");
        }
    }
}
