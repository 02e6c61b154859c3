//! The grammar of IRC against other readings of it: a well-kept parser crate (irc-proto), and
//! slow references that are obviously right.
//!
//! Every test draws from a seed and prints it; `CHATLOOP_SEED=<number>` replays one. For as long as
//! one likes with more rounds (`tests/fuzz/` has a fuzz target for it, led by the code's branches):
//!
//! ```text
//! CHATLOOP_ROUNDS=100000000 cargo test --release --test wire_irc
//! ```

use chatloop::chat::glob;
use chatloop::wire::frame::{Framer, LineKind, Step};
use chatloop::wire::irc::{Fit, Limits, LineWriter, Message, Source, Tags, tags};
use chatloop_reactor::dice::Dice;
use irc_proto::{Command, Message as TheirMessage, Prefix, message::Tag as TheirTag};
use std::time::{SystemTime, UNIX_EPOCH};

/// Dice for one test. The seed is on its standard error, which the harness shows on failure.
fn seeded(test: &str) -> Dice {
    let given = std::env::var("CHATLOOP_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |since| since.as_nanos() as u64)
    });
    eprintln!("{test}: replay with CHATLOOP_SEED={seed}");
    Dice::new(seed)
}

/// A text of `least` to `most` of these pieces.
fn text(dice: &mut Dice, pieces: &[&str], least: usize, most: usize) -> String {
    let count = least + dice.below(most - least + 1);
    (0..count).map(|_| dice.one(pieces)).collect()
}

fn rounds(usual: usize) -> usize {
    let given = std::env::var("CHATLOOP_ROUNDS").ok();
    given.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

const WORD: &[&str] =
    &["a", "B", "9", "-", "#", "*", "!", "@", ",", "=", ";", "\\", "\t", "é", "😃"];
const TEXT: &[&str] =
    &["a", "Z", " ", " ", ":", ";", "\\", "=", "@", "\u{3}", "é", "中", "😃", "s"];
const KEY: &[&str] = &["a", "b", "c", "+", "/", ".", "-", "0"];

/// A message in parts, for both sides to write and read.
#[derive(Debug)]
struct Parts {
    tags: Vec<(String, Option<String>)>,
    source: Option<String>,
    command: String,
    middles: Vec<String>,
    trailing: Option<String>,
}

impl Parts {
    fn draw(dice: &mut Dice) -> Parts {
        let tag = |dice: &mut Dice| {
            let value = (dice.below(3) > 0).then(|| text(dice, TEXT, 0, 6));
            (text(dice, KEY, 1, 3), value)
        };
        Parts {
            tags: (0..dice.below(5)).map(|_| tag(dice)).collect(),
            source: (dice.below(2) == 0).then(|| text(dice, WORD, 1, 8)),
            // Words that no protocol has: theirs keeps the parameters of a known command apart.
            command: format!("X{}", text(dice, &["A", "B", "c"], 1, 6)),
            middles: (0..dice.below(9)).map(|_| text(dice, WORD, 1, 5)).collect(),
            trailing: (dice.below(2) == 0).then(|| text(dice, TEXT, 0, 12)),
        }
    }

    fn parameters(&self) -> Vec<&str> {
        self.middles.iter().chain(&self.trailing).map(String::as_str).collect()
    }

    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut head = LineWriter::new(&mut out, Limits::FROM_SERVER);
        for (key, value) in &self.tags {
            head = head.tag(key, value.as_deref().unwrap_or_default());
        }
        if let Some(source) = &self.source {
            head = head.source(source);
        }
        let mut line = head.command(&self.command);
        for middle in &self.middles {
            line = line.middle(middle);
        }
        if let Some(trailing) = &self.trailing {
            line = line.trailing(trailing);
        }
        assert_eq!(line.end(), Fit::Whole);
        out
    }
}

fn tag_pairs(tags: Tags<'_>) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key.to_owned(), tag.value().into_owned())).collect()
}

fn their_pairs(tags: &Option<Vec<TheirTag>>) -> Vec<(String, String)> {
    let tags = tags.iter().flatten();
    tags.map(|TheirTag(key, value)| (key.clone(), value.clone().unwrap_or_default())).collect()
}

#[test]
fn what_we_write_they_read() {
    let mut dice = seeded("what_we_write_they_read");
    for _ in 0..rounds(2_000) {
        let parts = Parts::draw(&mut dice);
        let line = String::from_utf8(parts.write()).expect("UTF-8");
        let theirs: TheirMessage = line.parse().expect(&line);
        let mine = Message::parse(line.as_bytes()).expect(&line);
        assert_eq!(their_pairs(&theirs.tags), tag_pairs(mine.tags), "{line:?}");
        let expected: Vec<(String, String)> = parts
            .tags
            .iter()
            .cloned()
            .map(|(key, value)| (key, value.unwrap_or_default()))
            .collect();
        assert_eq!(tag_pairs(mine.tags), expected, "{line:?}");
        assert_eq!(theirs.prefix, mine.raw_source.map(Prefix::new_from_str), "{line:?}");
        assert_eq!(mine.raw_source, parts.source.as_deref(), "{line:?}");
        let Command::Raw(command, parameters) = theirs.command else { panic!("{line:?}") };
        assert_eq!((command.as_str(), parameters), (mine.command, strings(&mine.parameters)));
        assert_eq!(*mine.parameters, parts.parameters(), "{line:?}");
    }
}

#[test]
fn what_they_write_we_read() {
    let mut dice = seeded("what_they_write_we_read");
    for _ in 0..rounds(2_000) {
        let parts = Parts::draw(&mut dice);
        let tags = parts.tags.iter().map(|(key, value)| TheirTag(key.clone(), value.clone()));
        let tags = (!parts.tags.is_empty()).then(|| tags.collect());
        let source = parts.source.as_deref();
        let arguments = parts.parameters();
        let theirs = TheirMessage::with_tags(tags, source, &parts.command, arguments.clone());
        let theirs = theirs.expect("a raw command takes anything");
        let line = theirs.to_string();
        let mine = Message::parse(line.as_bytes()).expect(&line);
        assert_eq!(tag_pairs(mine.tags), their_pairs(&theirs.tags), "{line:?}");
        assert_eq!(mine.raw_source.map(Prefix::new_from_str), theirs.prefix, "{line:?}");
        assert_eq!(mine.command, parts.command, "{line:?}");
        assert_eq!(*mine.parameters, arguments, "{line:?}");
    }
}

#[test]
fn we_agree_on_lines_that_nobody_wrote_well() {
    let mut dice = seeded("we_agree_on_lines_that_nobody_wrote_well");
    for _ in 0..rounds(6_000) {
        // No tag, no source, no second space in front: there irc-proto keeps to the letter of
        // RFC 2812 (one space) and we to RFC 1459 (one or more).
        let line = format!("XY {}", text(&mut dice, TEXT, 0, 20).trim_start());
        let spaces = line.matches(' ').count();
        if spaces > 12 {
            continue; // it counts empty words towards its fourteen parameters
        }
        let theirs: TheirMessage = line.parse().expect(&line);
        let Command::Raw(_, parameters) = theirs.command else { panic!("{line:?}") };
        let mine = Message::parse(line.as_bytes()).expect(&line);
        assert_eq!(strings(&mine.parameters), parameters, "{line:?}");
    }
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn sources_come_apart_as_theirs_do() {
    let mut dice = seeded("sources_come_apart_as_theirs_do");
    for _ in 0..rounds(6_000) {
        let text = text(&mut dice, &["a", "!", "@", ".", "~", "é"], 0, 8);
        let mine = Source::parse(&text);
        assert_eq!(mine.to_string(), text);
        let (name, user, host) = match Prefix::new_from_str(&text) {
            Prefix::ServerName(name) => (name, String::new(), String::new()),
            Prefix::Nickname(name, user, host) => (name, user, host),
        };
        let parts = (mine.name, mine.user.unwrap_or(""), mine.host.unwrap_or(""));
        assert_eq!(parts, (name.as_str(), user.as_str(), host.as_str()), "{text:?}");
    }
}

#[test]
fn tag_values_survive_escaping() {
    let mut dice = seeded("tag_values_survive_escaping");
    for _ in 0..rounds(6_000) {
        let value = text(&mut dice, &["a", "s", "n", ":", ";", " ", "\\", "\r", "\n", "é"], 0, 12);
        let mut raw = Vec::new();
        tags::escape_into(&value, &mut raw);
        let raw = String::from_utf8(raw).expect("UTF-8");
        assert!(!raw.contains([';', ' ', '\r', '\n']), "{raw:?}");
        assert_eq!(tags::unescape(&raw), value);
    }
}

/// Bytes that look like IRC for long enough to reach every corner.
fn hostile_bytes(dice: &mut Dice) -> Vec<u8> {
    let pieces: &[&[u8]] = &[
        b"@",
        b":",
        b" ",
        b";",
        b"=",
        b"\\",
        b"+",
        b"a",
        b"PRIVMSG",
        b"001",
        b"#",
        b"!",
        b"\0",
        b"\r\n",
        b"\n",
        b"\r",
        b"\xff",
        b"\xf0\x9f",
        "é".as_bytes(),
        "😃".as_bytes(),
        b"label=x",
        b"\x7f",
        b"*",
        b"\x01",
    ];
    let mut bytes = Vec::new();
    for _ in 0..dice.below(40) {
        match dice.below(60) {
            0 => bytes.extend(std::iter::repeat_n(b'x', dice.one(&[505, 508, 511, 4090, 9000]))),
            1 => bytes.push(dice.number() as u8),
            _ => bytes.extend_from_slice(dice.one(pieces)),
        }
    }
    bytes
}

#[test]
fn any_bytes_are_a_message_that_survives_or_an_error() {
    let mut dice = seeded("any_bytes_are_a_message_that_survives_or_an_error");
    let mut messages = 0;
    for _ in 0..rounds(15_000) {
        let bytes = hostile_bytes(&mut dice);
        let Ok(message) = Message::parse(&bytes) else { continue };
        messages += 1;
        let mut out = Vec::new();
        let mut head = LineWriter::new(&mut out, Limits { tags: 50_000, body: 50_000 });
        for tag in message.tags.iter() {
            head = head.relay(tag);
        }
        if let Some(source) = message.raw_source {
            head = head.source(source);
        }
        let mut line = head.command(message.command);
        if let Some((last, middles)) = message.parameters.split_last() {
            for middle in middles {
                line = line.middle(middle);
            }
            line = line.trailing(last);
        }
        assert_eq!(line.end(), Fit::Whole);
        let again = Message::parse(&out).expect("what was written can be read");
        assert!(again.tags.iter().eq(message.tags.iter()), "{bytes:?}");
        assert_eq!(again.parameters, message.parameters, "{bytes:?}");
        // What only a second source or a second tag section could spell is written as `*`.
        let word = |text: &str| !text.is_empty() && !text.starts_with(':');
        if word(message.command) && !message.command.starts_with('@') {
            assert_eq!(again.command, message.command, "{bytes:?}");
        }
        if message.raw_source.is_some_and(word) {
            assert_eq!(again.raw_source, message.raw_source, "{bytes:?}");
        }
    }
    assert!(messages > 0, "the generator found no message at all");
}

#[test]
fn any_texts_make_one_line() {
    let mut dice = seeded("any_texts_make_one_line");
    for _ in 0..rounds(6_000) {
        let mut draw = || String::from_utf8_lossy(&hostile_bytes(&mut dice)).into_owned();
        let (key, value, source, command) = (draw(), draw(), draw(), draw());
        let (middle, trailing) = (draw(), draw());
        let mut out = Vec::new();
        let line = LineWriter::new(&mut out, Limits::FROM_SERVER)
            .tag(&key, &value)
            .source(&source)
            .command(&command)
            .middle(&middle)
            .trailing(&trailing);
        let fit = line.end();
        let kind = LineKind::Irc(Limits::FROM_SERVER);
        let Step::Line { bytes, used } = Framer::default().next(&out, kind) else {
            panic!("{out:?}")
        };
        assert_eq!(used, out.len(), "{out:?}");
        let message = Message::parse(bytes).expect("what was written can be read");
        if fit == Fit::Whole {
            assert_eq!(message.parameters.len(), 2, "{out:?}");
            let harmless = trailing.replace(['\0', '\r', '\n'], " ");
            assert_eq!(message.parameters[1], harmless, "{out:?}");
        }
    }
}

#[derive(Debug, PartialEq)]
enum Found {
    Line(Vec<u8>),
    TooLong,
}

/// What the framer has to find, said slowly: all lines at hand, each measured as a whole.
fn found_slowly(input: &[u8], limits: Limits) -> Vec<Found> {
    let mut lines: Vec<&[u8]> = input.split(|byte| matches!(byte, b'\r' | b'\n')).collect();
    let unfinished = lines.pop().unwrap_or_default();
    let too_long = |line: &[u8]| {
        let space = line.iter().position(|byte| *byte == b' ');
        let tags = match (line.first(), space) {
            (Some(b'@'), Some(space)) => space + 1,
            (Some(b'@'), None) => line.len() + 1,
            _ => 0,
        };
        tags > limits.tags || line.len().saturating_sub(tags) + 2 > limits.body
    };
    let mut found = Vec::new();
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        found.push(if too_long(line) { Found::TooLong } else { Found::Line(line.to_vec()) });
    }
    found.extend(too_long(unfinished).then_some(Found::TooLong));
    found
}

#[test]
fn cutting_the_stream_changes_nothing() {
    let mut dice = seeded("cutting_the_stream_changes_nothing");
    for _ in 0..rounds(400) {
        let limits = dice.one(&[
            Limits::FROM_CLIENT,
            Limits::FROM_SERVER,
            Limits { tags: 9, body: 12 },
            Limits { tags: 2, body: 3 },
        ]);
        let input: Vec<u8> = (0..6).flat_map(|_| hostile_bytes(&mut dice)).collect();
        let most = dice.one(&[1, 3, 50, 2_000]);
        let (mut framer, kind) = (Framer::default(), LineKind::Irc(limits));
        let (mut kept, mut found, mut arrived) = (Vec::new(), Vec::new(), 0);
        while arrived < input.len() {
            let chunk = (1 + dice.below(most)).min(input.len() - arrived);
            kept.extend_from_slice(&input[arrived..arrived + chunk]);
            arrived += chunk;
            loop {
                let (used, more) = match framer.next(&kept, kind) {
                    Step::Incomplete { used } => (used, false),
                    Step::Line { bytes, used } => {
                        found.push(Found::Line(bytes.to_vec()));
                        framer.taken(false);
                        (used, true)
                    }
                    Step::TooLong { used, .. } => {
                        found.push(Found::TooLong);
                        framer.taken(true);
                        (used, true)
                    }
                };
                kept.drain(..used);
                if !more {
                    break;
                }
            }
            assert!(kept.len() <= kind.longest());
        }
        assert_eq!(found, found_slowly(&input, limits), "{limits:?} {input:?}");
    }
}

/// A matcher whose correctness one can see, and whose cost one had better not.
fn matches_slowly(mask: &[u8], text: &[u8]) -> bool {
    match (mask, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            matches_slowly(rest, text) || (!text.is_empty() && matches_slowly(mask, &text[1..]))
        }
        ([b'?', rest @ ..], [_, left @ ..]) => matches_slowly(rest, left),
        ([wanted, rest @ ..], [letter, left @ ..]) => {
            wanted.eq_ignore_ascii_case(letter) && matches_slowly(rest, left)
        }
        _ => false,
    }
}

#[test]
fn masks_match_what_a_slow_matcher_matches() {
    let mut dice = seeded("masks_match_what_a_slow_matcher_matches");
    let mut hits = 0;
    for _ in 0..rounds(15_000) {
        let pattern = text(&mut dice, &["a", "A", "b", "é", "*", "*", "?"], 0, 8);
        let text = text(&mut dice, &["a", "b", "é", "*", "?"], 0, 8);
        let slow = matches_slowly(pattern.as_bytes(), text.as_bytes());
        assert_eq!(glob(&pattern, &text), slow, "{pattern} {text}");
        hits += usize::from(slow);
    }
    assert!(hits > 0, "the generator found no match at all");
}
