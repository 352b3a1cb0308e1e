//! The rows of the volumes.

use std::{ops::Range, sync::Arc};

use crate::{
    console::{layout::pane::Pane, model::app::App},
    domain::model::volume::Volume,
    hub::Snapshot,
};

impl App {
    /// Follows the volumes and the choice of columns. The first volume that is shown is selected from then on, wherever
    /// it stands later.
    pub(super) fn order_volumes(&mut self, snapshot: &Snapshot) {
        let sort = self.columns.sort(Pane::Volumes);
        self.volume_order.follow(&snapshot.volumes, sort, self.call_facts.as_ref());
        if self.volume.0.is_none() {
            self.volume.0 = self.volume_at(0, snapshot).map(|volume| volume.name.clone());
        }
    }

    /// The volume in a row of the pane.
    pub fn volume_at<'s>(&self, row: usize, snapshot: &'s Snapshot) -> Option<&'s Arc<Volume>> {
        snapshot.volumes.get(self.volume_order.volume_in(row)?)
    }

    /// The volumes in some rows of the pane.
    pub fn volumes_in<'s>(&self, rows: Range<usize>, snapshot: &'s Snapshot) -> Vec<&'s Arc<Volume>> {
        rows.filter_map(|row| self.volume_at(row, snapshot)).collect()
    }

    /// The row of the selected volume: where its name is, or would be.
    pub fn volume_row(&self, snapshot: &Snapshot) -> usize {
        let Some(name) = &self.volume.0 else { return 0 };
        let volume = snapshot.volumes.row(name).min(snapshot.volumes.len().saturating_sub(1));
        self.volume_order.row_of(volume)
    }

    /// The selected volume, unless it is gone: another one in its row is not what the user has chosen.
    pub fn chosen_volume<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s Arc<Volume>> {
        self.selected_volume(snapshot).filter(|volume| self.volume.0.as_ref() == Some(&volume.name))
    }

    /// The selected volume, or the one in its row if it is gone.
    pub fn selected_volume<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s Arc<Volume>> {
        self.volume_at(self.volume_row(snapshot), snapshot)
    }
}
