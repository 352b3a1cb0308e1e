//! The commands that an engine understands: lines of the docker command line, read and printed.
//!
//! Only what touches volumes is here. A daemon is restarted and killed with the lines that an
//! administrator would type: `systemctl restart docker` and `systemctl kill --signal=KILL docker`.

use std::{fmt, str::FromStr};

use clap::{Args, Parser, Subcommand};

use crate::domain::text::shell;

const RESTART: [&str; 3] = ["systemctl", "restart", "docker"];
const KILL: [&str; 4] = ["systemctl", "kill", "--signal=KILL", "docker"];

/// One line that a person would type.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum DockerCommand {
    /// `docker volume …`
    #[command(subcommand)]
    Volume(VolumeCommand),
    /// `docker create …`: a container that does not start yet.
    Create(Run),
    /// `docker run …`
    Run(Run),
    /// `docker start NAME`
    Start {
        /// The container.
        name: String,
    },
    /// `docker restart NAME`
    Restart {
        /// The container.
        name: String,
    },
    /// `docker stop NAME`
    Stop {
        /// The container.
        name: String,
    },
    /// `docker kill NAME`
    Kill {
        /// The container.
        name: String,
    },
    /// `docker rm [-f] [-v] NAME`
    Rm {
        /// Kill it first.
        #[arg(short, long)]
        force: bool,
        /// Remove its anonymous volumes too.
        #[arg(short, long)]
        volumes: bool,
        /// The container.
        name: String,
    },
    /// `docker inspect NAME`: of a container, no more than its mounts.
    Inspect {
        /// The container.
        name: String,
    },
    /// `docker cp SOURCE DESTINATION`, one of which is `CONTAINER:PATH`.
    Cp {
        /// From where.
        source: String,
        /// To where.
        destination: String,
    },
    /// `systemctl restart docker`: containers are stopped in good order, and the daemon starts again.
    #[command(skip)]
    DaemonRestart,
    /// `systemctl kill --signal=KILL docker`: the daemon dies, and systemd starts it again.
    #[command(skip)]
    DaemonKill,
}

/// What follows `docker volume`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum VolumeCommand {
    /// `docker volume create [-d DRIVER] [-o K=V]… [--label K=V]… [NAME]`
    Create {
        /// The driver.
        #[arg(short, long, default_value = "local")]
        driver: String,
        /// Options for the driver.
        #[arg(short, long = "opt")]
        options: Vec<Pair>,
        /// Labels, which only the daemon knows.
        #[arg(long = "label")]
        labels: Vec<Pair>,
        /// The volume; a random name if there is none.
        name: Option<String>,
    },
    /// `docker volume inspect NAME`
    Inspect {
        /// The volume.
        name: String,
    },
    /// `docker volume ls [-f driver=DRIVER]`
    Ls {
        /// Only one driver's.
        #[arg(short = 'f', long = "filter", value_parser = driver_filter)]
        driver: Option<String>,
    },
    /// `docker volume rm [-f] NAME`
    Rm {
        /// Forget the volume even if the driver cannot remove it.
        #[arg(short, long)]
        force: bool,
        /// The volume.
        name: String,
    },
    /// `docker volume prune -f`
    Prune {
        /// Do not ask.
        #[arg(short, long, required = true)]
        force: bool,
    },
}

/// What follows `docker run` and `docker create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Run {
    /// Return as soon as it has started.
    #[arg(short, long)]
    pub detach: bool,
    /// Remove the container and its anonymous volumes when it ends.
    #[arg(long)]
    pub rm: bool,
    /// The container's name; a random one if there is none.
    #[arg(long)]
    pub name: Option<String>,
    /// `VOLUME:PATH`, or `PATH` alone for an anonymous volume.
    #[arg(short, long = "volume")]
    pub volumes: Vec<String>,
    /// The driver of volumes that are not there yet.
    #[arg(long)]
    pub volume_driver: Option<String>,
    /// A container whose volumes it shall have too.
    #[arg(long)]
    pub volumes_from: Option<String>,
    /// `always` starts it again with the daemon.
    #[arg(long, value_parser = ["no", "always"])]
    pub restart: Option<String>,
    /// The working directory.
    #[arg(short, long)]
    pub workdir: Option<String>,
    /// The image.
    pub image: String,
    /// What runs in it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

/// A key with a value: `tier=gold`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair(pub String, pub String);

impl FromStr for Pair {
    type Err = std::convert::Infallible;

    /// A key alone has an empty value, as docker has it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        Ok(Self(key.to_owned(), value.to_owned()))
    }
}

fn driver_filter(text: &str) -> Result<String, &'static str> {
    text.strip_prefix("driver=").map(str::to_owned).ok_or("only driver=NAME can be filtered for")
}

/// Why a line is not a docker command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line:?}: {problem}")]
pub struct BadLine {
    /// The line.
    pub line: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

#[derive(Parser)]
#[command(name = "docker", no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
struct Docker {
    #[command(subcommand)]
    command: DockerCommand,
}

impl FromStr for DockerCommand {
    type Err = BadLine;

    fn from_str(line: &str) -> Result<Self, BadLine> {
        let bad = |problem: String| BadLine { line: line.to_owned(), problem };
        let words = shlex::split(line).ok_or_else(|| bad("a quote is open; close it".into()))?;
        if words == RESTART {
            return Ok(Self::DaemonRestart);
        }
        if words == KILL {
            return Ok(Self::DaemonKill);
        }
        let Some(("docker", rest)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
            return Err(bad(format!(
                "expected a line that begins with docker, or {:?} or {:?}",
                RESTART.join(" "),
                KILL.join(" ")
            )));
        };
        let docker = Docker::try_parse_from(rest).map_err(|error| {
            let text = error.to_string();
            let problem: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            bad(problem.join(" ").trim_start_matches("error: ").to_owned())
        })?;
        Ok(docker.command)
    }
}

/// Collects the words of a line, flags before names.
struct Line(Vec<String>);

impl Line {
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

impl DockerCommand {
    /// Whether it ends the daemon and starts it again.
    pub fn restarts_daemon(&self) -> bool {
        matches!(self, Self::DaemonRestart | Self::DaemonKill)
    }
}

impl VolumeCommand {
    fn line(&self) -> Line {
        match self {
            Self::Create { driver, options, labels, name } => Line::new(&["docker", "volume", "create"])
                .option("-d", Some(driver).filter(|driver| *driver != "local"))
                .option("-o", options)
                .option("--label", labels)
                .words(name),
            Self::Inspect { name } => Line::new(&["docker", "volume", "inspect", name]),
            Self::Ls { driver } => Line::new(&["docker", "volume", "ls"])
                .option("-f", driver.iter().map(|driver| format!("driver={driver}"))),
            Self::Rm { force, name } => {
                Line::new(&["docker", "volume", "rm"]).flag("-f", *force).words([name])
            }
            Self::Prune { .. } => Line::new(&["docker", "volume", "prune", "-f"]),
        }
    }
}

impl Run {
    fn line(&self, verb: &str) -> Line {
        Line::new(&["docker", verb])
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
            Self::Start { name } => Line::new(&["docker", "start", name]),
            Self::Restart { name } => Line::new(&["docker", "restart", name]),
            Self::Stop { name } => Line::new(&["docker", "stop", name]),
            Self::Kill { name } => Line::new(&["docker", "kill", name]),
            Self::Rm { force, volumes, name } => {
                Line::new(&["docker", "rm"]).flag("-f", *force).flag("-v", *volumes).words([name])
            }
            Self::Inspect { name } => Line::new(&["docker", "inspect", name]),
            Self::Cp { source, destination } => Line::new(&["docker", "cp", source, destination]),
            Self::DaemonRestart => Line::new(&RESTART),
            Self::DaemonKill => Line::new(&KILL),
        };
        let words: Vec<_> = line.0.iter().map(|word| shell::quote(word)).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_line_is_the_command_again() {
        for line in [
            "docker volume create -d voltergeist -o tier=gold --label team=a data",
            "docker volume create",
            "docker volume inspect data",
            "docker volume ls",
            "docker volume ls -f driver=local",
            "docker volume rm -f data",
            "docker volume prune -f",
            "docker run -d --name db -v data:/data --volume-driver voltergeist busybox top -b",
            "docker run --rm -v /scratch --volume-driver voltergeist busybox sh -c 'ls -l /scratch; true'",
            "docker run --rm --volumes-from db --restart always -w /data busybox true",
            "docker create --name db -v data:/data busybox",
            "docker start db",
            "docker restart db",
            "docker stop db",
            "docker kill db",
            "docker rm -f -v db",
            "docker inspect db",
            "docker cp db:/data/x /tmp/x",
            "systemctl restart docker",
            "systemctl kill --signal=KILL docker",
        ] {
            let command: DockerCommand = line.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(command.to_string(), line);
        }
    }

    #[test]
    fn an_unknown_line_is_an_error_with_the_reason() {
        for (line, expected) in [
            ("podman run x", "expected a line that begins with docker"),
            ("docker volume creat x", "unrecognized subcommand 'creat'"),
            ("docker run 'open", "a quote is open"),
            ("docker start", "the following required arguments were not provided"),
            ("docker volume ls -f name=x", "only driver=NAME can be filtered for"),
            ("docker run --memory 5 busybox", "unexpected argument '--memory' found"),
        ] {
            let error = line.parse::<DockerCommand>().expect_err(line).to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
