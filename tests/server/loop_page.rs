//! What is a page shown of the loop, and who may be shown it?

use crate::common::{Client, Server};
use crate::irc::PATIENT;
use crate::websocket::Browser;

/// The kinds of rows that the tests look at, as `src/session/web/loop-model.js` has them.
const TURN: u8 = 1;
const PHASE: u8 = 3;
const READ: u8 = 5;
const RECORD: u8 = 7;
const WRITTEN: u8 = 9;
const READY: u8 = 15;
const LOST: u8 = 32;
const STATE: u8 = 33;
const NAME: u8 = 34;
const DEADLINE: u8 = 42;
const HELD: u8 = 43;
const HELLO: u8 = 48;

#[derive(Clone, PartialEq, Debug)]
struct Row {
    kind: u8,
    a: u8,
    client: u32,
    x: u64,
    text: String,
}

fn rows(bytes: &[u8]) -> Vec<Row> {
    let (mut rows, mut rest) = (Vec::new(), bytes);
    while let Some((row, after)) = rest.split_first_chunk::<24>() {
        let length = usize::from(u16::from_le_bytes([row[2], row[3]]));
        let has_text = [NAME, 35, DEADLINE].contains(&row[0]);
        let length = if has_text { length } else { 0 };
        rows.push(Row {
            kind: row[0],
            a: row[1],
            client: u32::from_le_bytes(row[4..8].try_into().unwrap()),
            x: u64::from_le_bytes(row[8..16].try_into().unwrap()),
            text: String::from_utf8(after[..length].to_vec()).unwrap(),
        });
        rest = &after[length.next_multiple_of(24)..];
    }
    assert!(rest.is_empty(), "half a row");
    rows
}

struct Page {
    browser: Browser,
    rows: Vec<Row>,
}

const HANDSHAKE: [&str; 1] = ["Sec-WebSocket-Version: 13"];

impl Page {
    fn open(server: &Server) -> Page {
        let browser = Browser::ask_at("/loop", server, &HANDSHAKE);
        assert!(browser.head.starts_with("HTTP/1.1 101 "), "{}", browser.head);
        Page { browser, rows: Vec::new() }
    }

    /// Receives a message and asks for the next one.
    fn receive(&mut self) {
        let (first, message) = self.browser.frame();
        assert_eq!(first, 0x82, "one binary frame");
        self.rows.extend(rows(&message));
        self.browser.say("next");
    }

    /// Receives until there is such a row; its place.
    fn wait_for(&mut self, wanted: impl Fn(&Row) -> bool) -> usize {
        self.wait_behind(0, wanted)
    }

    fn wait_behind(&mut self, place: usize, wanted: impl Fn(&Row) -> bool) -> usize {
        loop {
            if let Some(found) = self.rows[place..].iter().position(&wanted) {
                return place + found;
            }
            self.receive();
        }
    }

    /// The number of the connection with this name.
    fn number(&mut self, name: &str) -> u32 {
        let place = self.wait_for(|row| row.kind == NAME && row.text == name);
        self.rows[place].client
    }
}

fn start(flags: &[&str]) -> Server {
    Server::start(&[&[PATIENT, "--quiet"], flags].concat())
}

fn named(server: &Server, nick: &str) -> Client {
    let mut client = Client::connect(server.address);
    client.send(format!("/nick {nick}\n"));
    client.until(&format!("now known as {nick}"));
    client
}

#[test]
fn a_page_is_shown_the_turns_and_nothing_of_itself() {
    let server = start(&["--trace-text"]);
    let (mut alice, mut bob) = (named(&server, "alice"), named(&server, "bob"));
    let mut page = Page::open(&server);
    let number = page.number("alice");
    assert_eq!(page.rows[0].kind, HELLO);
    assert!(page.rows.iter().any(|row| row.kind == STATE && row.client == number));
    for text in ["one", "two", "three"] {
        alice.send(format!("{text}\n"));
        while !bob.line().ends_with(text) {}
        let record = page.wait_for(|row| row.text == text);
        page.wait_behind(record, |row| row.kind == RECORD && row.client == number);
        page.wait_behind(record, |row| row.kind == PHASE && row.a == 6);
    }
    let of_kind = |kind| page.rows.iter().filter(move |row| row.kind == kind);
    let known: Vec<u32> = of_kind(STATE).map(|row| row.client).collect();
    assert_eq!(known.len(), 2, "the page itself is no connection");
    assert!(of_kind(READY).chain(of_kind(READ)).all(|row| row.client == number));
    assert!(of_kind(WRITTEN).all(|row| known.contains(&row.client)));
    // Its own messages have made no turns.
    let turns: Vec<u64> = of_kind(TURN).map(|row| row.x).collect();
    assert_eq!(turns.len(), 3, "{turns:?}");
    assert!(turns.windows(2).all(|two| two[1] == two[0] + 1), "{turns:?}");
}

#[test]
fn a_page_that_asks_for_nothing_is_told_how_much_it_has_missed() {
    let server = start(&[]);
    let mut alice = named(&server, "alice");
    let mut bob = named(&server, "bob");
    let mut page = Page::open(&server);
    let (_, message) = page.browser.frame();
    page.rows.extend(rows(&message));
    for round in 0..12 {
        alice.send("x\n".repeat(1_000));
        alice.send(format!("round {round}\n"));
        while !bob.line().ends_with(&format!("round {round}")) {}
    }
    page.browser.say("next");
    let lost = page.wait_for(|row| row.kind == LOST);
    assert!(page.rows[lost].x > 1_000, "{:?}", page.rows[lost]);
    let number = page.number("alice");
    assert!(page.rows[lost..].iter().any(|row| row.kind == STATE && row.client == number));
}

#[test]
fn a_link_of_an_operator_opens_one_page_and_ends_with_the_operator() {
    let server = start(&["--oper=root:open-sesame"]);
    let mut alice = named(&server, "alice");
    alice.send("/loop\n");
    assert!(alice.line().contains("only server operators may do that"), "only operators");
    alice.send("/oper root open-sesame\n/loop\n");
    let link = loop {
        let line = alice.line();
        if let Some((_, link)) = line.split_once("/loop#") {
            break link.split(' ').next().unwrap().to_owned();
        }
    };
    // As from another machine.
    let forwarded = ["Sec-WebSocket-Version: 13", "X-Forwarded-For: 192.0.2.1"];
    let ask = |query: &str| Browser::ask_at(&format!("/loop{query}"), &server, &forwarded);
    let query = format!("?key={link}");
    assert!(ask("").head.starts_with("HTTP/1.1 403 "));
    assert!(ask("?key=0123456789abcdef").head.starts_with("HTTP/1.1 403 "));
    let mut page = ask(&query);
    assert!(page.head.starts_with("HTTP/1.1 101 "), "{}", page.head);
    assert!(ask(&query).head.starts_with("HTTP/1.1 403 "), "a link is for one page");
    drop(alice);
    while page.frame().0 != 0x88 {}
}

#[test]
fn there_are_no_more_pages_than_allowed() {
    let server = start(&["--loop-pages=1"]);
    let _first = Page::open(&server);
    let second = Browser::ask_at("/loop", &server, &HANDSHAKE);
    assert!(second.head.starts_with("HTTP/1.1 403 "), "{}", second.head);
}

#[test]
fn in_step_mode_a_turn_waits_for_the_page() {
    let server = start(&["--step"]);
    let (mut alice, mut bob) = (named(&server, "alice"), named(&server, "bob"));
    let mut page = Page::open(&server);
    let number = page.number("alice");
    let before = page.rows.len();
    alice.send("hello\n");
    let ready = page.wait_behind(before, |row| row.kind == READY && row.client == number);
    let held = page.wait_behind(ready, |row| row.kind == HELD && row.a == 1);
    assert!(page.rows[ready..held].iter().all(|row| row.kind != READ), "it has not begun");
    page.browser.say("step");
    page.wait_behind(held, |row| row.kind == RECORD && row.client == number);
    bob.until("hello");
    // Nothing has to be stepped for the page to go; then the loop is free again.
    drop(page);
    alice.send("free\n");
    bob.until("free");
}
