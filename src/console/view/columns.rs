//! The columns of the calls, and how wide each is.

/// The heads of two columns, which are as narrow as these where their content is.
pub(super) const VOLUME: &str = "volume";
pub(super) const FAULT: &str = "fault";

/// The width of the column with a group's name.
pub const GROUP_NAME: usize = 12;

/// The widths of the columns; 0 where one is left out.
pub struct Columns {
    /// The time of day.
    pub time: usize,
    /// The client, or its process or address where there are several.
    pub caller: usize,
    /// The operation.
    pub call: usize,
    /// About which volume.
    pub volume: usize,
    /// What a rule did to it.
    pub fault: usize,
    /// How it ended.
    pub outcome: usize,
    /// How long it took.
    pub took: usize,
}

/// How wide the volumes and faults are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Content {
    pub volume: usize,
    pub fault: usize,
    /// 0 where there is only one peer.
    pub peer: usize,
}

impl Columns {
    /// How a call ended is what it is all about: no other column takes more than its content needs.
    pub fn of(width: usize, content: Content, is_grouped: bool) -> Self {
        let call = if is_grouped { GROUP_NAME } else { 8 };
        // In less room only where there are several to tell apart, and how a call ended has enough of it.
        let peer = Some(content.peer.min(14)).filter(|peer| 50 + call + peer <= width).unwrap_or(0);
        let (time, caller, call, took) = match width {
            96.. => (12, content.peer.clamp(9, 20), 12, 8),
            60..=95 => (8, peer, call, 8),
            48..=59 => (8, 0, 8, 0),
            _ => (0, 0, 8, 0),
        };
        let gaps = 1 + [time, caller, call, took].iter().filter(|width| **width > 0).count() * 2 + 2;
        let rest = width.saturating_sub(time + caller + call + took + gaps);
        let volume = content.volume.clamp(VOLUME.len(), (rest / 4).clamp(8, 20)).min(rest);
        let rest = rest.saturating_sub(volume);
        // In little room, fault and outcome share a column.
        let fault = if rest >= 44 { content.fault.clamp(FAULT.len(), (rest * 2 / 5).min(36)) } else { 0 };
        let outcome = rest.saturating_sub(if fault > 0 { fault + 2 } else { 0 });
        Self { time, caller, call, volume, fault, outcome, took }
    }

    /// The width of all columns after the time.
    pub fn width(&self) -> usize {
        let columns = [self.caller, self.call, self.volume, self.fault, self.outcome, self.took];
        columns.into_iter().filter(|width| *width > 0).map(|width| width + 2).sum::<usize>().saturating_sub(2)
    }
}
