//! The whole hub by its records: plain and IRC users do as the input says, some of it applied late, and the
//! records alone make the same state again. A line that is a change in JSON is applied as if the file had it.
//!
//! A line of the input begins with the user's digit, and with a `+` in front its change waits until a line
//! without one: `+0/join #tea`, `2PRIVMSG #tea :hi`, `{"change":"part","room":"#tea","reason":null}`.

use crate::chat::Chat;
use crate::lines::{check_irc, check_plain};
use chatloop::chat::{Change, Hub, Moment, Record, RecordId, SessionId};
use chatloop::session::{Protocol, Style};

const PLAIN: usize = 2;
const USERS: usize = 4;

const CAPS: &str = "CAP REQ :batch draft/chathistory draft/event-playback draft/message-redaction \
draft/metadata-2 draft/multiline draft/read-marker echo-message labeled-response message-tags server-time";

pub fn run(data: &[u8]) {
    let mut chat = Chat::new(&[
        (Protocol::Plain, Style::Plain),
        (Protocol::Plain, Style::Plain),
        (Protocol::Irc, Style::Plain),
        (Protocol::Irc, Style::Plain),
    ]);
    chat.receive(0, b"/oper root operator\n");
    chat.receive(1, b"/nick bob\n");
    chat.receive(2, b"NICK cleo\r\nUSER c 0 * :Cleo\r\n");
    chat.receive(3, format!("{CAPS}\r\nNICK dan\r\nUSER d 0 * :Dan\r\nCAP END\r\n").as_bytes());
    assert!(chat.is_online("cleo") && chat.is_online("dan"));
    // What a broken file may hold: no panic is all that can be asked for.
    let mut broken = Hub::new();
    let (mut number, mut effects) = (0, Vec::new());
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Ok(change) = serde_json::from_slice::<Change>(line) {
            number += 1;
            let origin = SessionId(u64::from(line[line.len() / 2]) % USERS as u64);
            let record =
                Record { id: RecordId(number), time: Moment(number as i64), origin, change };
            broken.apply(record, &mut effects);
            effects.clear();
            continue;
        }
        let delayed = line.strip_prefix(b"+");
        let Some((digit, line)) = delayed.unwrap_or(line).split_first() else { continue };
        chat.delays = delayed.is_some();
        chat.receive(usize::from(digit.wrapping_sub(b'0')) % USERS, line);
        if !chat.delays {
            chat.catch_up();
        }
        for (number, peer) in chat.peers.iter_mut().enumerate() {
            let out = std::mem::take(&mut peer.out);
            if number < PLAIN { check_plain(&out) } else { check_irc(&out) }
        }
    }
    chat.delays = false;
    chat.catch_up();
    chat.check_replay();
}
