//! The built-in driver: volumes are directories on disk.

use std::{io, sync::Arc};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::{
    Answer, DiskStore, Driver, DriverCall, Preview,
    long_list::{LongList, is_listed},
};
use crate::{
    domain::model::{
        directory_options::DirectoryOptions,
        entry::{Call, Cause},
        protocol::{Description, Operation, Reply, Request},
        volume::{Change, MAX_OPEN_MOUNTS, Volume, Volumes},
    },
    hub::Hub,
    plugin::http_reply::HttpReply,
};

/// A driver whose volumes are in the hub and on disk.
pub struct BuiltinDriver {
    hub: Arc<Hub>,
    disk: DiskStore,
    panic_on: Option<String>,
}

impl Driver for BuiltinDriver {
    async fn call(&self, call: &DriverCall<'_>, recorded: &mut Call) -> Answer {
        if call.operation == Some(Operation::List)
            && let Some(list) = LongList::new(self.hub.volumes(), &self.disk)
        {
            return Answer::List(Box::new(list));
        }
        Answer::Reply(match call.operation {
            Some(operation) => self.work(operation, call.request, recorded).into(),
            None => HttpReply::not_found(),
        })
    }

    fn preview(&self, operation: Operation, request: &Request, preview: Preview) -> Option<HttpReply> {
        let reply = match preview {
            Preview::Current => self.reply(operation, request),
            Preview::Stale => self.stale_reply(operation, request),
            Preview::Success => self.success_reply(operation, request),
        };
        Some(reply.into())
    }
}

impl BuiltinDriver {
    /// A driver for the volumes of a hub. It writes its own address into each volume that it mounts.
    pub fn new(hub: Arc<Hub>, disk: DiskStore, address: String, panic_on: Option<String>) -> Self {
        disk.set_address(address);
        Self { hub, disk, panic_on }
    }

    fn work(&self, operation: Operation, request: &Request, call: &mut Call) -> Reply {
        assert!(
            self.panic_on.as_ref() != Some(&request.name),
            "calls about {:?} panic, as configured",
            request.name
        );
        let reply = self.reply(operation, request);
        if reply.error().is_some() {
            return reply;
        }
        match self.execute(operation, request, call) {
            Ok(()) => reply,
            Err(error) => Reply::Error(format!("cannot {operation} {:?}: {error}", request.name)),
        }
    }

    fn reply(&self, operation: Operation, request: &Request) -> Reply {
        self.reply_from(&self.hub.volumes(), operation, request)
    }

    fn stale_reply(&self, operation: Operation, request: &Request) -> Reply {
        let (now, past_volumes) = self.hub.past();
        let current = self.reply_from(&now, operation, request);
        let mut earlier = past_volumes.before(&now).map(|then| self.reply_from(&then, operation, request));
        earlier.find(|reply| *reply != current).unwrap_or(current)
    }

    fn success_reply(&self, operation: Operation, request: &Request) -> Reply {
        match (operation, self.reply(operation, request)) {
            (Operation::Mount | Operation::Path, _) => Reply::Mountpoint(self.disk.mountpoint(&request.name)),
            (Operation::Get, Reply::Error(_) | Reply::Done) => Reply::Volume(Description {
                name: request.name.clone(),
                mountpoint: self.disk.mountpoint(&request.name),
                created: self.hub.now(),
            }),
            (_, Reply::Error(_)) => Reply::Done,
            (_, success) => success,
        }
    }

    fn reply_from(&self, volumes: &Volumes, operation: Operation, request: &Request) -> Reply {
        let name = &request.name;
        if let Err(bad) = request.check(operation) {
            return Reply::Error(bad.to_string());
        }
        let options = || DirectoryOptions::read(&request.options, DirectoryOptions::default());
        if operation == Operation::Create
            && let Err(bad) = options()
        {
            return Reply::Error(bad.to_string());
        }
        match operation {
            Operation::Activate => Reply::Activated,
            Operation::Capabilities => Reply::Capabilities,
            Operation::Create | Operation::Unmount | Operation::Remove => Reply::Done,
            Operation::Get => match volumes.existing(name) {
                None => Reply::Error("no such volume".into()),
                Some(volume) if volume.is_ninja() => Reply::Done,
                Some(volume) => Reply::Volume(self.describe(volume)),
            },
            Operation::List => {
                let listed = volumes.iter().filter(|volume| is_listed(volume));
                Reply::Volumes(listed.map(|volume| self.describe(volume)).collect())
            }
            Operation::Mount if volumes.existing(name).is_some_and(|volume| volume.cannot_mount()) => {
                Reply::ServerError("invalid argument".into())
            }
            Operation::Mount | Operation::Path => Reply::Mountpoint(self.disk.mountpoint(name)),
        }
    }

    fn describe(&self, volume: &Volume) -> Description {
        Description {
            name: volume.name.clone(),
            mountpoint: self.disk.mountpoint(&volume.name),
            created: volume.created,
        }
    }

    fn execute(&self, operation: Operation, request: &Request, call: &mut Call) -> io::Result<()> {
        use Operation::{Create, Mount, Remove, Unmount};
        if !matches!(operation, Create | Mount | Unmount | Remove) {
            return Ok(());
        }
        let decide = |volume: Option<&Volume>| {
            let (name, id, at) = (request.name.clone(), request.id.clone(), self.hub.now());
            Ok(match (operation, volume) {
                (Create, _) => Some(Change::Created { name, options: request.options.clone(), at }),
                (Mount, Some(volume)) if volume.is_full() => {
                    let text = format!("{MAX_OPEN_MOUNTS} mounts of it are open; unmount some first");
                    return Err(io::Error::other(text));
                }
                (Mount, _) => Some(Change::Mounted { name, id, at }),
                (Unmount, Some(_)) => Some(Change::Unmounted { name, id }),
                (Remove, Some(volume)) if volume.exists => Some(Change::Removed { name }),
                _ => None,
            })
        };
        let change = blocking(|| self.hub.change_volume(&request.name, Cause::Call(call.number), decide))?;
        call.changes.extend(change);
        Ok(())
    }
}

/// Runs disk I/O without blocking other calls, however slow the disk is.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
