use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    console::model::window::ListStep,
    domain::model::{
        entry::{Call, EntryKind},
        protocol::{Caller, Operation},
    },
};

proptest! {
    #[test]
    fn every_row_is_found_again_by_its_place_and_the_selection_is_in_view(
        calls in prop::collection::vec((0_usize..3, 0_usize..4, 0_i64..900), 1..60),
        steps in prop::collection::vec((0_usize..4, 1_usize..9), 0..30),
        height in 1_usize..12,
    ) {
        let (mut list, mut grouped_list, mut now) = (EntryList::default(), GroupedList::of(&EntryList::default()), 0);
        let mut steps = steps.into_iter();
        for (index, (volume, operation, gap)) in calls.iter().enumerate() {
            now += gap;
            let operations = [Operation::Get, Operation::Get, Operation::Mount, Operation::Unmount];
            let caller = if *gap % 7 == 0 { Caller::Other } else { Caller::Docker };
            let call = Call {
                volume: Some(format!("v{volume}").into()),
                ..Call::ok(operations[*operation], caller)
            };
            let at = Timestamp::from_millisecond(now).expect("a time");
            let seq = index as u64 + 1;
            let entries = [Arc::new(Entry::new(seq, at, EntryKind::Call(Box::new(call))))];
            let kept = seq.saturating_sub(40).max(1)..seq + 1;
            list.take(&entries, &kept);
            grouped_list.take(&entries, &kept, &list);
            match steps.next() {
                Some((0, by)) => grouped_list.go(ListStep::Up(by), height),
                Some((1, by)) => grouped_list.go(ListStep::Down(by), height),
                Some((2, _)) => {
                    grouped_list.toggle(height);
                }
                Some((3, by)) => grouped_list.select_line(by, height),
                _ => {}
            }
            let mut seqs = Vec::new();
            for row in 0..grouped_list.len() {
                let anchor = grouped_list.anchor(row).expect("each row has a place");
                prop_assert_eq!(grouped_list.row_of(anchor), row);
                match grouped_list.row(grouped_list.place(row)).expect("each place has a row") {
                    GroupedRow::Entry(entry) => seqs.push(entry.seq),
                    GroupedRow::Member(_) => {}
                    GroupedRow::Header(group, _) => {
                        seqs.extend(group.members().iter().map(|member| member.entry.seq));
                    }
                }
            }
            seqs.sort_unstable();
            prop_assert!(seqs.is_sorted_by(|one, other| one < other), "something is shown twice: {seqs:?}");
            let rows: Vec<_> = grouped_list.visible(height).collect();
            prop_assert_eq!(rows.len(), grouped_list.len().min(height));
            prop_assert_eq!(rows.iter().filter(|(_, is_selected)| *is_selected).count(), 1);
        }
    }
}
