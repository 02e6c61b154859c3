//! The bytes that have arrived and are not used up yet: a bounded inbound buffer.
//!
//! Reads go through one scratch buffer that all connections share; what a connection keeps is
//! only what could not be used up, most often nothing or the beginning of a line. So an idle
//! connection owns no memory here.
//!
//! Invariant: never more than the bound given at the read. A reader asks [`room`](Inbox::room)
//! first and does not read beyond it; the rest waits in the kernel, whose window then closes, and
//! the peer itself is slowed down. That is all the back-pressure TCP needs.

use super::held::Held;

/// What one connection has sent and the program has not used up yet.
///
/// Boxed, so that an idle connection carries a pointer and nothing behind it.
#[derive(Default)]
pub struct Inbox(Option<Box<Pending>>);

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// The start of the unconsumed part. Moved by `consume`, so that consuming twenty lines of one
    /// read does not move the rest twenty times.
    start: usize,
    held: Held,
}

impl Inbox {
    /// An empty inbox; it owns no memory.
    pub fn new() -> Inbox {
        Inbox::default()
    }

    /// How many bytes may still be received under `bound`.
    #[inline]
    pub fn room(&self, bound: usize) -> usize {
        bound.saturating_sub(self.len())
    }

    /// The number of bytes queued.
    #[inline]
    pub fn len(&self) -> usize {
        self.pending().len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds what a read has brought.
    pub fn receive(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let pending = self.0.get_or_insert_default();
        if pending.start > 0 {
            pending.bytes.drain(..pending.start);
            pending.start = 0;
        }
        pending.bytes.extend_from_slice(bytes);
        pending.held.set(pending.bytes.capacity());
    }

    /// The memory behind it, in bytes.
    pub fn held(&self) -> usize {
        self.0.as_ref().map_or(0, |pending| pending.held.bytes())
    }

    /// All that waits.
    #[inline]
    pub fn pending(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |pending| &pending.bytes[pending.start..])
    }

    /// Drops the first `count` bytes (at most all), which have been consumed. When nothing is left,
    /// the memory is freed.
    pub fn consume(&mut self, count: usize) {
        let Some(pending) = &mut self.0 else { return };
        pending.start = (pending.start + count).min(pending.bytes.len());
        if pending.start == pending.bytes.len() {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut inbox = Inbox::new();
        inbox.receive(b"one\ntwo\nthr");
        inbox.consume(4);
        assert_eq!(inbox.pending(), b"two\nthr");
        inbox.consume(4);
        inbox.receive(b"ee\n");
        assert_eq!(inbox.pending(), b"three\n");
        assert_eq!(inbox.room(10), 4);
        assert_eq!(inbox.room(3), 0);
        inbox.consume(6);
        assert!(inbox.is_empty());
        assert!(inbox.0.is_none(), "an idle connection owns no memory");
    }

    #[test]
    fn the_memory_of_all_is_counted() {
        let before = Held::all();
        let mut boxes: Vec<Inbox> = (0..10).map(|_| Inbox::new()).collect();
        for _ in 0..3 {
            boxes.iter_mut().for_each(|inbox| inbox.receive(&[b'x'; 1000]));
            boxes.iter_mut().for_each(|inbox| inbox.consume(500));
        }
        assert!(Held::all() - before >= 10 * 1500);
        boxes.truncate(5);
        boxes.iter_mut().for_each(|inbox| inbox.consume(9999));
        assert_eq!(Held::all(), before);
    }
}
