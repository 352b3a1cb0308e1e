//! The driver itself: what it answers and what it does, without a line about faults.
//!
//! The answer and the work are apart, because a rule may want either without the other: a lie is an
//! answer without the work, and a reset after it is the work without an answer.

use std::{io, sync::Arc};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::disk::DiskStore;
use crate::{
    domain::model::{
        entry::{Call, Cause},
        protocol::{Description, Operation, Reply, Request, check_name},
        volume::{Change, Volume, Volumes},
    },
    state::Hub,
};

/// The volume driver.
pub struct Plugin {
    hub: Arc<Hub>,
    disk: DiskStore,
    /// Its own address, which it leaves in each volume it mounts.
    address: String,
    panic_on: Option<String>,
}

impl Plugin {
    /// A driver for the volumes of a hub.
    pub fn new(hub: Arc<Hub>, disk: DiskStore, address: String, panic_on: Option<String>) -> Self {
        Self { hub, disk, address, panic_on }
    }

    /// What it answers as things stand. Nothing changes.
    pub fn answer(&self, operation: Operation, request: &Request) -> Reply {
        self.hub.with_volumes(|volumes| self.answer_about(volumes, operation, request))
    }

    /// What it answered before the latest change that made a difference to the answer.
    pub fn stale_reply(&self, operation: Operation, request: &Request) -> Reply {
        // Only a List is about more than one volume.
        let (now, undo_log) = self.hub.past((operation != Operation::List).then_some(&request.name));
        let today = self.answer_about(&now, operation, request);
        let mut earlier = undo_log.before(&now).map(|then| self.answer_about(&then, operation, request));
        earlier.find(|reply| *reply != today).unwrap_or(today)
    }

    fn answer_about(&self, volumes: &Volumes, operation: Operation, request: &Request) -> Reply {
        let name = &request.name;
        if operation.requires_volume()
            && let Err(bad) = check_name(name)
        {
            return Reply::Refused(bad.to_string());
        }
        match operation {
            Operation::Activate => Reply::Activated,
            Operation::Capabilities => Reply::Capabilities,
            Operation::Create | Operation::Unmount | Operation::Remove => Reply::Done,
            Operation::Get => match volumes.existing(name) {
                None => Reply::Refused("no such volume".into()),
                Some(volume) if volume.is_ninja() => Reply::Done,
                Some(volume) => Reply::Volume(self.describe(volume)),
            },
            Operation::List => {
                let listed = volumes.iter().filter(|volume| volume.exists && !volume.is_ninja());
                Reply::Volumes(listed.map(|volume| self.describe(volume)).collect())
            }
            Operation::Mount if volumes.existing(name).is_some_and(|volume| volume.cannot_mount()) => {
                Reply::Broken("invalid argument".into())
            }
            Operation::Mount | Operation::Path => Reply::Mountpoint(self.mountpoint(name)),
        }
    }

    fn describe(&self, volume: &Volume) -> Description {
        Description {
            name: volume.name.clone(),
            mountpoint: self.mountpoint(&volume.name),
            created: volume.created,
        }
    }

    /// Where a volume is, or would be.
    pub fn mountpoint(&self, name: &str) -> String {
        self.disk.mountpoint(name)
    }

    /// What it would say of a volume if it had been created just now.
    pub fn fake_volume(&self, name: &str) -> Reply {
        Reply::Volume(Description {
            name: name.to_owned(),
            mountpoint: self.mountpoint(name),
            created: self.hub.now(),
        })
    }

    /// Does the work, if the answer is not a refusal, and answers.
    pub fn perform(&self, operation: Operation, request: &Request, call: &mut Call) -> Reply {
        assert!(
            self.panic_on.as_ref() != Some(&request.name),
            "a call about {:?} panics, as asked for",
            request.name
        );
        let reply = self.answer(operation, request);
        if reply.error().is_some() {
            return reply;
        }
        match self.work(operation, request, call) {
            Ok(()) => reply,
            Err(error) => Reply::Refused(format!("cannot {operation} {:?}: {error}", request.name)),
        }
    }

    fn work(&self, operation: Operation, request: &Request, call: &mut Call) -> io::Result<()> {
        let name = request.name.clone();
        let recorded = |name: &str| self.hub.with_volumes(|volumes| volumes.record(name).cloned());
        let change = match operation {
            Operation::Create => {
                Change::Created { name, options: request.options.clone(), at: self.hub.now() }
            }
            Operation::Mount => {
                off_the_runtime(|| self.disk.prepare(&name, &self.address, &request.id))?;
                Change::Mounted { name, id: request.id.clone(), at: self.hub.now() }
            }
            Operation::Unmount if recorded(&name).is_some() => {
                Change::Unmounted { name, id: request.id.clone() }
            }
            Operation::Remove if recorded(&name).is_some_and(|volume| volume.exists) => {
                Change::Removed { name }
            }
            _ => return Ok(()),
        };
        off_the_runtime(|| self.hub.change(&change, Cause::Call(call.call)))?;
        call.changes.push(change);
        Ok(())
    }
}

/// Does what waits for a disk, however slow it is, without holding up other calls.
fn off_the_runtime<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
