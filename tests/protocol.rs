//! `docs/PROTOCOL.md` compared with a real server: every dialogue is run line by line; every command
//! in `/help` has a section with its usage, its aliases and an example, and every example and section
//! is about an existing command.
//!
//! The page explains the notation. Times, ports and delays are masked on both sides; everything
//! else is compared literally. A dialogue must be complete: it fails if a client receives a line
//! that the page does not show.
//!
//! Absent: the prose between the dialogues.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking, as tests do

#[allow(unused_macros)] // the dialect does not depend on the backend
mod common;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use common::{Client, Server};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

const PAGE: &str = include_str!("../docs/PROTOCOL.md");

/// The server operator of dialogues marked `operator`.
const OPERATOR: (&str, &str) = ("root", "open-sesame");

/// Dialogues run at the same time; they mostly wait for their servers.
const AT_ONCE: usize = 8;

/// One fenced dialogue.
struct Dialogue {
    /// Where it begins in the page, for the error message.
    line: usize,
    /// The words after `chat`.
    flags: Vec<&'static str>,
    steps: Vec<&'static str>,
}

/// One line of a dialogue.
#[derive(Debug)]
enum Step {
    /// `alice, bob:` are in the lobby.
    There(Vec<&'static str>),
    /// `carol +` connects.
    Connects(&'static str),
    /// `bob -` is closed.
    Closed(&'static str),
    /// `alice> text`
    Sends(&'static str, &'static str),
    /// `bob< text`
    Receives(&'static str, &'static str),
}

fn dialogues() -> Vec<Dialogue> {
    let mut found: Vec<Dialogue> = Vec::new();
    let mut inside = false;
    for (number, line) in PAGE.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```chat") {
            let flags = info.split_whitespace().collect();
            found.push(Dialogue { line: number + 1, flags, steps: Vec::new() });
            inside = true;
        } else if line == "```" {
            inside = false;
        } else if inside {
            found.last_mut().unwrap().steps.push(line);
        }
    }
    found
}

fn step(text: &'static str) -> Step {
    let sign = text.find(['>', '<', '+', '-', ':']).unwrap_or_else(|| panic!("no step: {text}"));
    let (who, rest) = (text[..sign].trim_end(), &text[sign + 1..]);
    let words = rest.strip_prefix(' ').unwrap_or(rest);
    match &text[sign..=sign] {
        ">" => Step::Sends(who, words),
        "<" => Step::Receives(who, words),
        "+" => Step::Connects(who),
        "-" => Step::Closed(who),
        _ => Step::There(who.split(", ").collect()),
    }
}

/// The server and the clients of one dialogue.
struct Cast {
    server: Server,
    people: BTreeMap<&'static str, Client>,
    /// The last sender, until a client receives something.
    unheard: Option<&'static str>,
}

impl Cast {
    fn play(&mut self, step: Step) {
        match step {
            Step::There(names) => names.into_iter().for_each(|name| self.introduce(name)),
            Step::Connects(name) => {
                let known = self.people.insert(name, Client::connect(self.server.address));
                assert!(known.is_none(), "{name} is there already");
            }
            Step::Closed(name) => {
                let rest = self.people.remove(name).unwrap().rest();
                assert_eq!(show(&rest).trim_end_matches("^[[0m"), "", "left for {name}");
            }
            Step::Sends(name, words) => {
                let other = self.unheard.replace(name).filter(|other| *other != name);
                assert!(
                    other.is_none(),
                    "no line for {other:?} was received: the order of the two is undefined"
                );
                self.person(name).send(format!("{words}\n"));
            }
            Step::Receives(name, expected) => {
                self.unheard = None;
                let line = show(&self.person(name).line());
                assert_eq!(masked(line.trim_end()), masked(expected.trim_end()), "to {name}");
            }
        }
    }

    fn person(&mut self, name: &str) -> &mut Client {
        self.people.get_mut(name).unwrap_or_else(|| panic!("{name} is not there"))
    }

    /// Connects a client under its name; it and the others have read every line about it.
    fn introduce(&mut self, name: &'static str) {
        let mut client = self.server.join();
        client.send(format!("/nick {name}\n"));
        while !client.line().ends_with(&format!("you are now known as {name}")) {}
        for other in self.people.values_mut() {
            while !other.line().ends_with(&format!(" is now known as {name}")) {}
        }
        self.people.insert(name, client);
    }
}

/// Control characters as `cat -v` shows them.
fn show(text: &str) -> String {
    let caret = |out: &mut String, character: char| {
        if character.is_ascii_control() {
            let shown = char::from(character as u8 ^ 0x40);
            write!(out, "^{shown}").unwrap();
        } else {
            out.push(character);
        }
    };
    text.chars().fold(String::new(), |mut out, character| {
        caret(&mut out, character);
        out
    })
}

/// The line without what differs between runs: `2026-01-31 12:30`, `127.0.0.1:54321`, `idle 1s`, `in 2 s`,
/// the token of an upload.
fn masked(line: &str) -> String {
    let mut out = String::new();
    let mut line = line.to_owned();
    if let Some(start) = line.find("/upload/").map(|start| start + "/upload/".len()) {
        line.replace_range(start..start + 32, "TOKEN");
    }
    let mut rest = line.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let shape: String =
            from.chars().take(16).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let used = if shape == "9999-99-99 99:99" {
            out.push_str("TIME");
            16
        } else if let Some(port) = from.strip_prefix("127.0.0.1:") {
            out.push_str("127.0.0.1:PORT");
            from.len() - port.len() + digits(port)
        } else if before.ends_with("idle ") || before.ends_with("try again in ") {
            out.push_str("SPAN");
            digits(from)
        } else {
            out.push_str(&from[..digits(from)]);
            digits(from)
        };
        rest = &from[used..];
    }
    out + rest
}

/// A hash that is cheap to verify, since security does not matter here.
fn operator() -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(OPERATOR.1.as_bytes()).unwrap();
    format!("{}:{hash}", OPERATOR.0)
}

fn hold(dialogue: &Dialogue) {
    let operator = operator();
    let flags: Vec<&str> = dialogue
        .flags
        .iter()
        .flat_map(|flag| match *flag {
            "operator" => vec!["--oper", &operator],
            flag => vec![flag],
        })
        .collect();
    let server = Server::start(&flags);
    let mut cast = Cast { server, people: BTreeMap::new(), unheard: None };
    for text in &dialogue.steps {
        cast.play(step(text));
    }
    assert_eq!(cast.unheard, None, "the last line must have an effect");
    for (name, client) in &mut cast.people {
        client.send("/fence\n");
        let line = client.line();
        assert!(line.contains("/fence"), "{name} received more: {line}");
    }
}

#[test]
fn every_dialogue_goes_as_written() {
    let (dialogues, next) = (dialogues(), AtomicUsize::new(0));
    assert!(dialogues.len() > 50, "the dialogues were found");
    let work = || {
        let mut failed = Vec::new();
        while let Some(dialogue) = dialogues.get(next.fetch_add(1, Ordering::Relaxed)) {
            if std::panic::catch_unwind(|| hold(dialogue)).is_err() {
                failed.push(dialogue.line);
            }
        }
        failed
    };
    let failed: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "see above; the dialogues of PROTOCOL.md at lines {failed:?}");
}

/// The reply to `/help`, without `* ` and the two lines that are not about commands.
fn help(client: &mut Client, command: &str) -> Vec<String> {
    client.send(format!("/help {command}\n/fence\n"));
    let mut lines = Vec::new();
    loop {
        let line = client.line();
        if line.contains("/fence") {
            return lines;
        }
        lines.push(line.strip_prefix("* ").unwrap().to_owned());
    }
}

/// The sections about commands: usage, and the text up to the next heading.
fn sections() -> BTreeMap<&'static str, &'static str> {
    let sections = PAGE.split("\n### `/").skip(1).map(|section| {
        let (form, text) = section.split_once("`\n").unwrap();
        (form, text.split("\n#").next().unwrap())
    });
    sections.collect()
}

#[test]
fn every_command_has_a_section_and_an_example() {
    let server = Server::start(&[]);
    let mut client = server.join();
    let lines = help(&mut client, "all");
    let commands = lines.iter().filter(|line| line.starts_with('/') && !line.starts_with("//"));
    let names: Vec<&str> =
        commands.map(|line| line[1..].split_whitespace().next().unwrap()).collect();
    assert!(names.len() > 40, "{names:?}");
    let mut sections = sections();
    for name in names {
        let told = help(&mut client, name);
        let form = told[0].split_once(": ").unwrap().0.trim_start_matches('/');
        let text = sections.remove(form);
        let text = text.unwrap_or_else(|| panic!("the page has no section '### `/{form}`'"));
        let other = told.get(1).and_then(|line| line.strip_prefix("also: "));
        let also = text.replace('\n', " ");
        let also = also.split_once("Also: ").map(|(_, also)| also.split_once(". ").unwrap().0);
        let expected = other.map(|other| format!("`{}`", other.replace(", ", "`, `")));
        assert_eq!(also, expected.as_deref(), "the aliases of /{name}");
        let sent = format!("> /{name}");
        let example = text.lines().filter_map(|line| line.find(&sent).map(|at| &line[at..]));
        let example =
            example.filter(|line| line.len() == sent.len() || line[sent.len()..].starts_with(' '));
        assert!(example.count() > 0, "the section of /{name} has no example of it");
    }
    assert!(sections.is_empty(), "no such command: {sections:?}");
}

#[test]
fn every_command_in_an_example_is_one() {
    let server = Server::start(&[]);
    let mut client = server.join();
    let mut sent = BTreeSet::new();
    for dialogue in dialogues() {
        for pair in dialogue.steps.windows(2) {
            let refused = pair[1].contains("* unknown command");
            if let Step::Sends(_, words) = step(pair[0])
                && words.starts_with('/')
                && !words.starts_with("//")
                && !refused
            {
                sent.insert(words.split_whitespace().next().unwrap());
            }
        }
    }
    assert!(sent.len() > 40, "{sent:?}");
    for name in sent {
        let told = help(&mut client, name);
        assert!(told[0].starts_with('/'), "{name} is not in /help: {told:?}");
    }
}
