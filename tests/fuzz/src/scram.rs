//! Logins by SCRAM: the messages as RFC 5802 has them, and as a client of IRC sends them in pieces of base64. What
//! was understood means the same when it is written down again, and no one is logged in whose proof is wrong.

use crate::chat::Chat;
use crate::lines::check_irc;
use base64ct::{Base64, Encoding};
use chatloop::session::{Protocol, Style};
use chatloop::wire::scram::{ClientFinal, ClientFirst, auth_message, server_first};

/// Bytes of one piece of a message in AUTHENTICATE.
const PIECE: usize = 400;

pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        text.lines().for_each(check);
    }
    log_in(data);
}

fn check(text: &str) {
    if let Some(first) = ClientFirst::parse(text) {
        assert_eq!(format!("{}{}", first.header, first.bare), text);
        assert!(!first.name.is_empty() && !first.nonce.is_empty() && !first.nonce.contains(','));
        let name = first.name.replace('=', "=3D").replace(',', "=2C");
        let again = format!("n,,n={name},r={}", first.nonce);
        let again = ClientFirst::parse(&again).expect("a prepared name is a name");
        assert_eq!((again.name, again.nonce), (first.name, first.nonce));
    }
    if let Some(last) = ClientFinal::parse(text) {
        let proof = Base64::encode_string(&last.proof);
        assert_eq!(format!("{},p={proof}", last.without_proof), text);
        let header = Base64::encode_string(&last.header);
        assert!(text.starts_with(&format!("c={header},r={}", last.nonce)));
        let message = auth_message("n=a,r=b", &server_first(last.nonce, "", 1), last.without_proof);
        assert!(message.ends_with(last.without_proof));
    }
}

/// Each line of the input is a message of a client that is not registered; one that begins with `=` is sent as it
/// is, the others in base64.
fn log_in(data: &[u8]) {
    let mut chat = Chat::new(&[(Protocol::Plain, Style::Plain), (Protocol::Irc, Style::Plain)]);
    chat.receive(0, b"/nick user\n/register pencil-pencil\n");
    chat.receive(1, b"CAP REQ :sasl\r\nAUTHENTICATE SCRAM-SHA-256\r\n");
    let mut may_prove = false;
    for line in data.split(|byte| *byte == b'\n') {
        match line.strip_prefix(b"=") {
            Some(raw) => chat.receive(1, &[b"AUTHENTICATE ", raw, b"\r\n"].concat()),
            None => send(&mut chat, line),
        }
        let out = std::mem::take(&mut chat.peers[1].out);
        check_irc(&out);
        // The fake worker takes a proof of zeros alone.
        let zeros = Base64::encode_string(&[0; 32]);
        may_prove |= line.starts_with(b"=") || line.ends_with(zeros.as_bytes());
        assert!(may_prove || !contains(&out, b" 900 "), "logged in by {line:?}");
    }
    chat.receive(1, b"NICK x\r\nUSER x 0 * :x\r\nCAP END\r\n");
    check_irc(&std::mem::take(&mut chat.peers[1].out));
    chat.check_replay();
}

fn send(chat: &mut Chat, message: &[u8]) {
    let encoded = Base64::encode_string(message);
    let whole = encoded.len() % PIECE == 0;
    let pieces = encoded.as_bytes().chunks(PIECE).chain(whole.then_some(&b"+"[..]));
    for piece in pieces {
        chat.receive(1, &[b"AUTHENTICATE ", piece, b"\r\n"].concat());
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
