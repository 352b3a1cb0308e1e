//! `voltergeist plugins` and `voltergeist restore`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};

use super::output::print;
use crate::{
    app::{
        paths,
        plugin_list::{self, ListedPlugin},
    },
    net::takeover::{self, Restored, is_taken, taken_in},
};

/// Lists the plugins of this machine.
pub async fn list(json: bool) -> anyhow::Result<ExitCode> {
    let plugins = plugin_list::list().await;
    let text = if json { serde_json::to_string_pretty(&plugins)? + "\n" } else { table(&plugins) };
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn table(plugins: &[ListedPlugin]) -> String {
    if plugins.is_empty() {
        return "no volume plugins; docker looks in /run/docker/plugins, /etc/docker/plugins and \
                /usr/lib/docker/plugins\n"
            .into();
    }
    let name = plugins.iter().map(|listed| listed.plugin.name.len()).max().unwrap_or(0).max(4);
    let address = plugins.iter().map(|listed| listed.plugin.address.len()).max().unwrap_or(0).max(7);
    let mut text = format!("{:name$}  {:7}  {:address$}  STATUS\n", "NAME", "KIND", "ADDRESS");
    for listed in plugins {
        let plugin = &listed.plugin;
        let status = match (&listed.shadowed_by, plugin.listening) {
            (Some(path), _) => format!("not used: docker finds {path} first"),
            (None, Some(true)) => "listening".to_owned(),
            (None, Some(false)) => {
                let (cost, remedy) =
                    (listed.cost.unwrap_or_default(), plugin.remedy.as_deref().unwrap_or_default());
                format!("dead: {cost}; {remedy}")
            }
            (None, None) => "unknown address".to_owned(),
        };
        let _ =
            writeln!(text, "{:name$}  {:7}  {:address$}  {status}", plugin.name, plugin.kind, plugin.address);
    }
    text
}

/// Puts plugins back in the places that a killed process has left: in docker's directory, or at these sockets and in
/// these directories.
pub fn restore(paths: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    let mut taken = if paths.is_empty() { taken_in(&paths::own().sockets) } else { Vec::new() };
    for path in paths {
        let path = std::path::absolute(path)?;
        if path.is_dir() {
            taken.append(&mut taken_in(&path));
        } else if is_taken(&path).with_context(|| cannot_restore(&path))? {
            taken.push(path);
        } else if path.exists() {
            let _ = writeln!(text, "{}: nothing to restore", path.display());
        } else {
            bail!("there is no socket {}; voltergeist plugins lists sockets", path.display());
        }
    }
    taken.sort_unstable();
    taken.dedup();
    for path in taken {
        let shown = path.display();
        let restored = takeover::restore(&path).with_context(|| cannot_restore(&path))?;
        let _ = match restored {
            Restored::Done => writeln!(text, "{shown}: restored"),
            Restored::InUse => {
                writeln!(text, "{shown}: a running voltergeist is in front of it; its end restores it")
            }
            Restored::Nothing => Ok(()),
        };
    }
    if text.is_empty() {
        text.push_str("nothing to restore\n");
    }
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn cannot_restore(path: &Path) -> String {
    format!("cannot restore {}; run this as root", path.display())
}
