//! The bytes that wait to be sent to one peer: a queue of segments, and one place that writes.
//!
//! A socket takes what its buffer has room for and no more, so everything a program "sends" is
//! really queued: the rest of a short write must be kept, in order, and tried again when the
//! socket is writable. Forgetting that is the classic fault of student servers. Here it is
//! [`push`](Outbox::push) and, once a turn, [`write_to`](Outbox::write_to).
//!
//! Invariants: the bytes leave in the order of the pushes, each once; `len` is their exact number;
//! no held segment is empty; the memory that an outbox keeps alive is at most
//! `SPARSE` + 1 times `len`, plus two chunks (those of its oldest and of its newest bytes) and
//! one gathered one.

use super::chunk::{ChunkWriter, Segment};
use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

/// Segments handed to one `writev`. Systems allow 1,024; beyond a few dozen nothing is gained.
const SLICES: usize = 32;

/// A segment that covers less than this part of its chunk is copied when the queue moves on to
/// another chunk. Otherwise a peer that has stopped reading could keep a whole chunk alive for
/// every twenty bytes in its queue.
const SPARSE: usize = 8;

/// Size of the chunks that sparse segments are copied into.
const GATHERED_CHUNK: usize = 4 * 1024;

/// The outcome of a write.
#[derive(Debug)]
pub enum Written {
    /// Nothing waits any more.
    All,
    /// The socket's buffer is full, or the turn's share is used up: continue when it is writable.
    Some,
    /// The connection broke, so what waited is dropped.
    Failed(io::Error),
}

/// The bytes that one peer is still to be sent.
///
/// ```
/// use chatloop_reactor::{ChunkWriter, Outbox, Written};
/// let mut chunks = ChunkWriter::new();
/// let (mut ada, mut bob) = (Outbox::new(), Outbox::new());
/// let line = chunks.append(b"hello\n"); // in memory once
/// ada.push(&line);
/// bob.push(&line);
///
/// // A transport takes what it has room for; this one has room for four bytes.
/// let mut room = [0; 4];
/// assert!(matches!(ada.write_to(&mut &mut room[..], usize::MAX), Written::Some));
/// assert_eq!((&room, ada.len(), bob.len()), (b"hell", 2, 6));
/// ```
#[derive(Default)]
pub struct Outbox {
    /// The oldest segment stands apart: most outboxes never hold a second one, and then there is
    /// no queue behind it. Boxed, so that an idle connection carries a pointer and no queue.
    first: Option<Segment>,
    #[expect(clippy::box_collection, reason = "a pointer in each idle connection, not four words")]
    rest: Option<Box<VecDeque<Segment>>>,
    bytes: usize,
}

impl Outbox {
    /// An empty outbox; it owns no memory.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// The number of bytes queued.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The number of segments.
    pub fn segments(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.len())
    }

    /// The segments in the order in which they will be sent.
    pub fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.first.iter().chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// Queues `segment` behind what waits. The limit is the caller's: it looks at
    /// [`len`](Outbox::len) and decides what becomes of a peer that does not read.
    // Inlined for the first segment, which most outboxes never go beyond: a broadcast to thousands
    // is thousands of these.
    #[inline]
    pub fn push(&mut self, segment: &Segment) {
        if segment.is_empty() {
            return;
        }
        self.bytes += segment.len();
        if self.first.is_none() {
            self.first = Some(segment.clone());
        } else {
            self.push_behind(segment);
        }
    }

    fn push_behind(&mut self, segment: &Segment) {
        let newest = self.rest.as_mut().and_then(|rest| rest.back_mut());
        if newest.or(self.first.as_mut()).is_some_and(|last| last.merge(segment)) {
            return;
        }
        self.gather_last();
        self.rest.get_or_insert_default().push_back(segment.clone());
    }

    /// The queue is about to move on to another chunk: if the last segment is a small part of
    /// its chunk, copy it out, so that the chunk can go.
    fn gather_last(&mut self) {
        let Some(rest) = &mut self.rest else { return };
        let Some(last) = rest.back() else { return };
        if last.len() * SPARSE >= last.chunk_size() {
            return;
        }
        let Some(sparse) = rest.pop_back() else { return };
        let before = rest.back_mut().or(self.first.as_mut());
        if before.is_some_and(|before| {
            before.chunk_size() == GATHERED_CHUNK && before.extend(sparse.bytes())
        }) {
            return;
        }
        let copy = ChunkWriter::with_chunk_size(GATHERED_CHUNK).append(sparse.bytes());
        rest.push_back(copy);
    }

    /// Copies what waits, if it is a small part of a chunk that it keeps alive: for a peer that has not
    /// read for a while. Rejected: at each short write, because a slow reader in a busy room shares its
    /// chunks with everyone, and most of those are gone before a copy would pay.
    pub fn gather(&mut self) {
        let largest = self.iter().map(Segment::chunk_size).max().unwrap_or(0);
        if self.bytes * SPARSE >= largest {
            return;
        }
        let bytes: Vec<u8> = self.iter().flat_map(|segment| segment.bytes()).copied().collect();
        self.clear();
        self.push(&ChunkWriter::with_chunk_size(bytes.len()).append(&bytes));
    }

    /// Writes at most about `share` bytes, in one or a few system calls: until the writer is
    /// full, fails, or takes less than it was given. EINTR is tried again.
    #[inline]
    pub fn write_to(&mut self, writer: &mut impl Write, share: usize) -> Written {
        let mut sent = 0;
        while let Some(first) = &self.first {
            if sent >= share {
                return Written::Some;
            }
            let (offered, result) = if self.rest.as_ref().is_none_or(|rest| rest.is_empty()) {
                (first.len(), writer.write(first.bytes()))
            } else {
                self.write_vectored(first, writer)
            };
            match result {
                Ok(count) => {
                    self.drop_front(count);
                    sent += count;
                    // A short write means that the socket is full: another one would cost a
                    // system call to return EAGAIN.
                    if count < offered {
                        return Written::Some;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Written::Some,
                Err(error) => {
                    self.clear();
                    return Written::Failed(error);
                }
            }
        }
        Written::All
    }

    /// Drops what waits.
    pub fn clear(&mut self) {
        *self = Outbox::new();
    }

    fn write_vectored(&self, first: &Segment, out: &mut impl Write) -> (usize, io::Result<usize>) {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut offered = 0;
        let mut count = 0;
        let rest = self.rest.iter().flat_map(|rest| rest.iter());
        for (slice, segment) in slices.iter_mut().zip(std::iter::once(first).chain(rest)) {
            *slice = IoSlice::new(segment.bytes());
            offered += segment.len();
            count += 1;
        }
        (offered, out.write_vectored(&slices[..count]))
    }

    /// Drops `count` bytes from the front: they have been written.
    fn drop_front(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(first) = &mut self.first {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.first = self.rest.as_mut().and_then(|rest| rest.pop_front());
        }
        // Drained: a queue that was long once must not keep its table.
        if self.rest.is_some() {
            self.rest = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::chunk::CHUNK_SIZE;
    use proptest::prelude::*;

    /// A peer that takes what a script says: so many bytes, or an error.
    struct Script {
        steps: VecDeque<Result<usize, io::ErrorKind>>,
        taken: Vec<u8>,
        calls: usize,
    }

    impl Script {
        fn new(steps: &[Result<usize, io::ErrorKind>]) -> Script {
            Script { steps: steps.iter().copied().collect(), taken: Vec::new(), calls: 0 }
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.calls += 1;
            let mut room = self.steps.pop_front().unwrap_or(Ok(usize::MAX))?;
            let before = self.taken.len();
            for slice in slices {
                let count = slice.len().min(room);
                self.taken.extend_from_slice(&slice[..count]);
                room -= count;
            }
            Ok(self.taken.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_touches_is_one_write_and_the_senders_gap_makes_two_slices() {
        let mut chunks = ChunkWriter::new();
        let lines: Vec<Segment> =
            [b"a\n", b"b\n", b"c\n"].iter().map(|line| chunks.append(*line)).collect();
        let (mut member, mut sender) = (Outbox::new(), Outbox::new());
        lines.iter().for_each(|line| member.push(line));
        [&lines[0], &lines[2]].into_iter().for_each(|line| sender.push(line));
        assert_eq!((member.segments(), sender.segments()), (1, 2));
        let mut socket = Script::new(&[]);
        assert!(matches!(sender.write_to(&mut socket, 1 << 20), Written::All));
        assert_eq!((socket.taken.as_slice(), socket.calls), (&b"a\nc\n"[..], 1));
    }

    #[test]
    fn what_waits_for_long_keeps_no_chunk_of_others_alive() {
        let before = ChunkWriter::in_use();
        let mut chunks = ChunkWriter::new();
        let mut unread: Vec<Outbox> = (0..100).map(|_| Outbox::new()).collect();
        for (number, outbox) in unread.iter_mut().enumerate() {
            outbox.push(&chunks.append(format!("hello {number}\n").as_bytes()));
            chunks.append(&[b'x'; CHUNK_SIZE]);
        }
        drop(chunks);
        assert_eq!(ChunkWriter::in_use() - before, 100 * CHUNK_SIZE);
        unread.iter_mut().for_each(Outbox::gather);
        assert!(ChunkWriter::in_use() - before < 100 * 16, "{}", ChunkWriter::in_use());
        let mut socket = Script::new(&[]);
        assert_eq!(unread[7].len(), 8);
        assert!(matches!(unread[7].write_to(&mut socket, 1 << 20), Written::All));
        assert_eq!(socket.taken, b"hello 7\n");
        // What is a good part of its chunk stays where it is.
        let mut chunks = ChunkWriter::new();
        unread[8].push(&chunks.append(&[b'y'; CHUNK_SIZE / 4]));
        unread[8].gather();
        assert_eq!(unread[8].segments(), 2);
    }

    #[test]
    fn a_short_write_keeps_the_rest_and_asks_no_further() {
        let mut chunks = ChunkWriter::new();
        let mut outbox = Outbox::new();
        outbox.push(&chunks.append(b"hello"));
        let mut socket = Script::new(&[Err(io::ErrorKind::Interrupted), Ok(2)]);
        assert!(matches!(outbox.write_to(&mut socket, 1 << 20), Written::Some));
        assert_eq!((socket.calls, outbox.len()), (2, 3));
        socket.steps.push_back(Err(io::ErrorKind::WouldBlock));
        assert!(matches!(outbox.write_to(&mut socket, 1 << 20), Written::Some));
        assert!(matches!(outbox.write_to(&mut socket, 1 << 20), Written::All));
        assert_eq!(socket.taken, b"hello");
    }

    #[test]
    fn a_failed_write_drops_everything() {
        let mut chunks = ChunkWriter::new();
        let mut outbox = Outbox::new();
        outbox.push(&chunks.append(b"hello"));
        let mut socket = Script::new(&[Err(io::ErrorKind::BrokenPipe)]);
        let Written::Failed(error) = outbox.write_to(&mut socket, 1 << 20) else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(outbox.is_empty() && outbox.segments() == 0);
    }

    #[test]
    fn a_peer_that_reads_nothing_does_not_hold_on_to_every_chunk() {
        // Twenty bytes out of every chunk, as a direct message on a busy server would be.
        let mut chunks = ChunkWriter::new();
        let mut outbox = Outbox::new();
        for _ in 0..1_000 {
            outbox.push(&chunks.append(&[b'x'; 20]));
            chunks.append(&[b'y'; CHUNK_FILLER]);
        }
        let kept = outbox.first.iter().chain(outbox.rest.iter().flat_map(|rest| rest.iter()));
        // Neighbouring segments of one gathered chunk are merged, so no chunk is counted twice.
        let memory: usize = kept.map(Segment::chunk_size).sum();
        assert!(memory <= SPARSE * outbox.len() + 2 * super::super::chunk::CHUNK_SIZE, "{memory}");
    }
    const CHUNK_FILLER: usize = super::super::chunk::CHUNK_SIZE - 20;

    /// What may happen to the outboxes of a busy room, and to one of them alone.
    #[derive(Clone, Debug)]
    enum Step {
        /// Encode so many bytes and push them to the outboxes whose bit is set.
        Tell { length: usize, members: u8 },
        /// Push a part of what was encoded last, given in 256ths, to one of them.
        TellPart { start: u8, end: u8, member: usize },
        /// One of them is written to a socket that behaves like this.
        Write { member: usize, socket: Vec<Result<usize, io::ErrorKind>>, share: usize },
        /// A turn ends.
        Rewind,
    }

    const MEMBERS: usize = 3;
    const LONGEST: usize = 70_000;

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let length = prop_oneof![8 => 0..60_usize, 2 => 0..5_000_usize, 1 => 0..LONGEST];
        let room = prop_oneof![0..30_usize, 0..9_000_usize, Just(usize::MAX)];
        let outcome = prop_oneof![
            6 => room.prop_map(Ok),
            2 => Just(Err(io::ErrorKind::WouldBlock)),
            2 => Just(Err(io::ErrorKind::Interrupted)),
            1 => Just(Err(io::ErrorKind::ConnectionReset)),
        ];
        let socket = proptest::collection::vec(outcome, 0..6);
        let share = prop_oneof![1..100_usize, Just(usize::MAX)];
        let step = prop_oneof![
            12 => (length, 0..1_u8 << MEMBERS)
                .prop_map(|(length, members)| Step::Tell { length, members }),
            2 => (any::<u8>(), any::<u8>(), 0..MEMBERS)
                .prop_map(|(start, end, member)| Step::TellPart { start, end, member }),
            3 => (0..MEMBERS, socket, share)
                .prop_map(|(member, socket, share)| Step::Write { member, socket, share }),
            1 => Just(Step::Rewind),
        ];
        proptest::collection::vec(step, 0..120)
    }

    fn assert_memory_is_bounded(outbox: &Outbox) {
        let kept = outbox.first.iter().chain(outbox.rest.iter().flat_map(|rest| rest.iter()));
        let memory: usize = kept.map(Segment::chunk_size).sum();
        let bound = (SPARSE + 1) * outbox.len() + 2 * LONGEST + GATHERED_CHUNK;
        assert!(memory <= bound, "{memory} bytes are kept for {}", outbox.len());
    }

    proptest! {
        /// The model of an outbox is a plain vector of what it is owed.
        #[test]
        fn bytes_leave_in_order_each_once(steps in steps()) {
            let mut chunks = ChunkWriter::new();
            let mut outboxes: [Outbox; MEMBERS] = Default::default();
            let mut owed: [Vec<u8>; MEMBERS] = Default::default();
            let mut last: Option<Segment> = None;
            let mut next_byte = 0_u8;
            for step in steps {
                match step {
                    Step::Tell { length, members } => {
                        let bytes: Vec<u8> = (0..length)
                            .map(|_| { next_byte = next_byte.wrapping_add(1); next_byte })
                            .collect();
                        let segment = chunks.append(&bytes);
                        for member in (0..MEMBERS).filter(|member| members >> member & 1 == 1) {
                            outboxes[member].push(&segment);
                            owed[member].extend(&bytes);
                        }
                        last = Some(segment);
                    }
                    Step::TellPart { start, end, member } => {
                        let Some(whole) = &last else { continue };
                        let place = |part: u8| whole.len() * usize::from(part) / 256;
                        let part = whole.slice(place(start.min(end))..place(start.max(end)));
                        outboxes[member].push(&part);
                        owed[member].extend(part.bytes());
                    }
                    Step::Write { member, socket, share } => {
                        let mut socket = Script::new(&socket);
                        let written = outboxes[member].write_to(&mut socket, share);
                        prop_assert!(owed[member].starts_with(&socket.taken));
                        owed[member].drain(..socket.taken.len());
                        match written {
                            Written::All => prop_assert!(owed[member].is_empty()),
                            Written::Some => prop_assert!(!owed[member].is_empty()),
                            Written::Failed(_) => owed[member].clear(),
                        }
                    }
                    Step::Rewind => {
                        last = None;
                        chunks.rewind();
                    }
                }
                for (outbox, owed) in outboxes.iter().zip(&owed) {
                    prop_assert_eq!(outbox.len(), owed.len());
                    prop_assert_eq!(outbox.is_empty(), outbox.segments() == 0);
                    assert_memory_is_bounded(outbox);
                }
            }
            for (outbox, owed) in outboxes.iter_mut().zip(&owed) {
                let mut socket = Script::new(&[]);
                prop_assert!(matches!(outbox.write_to(&mut socket, usize::MAX), Written::All));
                prop_assert_eq!(&socket.taken, owed);
            }
        }

        #[test]
        fn who_is_told_everything_has_one_slice_a_chunk(
            lengths in proptest::collection::vec(1..400_usize, 1..60),
            chunk_size in 400..4_000_usize,
        ) {
            let mut chunks = ChunkWriter::with_chunk_size(chunk_size);
            let mut outbox = Outbox::new();
            let (mut count, mut room) = (0, 0);
            for length in lengths {
                if room < length {
                    (count, room) = (count + 1, chunk_size);
                }
                room -= length;
                outbox.push(&chunks.append(&vec![b'x'; length]));
            }
            prop_assert!(outbox.segments() <= count);
        }
    }
}
