//! `voltergeist plugins` and `voltergeist restore`.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::Context;

use super::output::print;
use crate::{
    app::{
        paths,
        plugin_list::{self, ListedPlugin},
    },
    net::takeover::{Restored, restore as put_back, taken_in},
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
    let name = plugins.iter().map(|plugin| plugin.name.len()).max().unwrap_or(0).max(4);
    let address = plugins.iter().map(|plugin| plugin.address.len()).max().unwrap_or(0).max(7);
    let mut text = format!("{:name$}  {:7}  {:address$}  STATUS\n", "NAME", "KIND", "ADDRESS");
    for plugin in plugins {
        let status = match (&plugin.shadowed_by, plugin.listening) {
            (Some(path), _) => format!("not used: docker finds {path} first"),
            (None, Some(true)) => "listening".to_owned(),
            (None, Some(false)) => {
                let (cost, remedy) = (plugin.cost.unwrap_or_default(), plugin.remedy().unwrap_or_default());
                format!("dead: {cost}; {remedy}")
            }
            (None, None) => "unknown address".to_owned(),
        };
        let _ =
            writeln!(text, "{:name$}  {:7}  {:address$}  {status}", plugin.name, plugin.kind, plugin.address);
    }
    text
}

/// Puts plugins back in the places that a killed process has left.
pub fn restore() -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    for path in taken_in(&paths::own().sockets) {
        let shown = path.display();
        let restored =
            put_back(&path).with_context(|| format!("cannot restore {shown}; run this as root"))?;
        let _ = match restored {
            Restored::PutRight => writeln!(text, "{shown}: restored"),
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
