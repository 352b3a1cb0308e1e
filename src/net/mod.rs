//! Sockets of this machine: addresses, listeners and lock files, for the plugin server and the control API alike.

mod address;
mod directory_watch;
mod listener;
mod lock_file;
mod paths;
mod socket;
mod trusted_hosts;

pub use address::{Address, AddressError};
pub use listener::{BindError, Listener, is_listening};
pub use lock_file::LockFile;
pub use paths::Paths;
pub use socket::Socket;
pub use trusted_hosts::TrustedHosts;
