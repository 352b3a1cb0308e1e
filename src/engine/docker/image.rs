//! The one image that scenarios need: busybox, from wherever it can be had.

use std::{fs, path::Path, process::Command};

use bollard::{
    Docker, body_full,
    query_parameters::{CreateImageOptions, RemoveImageOptions},
};
use futures_util::TryStreamExt;

const BUSYBOX: &str = "busybox:latest";
/// What is made from the machine's own busybox.
const OWN: (&str, &str) = ("voltergeist-busybox", "latest");
/// The kind of program header that names an interpreter: ELF's `PT_INTERP`.
const INTERPRETER: u64 = 3;
const PLACES: [&str; 3] = ["/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static"];

/// An image with busybox in it.
pub(super) struct Image {
    pub name: String,
    origin: ImageOrigin,
}

/// Where an image is from.
#[derive(PartialEq)]
enum ImageOrigin {
    /// It was there.
    Found,
    /// It was made for this run.
    Made,
    /// It was pulled for this run.
    Pulled,
}

impl Image {
    /// Removes it if it was made for this run. Otherwise says what stays that was not there before.
    pub(super) async fn remove(&self, docker: &Docker) -> Option<String> {
        let name = &self.name;
        match self.origin {
            ImageOrigin::Found => None,
            ImageOrigin::Made => {
                let removed = docker.remove_image(name, None::<RemoveImageOptions>, None).await;
                removed.err().map(|error| format!("the image {name} stays: {error}"))
            }
            ImageOrigin::Pulled => {
                Some(format!("the image {name} was pulled, and stays; docker rmi {name} removes it"))
            }
        }
    }
}

/// An image with busybox in it: the daemon's, else one made from a static busybox of this machine, else one that is
/// pulled.
pub(super) async fn find(docker: &Docker) -> Result<Image, String> {
    let own = format!("{}:{}", OWN.0, OWN.1);
    for name in [BUSYBOX, &own] {
        if docker.inspect_image(name).await.is_ok() {
            return Ok(Image { name: name.to_owned(), origin: ImageOrigin::Found });
        }
    }
    let here = PLACES.iter().map(Path::new).find(|place| is_static(place));
    let Some(busybox) = here else {
        let options =
            CreateImageOptions { from_image: Some(BUSYBOX.into()), ..CreateImageOptions::default() };
        let pulled: Result<Vec<_>, _> = docker.create_image(Some(options), None, None).try_collect().await;
        let image = Image { name: BUSYBOX.to_owned(), origin: ImageOrigin::Pulled };
        return pulled.map(|_| image).map_err(|error| error.to_string());
    };
    let archive = archive(busybox).map_err(|error| error.to_string())?;
    let options = CreateImageOptions {
        from_src: Some("-".into()),
        repo: Some(OWN.0.into()),
        tag: Some(OWN.1.into()),
        changes: vec!["CMD [\"sh\"]".into()],
        ..CreateImageOptions::default()
    };
    let made = docker.create_image(Some(options), Some(body_full(archive.into())), None);
    let image = Image { name: own, origin: ImageOrigin::Made };
    made.try_collect::<Vec<_>>().await.map(|_| image).map_err(|error| error.to_string())
}

/// Whether a program is an ELF file that asks for no interpreter, and so runs where there is no library.
fn is_static(program: &Path) -> bool {
    let Ok(elf) = fs::read(program) else { return false };
    let number = |at: usize, bytes: usize| {
        let bytes = elf.get(at..at + bytes)?;
        Some(bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let is_elf64 = elf.starts_with(b"\x7fELF\x02\x01");
    let headers = (number(32, 8), number(54, 2), number(56, 2));
    let (true, (Some(start), Some(size), Some(count))) = (is_elf64, headers) else { return false };
    (0..count).all(|index| {
        let at = usize::try_from(start + index * size).unwrap_or(usize::MAX - 4);
        number(at, 4).is_some_and(|kind| kind != INTERPRETER)
    })
}

/// A root file system: busybox under all its names, and a place for temporary files.
fn archive(busybox: &Path) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut folder = tar::Header::new_gnu();
    folder.set_entry_type(tar::EntryType::Directory);
    folder.set_size(0);
    folder.set_mode(0o755);
    for name in ["bin/", "tmp/"] {
        tar.append_data(&mut folder, name, std::io::empty())?;
    }
    let program = fs::read(busybox)?;
    let mut file = tar::Header::new_gnu();
    file.set_size(program.len() as u64);
    file.set_mode(0o755);
    tar.append_data(&mut file, "bin/busybox", program.as_slice())?;
    let names = Command::new(busybox).arg("--list").output()?.stdout;
    for name in String::from_utf8_lossy(&names).lines().filter(|name| *name != "busybox") {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        link.set_mode(0o777);
        tar.append_link(&mut link, format!("bin/{name}"), "busybox")?;
    }
    tar.into_inner()
}
