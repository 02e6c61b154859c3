//! Three outboxes of one room, and sockets that take what they like: bytes leave in the order of the pushes, each
//! once, and no outbox keeps more memory alive than it promises.
//!
//! The model of an outbox is what it is owed.

use chatloop_reactor::{ChunkWriter, Outbox, Segment, Written};
use std::io::{self, ErrorKind, IoSlice, Write};

const MEMBERS: usize = 3;

/// Bytes of an input, one after the other; zeros behind its end.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A length, more often short than long.
    fn length(&mut self) -> usize {
        let byte = usize::from(self.byte());
        match byte % 8 {
            0..=4 => byte / 8,
            5 | 6 => byte / 8 * 160,
            _ => byte / 8 * 2_200,
        }
    }
}

/// A socket that takes what the script says.
struct Socket<'a, 's> {
    script: &'a mut Script<'s>,
    calls: usize,
    taken: Vec<u8>,
}

impl Write for Socket<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.calls += 1;
        let mut room = match self.script.byte() % 8 {
            // Not forever.
            0 if self.calls < 9 => return Err(ErrorKind::Interrupted.into()),
            1 => return Err(ErrorKind::WouldBlock.into()),
            2 if self.script.byte().is_multiple_of(8) => {
                return Err(ErrorKind::ConnectionReset.into());
            }
            3 | 4 => self.script.length(),
            _ => usize::MAX,
        };
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

#[derive(Default)]
struct Member {
    outbox: Outbox,
    owed: Vec<u8>,
}

impl Member {
    fn push(&mut self, segment: &Segment) {
        self.outbox.push(segment);
        self.owed.extend_from_slice(segment.bytes());
    }

    fn write(&mut self, script: &mut Script<'_>) {
        let share = script.length() + 1;
        let mut socket = Socket { script, calls: 0, taken: Vec::new() };
        let written = self.outbox.write_to(&mut socket, share);
        assert!(self.owed.starts_with(&socket.taken), "other bytes leave than were pushed");
        self.owed.drain(..socket.taken.len());
        match written {
            Written::All => assert!(self.owed.is_empty(), "bytes are lost"),
            Written::Some => assert!(!self.owed.is_empty(), "a write without an end"),
            Written::Failed(_) => self.owed.clear(),
        }
    }
}

pub fn run(data: &[u8]) {
    let (before, mut script) = (ChunkWriter::in_use(), Script(data));
    let mut chunks = ChunkWriter::with_chunk_size(1 + script.length());
    let mut members: [Member; MEMBERS] = Default::default();
    let (mut last, mut next) = (None, 0_u8);
    while !script.0.is_empty() {
        let step = script.byte();
        let chosen = usize::from(step / 8) % MEMBERS;
        match step % 8 {
            0..=2 => {
                let bytes: Vec<u8> = (0..script.length())
                    .map(|_| {
                        next = next.wrapping_add(1);
                        next
                    })
                    .collect();
                let segment = chunks.append(&bytes);
                let told = script.byte();
                for (_, member) in
                    members.iter_mut().enumerate().filter(|(at, _)| told >> at & 1 == 1)
                {
                    member.push(&segment);
                }
                last = Some(segment);
            }
            3 => {
                let (one, other) = (script.byte(), script.byte());
                if let Some(last) = &last {
                    let place = |byte: u8| last.len() * usize::from(byte) / 255;
                    members[chosen].push(&last.slice(place(one.min(other))..place(one.max(other))));
                }
            }
            4 => members[chosen].outbox.gather(),
            5 => {
                last = None;
                chunks.rewind();
            }
            _ => members[chosen].write(&mut script),
        }
        for Member { outbox, owed } in &members {
            assert_eq!(outbox.len(), owed.len());
            assert_eq!(outbox.is_empty(), outbox.segments() == 0);
            assert!(outbox.iter().all(|segment| !segment.is_empty()), "an empty segment");
            let mut rest = &owed[..];
            for segment in outbox.iter() {
                rest = rest.strip_prefix(segment.bytes()).expect("the bytes that are owed");
            }
        }
    }
    for Member { mut outbox, owed } in members {
        let mut taken = Vec::new();
        assert!(matches!(outbox.write_to(&mut taken, usize::MAX), Written::All));
        assert_eq!(taken, owed);
    }
    drop((chunks, last));
    assert_eq!(ChunkWriter::in_use(), before, "memory that nothing waits in");
}
