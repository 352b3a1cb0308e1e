//! A mount namespace for one test, so that what it mounts is gone when it ends, however it ends.

use std::{
    env,
    process::{Command, Stdio},
};

const INSIDE: &str = "VOLTERGEIST_TEST_NAMESPACE";

/// Runs a test of this binary again in a mount namespace of its own. True in there, where the test is to go on. Without
/// root there are no namespaces, and the test is skipped.
pub fn enter(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private"]);
    let probe = unshare.arg("true").stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("skipped: mount namespaces cannot be made here");
        return false;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private"]).arg(env::current_exe().expect("this binary"));
    let output = unshare.args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output();
    let output = output.expect("unshare is there");
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{errors}");
    false
}

/// Mounts, as the command does.
pub fn mount(args: &[&str]) {
    let status = Command::new("mount").args(args).status().expect("mount is there");
    assert!(status.success(), "mount {args:?}");
}

/// Unmounts.
pub fn umount(path: &std::path::Path) {
    let status = Command::new("umount").arg(path).status().expect("umount is there");
    assert!(status.success(), "umount {}", path.display());
}
