//! Docker commands as the lines that a person would type.

use std::fmt;

use super::{
    docker_command::{DockerCommand, KILL, RESTART, Run},
    docker_subcommand::{Pair, PluginCommand, ServiceCommand, ServiceMount, VolumeCommand},
};
use crate::domain::text::shell;

/// Collects the words of a line, flags before names.
struct Words(Vec<String>);

impl Words {
    fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|&word| word.to_owned()).collect())
    }

    fn flag(mut self, flag: &str, set: bool) -> Self {
        self.0.extend(set.then(|| flag.to_owned()));
        self
    }

    fn option(mut self, flag: &str, values: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        for value in values {
            self.0.extend([flag.to_owned(), value.to_string()]);
        }
        self
    }

    fn words(mut self, words: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        self.0.extend(words.into_iter().map(|word| word.to_string()));
        self
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.0, self.1)
    }
}

impl VolumeCommand {
    fn line(&self) -> Words {
        match self {
            Self::Create { driver, options, labels, name } => Words::new(&["docker", "volume", "create"])
                .option("-d", Some(driver).filter(|driver| *driver != "local"))
                .option("-o", options)
                .option("--label", labels)
                .words(name),
            Self::Inspect { name } => Words::new(&["docker", "volume", "inspect", name]),
            Self::Ls { driver } => Words::new(&["docker", "volume", "ls"])
                .option("-f", driver.iter().map(|driver| format!("driver={driver}"))),
            Self::Rm { force, name } => {
                Words::new(&["docker", "volume", "rm"]).flag("-f", *force).words([name])
            }
            Self::Prune { .. } => Words::new(&["docker", "volume", "prune", "-f"]),
        }
    }
}

impl fmt::Display for ServiceMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type=volume,source={},target={}", self.source, self.target)?;
        self.driver.iter().try_for_each(|driver| write!(f, ",volume-driver={driver}"))
    }
}

impl PluginCommand {
    fn line(&self) -> Words {
        let line = |verb| Words::new(&["docker", "plugin", verb]);
        match self {
            Self::Ls => line("ls"),
            Self::Disable { force, name } => line("disable").flag("-f", *force).words([name]),
            Self::Enable { name } => line("enable").words([name]),
        }
    }
}

impl ServiceCommand {
    fn line(&self) -> Words {
        let line = |verb| Words::new(&["docker", "service", verb]);
        match self {
            Self::Create { name, mounts, image, command } => line("create")
                .option("--name", Some(name))
                .option("--mount", mounts)
                .words([image])
                .words(command),
            Self::Ls => line("ls"),
            Self::Ps { name } => line("ps").words([name]),
            Self::Rm { name } => line("rm").words([name]),
        }
    }
}

impl Run {
    fn line(&self, verb: &str) -> Words {
        Words::new(&["docker", verb])
            .flag("-d", self.detach)
            .flag("--rm", self.rm)
            .option("--name", &self.name)
            .option("-v", &self.volumes)
            .option("--volume-driver", &self.volume_driver)
            .option("--volumes-from", &self.volumes_from)
            .option("--restart", &self.restart)
            .option("-w", &self.workdir)
            .words([&self.image])
            .words(&self.command)
    }
}

impl fmt::Display for DockerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Self::Volume(command) => command.line(),
            Self::Create(run) => run.line("create"),
            Self::Run(run) => run.line("run"),
            Self::Start { name } => Words::new(&["docker", "start", name]),
            Self::Restart { name } => Words::new(&["docker", "restart", name]),
            Self::Stop { name } => Words::new(&["docker", "stop", name]),
            Self::Kill { name } => Words::new(&["docker", "kill", name]),
            Self::Rm { force, volumes, name } => {
                Words::new(&["docker", "rm"]).flag("-f", *force).flag("-v", *volumes).words([name])
            }
            Self::Ps { all } => Words::new(&["docker", "ps"]).flag("-a", *all),
            Self::Exec { name, command } => Words::new(&["docker", "exec", name]).words(command),
            Self::Logs { name } => Words::new(&["docker", "logs", name]),
            Self::Plugin(command) => command.line(),
            Self::Service(command) => command.line(),
            Self::Inspect { name } => Words::new(&["docker", "inspect", name]),
            Self::Cp { source, destination } => Words::new(&["docker", "cp", source, destination]),
            Self::DaemonRestart => Words::new(&RESTART),
            Self::DaemonKill => Words::new(&KILL),
        };
        let words: Vec<_> = line.0.iter().map(|word| shell::quote(word)).collect();
        f.write_str(&words.join(" "))
    }
}
