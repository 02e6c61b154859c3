//! How much may be kept, queued and asked: every bound of the journal, in one place.

use std::time::Duration;

/// What is kept, and how safely. All of it can be configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Messages per room; older ones are forgotten. `None` keeps all, on disk; in memory it means
    /// [`MEMORY_PER_ROOM`].
    pub per_room: Option<u64>,
    /// Messages older than this are forgotten.
    pub age: Option<Duration>,
    /// Bytes that the database file may reach; a journal that is full is read-only.
    pub file_size: Option<u64>,
    /// What a commit survives.
    pub durability: Durability,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { per_room: None, age: None, file_size: None, durability: Durability::Process }
    }
}

/// What a record that was handed back as kept survives. Either way the file stays whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// The end of the process in any manner, `kill -9` included. A power cut may take what came
    /// after the last checkpoint (SQLite's `synchronous=NORMAL`): costs no wait for the disk.
    Process,
    /// A power cut, too (`synchronous=FULL`): one `fsync` per commit.
    Power,
}

/// Messages per room that the journal in memory keeps.
pub const MEMORY_PER_ROOM: u64 = 1_000;
/// Messages that the journal in memory keeps altogether.
pub const MEMORY_MESSAGES: usize = 100_000;
/// Comings, goings and the like that are kept of one room on disk, if no fewer are asked for:
/// words are kept for ever by default, but a probe that connects every second should not be.
pub const EVENTS_PER_ROOM: u64 = 20_000;
/// Private messages of one session without an account.
pub const GUEST_MESSAGES: usize = 500;
/// Those of all such sessions.
pub const ALL_GUEST_MESSAGES: usize = 20_000;
/// Comings, goings and the like that the journal in memory keeps altogether; of one room as many
/// as of its messages. They have bounds of their own, so that no crowd pushes words out.
pub const MEMORY_EVENTS: usize = 50_000;
/// Bytes of text that the journal in memory keeps altogether.
pub const MEMORY_TEXT: usize = 64 * 1024 * 1024;
/// Messages that one search in memory looks at, newest first: it runs in the loop.
pub const MEMORY_SCAN: usize = 20_000;

/// Records that may be on their way to the disk before [`has_room`](super::Journal::has_room)
/// says no.
pub const PENDING_RECORDS: usize = 32_768;
/// Bytes of text that may be on their way to the disk. All of it may come back at once and be owed
/// to every member, so it is well below what a member may be owed.
pub const PENDING_BYTES: usize = 2 * 1024 * 1024;
/// Questions that may wait for an answer; 2,000 people who join at once ask 2,000.
pub const PENDING_QUERIES: usize = 16_384;
/// Answers that wait to be taken before the thread that finds them pauses.
pub const WAITING_ANSWERS: usize = 64;
/// Bytes of text in one answer; what is over is left out at the far end.
pub const ANSWER_TEXT: usize = 1024 * 1024;
/// How long one question may keep the reading thread.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// Records between two snapshots of the state, at least: a restart replays at most about these, or
/// as many bytes as the snapshot itself has, so that snapshots at most double what is written.
pub const SNAPSHOT_RECORDS: u64 = 10_000;
/// Rows that one step of the maintenance deletes: a few milliseconds, then records come first again.
pub const MAINTENANCE_ROWS: u32 = 500;
/// Time between two looks at what is to be forgotten.
pub const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// A deleted text is gone from the raw bytes of the snapshot and the write-ahead log after this.
pub const ERASE_WITHIN: Duration = Duration::from_secs(5);
/// Longest line of an import, in bytes: the whole state is one line.
pub const IMPORT_LINE: u64 = 1024 * 1024 * 1024;
/// Names whose numbers the writer remembers.
pub const NAME_CACHE: usize = 4_096;

const _: () = assert!(WAITING_ANSWERS < PENDING_QUERIES);
