//! Lines of three plain users, as they may be typed: no panic, no answer without an end, a state that is whole
//! after each, and nothing on anyone's terminal that a stranger has chosen to do there.
//!
//! A line of the input begins with the user's digit: `0/join #tea`.

use crate::chat::Chat;
use crate::lines::check_plain;
use chatloop::session::{Protocol, Style};

const USERS: usize = 3;

pub fn run(data: &[u8]) {
    let plain = |style| (Protocol::Plain, style);
    let mut chat = Chat::new(&[plain(Style::Plain), plain(Style::Plain), plain(Style::Classic)]);
    // Without a first line a session is not identified.
    for (number, nick) in ["ada", "bob", "cleo"].iter().enumerate() {
        chat.receive(number, format!("/nick {nick}\n").as_bytes());
        assert!(chat.is_online(nick));
    }
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let Some((digit, line)) = line.split_first() else { continue };
        chat.receive(usize::from(digit.wrapping_sub(b'0')) % USERS, line);
        for peer in &mut chat.peers {
            check_plain(&std::mem::take(&mut peer.out));
        }
    }
    chat.check_replay();
}
