//! The connections that engines made to a plugin before its place was taken: they would bypass us.
//!
//! An engine keeps idle connections, and a connection outlives the name of its socket. The plugin's ends are found by
//! the path that they were accepted at, and no longer read: the plugin closes them after the call in flight, and the
//! engine connects again, to us. Our own connections to it, which the kernel lists in the same way, are left as they are.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::{
    fd::AsFd,
    fs::fstat,
    net::{Shutdown, shutdown},
    process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
};

use super::socket::peer_process;

/// How often those that are left are looked for again.
const LOOKS: usize = 3;
/// How long a look waits for what the one before has missed.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// What became of them.
#[derive(Debug)]
pub struct EarlierConnections {
    /// How many were ended.
    pub ended: usize,
    /// How many are left, and why.
    pub left: Option<(usize, io::Error)>,
}

/// Ends them. `aside` is where the plugin's socket is now.
pub fn end_earlier_connections(path: &Path, aside: &Path) -> io::Result<EarlierConnections> {
    let probe = std::os::unix::net::UnixStream::connect(aside)?;
    let listener = peer_process(&probe)?
        .ok_or_else(|| io::Error::other("the plugin is in a PID namespace that voltergeist does not see"))?;
    drop(probe);
    // A plugin in a container has bound it at another path.
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let is_contained = namespace(&listener.as_raw_nonzero().to_string()) != namespace("self");
    if is_contained {
        let inodes = || accepted_at(|other| other.file_name() == path.file_name());
        end_all(inodes, || vec![listener], descriptors_of, end)
    } else {
        let directory = |path: &Path| path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let ours = directory(path);
        let inodes =
            || accepted_at(|other| other.file_name() == path.file_name() && directory(other) == ours);
        // A process that was given the listener by another one may hold them.
        end_all(inodes, processes, descriptors_of, end)
    }
}

/// Ends those that some of these processes hold. One that is closed while its process is looked for is not left.
fn end_all(
    inodes: impl Fn() -> io::Result<HashSet<u64>>,
    processes: impl Fn() -> Vec<Pid>,
    descriptors_of: impl Fn(Pid) -> io::Result<Vec<(i32, u64)>>,
    end: impl Fn(Pid, i32, u64) -> io::Result<bool>,
) -> io::Result<EarlierConnections> {
    let (mut ended, mut left, mut problem) = (0, inodes()?, None);
    for look in 0..LOOKS {
        if look > 0 {
            thread::sleep(LOOK_INTERVAL);
        }
        problem = None;
        for process in processes() {
            let sockets = match descriptors_of(process) {
                Ok(sockets) => sockets,
                // It has ended meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // It may hold those that are not found.
                Err(error) => {
                    problem = problem.or(Some(error));
                    continue;
                }
            };
            for (descriptor, inode) in sockets {
                if !left.contains(&inode) {
                    continue;
                }
                match end(process, descriptor, inode) {
                    Ok(is_ended) => {
                        left.remove(&inode);
                        ended += usize::from(is_ended);
                    }
                    Err(error) => problem = Some(error),
                }
            }
        }
        if left.is_empty() {
            break;
        }
        let existing = inodes()?;
        left.retain(|inode| existing.contains(inode));
    }
    let left = problem.filter(|_| !left.is_empty()).map(|error| (left.len(), error));
    Ok(EarlierConnections { ended, left })
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
fn processes() -> Vec<Pid> {
    let numbers = entries("/proc").into_iter().flatten().filter_map(|path| number(&path));
    numbers.filter_map(Pid::from_raw).filter(|pid| *pid != getpid()).collect()
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
fn end(pid: Pid, fd: i32, inode: u64) -> io::Result<bool> {
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let socket = pidfd_getfd(process.as_fd(), fd, PidfdGetfdFlags::empty())?;
    // The process may have closed it, and opened something else.
    if fstat(&socket)?.st_ino != inode || peer_process(&socket)? == Some(getpid()) {
        return Ok(false);
    }
    shutdown(socket, Shutdown::Read)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn process(number: i32) -> Pid {
        Pid::from_raw(number).expect("it is no zero")
    }

    /// Process 1 has the sockets 40 and 50, process 2 cannot be looked into, and process 3 has ended.
    fn descriptors(process: Pid) -> io::Result<Vec<(i32, u64)>> {
        match process.as_raw_nonzero().get() {
            1 => Ok(vec![(4, 40), (5, 50)]),
            2 => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What becomes of the sockets that there are at each look, the last of which is repeated.
    fn ended(looks: &[&[u64]], end: impl Fn(Pid, i32, u64) -> io::Result<bool>) -> EarlierConnections {
        let look = Cell::new(0);
        let inodes = || {
            let now = look.replace(look.get() + 1).min(looks.len() - 1);
            Ok(looks[now].iter().copied().collect())
        };
        end_all(inodes, || [2, 1, 3].map(process).to_vec(), descriptors, end)
            .expect("the sockets can be listed")
    }

    fn left(connections: &EarlierConnections) -> Option<(usize, io::ErrorKind)> {
        connections.left.as_ref().map(|(count, error)| (*count, error.kind()))
    }

    #[test]
    fn what_is_found_is_ended_also_if_a_process_cannot_be_looked_into() {
        let found = ended(&[&[40, 50]], |process, descriptor, inode| {
            assert_eq!(
                (process.as_raw_nonzero().get(), descriptor),
                (1, i32::try_from(inode / 10).unwrap_or(0))
            );
            Ok(true)
        });
        assert_eq!((found.ended, left(&found)), (2, None));
        let nothing = ended(&[&[]], |_, _, _| Ok(true));
        assert_eq!((nothing.ended, left(&nothing)), (0, None));
    }

    #[test]
    fn what_is_not_found_is_left_only_if_it_still_exists() {
        let gone = ended(&[&[50, 60], &[50]], |_, _, _| Ok(true));
        assert_eq!((gone.ended, left(&gone)), (1, None));
        let there = ended(&[&[50, 60]], |_, _, _| Ok(true));
        assert_eq!((there.ended, left(&there)), (1, Some((1, io::ErrorKind::PermissionDenied))));
    }

    #[test]
    fn what_cannot_be_ended_is_left_only_if_it_still_exists() {
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::Unsupported] {
            let refused = |_, _, inode| if inode == 40 { Err(kind.into()) } else { Ok(true) };
            let gone = ended(&[&[40, 50], &[50]], refused);
            assert_eq!((gone.ended, left(&gone)), (1, None));
            let there = ended(&[&[40, 50]], refused);
            assert_eq!((there.ended, left(&there)), (1, Some((1, kind))));
        }
    }

    #[test]
    fn what_is_not_ended_because_it_is_ours_is_not_left() {
        let ours = ended(&[&[40, 50]], |_, _, inode| Ok(inode == 50));
        assert_eq!((ours.ended, left(&ours)), (1, None));
    }

    #[test]
    fn what_its_process_gets_meanwhile_is_ended_at_the_next_look() {
        let look = Cell::new(0);
        let descriptors = |_| Ok(if look.replace(look.get() + 1) == 0 { Vec::new() } else { vec![(4, 40)] });
        let found = end_all(|| Ok(HashSet::from([40])), || vec![process(1)], descriptors, |_, _, _| Ok(true));
        let found = found.expect("the sockets can be listed");
        assert_eq!((found.ended, left(&found)), (1, None));
    }
}
