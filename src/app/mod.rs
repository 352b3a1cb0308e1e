//! Starts and stops an instance and its long-running services. Nothing here reads arguments, draws or prints.

mod clock_watch;
mod config;
mod demo;
mod engine_choice;
mod instance;
mod kept_rules;
pub mod line_output;
pub mod logging;
pub mod paths;
pub mod plugin_list;
pub mod recording;
mod scenario_service;
mod server;
mod services;
mod shutdown;
pub mod takeover_guard;

pub use config::Config;
pub use engine_choice::EngineChoice;
pub use instance::{Instance, InstanceScope};
pub use server::{DEFAULT_HEADER_TIMEOUT, DriverChoice, Server, ServerConfig};
pub use services::Services;
pub use shutdown::{Shutdown, Signal};
