//! The journal that keeps nothing beyond the turn: a record is handed back as it came.

use crate::chat::{Change, Moment, Record, RecordId, SessionId};

/// Numbers records and hands them back in the same turn.
#[derive(Default)]
pub struct Memory {
    appended: Vec<Record>,
    last: u64,
}

impl Memory {
    /// An empty journal; its first record is number 1.
    pub fn new() -> Memory {
        Memory::default()
    }

    pub(super) fn append(&mut self, time: Moment, origin: SessionId, change: Change) -> RecordId {
        self.last += 1;
        let id = RecordId(self.last);
        self.appended.push(Record { id, time, origin, change });
        id
    }

    pub(super) fn take_kept(&mut self, kept: &mut Vec<Record>) {
        kept.append(&mut self.appended);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Journal;
    use super::*;

    #[test]
    fn records_come_back_in_order_once() {
        let mut journal = Journal::Memory(Memory::new());
        for text in ["a", "b"] {
            journal.append(Moment(7), SessionId(1), Change::Say { text: text.into() });
        }
        let mut kept = Vec::new();
        journal.take_kept(&mut kept);
        let ids: Vec<u64> = kept.iter().map(|record| record.id.0).collect();
        assert_eq!(ids, [1, 2]);
        kept.clear();
        journal.take_kept(&mut kept);
        assert!(kept.is_empty());
    }
}
