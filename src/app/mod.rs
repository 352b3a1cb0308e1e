//! Wiring: what starts the servers and connects them with the shared state.

mod server;

pub use server::{Server, ServerConfig};
