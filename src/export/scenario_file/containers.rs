//! The containers of recognised commands: their names are made up, and what happens to them follows from the calls.

use crate::domain::{
    analysis::{
        groups::{CallGroup, GroupStep},
        traced_calls::is_generated,
    },
    model::{
        entry::{Call, EntryKind, Outcome},
        protocol::{Caller, Operation, Options, Request},
    },
    text::shell,
};

/// The containers so far.
#[derive(Default)]
pub struct Containers {
    known: Vec<RecognisedContainer>,
    /// How many there were.
    count: usize,
}

struct RecognisedContainer {
    name: String,
    volume: String,
    /// The mount ID while it runs.
    mounted: Option<String>,
}

impl Containers {
    /// The docker command that makes an engine send the calls of a group; none if no command is known for it.
    pub fn command(&mut self, group: &CallGroup) -> Option<String> {
        use GroupStep::{Create, List, Look, Mount, MountAgain, Remove, Unmount};
        let volume = group.volume().unwrap_or_default().to_owned();
        let shown = shell::quote(&volume).into_owned();
        // The image has files for /etc, so that a new volume there is mounted once more.
        Some(match group.steps() {
            [List] if group.caller() != Caller::Podman => "docker volume ls".to_owned(),
            [Look] if is_generated(&volume) => return None,
            [Look] => format!("docker volume inspect {shown}"),
            [Create] => format!("docker volume create -d {{driver}}{} {shown}", options(group)),
            [Remove] | [Look, Remove] if is_generated(&volume) => {
                format!("docker rm -f -v {}", self.take_users(&volume).pop()?)
            }
            [Remove] | [Look, Remove] => format!("docker volume rm {shown}"),
            [Create | Look, Mount] => self.run(group, &volume, "/data", true),
            [Look | Create, Mount, Unmount] | [Create, Mount, Unmount, Look, Remove] => {
                self.run(group, &volume, "/data", false)
            }
            [Look | Create, Mount, Unmount, Mount] => self.run(group, &volume, "/etc", true),
            [Look | Create, Mount, Unmount, Mount, Unmount] => self.run(group, &volume, "/etc", false),
            [Mount, Unmount] if group.caller() == Caller::Podman => self.run(group, &volume, "/data", false),
            // Of a container that runs, an engine mounts the volume once more for a copy.
            [MountAgain] if self.is_mounted(group, Operation::Mount) => {
                format!("docker cp {}:/data/. /tmp/copy", self.user(group, &volume)?)
            }
            [Mount | MountAgain] => {
                let container =
                    self.known.iter_mut().rfind(|one| one.volume == volume && one.mounted.is_none())?;
                container.mounted = id(group, Operation::Mount);
                format!("docker start {}", container.name)
            }
            [Unmount] => {
                let container = self.mounted_mut(group, Operation::Unmount)?;
                container.mounted = None;
                format!("docker stop {}", container.name)
            }
            [Unmount, Mount | MountAgain] => {
                let container = self.mounted_mut(group, Operation::Unmount)?;
                container.mounted = id(group, Operation::Mount);
                format!("docker restart {}", container.name)
            }
            [Unmount, Look, Remove] => {
                let name = self.mounted_mut(group, Operation::Unmount)?.name.clone();
                self.known.retain(|one| one.name != name);
                format!("docker stop {name}")
            }
            [Mount | MountAgain, Unmount] => {
                format!("docker cp {}:/data/. /tmp/copy", self.user(group, &volume)?)
            }
            [MountAgain | Mount, Unmount, MountAgain | Mount, Unmount]
            | [MountAgain, Unmount, MountAgain] => {
                format!("docker cp /tmp/copy {}:/data", self.user(group, &volume)?)
            }
            _ => return None,
        })
    }

    /// The command that makes the container that a group needs, if there is none yet.
    pub fn missing(&mut self, group: &CallGroup) -> Option<String> {
        use GroupStep::{Mount, MountAgain, Unmount};
        let volume = group.volume().unwrap_or_default().to_owned();
        let (is_there, verb) = match group.steps() {
            [Mount | MountAgain, ..] if group.caller() == Caller::Podman => return None,
            [Mount, ..] => {
                (self.known.iter().any(|one| one.volume == volume && one.mounted.is_none()), "create")
            }
            [MountAgain, ..] => (self.is_mounted(group, Operation::Mount), "run -d"),
            [Unmount, ..] => (self.is_mounted(group, Operation::Unmount), "run -d"),
            _ => return None,
        };
        if is_there || volume.is_empty() {
            return None;
        }
        let name = self.next_name();
        let mounted = id(group, Operation::Unmount).filter(|_| verb != "create");
        let line = format!("docker {verb} --name {name} -v {}:/data busybox top", shell::quote(&volume));
        self.known.push(RecognisedContainer { name, volume, mounted });
        Some(line)
    }

    /// The containers that use a volume. They are not used any more.
    pub fn take_users(&mut self, volume: &str) -> Vec<String> {
        self.known.extract_if(.., |one| one.volume == volume).map(|one| one.name).collect()
    }

    /// Those of them that do not run.
    pub fn take_stopped_users(&mut self, volume: &str) -> Vec<String> {
        let is_one = |one: &mut RecognisedContainer| one.volume == volume && one.mounted.is_none();
        self.known.extract_if(.., is_one).map(|one| one.name).collect()
    }

    fn run(&mut self, group: &CallGroup, volume: &str, path: &str, stays: bool) -> String {
        let is_anonymous = is_generated(volume);
        let place = if is_anonymous { path.to_owned() } else { format!("{}:{path}", shell::quote(volume)) };
        let driver = "--volume-driver {driver}";
        if !stays {
            // With --rm, an anonymous volume is removed too.
            let is_kept = is_anonymous && !group.steps().contains(&GroupStep::Remove);
            let flags = if is_kept { "" } else { "--rm " };
            return format!("docker run {flags}-v {place} {driver} busybox true");
        }
        let name = self.next_name();
        let mounted = id(group, Operation::Mount).filter(|_| !fails(group));
        let flags = if is_anonymous { "-d --rm" } else { "-d" };
        let line = format!("docker run {flags} --name {name} -v {place} {driver} busybox top");
        self.known.push(RecognisedContainer { name, volume: volume.to_owned(), mounted });
        line
    }

    fn next_name(&mut self) -> String {
        self.count += 1;
        format!("box-{}", self.count)
    }

    /// Whether a container runs with the mount ID that a group has in this operation.
    fn is_mounted(&mut self, group: &CallGroup, operation: Operation) -> bool {
        self.mounted_mut(group, operation).is_some()
    }

    fn mounted_mut(&mut self, group: &CallGroup, operation: Operation) -> Option<&mut RecognisedContainer> {
        let (id, volume) = (id(group, operation), group.volume());
        self.known
            .iter_mut()
            .find(|one| one.mounted.is_some() && one.mounted == id && Some(&*one.volume) == volume)
    }

    /// The container that a copy is from or to: the one with the same mount ID, if it runs.
    fn user(&self, group: &CallGroup, volume: &str) -> Option<&str> {
        let id = id(group, Operation::Mount);
        let mounted = self.known.iter().find(|one| one.mounted.is_some() && one.mounted == id);
        let stopped = || self.known.iter().rfind(|one| one.volume == volume && one.mounted.is_none());
        mounted.or_else(stopped).map(|one| one.name.as_str())
    }
}

/// Whether the command of a group failed.
pub fn fails(group: &CallGroup) -> bool {
    let decisive = group.decisive();
    let has_failed =
        decisive.entry.call().is_some_and(|call| call.outcome != Outcome::Ok || finds_nothing(call));
    // An engine only notes that it cannot unmount or list.
    has_failed && !matches!(decisive.operation(), Some(Operation::Unmount | Operation::List))
}

/// Whether a Get was answered without an error and without a volume: to an engine there is none.
pub fn finds_nothing(call: &Call) -> bool {
    let reply = serde_json::from_slice(&call.reply.bytes);
    call.operation == Some(Operation::Get)
        && call.outcome == Outcome::Ok
        && reply.is_ok_and(|reply: serde_json::Value| reply["Volume"].is_null())
}

/// The mount ID in the last call of an operation.
fn id(group: &CallGroup, operation: Operation) -> Option<String> {
    let member = group.members().iter().rfind(|member| member.operation() == Some(operation))?;
    member.entry.about().1.map(str::to_owned)
}

/// The options in the Create of a group, as flags.
fn options(group: &CallGroup) -> String {
    let create = group.members().iter().find_map(|member| match &member.entry.kind {
        EntryKind::Call(call) if call.operation == Some(Operation::Create) => Some(call),
        _ => None,
    });
    let options: Options =
        create.and_then(|call| Request::parse(&call.request.bytes).ok()).unwrap_or_default().options;
    options
        .iter()
        .fold(String::new(), |flags, (key, value)| flags + " -o " + &shell::quote(&format!("{key}={value}")))
}
