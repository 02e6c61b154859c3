//! One end of a TLS connection, without its socket: records become bytes, and bytes records.
//!
//! Bounds: what has come and is not yet a whole message is less than [`MOST_INCOMING`], and one read
//! of the socket; what is decoded and not yet read is at most those. An idle channel keeps no buffer.

use super::certificate::Fingerprint;
use chatloop_reactor::{Layer, OVERHEAD, Received};
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedConnectionCommon,
    UnbufferedStatus,
};
use rustls::{AlertDescription as Alert, CertificateError, Error, InvalidMessage, SideData};
use std::io;
use std::ops::Deref;

/// More than what can be left when all that has come was looked at: a message of a handshake, which may
/// have 64 KiB and come in records, or a part of a record, which has 16 KiB.
const MOST_INCOMING: usize = 80 * 1024;

/// Both kinds of rustls' connections, which share no such trait.
pub(super) trait Connection: Deref<Target = UnbufferedConnectionCommon<Self::Side>> {
    type Side: SideData;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8])
    -> UnbufferedStatus<'c, 'i, Self::Side>;
}

macro_rules! connection {
    ($kind:ty, $side:ty) => {
        impl Connection for $kind {
            type Side = $side;

            fn process<'c, 'i>(
                &'c mut self,
                records: &'i mut [u8],
            ) -> UnbufferedStatus<'c, 'i, $side> {
                self.process_tls_records(records)
            }
        }
    };
}

connection!(UnbufferedClientConnection, rustls::client::ClientConnectionData);
connection!(UnbufferedServerConnection, rustls::server::ServerConnectionData);

/// Makes the connection, if what has come is enough to know how.
pub(super) type Start<C> = Box<dyn FnMut(&[u8]) -> Option<Result<C, Error>>>;

/// One end.
pub(super) struct Channel<C> {
    /// Until there is a connection.
    start: Option<Start<C>>,
    connection: Option<C>,
    buffers: Option<Box<Buffers>>,
    opening: bool,
    /// The peer has said that nothing more will come, or the socket has ended.
    ended: bool,
    /// The socket has, and the peer has not.
    cut: bool,
    failure: Option<Box<Failure>>,
    identity: Option<Box<[u8; 32]>>,
}

/// What is on its way through it. Boxed, as is all that an idle one does not have.
#[derive(Default)]
struct Buffers {
    /// Records that have not come in full.
    incoming: Vec<u8>,
    /// Decoded bytes; those before `read` have been read.
    plain: Vec<u8>,
    read: usize,
    /// What it has to say by itself.
    outgoing: Vec<u8>,
}

impl Buffers {
    fn unread(&self) -> &[u8] {
        &self.plain[self.read..]
    }

    fn held(&self) -> usize {
        self.incoming.capacity() + self.plain.capacity() + self.outgoing.capacity()
    }

    fn is_empty(&self) -> bool {
        self.incoming.is_empty() && self.unread().is_empty() && self.outgoing.is_empty()
    }
}

/// Why it ended, once told.
enum Failure {
    Tls(Error),
    /// The socket ended in the handshake.
    Cut,
    TooLong,
}

impl Failure {
    fn error(&self) -> io::Error {
        match self {
            // rustls has only debugging words for what a verifier says.
            Failure::Tls(Error::InvalidCertificate(CertificateError::Other(why))) => {
                io::Error::new(io::ErrorKind::InvalidData, why.0.to_string())
            }
            // Records of another kind: lines of text, for example.
            Failure::Tls(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                io::Error::new(io::ErrorKind::InvalidData, "the peer does not speak TLS")
            }
            Failure::Tls(Error::AlertReceived(alert)) => {
                let why = match alert {
                    Alert::BadCertificate
                    | Alert::CertificateExpired
                    | Alert::CertificateUnknown
                    | Alert::UnknownCA => "the peer does not trust the certificate".to_owned(),
                    alert => format!("the peer ended it with the alert {alert:?}"),
                };
                io::Error::new(io::ErrorKind::InvalidData, why)
            }
            Failure::Tls(error) => io::Error::new(io::ErrorKind::InvalidData, error.clone()),
            Failure::Cut => io::Error::new(io::ErrorKind::UnexpectedEof, "closed too early"),
            Failure::TooLong => {
                io::Error::new(io::ErrorKind::InvalidData, "the handshake is too long")
            }
        }
    }
}

/// What is to be done when bytes can be encoded.
enum Wish<'a> {
    Nothing,
    /// These bytes, to the front of those; how many they have become.
    Encode(&'a [u8], &'a mut [u8], &'a mut usize),
    Close,
}

impl<C: Connection> Channel<C> {
    pub(super) fn new(start: Start<C>) -> Channel<C> {
        Channel {
            start: Some(start),
            connection: None,
            buffers: None,
            opening: true,
            ended: false,
            cut: false,
            failure: None,
            identity: None,
        }
    }

    /// Understands `records` as far as they are whole, and does what is wished. How many bytes are
    /// done with.
    ///
    /// rustls remembers where in these bytes a message began that spans several records, and panics
    /// where it finds others: so it is always shown all that is not done with, also when only
    /// something is to be written, and nothing after a failure.
    fn process(&mut self, records: &mut [u8], wish: Wish<'_>) -> (usize, Result<(), EncryptError>) {
        let Some(connection) = &mut self.connection else { return (0, Ok(())) };
        let (mut used, mut outcome) = (0, Ok(()));
        loop {
            let UnbufferedStatus { discard, state, .. } = connection.process(&mut records[used..]);
            let mut done = discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        done += record.discard;
                        let buffers = self.buffers.get_or_insert_default();
                        buffers.plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut data, &mut self.buffers.get_or_insert_default().outgoing);
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    outcome = match wish {
                        Wish::Nothing => Ok(()),
                        Wish::Encode(plain, output, length) => {
                            traffic.encrypt(plain, output).map(|encoded| *length = encoded)
                        }
                        Wish::Close => {
                            let outgoing = &mut self.buffers.get_or_insert_default().outgoing;
                            grow(outgoing, OVERHEAD, |room| traffic.queue_close_notify(room))
                        }
                    };
                    used += done;
                    break;
                }
                Ok(_) => {
                    // Blocked, or closed by both: nothing can be written.
                    if let Wish::Encode(..) = wish {
                        outcome = Err(EncryptError::EncryptExhausted);
                    }
                    used += done;
                    break;
                }
                Err(error) => {
                    used += done;
                    self.failure.get_or_insert_with(|| Box::new(Failure::Tls(error)));
                    let outgoing = &mut self.buffers.get_or_insert_default().outgoing;
                    alert(connection, &mut records[used..], outgoing);
                    return (used, Ok(()));
                }
            }
            used += done;
        }
        if self.opening && !connection.is_handshaking() {
            self.opening = false;
            let certificate = connection.peer_certificates().and_then(<[_]>::first);
            self.identity = certificate.map(|it| Box::new(Fingerprint::of(it).0));
        }
        (used, outcome)
    }

    /// The same with what has come so far.
    fn process_incoming(&mut self, wish: Wish<'_>) -> Result<(), EncryptError> {
        let buffers = self.buffers.as_mut();
        let mut incoming = buffers.map_or_else(Vec::new, |it| std::mem::take(&mut it.incoming));
        let (used, outcome) = self.process(&mut incoming, wish);
        if used < incoming.len() && self.failure.is_none() {
            incoming.drain(..used);
            if incoming.len() < MOST_INCOMING {
                self.buffers.get_or_insert_default().incoming = incoming;
            } else {
                self.failure = Some(Box::new(Failure::TooLong));
            }
        }
        outcome
    }

    fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.buffers.get_or_insert_default().incoming.extend_from_slice(bytes);
        }
    }

    fn incoming(&self) -> &[u8] {
        self.buffers.as_ref().map_or(&[], |buffers| &buffers.incoming)
    }

    /// Gives back what is not used any more.
    fn trim(&mut self) {
        self.buffers.take_if(|buffers| buffers.is_empty());
    }
}

/// What a failure has to say, which comes before `connection` would look at a record again.
fn alert(connection: &mut impl Connection, records: &mut [u8], outgoing: &mut Vec<u8>) {
    while connection.wants_write()
        && let Ok(ConnectionState::EncodeTlsData(mut data)) = connection.process(records).state
    {
        encode(&mut data, outgoing);
    }
}

impl<C: Connection> Layer for Channel<C> {
    fn receive(&mut self, bytes: &mut [u8]) {
        if self.failure.is_some() {
            return;
        }
        if !self.opening && self.incoming().is_empty() {
            // The usual case: whole records, decoded where they are.
            let (used, _) = self.process(bytes, Wish::Nothing); // only a write can fail
            if self.failure.is_none() {
                self.keep(&bytes[used..]);
            }
            return;
        }
        self.keep(bytes);
        if !self.opening {
            let _ = self.process_incoming(Wish::Nothing); // only a write can fail
        }
    }

    fn is_full(&self) -> bool {
        self.opening && self.incoming().len() >= MOST_INCOMING
    }

    fn end(&mut self) {
        self.cut |= !self.ended;
        self.ended = true;
        if self.opening {
            self.failure.get_or_insert_with(|| Box::new(Failure::Cut));
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Received {
        if let Some(buffers) = &mut self.buffers
            && !buffers.unread().is_empty()
        {
            let count = buffers.unread().len().min(buffer.len());
            buffer[..count].copy_from_slice(&buffers.unread()[..count]);
            buffers.read += count;
            if buffers.unread().is_empty() {
                (buffers.plain, buffers.read) = (Vec::new(), 0);
                self.trim();
            }
            return Received::Bytes(count);
        }
        match &self.failure {
            _ if self.opening => Received::WouldBlock, // the handshake reports it
            Some(failure) => Received::Failed(failure.error()),
            None if self.ended => Received::Ended,
            None => Received::WouldBlock,
        }
    }

    fn has_buffered(&self) -> bool {
        let unread = self.buffers.as_ref().is_some_and(|buffers| !buffers.unread().is_empty());
        !self.opening && (unread || self.ended || self.failure.is_some())
    }

    /// Many programs close without a word, so a cut between two records counts as an end.
    fn is_cut(&self) -> bool {
        self.cut
    }

    fn encode(&mut self, plain: &[u8], output: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failure {
            return Err(failure.error());
        }
        // The usual case: nothing has come that must be shown again, and nothing else is to be said.
        if self.buffers.is_none()
            && let Some(connection) = &mut self.connection
            && !connection.wants_write()
            && let Ok(ConnectionState::WriteTraffic(mut traffic)) =
                connection.process(&mut []).state
        {
            return traffic.encrypt(plain, output).map_err(io::Error::other);
        }
        let mut length = 0;
        let encoded = self.process_incoming(Wish::Encode(plain, output, &mut length));
        encoded.map(|()| length).map_err(io::Error::other)
    }

    fn speak(&mut self, output: &mut Vec<u8>) {
        if let Some(buffers) = &mut self.buffers {
            output.extend_from_slice(&buffers.outgoing);
            buffers.outgoing = Vec::new();
            self.trim();
        }
    }

    fn held(&self) -> usize {
        self.buffers.as_ref().map_or(0, |buffers| buffers.held())
    }

    fn is_opening(&self) -> bool {
        self.opening
    }

    fn advance(&mut self) -> io::Result<()> {
        if let Some(start) = &mut self.start {
            let incoming = self.buffers.as_ref().map_or(&[][..], |buffers| &buffers.incoming);
            match start(incoming) {
                None => {}
                Some(Err(error)) => {
                    self.failure.get_or_insert_with(|| Box::new(Failure::Tls(error)));
                }
                Some(Ok(connection)) => (self.start, self.connection) = (None, Some(connection)),
            }
        }
        if self.failure.is_none() {
            let _ = self.process_incoming(Wish::Nothing); // only a write can fail
        }
        match &self.failure {
            Some(failure) if std::mem::take(&mut self.opening) => Err(failure.error()),
            _ => Ok(()),
        }
    }

    fn close(&mut self) {
        if self.failure.is_none() {
            let _ = self.process_incoming(Wish::Close); // then it is closed without a word
        }
    }

    fn identity(&self) -> Option<[u8; 32]> {
        self.identity.as_deref().copied()
    }
}

/// Makes room at the end of `output`, and takes back what was not used.
fn grow<E>(
    output: &mut Vec<u8>,
    room: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<(), E> {
    let before = output.len();
    output.resize(before + room, 0);
    let filled = fill(&mut output[before..]);
    output.truncate(before + *filled.as_ref().unwrap_or(&0));
    filled.map(drop)
}

fn encode<S>(data: &mut EncodeTlsData<'_, S>, output: &mut Vec<u8>) {
    if let Err(EncodeError::InsufficientSize(size)) = data.encode(&mut []) {
        let _ = grow(output, size.required_size, |room| data.encode(room)); // has the size it needs
    }
}
