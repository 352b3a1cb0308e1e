//! Bind mounts of volumes with the option `mount`, whose data is elsewhere.

use std::io;

use super::Layout;
use crate::{
    domain::{model::volume::Volumes, text::shell::quote},
    plugin::driver::{
        directory_name::directory_name,
        mount_table::{mounts_at_or_below, path_of},
        records::names,
        volume_directory as directory,
    },
};

impl Layout {
    /// Mounts the data of a volume that has it elsewhere, unless it is mounted. Returns whether it was not.
    pub(super) fn bind(&self, name: &str) -> io::Result<bool> {
        if !directory::exists(&self.data, name)? || self.is_mount_point(name)? {
            return Ok(false);
        }
        directory::bind((&self.data, name), (&self.volumes, name))?;
        Ok(true)
    }

    /// Ends the mount of a volume that has its data elsewhere.
    pub(super) fn unbind(&self, name: &str) -> io::Result<()> {
        if !directory::exists(&self.data, name)? || !self.is_mount_point(name)? {
            return Ok(());
        }
        directory::unbind(&path_of(&self.volumes)?.join(name))
    }

    fn is_mount_point(&self, name: &str) -> io::Result<bool> {
        let path = path_of(&self.volumes)?.join(name);
        Ok(mounts_at_or_below(&path)?.contains(&path))
    }

    /// Compares the records of volumes with the option `mount` with what is mounted.
    pub(super) fn find_mounts(&mut self, volumes: &Volumes) -> io::Result<()> {
        if names(&self.data)?.next().is_none() {
            return Ok(());
        }
        let root = path_of(&self.volumes)?;
        let mounted = mounts_at_or_below(&root)?;
        for volume in volumes.iter() {
            let name = directory_name(&volume.name);
            if !directory::exists(&self.data, &name)? {
                continue;
            }
            let path = root.join(&*name);
            let (name, at) = (&volume.name, path.display().to_string());
            self.notes.extend(match (volume.open_mounts(), mounted.contains(&path)) {
                (0, true) => Some(format!(
                    "volume {name:?} is mounted at {at:?}, but no engine has it mounted; an earlier process left the \
                     mount; to end it: sudo umount {}",
                    quote(&at)
                )),
                (1.., false) => Some(format!(
                    "volume {name:?} is not mounted at {at:?} any more, although no engine has unmounted it; the next \
                     Mount mounts it again"
                )),
                (1.., true) => Some(format!("volume {name:?} is still mounted at {at:?} by an earlier process")),
                (0, false) => None,
            });
        }
        Ok(())
    }
}
