//! How engines find plugins by their names.
//!
//! `dockerd` looks for sockets first (`NAME.sock`, `NAME/NAME.sock`), then for spec files (`.spec`, `.json`) in
//! one directory after the other, and takes the first that exists, even if it is broken. Source: moby,
//! `pkg/plugins/discovery.go`.

use std::{
    fs,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use strum::IntoStaticStr;

use super::{address::Address, paths::Paths};

/// What kind of file names a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum PluginKind {
    /// A Unix socket.
    Socket,
    /// A text file with an address.
    Spec,
    /// A JSON file with an address, and perhaps certificates.
    Json,
    /// A plugin that the engine has installed and runs.
    Managed,
}

impl PluginKind {
    /// Its name in lists.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A file through which engines find a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The plugin's name, as after `--volume-driver`.
    pub name: String,
    /// What kind of file it is.
    pub kind: PluginKind,
    /// The file.
    pub path: PathBuf,
    /// The address in it, as it is written there.
    pub address: String,
    /// Whether it demands TLS.
    pub tls: bool,
}

/// Why a plugin file is no upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum UnusableFile {
    #[error(
        "{0:?} demands TLS: the engine checks the plugin's certificate, which voltergeist does not have; \
         give the plugin a spec file or a socket without TLS for the test"
    )]
    Tls(PathBuf),
    #[error(
        "{path:?} contains {address:?}, which is no address of a plugin; write unix://PATH or tcp://HOST:PORT"
    )]
    Address { path: PathBuf, address: String },
}

impl PluginFile {
    fn socket(name: &str, path: PathBuf) -> Self {
        let address = format!("unix://{}", path.display());
        Self { name: name.to_owned(), kind: PluginKind::Socket, path, address, tls: false }
    }

    /// A plugin that the engine runs, by its socket.
    pub fn managed(name: &str, path: PathBuf) -> Self {
        // `rclone` finds `rclone:latest`.
        let name = name.strip_suffix(":latest").unwrap_or(name);
        Self { kind: PluginKind::Managed, ..Self::socket(name, path) }
    }

    /// Whether a word can be the name of a plugin that the engine runs: `NAME[:TAG]`, or with a registry before it.
    pub fn may_be_managed(word: &str) -> bool {
        let is_address = word.starts_with("unix:") || word.contains("://") || word.starts_with(['/', '.']);
        !word.is_empty() && !is_address
    }

    fn spec(name: &str, path: PathBuf) -> Self {
        #[derive(Default, Deserialize)]
        struct JsonSpec {
            #[serde(rename = "Addr", default)]
            address: String,
            #[serde(rename = "TLSConfig")]
            tls: Option<serde_json::Value>,
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let (kind, address, tls) = if is_json {
            let spec: JsonSpec = serde_json::from_str(&text).unwrap_or_default();
            (PluginKind::Json, spec.address, spec.tls.is_some_and(|tls| !tls.is_null()))
        } else {
            (PluginKind::Spec, text.trim().to_owned(), false)
        };
        let tls = tls && !address.starts_with("unix://") || address.starts_with("https://");
        Self { name: name.to_owned(), kind, path, address, tls }
    }

    /// Where the plugin listens.
    pub fn upstream(&self) -> Result<Address, UnusableFile> {
        if self.tls {
            return Err(UnusableFile::Tls(self.path.clone()));
        }
        let address = self.address.replacen("http://", "tcp://", 1);
        // The engine ignores a path after the port.
        let address = match address.strip_prefix("tcp://") {
            Some(rest) => format!("tcp://{}", rest.split('/').next().unwrap_or_default()),
            None => address,
        };
        let wrong = || UnusableFile::Address { path: self.path.clone(), address: self.address.clone() };
        address.parse().map_err(|_| wrong())
    }
}

/// What engines find by a name.
pub fn find(name: &str, paths: &Paths) -> Option<PluginFile> {
    files(name, paths).next()
}

/// All files for a name, in the order in which engines look for them; they use the first.
pub fn files<'p>(name: &'p str, paths: &'p Paths) -> impl Iterator<Item = PluginFile> + 'p {
    let forms = move |directory: &Path, extension: &str| {
        let file = format!("{name}.{extension}");
        [directory.join(&file), directory.join(name).join(&file)]
    };
    let sockets = forms(&paths.sockets, "sock").into_iter().filter(|path| is_socket(path));
    let specs = paths
        .specs
        .iter()
        .flat_map(move |directory| forms(directory, "spec").into_iter().chain(forms(directory, "json")));
    let specs = specs.filter(|path| path.exists());
    sockets
        .map(move |path| PluginFile::socket(name, path))
        .chain(specs.map(move |path| PluginFile::spec(name, path)))
}

/// The names of all plugins for which there is a file, in alphabetical order.
pub fn names(paths: &Paths) -> Vec<String> {
    let directories =
        std::iter::once((&paths.sockets, true)).chain(paths.specs.iter().map(|path| (path, false)));
    let mut names: Vec<String> = directories
        .flat_map(|(directory, sockets)| {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            entries.filter_map(move |entry| name_of(&entry.path(), sockets))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The name that a directory entry gives to a plugin, if it gives any.
fn name_of(path: &Path, sockets: bool) -> Option<String> {
    let extensions: &[&str] = if sockets { &["sock"] } else { &["spec", "json"] };
    let stem = path.file_stem()?.to_str()?;
    if path.is_dir() {
        let name = path.file_name()?.to_str()?;
        let inside = |extension: &&str| path.join(format!("{name}.{extension}")).exists();
        return extensions.iter().any(inside).then(|| name.to_owned());
    }
    let extension = path.extension()?.to_str()?;
    (extensions.contains(&extension) && (!sockets || is_socket(path))).then(|| stem.to_owned())
}

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_the_order_of_the_engine() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let at = |name: &str| place.path().join(name);
        let paths = Paths {
            sockets: at("run"),
            specs: vec![at("etc"), at("usr")],
            control: at("control"),
            runtime: at("runtime"),
        };
        let write = |name: &str, text: &str| {
            let path = at(name);
            fs::create_dir_all(path.parent().expect("a file has a directory")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        write("usr/a/a.json", r#"{"Name":"x","Addr":"https://h:1"}"#);
        write("usr/a.spec", "tcp://h:2\n");
        write("etc/a.json", r#"{"Addr":"tcp://h:3","TLSConfig":{"CAFile":"/ca"}}"#);
        write("etc/b/b.spec", "http://h:4/ignored");
        write("run/c.sock", "no socket");
        fs::create_dir_all(at("run/a")).expect("it can be made");
        let _listener = std::os::unix::net::UnixListener::bind(at("run/a/a.sock")).expect("it can be bound");
        let found: Vec<_> =
            files("a", &paths).map(|file| (file.kind.as_str(), file.address, file.tls)).collect();
        let socket = format!("unix://{}", at("run/a/a.sock").display());
        assert_eq!(
            found,
            [
                ("socket", socket, false),
                ("json", "tcp://h:3".into(), true),
                ("spec", "tcp://h:2".into(), false),
                ("json", "https://h:1".into(), true),
            ]
        );
        assert_eq!(names(&paths), ["a", "b"]);
        let b = find("b", &paths).expect("it is found");
        assert_eq!(b.upstream(), Ok(Address::Tcp("h:4".into())));
        let tls = files("a", &paths).nth(1).expect("the second");
        assert_eq!(tls.upstream(), Err(UnusableFile::Tls(at("etc/a.json"))));
    }
}
