//! Sockets: addresses, listeners and lock files, for the plugin server and the control API alike, and the client of the
//! latter.

mod address;
pub mod client;
mod directory_watch;
mod endpoint;
mod instances;
mod listener;
mod lock_file;
mod paths;
mod socket;
mod ssh;
pub mod token;
mod trusted_hosts;

pub use address::{Address, AddressError};
pub use endpoint::{Endpoint, EndpointError};
pub use instances::RunningInstance;
pub use listener::{BindError, Listener, is_listening};
pub use lock_file::LockFile;
pub use paths::Paths;
pub use socket::Socket;
pub use trusted_hosts::TrustedHosts;
