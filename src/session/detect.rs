//! The protocol of a connection, told from its first bytes.
//!
//! A program opens in one of a few shapes; everything else is a person typing. So the first
//! line is judged by its form and not by its first word: `GET real, people` and `nick of time` are text.

use crate::chat::Name;
use crate::wire::clean::without_mark;
use crate::wire::irc::from_command;
use crate::wire::telnet;
use clap::ValueEnum;

/// What the first bytes tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detect {
    /// They may still become several of these.
    NeedMore,
    /// A TLS handshake.
    Tls,
    /// An HTTP request.
    Http,
    /// The header that a proxy writes before what its client sends.
    Proxy,
    /// An IRC client.
    Irc,
    /// Another protocol, of which nothing is ever text.
    Foreign,
    /// Lines of text.
    Plain,
}

/// What a server speaks beside TLS and HTTP: `--protocol`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Protocol {
    /// Whatever the client's first bytes are
    #[default]
    Any,
    /// IRC only: the first line is IRC whatever it contains, and there is no detection timeout
    Irc,
    /// Plain text only: an IRC client is told so
    Plain,
}

impl Protocol {
    /// What a peer speaks whose first bytes look like `found`.
    pub(super) fn of(self, found: Detect) -> Detect {
        match (self, found) {
            (Protocol::Irc, Detect::Plain) => Detect::Irc,
            (Protocol::Plain, Detect::Irc) => Detect::Plain,
            (_, found) => found,
        }
    }
}

/// An unfinished first line longer than this is no opening.
const LONGEST_OPENING: usize = 512;

const METHODS: [&[u8]; 10] = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"CONNECT", b"PRI",
];

const IRC_COMMANDS: [&str; 7] = ["CAP", "NICK", "USER", "PASS", "AUTHENTICATE", "WEBIRC", "PROXY"];

/// What the second version of the PROXY protocol begins with.
const PROXY_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The protocol that a connection with these first bytes speaks.
pub fn detect(first: &[u8]) -> Detect {
    let first = &first[noise(first)..];
    match first {
        [0xef] | [0xef, 0xbb] => return Detect::NeedMore,
        [telnet::IAC, ..] if telnet::command(first).is_none() => return Detect::NeedMore,
        [0x16] => return Detect::NeedMore,
        [0x16, 0x03, ..] => return Detect::Tls,
        _ if first.starts_with(PROXY_2) => return Detect::Proxy,
        _ => {}
    }
    let start = blanks(first);
    match &first[start..] {
        _ if start > LONGEST_OPENING => Detect::Plain,
        [] => Detect::NeedMore,
        _ if PROXY_2.starts_with(first) => Detect::NeedMore,
        [byte, ..] if is_binary(*byte) => Detect::Foreign,
        first => match [http(from_word(first)), foreign(first)] {
            [Detect::Plain, Detect::Plain] => irc(first),
            [Detect::Plain, other] | [other, _] => other,
        },
    }
}

/// How many bytes of these stand before what the protocol knows.
pub(super) fn before(first: &[u8], protocol: Detect) -> usize {
    let start = noise(first);
    start + if protocol == Detect::Http { blanks(&first[start..]) } else { 0 }
}

/// Telnet commands, and a byte order mark.
fn noise(first: &[u8]) -> usize {
    let start = telnet::leading(first);
    first.len() - without_mark(&first[start..]).len()
}

/// Spaces and empty lines, of telnet too: those end in CR NUL.
fn blanks(first: &[u8]) -> usize {
    let is_blank = |at: &usize| match first[*at] {
        0 => first[..*at].ends_with(b"\r"),
        byte => matches!(byte, b'\r' | b'\n' | b' '),
    };
    (0..first.len()).take_while(is_blank).count()
}

/// The same for a peer that was taken for a plain one because it was slow, told from its first line.
/// A person types after the greeting: an IRC command in lower case is not a program's.
pub(super) fn detect_late(line: &[u8]) -> Option<Detect> {
    let found = detect(&[line, b"\n"].concat());
    let text = std::str::from_utf8(line).unwrap_or_default();
    match found {
        Detect::Irc if !is_program(text) => None,
        Detect::Plain | Detect::NeedMore => None,
        found => Some(found),
    }
}

/// Whether the command of a line is in upper case, as programs write it.
fn is_program(line: &str) -> bool {
    let command = from_command(line).split(' ').next().unwrap_or_default();
    command.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// No text begins with such a byte: a control character that no terminal sends by itself, or one that
/// is nothing in UTF-8 and in Latin-1. Scanners of ports begin with it, and old handshakes of TLS.
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=0x07 | 0x0b | 0x0c | 0x0e..=0x1a | 0x1c..=0x1f | 0x80..=0x9f)
}

/// The first line of SSH, of SMTP, or of an HTTP response.
fn foreign(first: &[u8]) -> Detect {
    let words = [&b"SSH-1."[..], b"SSH-2.", b"EHLO ", b"HTTP/1."];
    let begun = words.into_iter().find(|it| it.starts_with(&first[..first.len().min(it.len())]));
    match begun {
        Some(word) if first.len() < word.len() => Detect::NeedMore,
        Some(_) => Detect::Foreign,
        None => Detect::Plain,
    }
}

/// What an unfinished line is that may yet be an opening, or not.
fn unfinished(may_be: bool) -> Detect {
    if may_be { Detect::NeedMore } else { Detect::Plain }
}

/// A method, a space and the beginning of a target: a path, `*`, a whole URL, or for CONNECT an
/// authority.
fn http(first: &[u8]) -> Detect {
    let Some(space) = first.iter().position(is_space) else {
        return unfinished(METHODS.iter().any(|method| method.starts_with(first)));
    };
    let (method, target) = (&first[..space], from_word(&first[space..]));
    if !METHODS.contains(&method) {
        return unknown_method(method, target);
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
        _ => other_request(target),
    }
}

/// A request by its whole line, whatever its method: `PROPFIND / HTTP/1.1`, `INVITE sip:a SIP/2.0`.
fn unknown_method(method: &[u8], rest: &[u8]) -> Detect {
    let (target, version) = rest.split_at(rest.iter().position(is_space).unwrap_or(rest.len()));
    let is_request = method.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
        && (matches!(target, [b'/' | b'*', ..]) || target.contains(&b':'));
    match is_request && other_request(rest) == Detect::Foreign {
        true if from_word(version).starts_with(b"HTTP/") => Detect::Http,
        true => Detect::Foreign,
        false => Detect::Plain,
    }
}

/// The rest of a line that would be a request of another protocol: `rtsp://host RTSP/1.0`.
fn other_request(rest: &[u8]) -> Detect {
    let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return unfinished(rest.len() <= LONGEST_OPENING);
    };
    let mut words = rest[..end].split(is_space).filter(|word| !word.is_empty());
    let (Some(_), Some(version), None) = (words.next(), words.next(), words.next()) else {
        return Detect::Plain;
    };
    let name = version.strip_suffix(b".0").or_else(|| version.strip_suffix(b".1"));
    match name {
        Some([name @ .., b'/', b'0'..=b'9'])
            if !name.is_empty() && name.iter().all(u8::is_ascii_uppercase) =>
        {
            Detect::Foreign
        }
        _ => Detect::Plain,
    }
}

/// `host:port`, then a space or the end of the line.
fn authority(target: &[u8]) -> Detect {
    let ends = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n');
    let Some(end) = target.iter().position(ends) else {
        return unfinished(target.len() <= LONGEST_OPENING);
    };
    let port = target[..end].iter().rposition(|byte| *byte == b':');
    let port = port.filter(|colon| *colon > 0).map(|colon| &target[colon + 1..end]);
    match port {
        Some(digits) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => Detect::Http,
        _ => Detect::Plain,
    }
}

/// What parts the words of a request, as lenient servers have it (RFC 9112, 3).
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn from_word(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| is_space(byte)).count()..]
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
        Some(_) if is_proxy(line) => Detect::Proxy,
        Some(_) if is_irc_opening(line) => Detect::Irc,
        Some(_) => Detect::Plain,
        None => {
            let line = from_command(line);
            let word = line.split(' ').next().unwrap_or_default();
            let begun = IRC_COMMANDS.iter().any(|command| {
                let (word, command) = (word.as_bytes(), command.as_bytes());
                let whole = word.len() == command.len();
                starts_alike(word, command)
                    && (whole || (word.len() < command.len() && word.len() == line.len()))
            });
            unfinished(begun && first.len() <= LONGEST_OPENING)
        }
    }
}

/// Whether an IRC client opens with this line: a command, in any case, with the parameters that it
/// takes. In upper case, as programs write it, a wrong subcommand or nick is still a client's, and
/// answered as IRC.
pub(super) fn is_irc_opening(line: &str) -> bool {
    let mut words = from_command(line).split(' ').filter(|word| !word.is_empty());
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
        ("USER", _) => parameters == 4,
        // The fifth are options.
        ("WEBIRC", [_, ..]) => matches!(parameters, 4 | 5) || command == "WEBIRC",
        // A password with a space in it that some clients send without a colon: it is no talk, nor is
        // what follows it.
        ("PASS" | "AUTHENTICATE", [_, ..]) => {
            parameters == 1 || matches!(command, "PASS" | "AUTHENTICATE")
        }
        // `CAP` and `NICK` alone lack a parameter, and say so as IRC.
        _ => rest.is_empty() && matches!(command, "CAP" | "NICK"),
    }
}

/// The first version of the PROXY protocol.
fn is_proxy(line: &str) -> bool {
    let mut words = line.split(' ');
    let (word, family) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    word.eq_ignore_ascii_case("PROXY")
        && match family.to_ascii_uppercase().as_str() {
            "TCP4" | "TCP6" => words.count() == 4,
            "UNKNOWN" => true,
            _ => false,
        }
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
            (b"PASS open sesame\r\n", Detect::Irc),
            (b"PASS\r\n", Detect::Plain),
            (b"AUTHENTICATE PLAIN\r\n", Detect::Irc),
            (b"WEBIRC a b c d\r\n", Detect::Irc),
            (b"WEBIRC a b\r\n", Detect::Irc),
            (b"webirc a b\n", Detect::Plain),
            (b"WEBIRC a b c d :secure local-port=1\r\n", Detect::Irc),
        ] {
            assert_eq!(detect(first), protocol, "{:?}", String::from_utf8_lossy(first));
        }
    }

    #[test]
    fn what_stands_before_the_first_word_and_what_no_program_sends_tell_too() {
        for (first, protocol) in [
            (&b"N"[..], Detect::NeedMore),
            (b"nice to meet you", Detect::Plain),
            (b"hello\n", Detect::Plain),
            (b"/nick ada\n", Detect::Plain),
            (b"\n", Detect::NeedMore),
            (b"\n\nhello\n", Detect::Plain),
            (b"\r\n  NICK ada\r\n", Detect::Irc),
            (b"\r\nPOST / HTTP/1.1\r\n", Detect::Http),
            (b"@label=1;x NICK ada\r\n", Detect::Irc),
            (b"@label=1", Detect::NeedMore),
            (b":ada NICK ada\r\n", Detect::Irc),
            (b"@label=1 :ada!a@b USER ada 0 * :Ada\r\n", Detect::Irc),
            (b":ad", Detect::NeedMore),
            (b":ada hello\n", Detect::Plain),
            (b":-) nick ada\n", Detect::Plain),
            (b"@ada hello\n", Detect::Plain),
            (b"@#lobby NICK ada\n", Detect::Plain),
            (b"pass sesame\r\n", Detect::Irc),
            (b"authenticate plain\r\n", Detect::Irc),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 5 6667\r\n", Detect::Proxy),
            (b"PROXY servers are slow\n", Detect::Plain),
            (b"proxy unknown\r\n", Detect::Proxy),
            (b"\r\n\r\n\0\r\nQ", Detect::NeedMore),
            (b"\r\n\r\n\0\r\nQUIT\n\x21", Detect::Proxy),
            (b"\xff\xfd\x18", Detect::NeedMore),
            (b"\xff\xfd", Detect::NeedMore),
            (b"\xff\xfd\x03\r\0", Detect::NeedMore),
            (b"\tnick ada\r\n", Detect::Plain),
            (b"\r\0\r\0hi\r\0", Detect::Plain),
            (b"\xff\xfd\x18\xff\xfa\x1f\0\n\xff\xf0NICK ada\r\n", Detect::Irc),
            (b"\xff\xfd\x18/login ada hunter2\r\n", Detect::Plain),
            (b"\xffoo\n", Detect::Plain),
            (b"\xef\xbb", Detect::NeedMore),
            (b"\xef\xbb\xbfNICK ada\r\n", Detect::Irc),
        ] {
            assert_eq!(detect(first), protocol, "{:?}", String::from_utf8_lossy(first));
        }
        assert_eq!(detect(format!("PASS {}", "x".repeat(600)).as_bytes()), Detect::Plain);
    }

    #[test]
    fn what_begins_like_another_protocol_is_none_of_ours() {
        for (first, protocol) in [
            (&b"\x16\x04"[..], Detect::Foreign),
            (b"\0\0\0\xa4\xffSMBr\0", Detect::Foreign),
            (b"\x03\0\0\x13\x0e\xe0\0\0", Detect::Foreign),
            (b"\x80\x2e\x01\0\x02\0\x15", Detect::Foreign),
            (b"\r\n\r\n\0hi\r\n", Detect::Foreign),
            (b"\x1b[Aup\n", Detect::Plain),
            (b"\xa1hola!\n", Detect::Plain),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Detect::Foreign),
            (b"SSH", Detect::NeedMore),
            (b"SSH is for shells\n", Detect::Plain),
            (b"OPTIONS rtsp://x RTSP/1.0\r\n", Detect::Foreign),
            (b"OPTIONS sip:nm SIP/2.0\r\n", Detect::Foreign),
            (b"OPTIONS are good\n", Detect::Plain),
            (b"INVITE sip:nm@a SIP/2.0\r\n", Detect::Foreign),
            (b"PROPFIND / HTTP/1.1\r\n", Detect::Http),
            (b"M-SEARCH * HTTP/1.1\r\n", Detect::Http),
            (b"\tPOST  /\tHTTP/1.1\r\n", Detect::Http),
            (b"POST\t/x", Detect::Http),
            (b"FETCH  /x  HTTP/1.1\n", Detect::Http),
            (b"GET \n/help\n", Detect::Plain),
            (b"HTTP/1.1 200 OK\r\n", Detect::Foreign),
            (b"HTTP is fine\n", Detect::Plain),
            (b"EHLO mail.example.org\r\n", Detect::Foreign),
            (b"get /index.html HTTP/1.0\n", Detect::Http),
            (b"upgrade to TLS/1.2\n", Detect::Plain),
            (b"use /loop please\n", Detect::Plain),
            (b"see: /loop\n", Detect::Plain),
            (b"OPTIONS r", Detect::NeedMore),
        ] {
            assert_eq!(detect(first), protocol, "{:?}", String::from_utf8_lossy(first));
        }
    }

    #[test]
    fn more_bytes_never_change_a_decision() {
        for whole in [
            "GET / HTTP/1.1\r\nHost: x\r\n",
            "NICK ada\r\nUSER a 0 * :b\r\n",
            "nick of time\n",
            "hi\n",
            "\r\n @a=b NICK ada\r\n",
            "PROXY UNKNOWN\r\n",
            "SSH-2.0-Go\r\n",
            "SSHells\n",
            "OPTIONS sip:nm SIP/2.0\r\n",
            "\t\tPOST \t / HTTP/1.1\r\n",
            "HTTP/2 is here\n",
            "\x05\x01\0",
            "\r\n\r\n\0\r\nQUIT\n\x21",
            "\r\n\r\n\0hi\r\n",
            "\r\0\r\0NICK ada\r\0",
        ] {
            let whole = [b"\xff\xfb\x18", whole.as_bytes()].concat();
            let mut decided = None;
            for end in 0..=whole.len() {
                let found = detect(&whole[..end]);
                let before = decided.filter(|before| *before != Detect::NeedMore);
                assert!(before.is_none_or(|before| before == found), "{whole:?} at {end}");
                decided = Some(found);
            }
        }
    }
}
