//! WebSocket on the chat's port, over real sockets: IRC, one line a message.

use crate::common::{PATIENCE, Server};
use crate::irc::patient;
use chatloop::wire::websocket::write_masked;
use nix::sys::signal::Signal;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A browser, as far as the wire can tell.
pub struct Browser {
    socket: BufReader<TcpStream>,
    pub head: String,
}

impl Browser {
    /// Asks for a WebSocket with these headers beside the necessary ones.
    fn ask(server: &Server, headers: &[&str]) -> Browser {
        Browser::ask_at("/", server, headers)
    }

    /// The same at another path.
    pub fn ask_at(path: &str, server: &Server, headers: &[&str]) -> Browser {
        let mut socket = TcpStream::connect(server.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = server.address;
        let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let (mut socket, mut head) = (BufReader::new(socket), String::new());
        while !head.ends_with("\r\n\r\n") {
            assert!(socket.read_line(&mut head).unwrap() > 0, "{head}");
        }
        Browser { socket, head }
    }

    fn open(server: &Server, protocol: &str) -> Browser {
        let protocol = format!("Sec-WebSocket-Protocol: {protocol}");
        let browser = Browser::ask(server, &["Sec-WebSocket-Version: 13", &protocol]);
        assert!(
            browser.head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
            "{}",
            browser.head
        );
        browser
    }

    /// A browser whose user is in #lab.
    fn join(server: &Server, nick: &str) -> Browser {
        let mut browser = Browser::open(server, "text.ircv3.net");
        for line in [format!("NICK {nick}"), format!("USER {nick} 0 * :{nick}"), "JOIN #lab".into()]
        {
            browser.say(&line);
        }
        browser.wait_for(" 366 ");
        browser
    }

    fn send_frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = Vec::new();
        write_masked(first, payload, &mut frame);
        self.send(&frame);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).unwrap();
    }

    pub fn say(&mut self, line: &str) {
        self.send_frame(0x81, line.as_bytes());
    }

    /// The next frame: its first byte and its payload.
    pub fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut header = [0; 2];
        self.socket.read_exact(&mut header).unwrap();
        let length = match header[1] {
            short @ ..126 => usize::from(short),
            126 => {
                let mut length = [0; 2];
                self.socket.read_exact(&mut length).unwrap();
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                self.socket.read_exact(&mut length).unwrap();
                usize::try_from(u64::from_be_bytes(length)).unwrap()
            }
            other => panic!("a frame of the server is masked: {other}"),
        };
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload).unwrap();
        (header[0], payload)
    }

    /// The next line, which must be the whole of a text frame.
    fn line(&mut self) -> String {
        let (first, payload) = self.frame();
        assert_eq!(first, 0x81, "{payload:?}");
        let line = String::from_utf8(payload).unwrap();
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        line
    }

    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The code of the Close frame that comes after lines, if any; then the connection ends.
    fn close_code(&mut self) -> u16 {
        loop {
            let (first, payload) = self.frame();
            if first == 0x88 {
                assert_eq!(self.socket.read_to_end(&mut Vec::new()).unwrap(), 0);
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

#[test]
fn browsers_and_other_clients_are_in_one_room() {
    let server = patient(&[]);
    let (mut ada, mut bob) = (Browser::join(&server, "ada"), Browser::join(&server, "bob"));
    let mut tom = crate::common::Client::connect(server.address);
    tom.send("/nick tom\n/join #lab\nhello, browsers\n");
    for browser in [&mut ada, &mut bob] {
        browser.wait_for("PRIVMSG #lab :hello, browsers");
    }
    ada.say(&format!("PRIVMSG #lab :{}", "long ".repeat(60)));
    bob.wait_for("PRIVMSG #lab :long long");
    tom.until("[ada]: long long");
}

#[test]
fn the_first_known_subprotocol_is_chosen() {
    let server = patient(&[]);
    for (offered, chosen, first) in [
        ("text.ircv3.net", Some("text.ircv3.net"), 0x81),
        ("binary.ircv3.net, text.ircv3.net", Some("binary.ircv3.net"), 0x82),
        ("chat, text.ircv3.net", Some("text.ircv3.net"), 0x81),
        ("chat", None, 0x81),
    ] {
        let mut browser = Browser::open(&server, offered);
        let header =
            browser.head.lines().find_map(|it| it.strip_prefix("Sec-WebSocket-Protocol: "));
        assert_eq!(header, chosen);
        assert!(browser.head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        browser.say("PING x");
        let (opcode, line) = browser.frame();
        assert_eq!(opcode, first);
        assert!(line.ends_with(b" :x") || line.ends_with(b" x"), "{line:?}");
    }
}

#[test]
fn a_message_may_come_in_pieces_and_any_cut() {
    let server = patient(&[]);
    let mut ada = Browser::join(&server, "ada");
    ada.send_frame(0x01, b"PING one");
    ada.send_frame(0x89, b"there?");
    ada.send_frame(0x80, b"-two");
    assert_eq!(ada.frame(), (0x8a, b"there?".to_vec()));
    ada.wait_for("one-two");
    // The end of a line is no part of a message, but does no harm.
    ada.say("PING three\r\n");
    ada.wait_for("three");
    ada.say("");
    for byte in [0x81, 0x86, 0, 0, 0, 0, b'P', b'I', b'N', b'G', b' ', b'4'] {
        ada.send(&[byte]);
    }
    ada.wait_for("PONG");
}

/// Each closes its own connection, with its code; the others notice that someone has left.
#[test]
fn a_bad_frame_closes_its_own_connection() {
    let server = patient(&[]);
    let mut bob = Browser::join(&server, "bob");
    let huge = [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
    for (frame, code) in [
        (&b"\x81\x05hello"[..], 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x80\x80\0\0\0\0", 1002),
        (b"\x89\xfe\x00\x7e\0\0\0\0", 1002),
        (&huge, 1009),
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\x81\x83\0\0\0\0a\nb", 1008),
        (b"\x88\x80\0\0\0\0", 1000),
        (b"\x88\x82\0\0\0\0\x0f\xa1", 4001),
    ] {
        let mut ada = Browser::join(&server, "ada");
        ada.send(frame);
        assert_eq!(ada.close_code(), code, "{frame:?}");
        bob.wait_for(":ada!");
        bob.wait_for(" QUIT ");
    }
    bob.say("PING still");
    bob.wait_for("still");
}

#[test]
fn a_bad_line_is_answered_as_in_irc() {
    let server = patient(&[]);
    let mut ada = Browser::join(&server, "ada");
    ada.send_frame(0x82, b"PRIVMSG #lab :caf\xe9");
    ada.wait_for("FAIL PRIVMSG INVALID_UTF8");
    ada.say(&format!("PRIVMSG #lab :{}", "x".repeat(600)));
    ada.wait_for(" 417 ada ");
    ada.say(&format!("PRIVMSG #lab :{}", "x".repeat(10_000)));
    ada.wait_for(" 417 ada ");
    ada.say("PING still");
    ada.wait_for("still");
}

#[test]
fn a_handshake_that_is_none_has_its_status() {
    let server = patient(&["--web-origin=https://chat.example.org"]);
    for (headers, status) in [
        (&["Sec-WebSocket-Version: 13", "Origin: https://evil.example"][..], 403),
        (&["Sec-WebSocket-Version: 13", "Origin: https://chat.example.org"], 101),
        (&["Sec-WebSocket-Version: 13", "X-Forwarded-For: 192.0.2.1"], 101),
        (&["Sec-WebSocket-Version: 8"], 426),
        (&[], 426),
        (&["Sec-WebSocket-Version: 13", "Host: twice"], 400),
    ] {
        let browser = Browser::ask(&server, headers);
        assert!(browser.head.starts_with(&format!("HTTP/1.1 {status} ")), "{}", browser.head);
    }
    let own = format!("Origin: http://{}", server.address);
    assert!(Browser::ask(&server, &["Sec-WebSocket-Version: 13", &own]).head.contains(" 101 "));
}

#[test]
fn a_server_that_shuts_down_goes_away() {
    let mut server = patient(&[]);
    let mut ada = Browser::join(&server, "ada");
    ada.say("QUIT :bye");
    assert_eq!(ada.close_code(), 1000);
    let mut bob = Browser::join(&server, "bob");
    server.signal(Signal::SIGTERM);
    assert_eq!(bob.close_code(), 1001);
    assert!(server.ended().success());
}
