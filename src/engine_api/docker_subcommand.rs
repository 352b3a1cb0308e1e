//! The commands behind `docker volume`, `docker plugin` and `docker service`.

use std::str::FromStr;

use clap::Subcommand;

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

/// What follows `docker plugin`: plugins that the daemon runs.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum PluginCommand {
    /// `docker plugin ls`
    Ls,
    /// `docker plugin disable [-f] NAME`
    Disable {
        /// Even if it is in use.
        #[arg(short, long)]
        force: bool,
        /// The plugin.
        name: String,
    },
    /// `docker plugin enable NAME`
    Enable {
        /// The plugin.
        name: String,
    },
}

/// What follows `docker service`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ServiceCommand {
    /// `docker service create --name NAME [--mount …]… IMAGE [COMMAND…]`
    Create {
        /// The service.
        #[arg(long)]
        name: String,
        /// `type=volume,source=VOLUME,target=PATH[,volume-driver=DRIVER]`
        #[arg(long = "mount")]
        mounts: Vec<ServiceMount>,
        /// The image.
        image: String,
        /// What runs in it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// `docker service ls`
    Ls,
    /// `docker service ps NAME`
    Ps {
        /// The service.
        name: String,
    },
    /// `docker service rm NAME`
    Rm {
        /// The service.
        name: String,
    },
}

/// The volume of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceMount {
    /// The volume.
    pub source: String,
    /// Where it is in the container.
    pub target: String,
    /// Its driver, if it is not there yet.
    pub driver: Option<String>,
}

impl FromStr for ServiceMount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut mount = Self::default();
        for part in text.split(',') {
            match part.split_once('=').unwrap_or((part, "")) {
                ("type", "volume") => {}
                ("source" | "src", volume) => volume.clone_into(&mut mount.source),
                ("target" | "dst" | "destination", path) => path.clone_into(&mut mount.target),
                ("volume-driver", driver) => mount.driver = Some(driver.to_owned()),
                _ => return Err(format!("{part:?} is not type=volume, source=, target= or volume-driver=")),
            }
        }
        if mount.source.is_empty() || mount.target.is_empty() {
            return Err("a mount needs source= and target=".into());
        }
        Ok(mount)
    }
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
