//! Sockets: addresses, listeners and lock files, for the plugin server and the control API alike, and the client of the
//! latter.

mod accept_failures;
mod address;
mod bind_error;
pub mod client;
mod directory_watch;
pub mod discovery;
mod earlier_connections;
mod endpoint;
mod file_id;
mod head_timeout;
mod instances;
mod listener;
mod lock_file;
mod other_file;
mod paths;
mod probe;
mod process_watch;
mod socket;
mod ssh;
pub mod takeover;
pub mod token;
mod trusted_hosts;
mod unix_stream;
mod upstream;

pub use address::{Address, AddressError};
pub use bind_error::BindError;
pub use directory_watch::DirectoryWatch;
pub use earlier_connections::{EarlierConnections, end_earlier_connections};
pub use endpoint::{Endpoint, EndpointError};
pub use head_timeout::{HeadTimeout, RequestProgress, RequestUnderWay};
pub use instances::RunningInstance;
pub use listener::Listener;
pub use lock_file::LockFile;
pub use other_file::OtherFile;
pub use paths::Paths;
pub use probe::{is_listening, is_up};
pub use process_watch::ProcessWatch;
pub use socket::Socket;
pub use trusted_hosts::TrustedHosts;
pub use unix_stream::UnixStream;
pub use upstream::{Upstream, UpstreamError, UpstreamName};
