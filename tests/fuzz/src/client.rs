//! The client against a hostile server: the screen receives no escape but those that the client makes, the server
//! receives whole lines, and memory is bounded however long it goes on.
//!
//! The first byte is the dialect: `p` plain lines, `s` IRC with a login, any other IRC. A line that begins with `>`
//! is typed by the person; the others are the server's. With a `%` anywhere all of it comes again and again, a number
//! in place of each `%`.

use crate::memory::held;
use chatloop::client::simulated::Simulated;

/// How often an input with a `%` comes again.
const ROUNDS: usize = 40;

/// Bytes that a client may hold, whatever it was sent, beside a multiple of that: short words in tables.
const MOST: usize = 4 * 1024 * 1024;
const MULTIPLE: usize = 16;

pub fn run(data: &[u8]) {
    play(data, ROUNDS, MULTIPLE);
}

/// The same for so many rounds, with a bound that does not grow with them.
#[cfg(test)]
pub fn run_for_long(data: &[u8], rounds: usize) {
    play(data, rounds, 0);
}

fn play(data: &[u8], rounds: usize, multiple: usize) {
    let Some((dialect, script)) = data.split_first() else { return };
    let before = held();
    let account = (*dialect == b's').then_some(("ada", "pencil-pencil"));
    let mut client = Simulated::connect(*dialect == b'p', account).expect("descriptors");
    let rounds = if script.contains(&b'%') { rounds } else { 1 };
    for round in 0..rounds {
        for line in script.split_inclusive(|byte| *byte == b'\n') {
            let line = numbered(line, round);
            match line.strip_prefix(b">") {
                Some(typed) => client.press(&keys(typed)),
                None => client.receive(&line),
            }
            .expect("a poller");
            check_screen(&client.screen());
            check_sent(&client.sent(), *dialect == b'p');
        }
        let most = MOST + multiple * (round + 1) * script.len();
        let holds = usize::try_from(held() - before).unwrap_or(0);
        assert!(holds <= most, "the client holds {holds} bytes after {} rounds", round + 1);
    }
}

fn numbered(line: &[u8], round: usize) -> Vec<u8> {
    let number = round.to_string();
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b'%').collect();
    parts.join(number.as_bytes())
}

/// Enter in place of the newline.
fn keys(typed: &[u8]) -> Vec<u8> {
    let bare = typed.strip_suffix(b"\n");
    let mut keys = bare.unwrap_or(typed).to_vec();
    keys.extend(bare.map(|_| b'\r'));
    keys
}

/// What a terminal is sent: text, rows, bells, colours that are reset, and what moves in the own row.
fn check_screen(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("the screen is sent UTF-8");
    let (mut rest, mut coloured) = (text, false);
    while let Some(at) = rest.find(|c: char| c.is_control() && !"\r\n\t\x07".contains(c)) {
        let escape = rest[at..].strip_prefix("\x1b[");
        let escape = escape.unwrap_or_else(|| panic!("a control character: {:?}", &rest[at..]));
        let digits = escape.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        let parameters = &escape[..escape.len() - digits.len()];
        let known = match digits.chars().next() {
            Some('m') => {
                coloured = !matches!(parameters, "" | "0");
                parameters.split(';').all(is_colour)
            }
            Some('K' | 'H') => parameters.is_empty(),
            Some('C') => parameters.parse::<usize>().is_ok(),
            Some('J') => parameters == "2",
            _ => false,
        };
        assert!(known, "an escape that is not the client's: {:?}", &rest[at..]);
        rest = &digits[1..];
    }
    assert!(!coloured, "a colour that is not reset: {text:?}");
    let hidden = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(hidden), "text that runs the other way: {text:?}");
}

/// Reset, bold, dim, italic, underlined and their ends, and the sixteen foreground colours.
fn is_colour(parameter: &str) -> bool {
    matches!(parameter.parse::<u16>(), Ok(0..=4 | 22..=24 | 30..=37 | 39 | 90..=97))
        || parameter.is_empty()
}

/// What the server is sent: whole lines, and in IRC no byte that ends one early.
fn check_sent(bytes: &[u8], plain: bool) {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "half a line is sent");
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|_| !plain) {
        let bare = line.strip_suffix(b"\r\n").expect("a line of IRC ends in CR LF");
        assert!(!bare.iter().any(|byte| b"\r\0".contains(byte)), "{bare:?}");
    }
}
