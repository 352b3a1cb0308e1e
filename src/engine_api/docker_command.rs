//! The commands that an engine understands: lines of the docker command line, read and printed.
//!
//! Only what touches volumes is here. A daemon is restarted and killed with the lines that an
//! administrator would type: `systemctl restart docker` and `systemctl kill --signal=KILL docker`.

use std::str::FromStr;

use clap::{Args, Parser, Subcommand};

use super::docker_subcommand::{PluginCommand, ServiceCommand, VolumeCommand};

pub(super) const RESTART: [&str; 3] = ["systemctl", "restart", "docker"];
pub(super) const KILL: [&str; 4] = ["systemctl", "kill", "--signal=KILL", "docker"];

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
    /// `docker ps [-a]`: the containers that were created through this interface.
    Ps {
        /// Stopped ones too.
        #[arg(short, long)]
        all: bool,
    },
    /// `docker exec NAME COMMAND…`
    Exec {
        /// The container.
        name: String,
        /// What runs in it.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// `docker logs NAME`
    Logs {
        /// The container.
        name: String,
    },
    /// `docker plugin …`
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// `docker service …`
    #[command(subcommand)]
    Service(ServiceCommand),
    /// `docker inspect NAME`: of a container, its state and its mounts.
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

impl DockerCommand {
    /// Whether it ends the daemon and starts it again.
    pub fn restarts_daemon(&self) -> bool {
        matches!(self, Self::DaemonRestart | Self::DaemonKill)
    }
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
            "docker ps -a",
            "docker exec db ls -l /data",
            "docker logs db",
            "docker plugin disable -f me/mine",
            "docker plugin enable me/mine",
            "docker plugin ls",
            "docker service create --name web --mount type=volume,source=data,target=/data busybox top",
            "docker service ls",
            "docker service ps web",
            "docker service rm web",
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
