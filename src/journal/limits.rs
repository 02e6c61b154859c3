//! Every limit of the journal, in one place.

use crate::chat::Hub;
use clap::ValueEnum;
use std::time::Duration;

/// What is kept, and how safely; all of it is configurable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Messages per room; older ones are deleted. `None` keeps all on disk; in memory it means
    /// [`MEMORY_PER_ROOM`].
    pub per_room: Option<u64>,
    /// Messages older than this are forgotten.
    pub age: Option<Duration>,
    /// Bytes that the database file may reach. Above all but [`RESERVE`] of it messages are rejected;
    /// the rest is for deletions and accounts.
    pub file_size: Option<u64>,
    /// Bytes of all messages that the journal in memory keeps: texts, tags, names, reactions, and
    /// what the tables need.
    pub memory: usize,
    pub durability: Durability,
    /// Memory for rooms: the hub of the writer is bounded like that of the loop.
    pub room_memory: usize,
    /// The same for what accounts hold.
    pub account_memory: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            per_room: None,
            age: None,
            file_size: None,
            memory: MEMORY_BYTES,
            durability: Durability::Process,
            room_memory: Hub::new().room_memory(),
            account_memory: Hub::new().account_memory(),
        }
    }
}

/// What a committed record survives (`--durability`). The file stays consistent in either case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Durability {
    // SQLite's `synchronous=NORMAL`: the writer does not wait for the disk. A power failure may lose
    // what came after the last checkpoint.
    /// The end of the process, even by kill -9; a power cut may lose the last seconds
    Process,
    // `synchronous=FULL`: one `fsync` per commit.
    /// A power cut as well, at the price of waiting for the disk at each commit
    Power,
}

/// Messages per room that the journal in memory keeps.
pub const MEMORY_PER_ROOM: u64 = 1_000;
/// Messages that the journal in memory keeps altogether.
pub const MEMORY_MESSAGES: usize = 100_000;
/// Events kept per room on disk, unless a lower limit is configured: messages are kept permanently
/// by default, but a monitoring probe that connects every second should not be.
pub const EVENTS_PER_ROOM: u64 = 20_000;
/// Private messages of one session without an account.
pub const GUEST_MESSAGES: usize = 500;
/// Those of all such sessions.
pub const ALL_GUEST_MESSAGES: usize = 20_000;
/// Their bytes.
pub const ALL_GUEST_BYTES: usize = 16 * 1024 * 1024;
/// Events that the journal in memory keeps in total; per room, as many as messages. They have
/// separate limits, so that a crowd does not displace messages.
pub const MEMORY_EVENTS: usize = 50_000;
/// Their bytes.
pub const MEMORY_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// [`Limits::memory`], unless it is configured.
pub const MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that a message's places in the tables need, about; and the work of passing over one.
pub const MEMORY_OVERHEAD: usize = 128;
/// Work of all searches in memory in one turn of the loop, in bytes compared with one word: about a
/// millisecond.
pub const MEMORY_SEARCH_SHARE: usize = 512 * 1024;
/// Work of one search before it is another's turn.
pub const MEMORY_SEARCH_STEP: usize = 128 * 1024;
/// Work of one search altogether.
pub const MEMORY_SEARCH: usize = 256 * 1024 * 1024;

/// Records that may be pending on their way to the disk before
/// [`has_room`](super::Journal::has_room) returns false.
pub const PENDING_RECORDS: usize = 32_768;
/// Bytes of text that may be pending on their way to the disk. All of it may come back at once and
/// be queued for every member, so it is well below the limit of a send queue.
pub const PENDING_BYTES: usize = 2 * 1024 * 1024;
/// Queries that may be pending; 2,000 users who join at once send 2,000.
pub const PENDING_QUERIES: usize = 16_384;
/// Answers that wait to be taken before the thread that finds them pauses.
pub const WAITING_ANSWERS: usize = 64;
/// Bytes of one answer, with tags, names and reactions; the rest is left out at the far end.
pub const ANSWER_BYTES: usize = 1024 * 1024;
/// How long one query other than a search may occupy the reading thread.
pub const QUERY_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a search goes on before it is another's turn.
pub const SEARCH_SLICE: Duration = Duration::from_millis(50);
/// How long one search may occupy its thread altogether; then it answers with what it has found.
pub const SEARCH_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a replay for a user who has joined may wait for its turn.
pub const REPLAY_TIMEOUT: Duration = Duration::from_secs(1);

/// How long one attempt to write waits for the lock of another process.
pub const LOCK_WAIT: Duration = Duration::from_millis(100);
/// How long messages wait for such a lock before they are rejected.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// Messages that may wait for it, and their bytes. Half of what may be pending, so that everything
/// else is still accepted.
pub const WAITING_RECORDS: usize = PENDING_RECORDS / 2;
pub const WAITING_BYTES: usize = PENDING_BYTES / 2;
/// The pause after a failure to write; it doubles with each further one.
pub const FIRST_PAUSE: Duration = Duration::from_millis(100);
pub const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A failure this soon after another one counts as a further one, also if a write has succeeded in
/// between: a disk on the verge of being full must not fail ten times a second.
pub const CALM: Duration = Duration::from_secs(10);
/// Bytes that must be free before a disk that was full counts as one that is not: those of one commit.
pub const SPACE: usize = PENDING_BYTES;
/// How long after a failure another one counts as the same, and is not reported again.
pub const SETTLED: Duration = Duration::from_secs(3);
/// The part of a limited file (one over this) that is kept for deletions and accounts.
pub const RESERVE: u64 = 10;
/// The smallest limit of a file's size: the empty tables and a snapshot of a small chat fit.
pub const LEAST_FILE_SIZE: u64 = 1024 * 1024;

/// Records between two snapshots, at least: a restart replays at most about as many, or as many
/// bytes as the snapshot itself has, so that snapshots at most double what is written.
pub const SNAPSHOT_RECORDS: u64 = 10_000;
/// Rows that one step of maintenance deletes: a few milliseconds, then records have priority again.
pub const MAINTENANCE_ROWS: u32 = 500;
/// Ids of messages among which one such step looks for those of a deleted account.
pub const ERASURE_IDS: i64 = 20_000;
/// Rows that one such step looks at, where the oldest bear a time that has not come yet.
pub const LOOK_AHEAD_ROWS: u32 = 100_000;
/// The time between two retention runs.
pub const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// A deleted text is removed from the raw bytes of the write-ahead log after this time.
pub const ERASE_WITHIN: Duration = Duration::from_secs(5);
/// How long records wait for a reader that is in the way of that; then it is tried again.
pub const TRUNCATE_WAIT: Duration = Duration::from_millis(50);
/// Longest line of an import, in bytes: the whole state is one line.
pub const IMPORT_LINE: u64 = 1024 * 1024 * 1024;
/// Names whose numbers the writer remembers.
pub const NAME_CACHE: usize = 4_096;

const _: () = assert!(WAITING_ANSWERS < PENDING_QUERIES);
