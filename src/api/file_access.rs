//! Which files the commands of a client may name.

use std::path::{Component, Path, PathBuf};

use crate::domain::lang::command::Command;

/// Which files a command may name.
#[derive(Clone, Debug)]
pub enum FileAccess {
    /// Those of the user who may open the Unix socket.
    All,
    /// On a TCP port: new ones in this directory, if there is one.
    Within(Option<PathBuf>),
}

/// A command that names a file which it may not.
#[derive(Debug, thiserror::Error)]
pub enum FileRefused {
    #[error(
        "a file is saved or loaded over TCP only in a directory for it; start voltergeist with --save-directory DIR"
    )]
    NoDirectory,
    #[error("{0:?} leads out of the directory that --save-directory names; write a name, or a path below it")]
    Outside(String),
    #[error("a scenario is given by its name over TCP, and not by the path of its file")]
    ScenarioFile,
}

impl FileAccess {
    /// The command with the paths that it may use.
    pub fn confine(&self, mut command: Command) -> Result<Command, FileRefused> {
        let Self::Within(directory) = self else { return Ok(command) };
        match &mut command {
            Command::Save { path, .. } | Command::Load { path, .. } => {
                let directory = directory.as_ref().ok_or(FileRefused::NoDirectory)?;
                let is_below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
                let Some(below) = directory.join(&*path).to_str().filter(|_| is_below).map(str::to_owned)
                else {
                    return Err(FileRefused::Outside(path.clone()));
                };
                *path = below;
            }
            Command::Play { scenario, .. } if scenario.contains(['/', '.']) => {
                return Err(FileRefused::ScenarioFile);
            }
            _ => {}
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_confined_to_a_directory() {
        let confined = |directory: Option<&str>, line: &str| {
            let access = FileAccess::Within(directory.map(Into::into));
            let command = access.confine(line.parse().expect("the line is valid"));
            command.map(|command| command.to_string()).map_err(|error| error.to_string())
        };
        for (line, expected) in [
            ("save run.jsonl", "save /srv/run.jsonl"),
            ("save a/b.md where op:get", "save /srv/a/b.md where operation:get"),
            ("play lie", "play lie"),
            ("note /etc", "note /etc"),
        ] {
            assert_eq!(confined(Some("/srv"), line).as_deref(), Ok(expected));
        }
        for line in [
            "save /etc/cron.d/x",
            "save ../x",
            "save a/../../x",
            "save ./x",
            "play /etc/x.toml",
            "play x.toml",
        ] {
            assert!(confined(Some("/srv"), line).is_err(), "{line}");
        }
        assert!(confined(None, "save run.jsonl").is_err_and(|error| error.contains("--save-directory")));
        let all = FileAccess::All.confine("save /etc/x".parse().expect("the line is valid"));
        assert!(all.is_ok());
    }
}
