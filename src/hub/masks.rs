//! Commands about volumes that are the upstream's: they mask its replies, and never touch its data.

use jiff::Timestamp;

use super::{CommandFailed, Inner};
use crate::domain::{
    lang::command::Command,
    model::{
        protocol::Options,
        volume::{Change, Mask},
    },
};

impl Inner {
    /// How a command changes what the replies of the upstream are masked with.
    pub(super) fn masks_of(&self, command: &Command, at: Timestamp) -> Result<Vec<Change>, CommandFailed> {
        let volumes = self.state.volumes();
        let masked = |name: &String, mask, options: &Options| {
            vec![Change::Masked { name: name.clone(), mask, options: options.clone(), at }]
        };
        let unmasked = |name: &String| vec![Change::Unmasked { name: name.clone() }];
        Ok(match command {
            Command::Forget(name) => match volumes.mask(name) {
                Some(Mask::Forgotten) => return Err(CommandFailed::NoVolume(name.clone())),
                Some(Mask::Conjured) => unmasked(name),
                None => masked(name, Mask::Forgotten, &Options::new()),
            },
            Command::Restore(name) => match (volumes.mask(name), volumes.known(name)) {
                (Some(Mask::Forgotten), _) => unmasked(name),
                (_, Some(_)) => return Err(CommandFailed::NotForgotten(name.clone())),
                (_, None) => return Err(CommandFailed::NoVolume(name.clone())),
            },
            Command::Conjure { name, options } => {
                if volumes.existing(name).is_some() {
                    return Err(CommandFailed::VolumeExists(name.clone()));
                }
                masked(name, Mask::Conjured, options)
            }
            Command::Unmount(_) => {
                return Err(CommandFailed::NotUpstream(
                    "unmount",
                    "only an Unmount of the engine ends a mount there",
                ));
            }
            Command::Wipe => {
                return Err(CommandFailed::NotUpstream("wipe", "it would delete somebody's data"));
            }
            Command::Crash { keep: false } => {
                return Err(CommandFailed::NotUpstream("crash lose", "it would lose somebody's volumes"));
            }
            _ => Vec::new(),
        })
    }
}

/// The result of a command that masks replies.
pub(super) fn result(command: &Command) -> Option<String> {
    Some(match command {
        Command::Forget(name) => {
            format!("masked {name:?}: Get and List answer as if the upstream did not know it")
        }
        Command::Restore(name) => format!("took the mask off {name:?}"),
        Command::Conjure { name, .. } => {
            format!("masked {name:?}: Get and List answer as if the upstream knew it")
        }
        _ => return None,
    })
}
