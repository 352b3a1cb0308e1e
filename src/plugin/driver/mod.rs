//! What answers a call.

mod builtin;
mod directory_name;
mod disk_store;
mod group_sync;
mod mount_table;
mod records;
mod trash;
mod volume_directory;

pub use builtin::BuiltinDriver;
pub use disk_store::{DiskError, DiskStore};
pub use trash::delete_directory;

use crate::domain::model::{
    entry::Call,
    protocol::{Operation, Reply, Request},
};

/// What answers a call, without any fault.
///
/// The reply and the work are separate, because a rule may want one without the other: `lie` is a reply without
/// the work, and a reset after the call is the work without a reply.
pub trait Driver: Send + Sync + 'static {
    /// Does the work, unless the reply is an error, and replies. Changes of volumes are appended to those of `call`.
    fn call(
        &self,
        operation: Operation,
        request: &Request,
        call: &mut Call,
    ) -> impl Future<Output = Reply> + Send;

    /// The reply without the work, if the driver knows it.
    fn preview(&self, operation: Operation, request: &Request, preview: Preview) -> Option<Reply>;
}

/// Which reply to preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// The reply to the call.
    Current,
    /// The reply before the latest change that made a difference to it.
    Stale,
    /// Success, even where the call would fail.
    Success,
}
