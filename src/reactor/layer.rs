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

use super::fault::Faults;
use super::stream::{Received, Stream};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::rc::Rc;

/// Plain bytes that a layer is given to encode at once.
pub const RECORD: usize = 16 * 1024;

/// Bytes taken from a socket by one read.
const READ: usize = 64 * 1024;

/// What a layer may want to say by itself while its peer does not read. More is an attack.
const MOST_UNSENT: usize = 64 * 1024;

thread_local! {
    /// One for all connections of a thread: what was read, the plain bytes of a record, and the
    /// record. An idle connection owns none of them.
    static SCRATCH: RefCell<[Vec<u8>; 3]> = RefCell::new([vec![0; READ], Vec::new(), Vec::new()]);
}

/// A codec with a handshake.
pub trait Layer {
    /// Takes bytes that the socket has brought; it may change them in place. During the handshake
    /// it only keeps them, up to a bound.
    fn receive(&mut self, bytes: &mut [u8]);

    /// The socket has brought its last byte.
    fn end(&mut self);

    /// Moves decoded bytes into `buffer`, which must not be empty.
    fn read(&mut self, buffer: &mut [u8]) -> Received;

    /// Whether [`read`](Layer::read) has bytes, or an end, to give.
    fn has_buffered(&self) -> bool;

    /// Whether the socket has ended before the peer said so: an unfinished unit may have been cut by
    /// someone in between.
    fn is_cut(&self) -> bool;

    /// Encodes at most [`RECORD`] bytes, to the end of `output`.
    ///
    /// # Errors
    /// It can encode nothing more.
    fn encode(&mut self, plain: &[u8], output: &mut Vec<u8>) -> io::Result<()>;

    /// Moves what it has to say by itself to the end of `output`.
    fn speak(&mut self, output: &mut Vec<u8>);

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
        SCRATCH.with_borrow_mut(|[_, plain, record]| {
            let mut slices = slices.iter().map(|slice| &**slice);
            let (mut rest, mut taken): (&[u8], usize) = (&[], 0);
            loop {
                plain.clear();
                while plain.len() < RECORD {
                    if rest.is_empty() {
                        let Some(next) = slices.next() else { break };
                        rest = next;
                    }
                    let (now, later) = rest.split_at(rest.len().min(RECORD - plain.len()));
                    plain.extend_from_slice(now);
                    rest = later;
                }
                if plain.is_empty() {
                    return Ok(taken);
                }
                record.clear();
                let sent = layer.encode(plain, record);
                let sent = sent.and_then(|()| send(socket, faults, record));
                match sent {
                    Ok(sent) => {
                        taken += plain.len();
                        if sent < record.len() {
                            self.unsent.extend_from_slice(&record[sent..]);
                            return Ok(taken);
                        }
                    }
                    // The next write meets it again.
                    Err(_) if taken > 0 => return Ok(taken),
                    Err(error) => return Err(error),
                }
            }
        })
    }

    /// Sends what is left of a record. Whether all of it has gone.
    pub(super) fn flush(&mut self, socket: &Stream) -> io::Result<bool> {
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
