//! What exists: entries, volumes, the driver, faults, lints, the plugin protocol, scenario runs.

pub mod directory_options;
pub mod driver;
pub mod entry;
pub mod fault;
pub mod lint;
pub mod origin;
pub mod past_volumes;
pub mod peer;
pub mod protocol;
pub mod scenario;
pub mod source_status;
pub mod speed;
pub mod volume;
