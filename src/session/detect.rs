//! The protocol of a connection, told from its first bytes.
//!
//! A program opens in one of a few shapes; everything else is a person typing. So not the first
//! word decides but the form of the first line: `GET real, people` and `nick of time` are text.

use crate::chat::Name;

/// What the first bytes tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detect {
    /// They may still become several of these.
    NeedMore,
    /// A TLS handshake.
    Tls,
    /// An HTTP request.
    Http,
    /// An IRC client.
    Irc,
    /// Lines of text.
    Plain,
}

/// An unfinished first line longer than this is no opening.
const LONGEST_OPENING: usize = 512;

const METHODS: [&[u8]; 10] = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"CONNECT", b"PRI",
];

const IRC_COMMANDS: [&str; 6] = ["CAP", "NICK", "USER", "PASS", "AUTHENTICATE", "WEBIRC"];

/// The protocol that a connection with these first bytes speaks.
pub fn detect(first: &[u8]) -> Detect {
    match first {
        [] | [0x16] => return Detect::NeedMore,
        [0x16, 0x03, ..] => return Detect::Tls,
        _ => {}
    }
    match http(first) {
        Detect::Plain => irc(first),
        http => http,
    }
}

/// A method, a space and the beginning of a target: a path, `*`, a whole URL, or for CONNECT an
/// authority.
fn http(first: &[u8]) -> Detect {
    let Some(space) = first.iter().position(|byte| *byte == b' ') else {
        let may_be = METHODS.iter().any(|method| method.starts_with(first));
        return if may_be { Detect::NeedMore } else { Detect::Plain };
    };
    let (method, target) = (&first[..space], &first[space + 1..]);
    if !METHODS.contains(&method) {
        return Detect::Plain;
    }
    if method == b"CONNECT" {
        return authority(target);
    }
    match target {
        [] => Detect::NeedMore,
        [b'/' | b'*', ..] => Detect::Http,
        _ if starts_alike(target, b"http://") || starts_alike(target, b"https://") => {
            if target.len() < 5 { Detect::NeedMore } else { Detect::Http }
        }
        _ => Detect::Plain,
    }
}

/// `host:port`, then a space or the end of the line.
fn authority(target: &[u8]) -> Detect {
    let ends = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n');
    let Some(end) = target.iter().position(ends) else {
        let long = target.len() > LONGEST_OPENING;
        return if long { Detect::Plain } else { Detect::NeedMore };
    };
    let port = target[..end].iter().rposition(|byte| *byte == b':');
    let port = port.filter(|colon| *colon > 0).map(|colon| &target[colon + 1..end]);
    match port {
        Some(digits) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => Detect::Http,
        _ => Detect::Plain,
    }
}

/// Whether one of the two is the beginning of the other, in any case.
fn starts_alike(bytes: &[u8], word: &[u8]) -> bool {
    let length = bytes.len().min(word.len());
    bytes[..length].eq_ignore_ascii_case(&word[..length])
}

fn irc(first: &[u8]) -> Detect {
    let end = first.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let Ok(line) = std::str::from_utf8(&first[..end.unwrap_or(first.len())]) else {
        return Detect::Plain;
    };
    match end {
        Some(_) if is_irc_opening(line) => Detect::Irc,
        Some(_) => Detect::Plain,
        None => {
            let word = line.split(' ').next().unwrap_or_default();
            let begun = IRC_COMMANDS.iter().any(|command| {
                let (word, command) = (word.as_bytes(), command.as_bytes());
                let whole = word.len() == command.len();
                starts_alike(word, command)
                    && (whole || (word.len() < command.len() && word.len() == line.len()))
            });
            let may_be = begun && line.len() <= LONGEST_OPENING;
            if may_be { Detect::NeedMore } else { Detect::Plain }
        }
    }
}

/// Whether an IRC client opens with this line: a command, in any case, with the parameters that it
/// takes. In upper case, as programs write it, a wrong subcommand or nick is still a client's, and
/// answered as IRC.
pub(super) fn is_irc_opening(line: &str) -> bool {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let Some(command) = words.next() else { return false };
    let rest: Vec<&str> = words.collect();
    let trailing = rest.iter().position(|word| word.starts_with(':'));
    // What begins with a colon is one parameter, spaces included.
    let parameters = trailing.map_or(rest.len(), |place| place + 1);
    match (command.to_ascii_uppercase().as_str(), &rest[..]) {
        ("CAP", [word, ..]) => {
            let known = ["LS", "LIST", "REQ", "END"];
            known.iter().any(|known| word.eq_ignore_ascii_case(known))
                || (command == "CAP" && parameters == 1)
        }
        ("NICK", [nick, ..]) => {
            let nick = nick.trim_start_matches(':');
            parameters == 1 && rest.len() == 1 && (command == "NICK" || Name::nick(nick).is_ok())
        }
        ("USER" | "WEBIRC", _) => parameters == 4,
        ("PASS" | "AUTHENTICATE", _) => parameters == 1,
        // `CAP` and `NICK` alone lack a parameter, and say so as IRC.
        _ => rest.is_empty() && matches!(command, "CAP" | "NICK"),
    }
}

/// Whether a line may hold a password that an IRC client sends, however it is formed.
pub(super) fn may_hold_password(line: &str) -> bool {
    line.split(' ').next().is_some_and(|word| matches!(word, "PASS" | "AUTHENTICATE" | "WEBIRC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_the_first_line_tells() {
        for (first, protocol) in [
            (&b""[..], Detect::NeedMore),
            (b"\x16", Detect::NeedMore),
            (b"\x16\x03\x01\x02\x00", Detect::Tls),
            (b"\x16\x04", Detect::Plain),
            (b"GET / HTTP/1.1\r\n", Detect::Http),
            (b"GET /", Detect::Http),
            (b"OPTIONS * HTTP/1.1", Detect::Http),
            (b"PRI * HTTP/2.0\r\n", Detect::Http),
            (b"POST http://example.org/ HTTP/1.0", Detect::Http),
            (b"CONNECT example.org:443 HTTP/1.1", Detect::Http),
            (b"CONNECT the dots\n", Detect::Plain),
            (b"GET ht", Detect::NeedMore),
            (b"GET real, people\n", Detect::Plain),
            (b"GE", Detect::NeedMore),
            (b"GET", Detect::NeedMore),
            (b"GETTING there", Detect::Plain),
            (b"get / off my lawn\n", Detect::Plain),
            (b"CAP LS 302\r\n", Detect::Irc),
            (b"cap ls\n", Detect::Irc),
            (b"CAP REQ :sasl server-time\r\n", Detect::Irc),
            (b"CAP NOTACOMMAND\r\n", Detect::Irc),
            (b"cap the bottle\n", Detect::Plain),
            (b"NICK ada\r", Detect::Irc),
            (b"nick ada\n", Detect::Irc),
            (b"NICK 1ada\r\n", Detect::Irc),
            (b"nick 1ada\n", Detect::Plain),
            (b"nick of time\n", Detect::Plain),
            (b"NICK of time\n", Detect::Plain),
            (b"NICK ad", Detect::NeedMore),
            (b"USER ada 0 * :Ada Lovelace\r\n", Detect::Irc),
            (b"user ada 0 * ada\n", Detect::Irc),
            (b"USER manual\n", Detect::Plain),
            (b"PASS sesame\r\n", Detect::Irc),
            (b"pass sesame\n", Detect::Irc),
            (b"pass the salt\n", Detect::Plain),
            (b"PASS :open sesame\r\n", Detect::Irc),
            (b"AUTHENTICATE PLAIN\r\n", Detect::Irc),
            (b"WEBIRC a b c d\r\n", Detect::Irc),
            (b"N", Detect::NeedMore),
            (b"nice to meet you", Detect::Plain),
            (b"hello\n", Detect::Plain),
            (b"/nick ada\n", Detect::Plain),
            (b"\n", Detect::Plain),
            (b"\xff\xfd\x18", Detect::Plain),
        ] {
            assert_eq!(detect(first), protocol, "{:?}", String::from_utf8_lossy(first));
        }
        assert_eq!(detect(format!("PASS {}", "x".repeat(600)).as_bytes()), Detect::Plain);
    }

    #[test]
    fn more_bytes_never_change_a_decision() {
        for whole in [
            "GET / HTTP/1.1\r\nHost: x\r\n",
            "NICK ada\r\nUSER a 0 * :b\r\n",
            "nick of time\n",
            "hi\n",
        ] {
            let mut decided = None;
            for end in 0..=whole.len() {
                let found = detect(&whole.as_bytes()[..end]);
                let before = decided.filter(|before| *before != Detect::NeedMore);
                assert!(before.is_none_or(|before| before == found), "{whole} at {end}");
                decided = Some(found);
            }
        }
    }
}
