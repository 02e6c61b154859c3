//! Both ends of TLS in memory, with the client's bytes cut anywhere and one of them changed: no panic, and
//! nothing is ever read that was not written.

use chatloop::tls::{Acceptor, Connector, Source, Trust};
use chatloop_reactor::{Layer, OVERHEAD, Received};
use std::sync::LazyLock;

static ACCEPTOR: LazyLock<Acceptor> = LazyLock::new(|| {
    Acceptor::load(&Source::SelfSigned(None, "chat.example.org".to_owned())).expect("a certificate")
});

pub fn run(data: &[u8]) {
    let [step, high, low, changed, plain @ ..] = data else { return };
    let place = usize::from(u16::from_be_bytes([*high, *low]));
    carry(plain, usize::from(*step) + 1, (place, *changed));
    garbage(plain, usize::from(*step) + 1);
}

/// What has come in, up to here.
struct Wire {
    delivered: usize,
    change: (usize, u8),
}

impl Wire {
    /// Hands over bytes in pieces, one of them changed. Whether the layer still goes on.
    fn deliver(&mut self, bytes: Vec<u8>, to: &mut dyn Layer, step: usize) -> bool {
        for piece in bytes.chunks(step) {
            let mut piece = piece.to_vec();
            if let Some(byte) =
                self.change.0.checked_sub(self.delivered).and_then(|at| piece.get_mut(at))
            {
                *byte ^= self.change.1;
            }
            self.delivered += piece.len();
            to.receive(&mut piece);
            if to.is_opening() && to.advance().is_err() {
                return false;
            }
        }
        true
    }
}

fn spoken(layer: &mut dyn Layer) -> Vec<u8> {
    let mut out = Vec::new();
    layer.speak(&mut out);
    out
}

fn carry(plain: &[u8], step: usize, change: (usize, u8)) {
    let trust = Trust::Pinned(ACCEPTOR.fingerprint());
    let mut client = Connector::new("chat.example.org", trust, None).expect("a name").begin();
    let mut server = ACCEPTOR.begin();
    client.advance().expect("a first message");
    let mut wire = Wire { delivered: 0, change };
    for _ in 0..4 {
        if !wire.deliver(spoken(&mut *client), &mut *server, step) {
            assert!(change.1 != 0, "an honest handshake has failed");
            return;
        }
        client.receive(&mut spoken(&mut *server));
        if client.is_opening() && client.advance().is_err() {
            return;
        }
    }
    if client.is_opening() || server.is_opening() {
        assert!(change.1 != 0, "an honest handshake has not ended");
        return;
    }
    let mut record = vec![0; plain.len() + OVERHEAD];
    for piece in plain.chunks(1000) {
        let Ok(length) = client.encode(piece, &mut record) else { break };
        wire.deliver(record[..length].to_vec(), &mut *server, step);
    }
    let (mut read, mut buffer) = (Vec::new(), [0; 700]);
    while let Received::Bytes(count) = server.read(&mut buffer) {
        read.extend_from_slice(&buffer[..count]);
    }
    assert!(plain.starts_with(&read), "what was read was not written");
    assert!(read.len() == plain.len() || change.1 != 0, "bytes are lost");
}

/// A stranger's bytes in place of a client.
fn garbage(bytes: &[u8], step: usize) {
    let mut server = ACCEPTOR.begin();
    let mut wire = Wire { delivered: 0, change: (usize::MAX, 0) };
    wire.deliver([b"\x16\x03\x01", bytes].concat(), &mut *server, step);
    server.end();
    let _ = server.advance();
    assert!(!matches!(server.read(&mut [0; 9]), Received::Bytes(_)));
}
