//! A layer between a socket and its loop, such as encryption: what it must be able to do, and how its
//! bytes reach the socket.
//!
//! A [`Layer`] is pure: bytes in, bytes out, no socket. So it is tested at every cut of its records,
//! and this crate needs no library of any. What touches the socket is here, once for all layers.
//!
//! Bounds: of what a layer has encoded, at most one record is kept that the socket did not take. The
//! next one is encoded when it has gone; until then the plain bytes stay with their owner, where its
//! limits count them.
//!
//! Rejected: an outbox of encoded bytes. Plain bytes are shared by all who are sent them; encoded
//! ones never are.

use super::buffer::held::Held;
use super::fault::Faults;
use super::stream::{Received, Stream};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::rc::Rc;

/// Plain bytes that a layer is given to encode at once.
pub const RECORD: usize = 16 * 1024;

/// Bytes that a record has beside its plain ones, at most.
pub const OVERHEAD: usize = 512;

/// Bytes taken from a socket by one read.
const READ: usize = 64 * 1024;

/// What a layer may want to say by itself while its peer does not read. More is an attack.
const MOST_UNSENT: usize = 64 * 1024;

thread_local! {
    /// One for all connections of a thread: what was read, the plain bytes of a record, and the
    /// record. An idle connection owns none of them.
    static SCRATCH: RefCell<[Vec<u8>; 3]> =
        RefCell::new([vec![0; READ], Vec::with_capacity(RECORD), vec![0; RECORD + OVERHEAD]]);
}

/// A codec with a handshake.
pub trait Layer {
    /// Takes bytes that the socket has brought; it may change them in place. During the handshake
    /// it only keeps them.
    fn receive(&mut self, bytes: &mut [u8]);

    /// Whether it keeps as much as it may until the handshake has gone on: nothing more is read for it
    /// before.
    fn is_full(&self) -> bool;

    /// The socket has brought its last byte.
    fn end(&mut self);

    /// Moves decoded bytes into `buffer`, which must not be empty.
    fn read(&mut self, buffer: &mut [u8]) -> Received;

    /// Whether [`read`](Layer::read) has bytes, or an end, to give.
    fn has_buffered(&self) -> bool;

    /// Whether the socket has ended before the peer said so: an unfinished unit may have been cut by
    /// someone in between.
    fn is_cut(&self) -> bool;

    /// Encodes at most [`RECORD`] bytes at the beginning of `output`, which has [`OVERHEAD`] bytes more
    /// than those. How many it has written.
    ///
    /// # Errors
    /// It can encode nothing more.
    fn encode(&mut self, plain: &[u8], output: &mut [u8]) -> io::Result<usize>;

    /// Moves what it has to say by itself to the end of `output`.
    fn speak(&mut self, output: &mut Vec<u8>);

    /// The memory behind the bytes that it keeps.
    fn held(&self) -> usize;

    /// Whether its handshake is going on: nothing can be encoded yet.
    fn is_opening(&self) -> bool;

    /// Goes on with the handshake. Apart from [`receive`](Layer::receive), because it may cost a
    /// thousand times as much: the loop decides when.
    ///
    /// # Errors
    /// The handshake has failed.
    fn advance(&mut self) -> io::Result<()>;

    /// Has it say that nothing more will come.
    fn close(&mut self);

    /// Proof of who the peer is, if the handshake has brought any: a digest.
    fn identity(&self) -> Option<[u8; 32]>;
}

/// What stands between a program and its socket: a layer, faults, or both.
#[derive(Default)]
pub(super) struct Layered {
    layer: Option<Box<dyn Layer>>,
    faults: Option<Rc<Faults>>,
    /// What the socket has not taken of the layer's bytes.
    unsent: Vec<u8>,
    held: Held,
    /// When all is sent, the sending half is to be closed.
    closing: bool,
}

impl Layered {
    /// Faults, and no layer yet.
    pub(super) fn faulty(faults: Rc<Faults>) -> Layered {
        Layered { faults: Some(faults), ..Layered::default() }
    }

    /// Puts a layer over the socket. `received` was read before there was one.
    pub(super) fn cover(&mut self, mut layer: Box<dyn Layer>, received: &[u8]) {
        layer.receive(&mut received.to_vec());
        self.layer = Some(layer);
    }

    /// Lets it act, and counts the memory behind what is kept then.
    pub(super) fn counting<R>(&mut self, act: impl FnOnce(&mut Layered) -> R) -> R {
        let result = act(self);
        let layer = self.layer.as_ref().map_or(0, |layer| layer.held());
        self.held.set(layer + self.unsent.capacity());
        result
    }

    pub(super) fn held(&self) -> usize {
        self.held.bytes()
    }

    pub(super) fn layer(&self) -> Option<&dyn Layer> {
        self.layer.as_deref()
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    pub(super) fn advance(&mut self) -> io::Result<()> {
        let Some(layer) = &mut self.layer else { return Ok(()) };
        let outcome = layer.advance();
        layer.speak(&mut self.unsent);
        outcome
    }

    /// What is buffered goes first; then one read of the socket.
    pub(super) fn read(&mut self, socket: &Stream, buffer: &mut [u8]) -> Received {
        let faults = self.faults.as_deref();
        let Some(layer) = &mut self.layer else { return receive(socket, faults, buffer) };
        if layer.has_buffered() {
            return layer.read(buffer);
        }
        if layer.is_full() {
            return Received::WouldBlock;
        }
        let arrived = SCRATCH.with_borrow_mut(|[scratch, ..]| {
            let received = receive(socket, faults, scratch);
            if let Received::Bytes(count) = received {
                layer.receive(&mut scratch[..count]);
            }
            received
        });
        match arrived {
            Received::Bytes(_) => {}
            Received::Ended => layer.end(),
            nothing => return nothing,
        }
        layer.speak(&mut self.unsent);
        if self.unsent.len() > MOST_UNSENT {
            return Received::Failed(io::Error::from(io::ErrorKind::WouldBlock));
        }
        layer.read(buffer)
    }

    /// Encodes and sends a record after the other, as long as the socket takes them whole.
    pub(super) fn write(&mut self, socket: &Stream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let is_opening = self.layer.as_ref().is_some_and(|layer| layer.is_opening());
        if is_opening || !self.flush(socket)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let faults = self.faults.as_deref();
        let Some(layer) = &mut self.layer else { return send_once(socket, faults, slices) };
        SCRATCH.with_borrow_mut(|[_, joined, record]| {
            let mut slices = slices.iter().map(|slice| &**slice).filter(|slice| !slice.is_empty());
            let mut rest = slices.next().unwrap_or_default();
            let mut taken = 0;
            while !rest.is_empty() {
                let plain = gather(&mut rest, &mut slices, joined);
                let encoded = layer.encode(plain, record).map(|length| &record[..length]);
                match encoded.and_then(|record| Ok((record, send(socket, faults, record)?))) {
                    Ok((record, sent)) => {
                        taken += plain.len();
                        if sent < record.len() {
                            self.unsent.extend_from_slice(&record[sent..]);
                            break;
                        }
                    }
                    // The next write meets it again.
                    Err(_) if taken > 0 => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(taken)
        })
    }

    /// Sends what is left of a record. Whether all of it has gone.
    pub(super) fn flush(&mut self, socket: &Stream) -> io::Result<bool> {
        if self.unsent.is_empty() && !self.closing {
            return Ok(true);
        }
        if !self.unsent.is_empty() {
            let sent = send(socket, self.faults.as_deref(), &self.unsent)?;
            self.unsent.drain(..sent);
        }
        if !self.unsent.is_empty() {
            return Ok(false);
        }
        self.unsent = Vec::new();
        if std::mem::take(&mut self.closing) {
            socket.shutdown_write();
        }
        Ok(true)
    }

    pub(super) fn shutdown_write(&mut self, socket: &Stream) {
        if let Some(layer) = &mut self.layer {
            layer.close();
            layer.speak(&mut self.unsent);
        }
        self.closing = true;
        if self.flush(socket).is_err() {
            self.unsent = Vec::new();
            socket.shutdown_write();
        }
    }
}

fn receive(socket: &Stream, faults: Option<&Faults>, buffer: &mut [u8]) -> Received {
    match faults {
        None => socket.read(buffer),
        Some(faults) => faults.read(socket, buffer),
    }
}

fn send_once(
    socket: &Stream,
    faults: Option<&Faults>,
    slices: &[IoSlice<'_>],
) -> io::Result<usize> {
    match faults {
        None => socket.write_vectored(slices),
        Some(faults) => faults.write(socket, slices),
    }
}

/// The next bytes for a record: those of one slice from where they lie, those of several joined.
fn gather<'j, 's: 'j>(
    rest: &mut &'s [u8],
    slices: &mut impl Iterator<Item = &'s [u8]>,
    joined: &'j mut Vec<u8>,
) -> &'j [u8] {
    let first = take(rest, slices, RECORD);
    if first.len() == RECORD || rest.is_empty() {
        return first;
    }
    joined.clear();
    joined.extend_from_slice(first);
    while joined.len() < RECORD && !rest.is_empty() {
        joined.extend_from_slice(take(rest, slices, RECORD - joined.len()));
    }
    joined
}

/// The first bytes of what is left, at most so many.
fn take<'s>(
    rest: &mut &'s [u8],
    slices: &mut impl Iterator<Item = &'s [u8]>,
    most: usize,
) -> &'s [u8] {
    let (first, later) = rest.split_at(rest.len().min(most));
    *rest = if later.is_empty() { slices.next().unwrap_or_default() } else { later };
    first
}

/// Sends as much as the socket takes.
fn send(socket: &Stream, faults: Option<&Faults>, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match send_once(socket, faults, &[IoSlice::new(&bytes[sent..])]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_become_whole_records_and_a_single_one_is_not_copied() {
        for lengths in [
            &[100][..],
            &[RECORD],
            &[RECORD + 1],
            &[1, 2, 3],
            &[RECORD, 5],
            &[10, RECORD, RECORD - 10, 7],
            &[3 * RECORD, 1, 2 * RECORD],
        ] {
            let bytes: Vec<u8> = (0..lengths.iter().sum()).map(|at: usize| at as u8).collect();
            let (mut at, mut slices) = (0, Vec::new());
            for length in lengths {
                slices.push(&bytes[at..at + length]);
                at += length;
            }
            let mut slices = slices.into_iter();
            let (mut rest, mut joined) = (slices.next().unwrap(), Vec::new());
            let (mut all, mut records) = (Vec::new(), Vec::new());
            while !rest.is_empty() {
                let record = gather(&mut rest, &mut slices, &mut joined);
                records.push(record.len());
                all.extend_from_slice(record);
            }
            assert_eq!(all, bytes, "{lengths:?}");
            let (last, whole) = records.split_last().unwrap();
            assert!(whole.iter().all(|length| *length == RECORD) && *last <= RECORD, "{records:?}");
            assert!(lengths.len() > 1 || joined.is_empty(), "{lengths:?}");
        }
    }
}
