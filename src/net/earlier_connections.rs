//! The connections that engines made to a plugin before its place was taken: they would bypass us.
//!
//! An engine keeps idle connections, and a connection outlives the name of its socket. The plugin's ends are found by
//! the path that they were accepted at, and no longer read: the plugin closes them after the call in flight, and the
//! engine connects again, to us. Our own connections to it, which the kernel lists in the same way, are left as they are.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use rustix::{
    fd::AsFd,
    net::{Shutdown, shutdown},
    process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
};

use super::socket::peer_process;

/// Ends them, and returns how many there were. `aside` is where the plugin's socket is now.
pub fn end_earlier_connections(path: &Path, aside: &Path) -> io::Result<usize> {
    let probe = std::os::unix::net::UnixStream::connect(aside)?;
    let listener = peer_process(&probe)?
        .ok_or_else(|| io::Error::other("the plugin is in a PID namespace that voltergeist does not see"))?;
    drop(probe);
    // A plugin in a container has bound it at another path.
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let is_contained = namespace(&listener.as_raw_nonzero().to_string()) != namespace("self");
    let holders = if is_contained {
        let inodes = accepted_at(|other| other.file_name() == path.file_name())?;
        holders([listener], &inodes, descriptors_of)?
    } else {
        let directory = |path: &Path| path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let ours = directory(path);
        let inodes = accepted_at(|other| other.file_name() == path.file_name() && directory(other) == ours)?;
        // A process that was given the listener by another one may hold them.
        holders(processes(), &inodes, descriptors_of)?
    };
    let mut ended = 0;
    let mut denied = None;
    for (pid, fd) in holders {
        match end(pid, fd) {
            Ok(is_ended) => ended += usize::from(is_ended),
            // The process may have closed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied = Some(error),
            Err(_) => {}
        }
    }
    denied.map_or(Ok(ended), Err)
}

/// The inodes of the connected sockets that were accepted at a path. The kernel lists them in the network namespace of
/// the engine, which is ours.
fn accepted_at(is_meant: impl Fn(&Path) -> bool) -> io::Result<HashSet<u64>> {
    const CONNECTED: &str = "03";
    let text = fs::read_to_string("/proc/self/net/unix")?;
    let inodes = text.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(5);
        let is_connected = columns.next()? == CONNECTED;
        let inode = columns.next()?.parse().ok()?;
        // The kernel gives no inode before it is accepted.
        (is_connected && inode != 0 && is_meant(Path::new(columns.next()?))).then_some(inode)
    });
    Ok(inodes.collect())
}

fn number(path: &Path) -> Option<i32> {
    path.file_name()?.to_str()?.parse().ok()
}

fn entries(path: &str) -> io::Result<impl Iterator<Item = PathBuf> + use<>> {
    Ok(fs::read_dir(path)?.flatten().map(|entry| entry.path()))
}

/// All other processes.
fn processes() -> impl Iterator<Item = Pid> {
    let numbers = entries("/proc").into_iter().flatten().filter_map(|path| number(&path));
    numbers.filter_map(Pid::from_raw).filter(|pid| *pid != getpid())
}

/// The processes and descriptors that hold these sockets. Fails if some are not found and a process could not be looked
/// into.
fn holders(
    processes: impl IntoIterator<Item = Pid>,
    inodes: &HashSet<u64>,
    descriptors_of: impl Fn(Pid) -> io::Result<Vec<(i32, u64)>>,
) -> io::Result<Vec<(Pid, i32)>> {
    let (mut holders, mut missing, mut denied) = (Vec::new(), inodes.clone(), None);
    for process in processes {
        match descriptors_of(process) {
            Ok(sockets) => {
                for (descriptor, inode) in sockets.into_iter().filter(|(_, inode)| inodes.contains(inode)) {
                    missing.remove(&inode);
                    holders.push((process, descriptor));
                }
            }
            // It has ended meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => denied = Some(error),
        }
    }
    denied.filter(|_| !missing.is_empty()).map_or(Ok(holders), Err)
}

/// The descriptors of a process that are sockets, and their inodes.
fn descriptors_of(process: Pid) -> io::Result<Vec<(i32, u64)>> {
    let mut sockets = Vec::new();
    for descriptor in entries(&format!("/proc/{}/fd", process.as_raw_nonzero()))? {
        let target = match fs::read_link(&descriptor) {
            // It was closed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            target => target?,
        };
        let inode = target.to_str().and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']'));
        sockets.extend(number(&descriptor).zip(inode.and_then(|inode| inode.parse().ok())));
    }
    Ok(sockets)
}

/// Ends a connection, unless it is one of ours.
fn end(pid: Pid, fd: i32) -> io::Result<bool> {
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let socket = pidfd_getfd(process.as_fd(), fd, PidfdGetfdFlags::empty())?;
    if peer_process(&socket)? == Some(getpid()) {
        return Ok(false);
    }
    shutdown(socket, Shutdown::Read)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_cannot_be_looked_into_matters_only_if_a_socket_is_not_found() {
        let process = |number| Pid::from_raw(number).expect("it is no zero");
        let found = |inodes: &[u64]| {
            holders([1, 2, 3].map(process), &inodes.iter().copied().collect(), |pid| {
                match pid.as_raw_nonzero().get() {
                    1 => Ok(vec![(4, 40), (5, 50)]),
                    2 => Err(io::ErrorKind::PermissionDenied.into()),
                    _ => Err(io::ErrorKind::NotFound.into()),
                }
            })
        };
        assert_eq!(found(&[50]).expect("all are found"), [(process(1), 5)]);
        assert!(found(&[]).expect("nothing is to be found").is_empty());
        let error = found(&[50, 60]).expect_err("process 2 may hold the other");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
