//! An image that needs no registry: `/tmp`, and the machine's static busybox under all its names.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use super::sandbox::Sandbox;

const BUSYBOX: &str = "/bin/busybox";

/// Whether the machine's busybox runs where there is no library: the image has nothing else in it.
pub fn is_static() -> bool {
    let root = tempfile::tempdir().expect("a temporary directory");
    let mut inside = Command::new("chroot");
    inside.arg(root.path()).args(["/bin/busybox", "true"]);
    lay_out(root.path()).is_ok() && inside.status().is_ok_and(|end| end.success())
}

/// An archive to be imported as an image.
pub fn archive(sandbox: &Sandbox) -> PathBuf {
    let root = sandbox.path("image");
    lay_out(&root).expect("a root file system with busybox in it");
    let archive = root.with_extension("tar");
    let mut tar = Command::new(BUSYBOX);
    tar.args(["tar", "-C"]).arg(root).arg("-cf").arg(&archive).arg(".");
    assert!(tar.status().expect("busybox starts").success(), "tar failed");
    archive
}

fn lay_out(root: &Path) -> io::Result<()> {
    let bin = root.join("bin");
    fs::create_dir_all(&bin)?;
    fs::create_dir(root.join("tmp"))?;
    fs::copy(BUSYBOX, bin.join("busybox"))?;
    let names = Command::new(BUSYBOX).arg("--list").output()?.stdout;
    let names = String::from_utf8_lossy(&names);
    for name in names.lines().filter(|name| *name != "busybox") {
        symlink("busybox", bin.join(name))?;
    }
    Ok(())
}
