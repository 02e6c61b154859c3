//! Outgoing bytes that are written once and shared by all recipients, in append-only chunks.
//!
//! A message for ten thousand recipients is written into a chunk once; each recipient's outbox gets a
//! [`Segment`], sixteen bytes that mean "from here to there in that chunk" and keep it alive.
//! When the last segment is gone, so is the chunk.
//!
//! Invariants, on which the few lines of `unsafe` rest:
//! - a chunk's storage never moves and never grows;
//! - bytes below `filled` never change while any segment of the chunk exists;
//! - bytes at and above `filled` are touched by [`ChunkWriter::append`] only.
//!
//! `Rc` and `Cell`, not `Arc` and a lock: all sockets live on one thread, and the compiler keeps
//! a chunk from leaving it.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::rc::Rc;

/// Bytes of one chunk. A turn's messages should fit, so that they merge into one write per
/// recipient; and it should stay in the processor's second-level cache while it is sent.
pub const CHUNK_SIZE: usize = 64 * 1024;

thread_local! {
    /// Bytes of all chunks that exist on this thread; chunks do not leave theirs.
    static IN_USE: Cell<usize> = const { Cell::new(0) };
    /// Chunks that were ever made on this thread.
    static MADE: Cell<u32> = const { Cell::new(0) };
}

struct Chunk {
    storage: Box<[UnsafeCell<u8>]>,
    filled: Cell<usize>,
    number: u32,
}

impl Chunk {
    fn with_capacity(capacity: usize) -> Rc<Chunk> {
        IN_USE.set(IN_USE.get() + capacity);
        let storage = std::iter::repeat_with(|| UnsafeCell::new(0)).take(capacity).collect();
        MADE.set(MADE.get().wrapping_add(1));
        Rc::new(Chunk { storage, filled: Cell::new(0), number: MADE.get() })
    }

    fn room(&self) -> usize {
        self.storage.len() - self.filled.get()
    }

    /// Copies `bytes` behind what is there and returns where they begin. The caller has checked
    /// [`room`](Chunk::room); too much panics by the slice index before anything is written.
    fn append(&self, bytes: &[u8]) -> usize {
        let start = self.filled.get();
        let target = &self.storage[start..start + bytes.len()];
        // SAFETY: `target` lies at and above `filled`, so no segment and hence no `&[u8]` covers
        // it; `UnsafeCell` allows the write through a shared reference; and `bytes` cannot overlap
        // it, because safe code only ever sees bytes below `filled`.
        unsafe {
            let first = UnsafeCell::raw_get(target.as_ptr());
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), first, bytes.len());
        }
        self.filled.set(start + bytes.len());
        start
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // A thread that ends may have dropped its locals before its chunks.
        let _ = IN_USE.try_with(|bytes| bytes.set(bytes.get() - self.storage.len()));
    }
}

/// A piece of a chunk. Cloning copies sixteen bytes and raises a count.
#[derive(Clone)]
pub struct Segment {
    chunk: Rc<Chunk>,
    start: u32,
    end: u32,
}

impl Segment {
    /// The bytes it stands for.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let cells = &self.chunk.storage[self.start as usize..self.end as usize];
        // SAFETY: a segment ends at or below `filled`, and those bytes are initialised and do not
        // change while the segment lives. `UnsafeCell<u8>` has the layout of `u8`.
        unsafe { std::slice::from_raw_parts(UnsafeCell::raw_get(cells.as_ptr()), cells.len()) }
    }

    /// How many bytes; at least one in a segment that an outbox holds.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it stands for no bytes.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// A part of it; `range` counts from its own beginning and lies within it.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Segment {
        assert!(range.start <= range.end && range.end <= self.len(), "a slice lies within");
        let (start, end) = (self.start + range.start as u32, self.start + range.end as u32);
        Segment { chunk: Rc::clone(&self.chunk), start, end }
    }

    /// Drops the first `count` bytes: they have been written.
    pub(super) fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.start += count as u32;
    }

    /// Takes `next` in, if it begins in the same chunk where this one ends.
    pub fn merge(&mut self, next: &Segment) -> bool {
        let touches = Rc::ptr_eq(&self.chunk, &next.chunk) && self.end == next.start;
        if touches {
            self.end = next.end;
        }
        touches
    }

    /// The number of its chunk: segments that share memory have the same.
    pub fn chunk(&self) -> u32 {
        self.chunk.number
    }

    /// How many bytes its chunk holds on to for it, at the most.
    pub(super) fn chunk_size(&self) -> usize {
        self.chunk.storage.len()
    }

    /// Adds a copy of `bytes` behind it in its own chunk, if it is the chunk's last segment and
    /// there is room.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> bool {
        let at_the_end = self.end as usize == self.chunk.filled.get();
        if !at_the_end || self.chunk.room() < bytes.len() {
            return false;
        }
        self.chunk.append(bytes);
        self.end += bytes.len() as u32;
        true
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}[{}..{}]", Rc::as_ptr(&self.chunk), self.start, self.end)
    }
}

/// Fills chunks, one after the other.
///
/// ```
/// use chatloop_reactor::ChunkWriter;
/// let mut chunks = ChunkWriter::new();
/// let mut both = chunks.append(b"hello ");
/// let second = chunks.append(b"world\n");
/// assert!(both.merge(&second)); // they touch: one slice, one write
/// assert_eq!(both.bytes(), b"hello world\n");
/// ```
pub struct ChunkWriter {
    current: Option<Rc<Chunk>>,
    chunk_size: usize,
    allocated: u64,
}

impl Default for ChunkWriter {
    fn default() -> Self {
        ChunkWriter::new()
    }
}

impl ChunkWriter {
    /// A writer of chunks of [`CHUNK_SIZE`]; it allocates at the first append.
    pub fn new() -> ChunkWriter {
        ChunkWriter::with_chunk_size(CHUNK_SIZE)
    }

    /// A writer of smaller chunks, for a program that sends little, or for a test.
    pub fn with_chunk_size(chunk_size: usize) -> ChunkWriter {
        ChunkWriter {
            current: None,
            chunk_size: chunk_size.clamp(1, u32::MAX as usize),
            allocated: 0,
        }
    }

    /// Writes `bytes` once and returns the segment that stands for them. A message never straddles two chunks; one that is
    /// larger than a chunk gets its own. At most 4 GiB at a time.
    pub fn append(&mut self, bytes: &[u8]) -> Segment {
        let chunk = match &self.current {
            Some(chunk) if chunk.room() >= bytes.len() => chunk,
            _ => {
                let size = self.chunk_size.max(bytes.len());
                self.allocated += size as u64;
                self.current.insert(Chunk::with_capacity(size))
            }
        };
        let start = chunk.append(bytes);
        let end = start + bytes.len();
        Segment { chunk: Rc::clone(chunk), start: start as u32, end: end as u32 }
    }

    /// Bytes of all chunks of this thread, no matter who filled them and who keeps them: the memory
    /// behind everything that is queued. A chunk that a thousand outboxes share counts once, which
    /// no sum over the outboxes could know.
    pub fn in_use() -> usize {
        IN_USE.get()
    }

    /// Bytes of all chunks so far. It stays constant while the same chunk is reused.
    pub fn allocated(&self) -> u64 {
        self.allocated
    }

    /// Rewinds the current chunk if no segment of it is left: the next messages are written to
    /// memory that is warm in the cache. Call it when a turn's flush is done.
    pub fn rewind(&mut self) {
        if let Some(chunk) = self.current.as_mut().and_then(Rc::get_mut) {
            // `get_mut` proves that no segment exists, so "below `filled`" may shrink.
            chunk.filled.set(0);
        }
    }

    /// Frees the current chunk if no segment of it is left: a burst is over, and nothing is warm.
    pub fn release_memory(&mut self) {
        self.current.take_if(|chunk| Rc::get_mut(chunk).is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_straddles_two_chunks() {
        let mut chunks = ChunkWriter::with_chunk_size(8);
        let first = chunks.append(b"12345");
        let second = chunks.append(b"6789");
        let large = chunks.append(b"more than a chunk holds");
        assert_eq!(first.bytes(), b"12345");
        assert_eq!(second.bytes(), b"6789");
        assert_eq!(large.bytes(), b"more than a chunk holds");
        assert!(!first.clone().merge(&second));
    }

    #[test]
    fn pieces_of_different_chunks_never_merge() {
        let mut chunks = ChunkWriter::with_chunk_size(8);
        let first = chunks.append(b"12345");
        let (_, third) = (chunks.append(b"abcde"), chunks.append(b"fgh"));
        assert_eq!((first.end, third.start), (5, 5), "they would touch in one chunk");
        assert!(!first.clone().merge(&third));
    }

    #[test]
    fn rewinding_waits_for_the_last_segment() {
        let mut chunks = ChunkWriter::with_chunk_size(8);
        let held = chunks.append(b"abc");
        chunks.rewind();
        assert_eq!(chunks.append(b"def").start, 3, "someone still holds the first three");
        assert_eq!(held.bytes(), b"abc");
        drop(held);
        chunks.rewind();
        assert_eq!(chunks.append(b"ghi").start, 0);
        assert_eq!(ChunkWriter::in_use(), 8);
        assert_eq!(chunks.allocated(), 8, "one chunk has served for all of it");
        chunks.append(b"longer than a chunk");
        assert_eq!(chunks.allocated(), 8 + 19);
        assert_eq!(ChunkWriter::in_use(), 19, "the first chunk is gone");
        let held = chunks.append(b"kept");
        chunks.release_memory();
        assert_eq!((held.bytes(), ChunkWriter::in_use()), (&b"kept"[..], 8));
        drop(held);
        chunks.release_memory();
        assert_eq!(ChunkWriter::in_use(), 0);
        drop(chunks);
        assert_eq!(ChunkWriter::in_use(), 0);
    }
}
