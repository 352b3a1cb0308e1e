//! The server over its real sockets: what goes over the wire, and what is left when it is gone.

mod attach;
mod calls;
#[path = "../support/http.rs"]
mod client;
mod control;
mod counters;
mod disk;
mod endings;
mod failures;
mod files;
mod fixture;
mod held;
mod kill;
mod lost_socket;
mod merged;
mod mounts;
#[path = "../support/namespace.rs"]
mod namespace;
mod outages;
mod recorded_plugin;
mod registration;
mod rules;
mod schema;
mod slow;
mod tcp;
mod upstream;
mod wire;
