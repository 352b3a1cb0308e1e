//! What the calls and replies say of the upstream's volumes and mounts, so that rules, lints and screens know them.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::past_replies::PastReplies;
use crate::{
    domain::model::{
        entry::{Call, Cause},
        protocol::{Operation, Options, Request},
        volume::{Change, Mask, Volumes},
    },
    hub::Hub,
    plugin::http_reply::HttpReply,
};

/// The volumes are in the hub. The latest replies are here, for the faults that repeat one.
pub struct Shadow {
    hub: Arc<Hub>,
    replies: Mutex<PastReplies>,
}

/// What is read from a reply.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReplyBody {
    mountpoint: Option<String>,
    volume: Option<ReplyVolume>,
    #[serde(default)]
    volumes: Option<Vec<Option<ReplyVolume>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReplyVolume {
    #[serde(default)]
    name: String,
    mountpoint: Option<String>,
    created_at: Option<String>,
}

impl ReplyVolume {
    fn created(&self, now: Timestamp) -> Timestamp {
        self.created_at.as_deref().and_then(|text| text.parse().ok()).unwrap_or(now)
    }
}

impl Shadow {
    /// Knows nothing yet.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub, replies: Mutex::default() }
    }

    /// The volumes as they are known now.
    pub fn volumes(&self) -> Volumes {
        self.hub.volumes()
    }

    fn with_volumes<T>(&self, look: impl FnOnce(&Volumes) -> T) -> T {
        look(&self.hub.volumes())
    }

    /// Learns from a reply to a request that was sent when these volumes were known. What it changes in the volumes is
    /// appended to the changes of the call.
    pub fn learn(
        &self,
        (operation, request, before): (Operation, &Request, &Volumes),
        (status, body): (StatusCode, &Bytes),
        is_ok: bool,
        call: &mut Call,
    ) {
        self.replies.lock().push(operation, &request.name, is_ok, (status, body));
        if !is_ok {
            return;
        }
        let now = self.hub.now();
        let changes = self.with_volumes(|volumes| changes(before, volumes, operation, request, body, now));
        for change in changes {
            // Nothing persists it, so nothing can fail.
            if self.hub.change(&change, Cause::Call(call.number)).is_ok() {
                call.changes.push(change);
            }
        }
    }

    /// The latest reply to such a call.
    pub fn latest(&self, operation: Operation, request: &Request) -> Option<HttpReply> {
        self.replies.lock().latest(operation, &request.name)
    }

    /// The reply before the latest one that was another.
    pub fn stale(&self, operation: Operation, request: &Request) -> Option<HttpReply> {
        self.replies.lock().stale(operation, &request.name)
    }

    /// The latest reply without an error; if there is none, one in the usual form.
    pub fn success(&self, operation: Operation, request: &Request) -> HttpReply {
        let known = self.replies.lock().success(operation, &request.name);
        known.unwrap_or_else(|| {
            let body = match operation {
                Operation::Activate => json!({ "Implements": ["VolumeDriver"] }),
                Operation::Capabilities => json!({ "Capabilities": { "Scope": "local" } }),
                Operation::Mount | Operation::Path => {
                    json!({ "Mountpoint": self.mountpoint(&request.name) })
                }
                Operation::Get => json!({ "Volume": self.description(&request.name) }),
                Operation::List => {
                    let names: Vec<String> = self.with_volumes(|volumes| {
                        let existing = volumes.iter().filter(|volume| volume.exists);
                        existing.map(|volume| volume.name.clone()).collect()
                    });
                    let volumes: Vec<_> = names.iter().map(|name| self.description(name)).collect();
                    json!({ "Volumes": volumes })
                }
                Operation::Create | Operation::Unmount | Operation::Remove => json!({}),
            };
            HttpReply::json(StatusCode::OK, format!("{body}\n"))
        })
    }

    /// A volume in the form of Get and List.
    fn description(&self, name: &str) -> Value {
        let created = self.with_volumes(|volumes| volumes.known(name).map(|volume| volume.created));
        let created = created.unwrap_or_else(|| self.hub.now());
        json!({ "Name": name, "Mountpoint": self.mountpoint(name), "CreatedAt": format!("{created:.0}") })
    }

    /// Whether a command masks the reply to such a call.
    pub fn is_masked(&self, operation: Operation, request: &Request) -> bool {
        self.with_volumes(|volumes| match operation {
            Operation::Get => volumes.mask(&request.name).is_some(),
            Operation::List => volumes.iter().any(|volume| volume.mask.is_some()),
            _ => false,
        })
    }

    /// The reply with the masks on: without what is forgotten, and with what is conjured.
    pub fn masked(&self, operation: Operation, request: &Request, reply: HttpReply) -> HttpReply {
        let masks = self.with_volumes(|volumes| {
            let masks = volumes.iter().filter_map(|volume| Some((volume.name.clone(), volume.mask?)));
            masks.collect::<Vec<_>>()
        });
        if operation == Operation::Get {
            let mask = masks.iter().find(|(name, _)| *name == request.name);
            return match mask {
                Some((_, Mask::Forgotten)) => {
                    let error = "no such volume";
                    HttpReply::json(StatusCode::OK, format!("{}\n", json!({ "Err": error })))
                        .with_error(error)
                }
                Some((name, Mask::Conjured)) => {
                    let body = json!({ "Volume": self.description(name) });
                    HttpReply::json(StatusCode::OK, format!("{body}\n"))
                }
                None => reply,
            };
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
        if reply.error.is_some() || !body.is_object() {
            return reply;
        }
        let volumes = match body["Volumes"].take() {
            Value::Array(volumes) => volumes,
            _ => Vec::new(),
        };
        let is_masked = |volume: &Value| masks.iter().any(|(name, _)| volume["Name"] == **name);
        let mut volumes: Vec<Value> = volumes.into_iter().filter(|volume| !is_masked(volume)).collect();
        let conjured = masks.iter().filter(|(_, mask)| *mask == Mask::Conjured);
        volumes.extend(conjured.map(|(name, _)| self.description(name)));
        body["Volumes"] = volumes.into();
        HttpReply { body: format!("{body}\n").into(), ..reply }
    }

    /// The latest mountpoint that the upstream has given for a volume; empty if it has given none.
    pub fn mountpoint(&self, name: &str) -> String {
        let replies = self.replies.lock();
        let given = [Operation::Mount, Operation::Path, Operation::Get].into_iter().find_map(|operation| {
            let body: ReplyBody = serde_json::from_slice(&replies.success(operation, name)?.body).ok()?;
            let path = body.mountpoint.or(body.volume.and_then(|volume| volume.mountpoint));
            path.filter(|path| !path.is_empty())
        });
        given.unwrap_or_default()
    }
}

/// What a successful call says of the volumes that was not known. A list says nothing of a volume that another call has
/// changed since it was asked for (`before`): it may be older.
fn changes(
    before: &Volumes,
    volumes: &Volumes,
    operation: Operation,
    request: &Request,
    body: &[u8],
    now: Timestamp,
) -> Vec<Change> {
    let name = request.name.clone();
    if operation.requires_volume() && name.is_empty() {
        return Vec::new();
    }
    // Options are known only to the engine that has given them.
    let created = |name: &str, at| Change::Created { name: name.to_owned(), options: Options::new(), at };
    let is_unknown =
        |name: &str| volumes.known(name).is_none_or(|volume| !volume.exists && volume.mask.is_none());
    let reply = || serde_json::from_slice::<ReplyBody>(body).ok();
    match operation {
        Operation::Create => vec![Change::Created { name, options: request.options.clone(), at: now }],
        Operation::Get => {
            // Most are known, and then there is nothing to read.
            let reply = is_unknown(&name).then(reply).flatten();
            reply
                .and_then(|reply| reply.volume)
                .map(|volume| created(&name, volume.created(now)))
                .into_iter()
                .collect()
        }
        Operation::List => {
            let Some(listed) = reply().and_then(|reply| reply.volumes) else { return Vec::new() };
            let listed: Vec<_> = listed.into_iter().flatten().collect();
            let existed = |name: &str| before.existing(name).is_some();
            let gone = volumes
                .iter()
                .filter(|volume| volume.exists && volume.mask.is_none() && existed(&volume.name))
                .filter(|volume| !listed.iter().any(|listed| listed.name == volume.name))
                .map(|volume| Change::Removed { name: volume.name.clone() });
            let is_new = |name: &str| !name.is_empty() && is_unknown(name) && !existed(name);
            let new = listed.iter().filter(|volume| is_new(&volume.name));
            gone.chain(new.map(|volume| created(&volume.name, volume.created(now)))).collect()
        }
        Operation::Mount => {
            let volume = is_unknown(&name).then(|| created(&name, now));
            volume.into_iter().chain([Change::Mounted { name, id: request.id.clone(), at: now }]).collect()
        }
        Operation::Unmount if volumes.known(&name).is_some() => {
            vec![Change::Unmounted { name, id: request.id.clone() }]
        }
        Operation::Remove if volumes.known(&name).is_some() => vec![Change::Removed { name }],
        Operation::Activate
        | Operation::Capabilities
        | Operation::Path
        | Operation::Unmount
        | Operation::Remove => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_nothing_of_volumes_that_changed_while_it_was_on_its_way() {
        let volumes = |names: &str| {
            let mut volumes = Volumes::default();
            for name in names.split_ascii_whitespace() {
                let (name, options, at) = (name.to_owned(), Options::new(), Timestamp::UNIX_EPOCH);
                volumes.apply(&Change::Created { name, options, at });
            }
            volumes
        };
        for (before, now, listed, expected) in [
            ("a b", "a b", "a", "-b"),
            ("a", "a", "a b", "+b"),
            ("a", "a b", "a", ""),
            ("a b", "a", "a b", ""),
            ("", "a", "a", ""),
        ] {
            let listed: Vec<_> = listed.split(' ').map(|name| json!({ "Name": name })).collect();
            let body = json!({ "Volumes": listed }).to_string();
            let request = Request::default();
            let at = Timestamp::UNIX_EPOCH;
            let changes =
                changes(&volumes(before), &volumes(now), Operation::List, &request, body.as_bytes(), at);
            let changes: Vec<String> = changes
                .iter()
                .map(|change| match change {
                    Change::Created { name, .. } => format!("+{name}"),
                    Change::Removed { name } => format!("-{name}"),
                    other => panic!("a list does not say {other:?}"),
                })
                .collect();
            assert_eq!(changes.join(" "), expected, "{before} / {now}: {body}");
        }
    }
}
