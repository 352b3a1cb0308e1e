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
    net::{Shutdown, shutdown, sockopt::socket_peercred},
    process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
};

/// Ends them, and returns how many there were. `aside` is where the plugin's socket is now.
pub fn end_earlier_connections(path: &Path, aside: &Path) -> io::Result<usize> {
    let probe = std::os::unix::net::UnixStream::connect(aside)?;
    let listener = socket_peercred(&probe)?.pid;
    drop(probe);
    // A plugin in a container has bound it at another path.
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let is_contained = namespace(&listener.as_raw_nonzero().to_string()) != namespace("self");
    let holders = if is_contained {
        let inodes = accepted_at(|other| other.file_name() == path.file_name())?;
        descriptors_of(listener, &inodes)
    } else {
        let directory = |path: &Path| path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let ours = directory(path);
        let inodes = accepted_at(|other| other.file_name() == path.file_name() && directory(other) == ours)?;
        // A process that was given the listener by another one may hold them.
        processes().flat_map(|process| descriptors_of(process, &inodes)).collect()
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
        (is_connected && is_meant(Path::new(columns.next()?))).then_some(inode)
    });
    Ok(inodes.collect())
}

fn number(path: &Path) -> Option<i32> {
    path.file_name()?.to_str()?.parse().ok()
}

fn entries(path: &str) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// All other processes.
fn processes() -> impl Iterator<Item = Pid> {
    let numbers = entries("/proc").filter_map(|path| number(&path));
    numbers.filter_map(Pid::from_raw).filter(|pid| *pid != getpid())
}

/// The descriptors of a process that are these sockets.
fn descriptors_of(process: Pid, inodes: &HashSet<u64>) -> Vec<(Pid, i32)> {
    let held = entries(&format!("/proc/{}/fd", process.as_raw_nonzero())).filter_map(|descriptor| {
        let target = fs::read_link(&descriptor).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
        inodes.contains(&inode).then_some((process, number(&descriptor)?))
    });
    held.collect()
}

/// Ends a connection, unless it is one of ours.
fn end(pid: Pid, fd: i32) -> io::Result<bool> {
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let socket = pidfd_getfd(process.as_fd(), fd, PidfdGetfdFlags::empty())?;
    if socket_peercred(&socket)?.pid == getpid() {
        return Ok(false);
    }
    shutdown(socket, Shutdown::Read)?;
    Ok(true)
}
