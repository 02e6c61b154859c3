//! The terms of every text that a person can see: the README, the pages in `docs/`, `--help`, the
//! messages in `src/`, and comments. A retired term is reported together with the one to use instead.
//!
//! Absent: names in the code, and whether a sentence is a good one.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking, as tests do

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a term is retired.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Everywhere,
    /// In messages, help, README and PROTOCOL.md; the pages about the code may use it.
    ForUsers,
}
use Scope::{Everywhere, ForUsers};

/// A retired term, and what to write.
const RETIRED: [(&str, Scope, &str); 52] = [
    ("put out of", Everywhere, "kicked, killed"),
    ("put you out", Everywhere, "kicked, killed"),
    ("ended your session", Everywhere, "killed"),
    ("off the server", Everywhere, "server ban"),
    ("the past", Everywhere, "history"),
    ("past of", Everywhere, "history of"),
    ("form:", Everywhere, "usage: …"),
    ("its form", ForUsers, "its usage"),
    ("is no room", Everywhere, "invalid room name"),
    ("is no nick", Everywhere, "invalid nick"),
    ("is no mask", Everywhere, "invalid mask"),
    ("is no key", Everywhere, "invalid key"),
    ("no TOML", Everywhere, "invalid TOML"),
    ("doubled", Everywhere, "duplicated"),
    ("torn", Everywhere, "corrupted"),
    ("unsent backlog", Everywhere, "send queue"),
    ("outbox", ForUsers, "send queue"),
    ("outboxes", ForUsers, "send queues"),
    ("stops in order", Everywhere, "shuts down gracefully"),
    ("gets a goodbye", Everywhere, "is notified"),
    ("get a goodbye", Everywhere, "are notified"),
    ("reads the file again", Everywhere, "reloads the configuration"),
    ("reads it again", Everywhere, "reloads it"),
    ("refused", Everywhere, "rejected, denied, exceeded"),
    ("refuses", Everywhere, "rejects, denies"),
    ("let us in", Everywhere, "rejected"),
    ("strikes", Everywhere, "is exceeded"),
    ("prove that an account", Everywhere, "log in"),
    ("comes back by itself", Everywhere, "reconnects"),
    ("next attempt", Everywhere, "reconnecting in"),
    ("something to say", Everywhere, "message"),
    ("say something", Everywhere, "send a message"),
    ("what was said", Everywhere, "history, messages"),
    ("your words", Everywhere, "your messages"),
    ("own words", Everywhere, "messages from the server"),
    ("first word", Everywhere, "protocol detection"),
    ("journal", ForUsers, "data directory, database"),
    ("looks of", Everywhere, "style"),
    ("lively", Everywhere, "verbosity"),
    ("blank", ForUsers, "space"),
    ("blanks", ForUsers, "spaces"),
    ("hear", Everywhere, "receive"),
    ("hears", Everywhere, "receives"),
    ("heard", Everywhere, "received"),
    ("hearers", Everywhere, "recipients"),
    ("for ever", Everywhere, "permanently"),
    ("of its own", Everywhere, "separate"),
    ("nobody", Everywhere, "no one"),
    ("anybody", Everywhere, "anyone"),
    ("somebody", Everywhere, "a user, someone"),
    ("is none", Everywhere, "there is no …"),
    ("whoever", Everywhere, "a user who"),
];

/// Uses of a retired term that are right, and why.
const ALLOWED: [(&str, &str); 10] = [
    ("connection refused", "the operating system's text for ECONNREFUSED"),
    ("the past tense", "grammar"),
    ("there is none", "nothing is there"),
    ("There is none", "nothing is there"),
    ("there is no room", "no space"),
    ("first word of", "the first of several words"),
    ("for a first word that", "the first of several words"),
    ("by its first word", "the first of several words"),
    ("prompt of its own client", "the client's"),
    ("whoever renews it", "a program or a person"),
];

/// For whom a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    User,
    /// A page about the code.
    Developer,
    /// A comment, whose sentences may be halves of one: "Who may enter".
    Comment,
}
use Reader::{Comment, Developer, User};

/// One text that a person reads.
struct Text {
    place: String,
    text: String,
    reader: Reader,
}

/// The retired terms in a text, each with its replacement.
fn retired(text: &str, reader: Reader) -> Vec<String> {
    let right = |text: String, (allowed, _): &(&str, &str)| text.replace(allowed, "…");
    let text = ALLOWED.iter().fold(text.to_owned(), right);
    let applies = |scope: Scope| scope == Everywhere || reader == User;
    let terms = RETIRED.iter().filter(|(term, scope, _)| applies(*scope) && has(&text, term));
    let mut found: Vec<String> =
        terms.map(|(term, _, instead)| format!("\"{term}\": write {instead}")).collect();
    if reader != Comment && opens_with_who(&text) {
        found.push("a sentence opens with \"Who\": put the subject first".to_owned());
    }
    found
}

/// Whether `term` stands in `text` as words. A hyphen joins words, as in `--outbox-hard`.
fn has(text: &str, term: &str) -> bool {
    let (text, term) = (text.to_lowercase(), term.to_lowercase());
    let joins = |letter: char| letter.is_alphanumeric() || "-_/".contains(letter);
    text.match_indices(&term).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + term.len()..]);
        !before.ends_with(joins) && !after.starts_with(joins)
    })
}

fn opens_with_who(text: &str) -> bool {
    text.match_indices("Who ").any(|(at, _)| {
        let opens = text[..at].trim_end().chars().next_back();
        let end = text[at..].find(['.', '?', '!']).map(|end| &text[at + end..=at + end]);
        opens.is_none_or(|last| ".:!?|*".contains(last)) && end != Some("?")
    })
}

/// A page in paragraphs, so that a term is found across a line break.
fn paragraphs(name: &str, page: &str, reader: Reader) -> Vec<Text> {
    let mut found = Vec::new();
    let mut start = 0;
    for (number, line) in page.lines().chain([""]).enumerate() {
        if line.trim().is_empty() {
            let lines: Vec<&str> = page.lines().skip(start).take(number - start).collect();
            let text = lines.join(" ");
            found.push(Text { place: format!("{name}:{}", start + 1), text, reader });
            start = number + 1;
        }
    }
    found
}

fn pages() -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    let mut pages = vec![root.join("README.md")];
    pages.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    for page in pages.iter().filter(|page| page.extension().is_some_and(|it| it == "md")) {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let for_users = ["README.md", "PROTOCOL.md"].contains(&name.as_str());
        let reader = if for_users { User } else { Developer };
        texts.extend(paragraphs(&name, &fs::read_to_string(page).unwrap(), reader));
    }
    texts
}

/// `--help` of a program, and of each of its subcommands.
fn help(program: &str) -> Vec<Text> {
    let run = |arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let name = Path::new(program).file_name().unwrap().to_string_lossy().into_owned();
    let main = run(&[]);
    let commands = main.split_once("Commands:\n").map_or("", |(_, commands)| commands);
    let commands = commands.lines().map_while(|line| line.strip_prefix("  "));
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let mut texts = paragraphs(&name, &main, User);
    for command in commands.filter(|command| *command != "help") {
        texts.extend(paragraphs(&format!("{name} {command}"), &run(&[command]), User));
    }
    texts
}

/// The string literals of a source file up to its tests, with their lines.
fn literals(source: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source);
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let from = &rest[at..];
        let raw = rest[..at].trim_end_matches('#');
        let hashes = at - raw.len();
        let is_raw = raw.ends_with('r') && !raw[..raw.len() - 1].ends_with(char::is_alphanumeric);
        let end = if from.starts_with("//") {
            from.find('\n').unwrap_or(from.len())
        } else if let Some(inner) = from.strip_prefix('\'') {
            // A character; otherwise a lifetime.
            let escaped = inner.starts_with('\\');
            let close = inner.char_indices().skip(if escaped { 2 } else { 1 });
            let mut close = close.filter(|(_, letter)| *letter == '\'').map(|(at, _)| at + 2);
            let is_character = escaped || inner.chars().nth(1) == Some('\'');
            if is_character { close.next().unwrap_or(1) } else { 1 }
        } else if let Some(inner) = from.strip_prefix('"') {
            let close = if is_raw {
                inner.find(&format!("\"{}", "#".repeat(hashes)))
            } else {
                let mut escaped = false;
                inner.char_indices().find_map(|(at, letter)| {
                    let end = letter == '"' && !escaped;
                    escaped = letter == '\\' && !escaped;
                    end.then_some(at)
                })
            };
            let close = close.expect("every string ends");
            let line = source[..source.len() - rest.len() + at].lines().count();
            found.push((line, inner[..close].replace("\\\n", " ")));
            close + 2
        } else {
            1
        };
        rest = &from[end..];
    }
    found
}

/// The source files below a folder, each with its path from the root and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() && !entry.ends_with("target") {
                walk(&entry, found);
            } else if entry.extension().is_some_and(|it| it == "rs") {
                found.push(entry);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join(folder), &mut files);
    let name = |file: &Path| file.strip_prefix(root).unwrap().display().to_string();
    files.iter().map(|file| (name(file), fs::read_to_string(file).unwrap())).collect()
}

/// Every comment of a source file in paragraphs; what is not one is an empty line between two.
fn comments(name: &str, source: &str) -> Vec<Text> {
    fn comment(line: &str) -> &str {
        let line = line.trim_start().strip_prefix("//");
        line.map_or("", |text| text.trim_start_matches(['/', '!']).trim())
    }
    let page: Vec<&str> = source.lines().map(comment).collect();
    paragraphs(name, &page.join("\n"), Comment)
}

/// Every string in `src/` with a space in it: the others are keys, names and formats.
fn messages() -> Vec<Text> {
    let is_test = |name: &str| {
        ["/tests/", "/examples/"].iter().any(|it| name.contains(it)) || name.ends_with("tests.rs")
    };
    let mut texts = Vec::new();
    for (name, source) in sources("src").into_iter().filter(|(name, _)| !is_test(name)) {
        let strings = literals(&source).into_iter().filter(|(_, text)| text.contains(' '));
        texts.extend(strings.map(|(line, text)| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Text { place: format!("{name}:{line}"), text, reader: User }
        }));
    }
    texts
}

fn all_comments() -> Vec<Text> {
    let files = sources("src").into_iter().chain(sources("tests"));
    let files = files.filter(|(name, _)| name != "tests/words.rs");
    files.flat_map(|(name, source)| comments(&name, &source)).collect()
}

fn complain(texts: &[Text]) {
    let mut complaints = BTreeSet::new();
    for Text { place, text, reader } in texts {
        for fault in retired(text, *reader) {
            complaints.insert(format!("{place}: {fault}"));
        }
    }
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "retired terms:\n{}", complaints.join("\n"));
}

#[test]
fn no_page_uses_a_retired_term() {
    let pages = pages();
    assert!(pages.len() > 300, "the pages were read: {}", pages.len());
    complain(&pages);
}

#[test]
fn no_help_uses_a_retired_term() {
    let programs = [
        Some(env!("CARGO_BIN_EXE_chatloop-server")),
        Some(env!("CARGO_BIN_EXE_chatloop-client")),
        option_env!("CARGO_BIN_EXE_chatloop-lab"), // with its feature only
    ];
    for program in programs.into_iter().flatten() {
        let help = help(program);
        assert!(help.len() > 5, "{program} --help was read");
        complain(&help);
    }
}

#[test]
fn no_message_uses_a_retired_term() {
    let messages = messages();
    assert!(messages.len() > 700, "the messages were read: {}", messages.len());
    complain(&messages);
}

#[test]
fn no_comment_uses_a_retired_term() {
    let comments = all_comments();
    assert!(comments.len() > 5_000, "the comments were read: {}", comments.len());
    complain(&comments);
}

#[test]
fn every_exception_is_needed() {
    let mut texts = pages();
    texts.extend(messages());
    texts.extend(all_comments());
    for (allowed, why) in ALLOWED {
        let used = texts.iter().any(|it| it.text.contains(allowed));
        assert!(used, "\"{allowed}\" ({why}) does not occur any more");
    }
}

/// The rules themselves: they find what they are for, across a line break, and nothing else.
#[test]
fn the_rules_tell_retired_terms_from_others() {
    for text in [
        "Who says nothing is greeted in plain lines.",
        "It waits. Who reads slowly costs its own queue.",
        "The first word tells them apart.",
        "goodbye: without the password nobody gets in",
        "\"rust\" is no room; a room's name begins with #: #rust",
        "the text is missing; form: /msg NICK TEXT",
        "your words go to #lobby now",
        "3 lost, 0 doubled",
        "Every limit says its name when it strikes",
        "is banned for ever",
    ] {
        assert!(!retired(text, User).is_empty(), "{text}");
    }
    for text in [
        "Who is online?",
        "could not connect to [::1]:7777: connection refused",
        "--outbox-soft must not be above --outbox-hard",
        "platform, information, stubborn, forms",
        "invalid room name \"rust\": room names begin with # (try #rust)",
    ] {
        assert_eq!(retired(text, User), [""; 0], "{text}");
    }
    assert_eq!(retired("the outbox of the journal", Developer), [""; 0]);
    let page = paragraphs("a page", "one\ntwo\n\nkept for\never\n", Developer);
    let places: Vec<&str> = page.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(places, ["a page:1", "a page:4"]);
    assert_eq!(retired(&page[1].text, Developer).len(), 1);
    let found = comments("a file", "/// Kept for\n/// ever.\nfn f() {\n    // No one\n}\n");
    let texts: Vec<&str> = found.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["Kept for ever.", "No one"]);
    let source = "let a = 'x'; // \"no\"\nlet b: &'static str = \"one \\\" two\";\nlet c = r#\"three \"four\"\"#;";
    let strings = literals(source);
    let expected = [(2, "one \\\" two".to_owned()), (3, "three \"four\"".to_owned())];
    assert_eq!(strings, expected);
}
