//! Do many polite clients behind one address get in each other's way, or in another's?

use crate::common::{Client, Server, texts};
use std::collections::HashMap;

const POLITE: usize = 250;
const LINES: usize = 3;

/// As for remote clients: these limits are off for loopback by default.
const REMOTE: [&str; 6] =
    ["--flood-limit", "100/s", "--origin-work", "4", "--max-per-address", "256"];

#[test]
fn a_course_behind_one_address_joins_and_pastes_beside_one_other() {
    let server = Server::start(&[&["--quiet"], &REMOTE[..]].concat());
    let mut other = Client::connect_from([127, 0, 0, 3], server.address);
    assert!(texts::is_some_welcome(&other.line()));
    let mut room: Vec<Client> =
        (0..POLITE).map(|_| Client::connect_from([127, 0, 0, 2], server.address)).collect();
    for member in &mut room {
        while !texts::is_some_welcome(&member.line()) {}
    }
    room.push(other);
    let pasted = |number: usize| format!("line {number} of a paste");
    let paste: String = (0..LINES).map(|number| pasted(number) + "\n").collect();
    for member in &mut room {
        member.send(&paste);
    }
    // Each line of a paste, by what the others are told, with its speaker and number.
    let mut known = HashMap::new();
    for (speaker, member) in room.iter().enumerate() {
        for number in 0..LINES {
            known.insert(texts::said(&member.name(), &pasted(number)), (speaker, number));
        }
    }
    for (listener, member) in room.iter_mut().enumerate() {
        let mut next = vec![0; POLITE + 1];
        for _ in 0..POLITE * LINES {
            let line = member.chat_line();
            let (speaker, number) = known.get(&line).copied().unwrap_or_else(|| panic!("{line:?}"));
            assert_eq!(next[speaker], number, "{listener} was told {line:?} too early or twice");
            assert_ne!(speaker, listener);
            next[speaker] += 1;
        }
    }
}
