//! The server over its real sockets: what goes over the wire, and what is left when it is gone.

mod calls;
mod control;
mod counters;
mod disk;
mod endings;
mod fixture;
mod held;
mod outages;
mod registration;
mod schema;
mod wire;
