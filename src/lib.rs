//! voltergeist haunts Docker volumes.
