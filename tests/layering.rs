//! Does the source keep to the house's rules? Read as text, so that a broken rule fails a test
//! and not a reviewer's patience.
//!
//! The rules: which module may import which; where the system's crates and `unsafe` may appear;
//! what every file begins with and how long it may be; what lies at the top level.
//!
//! A small lexer blanks comments and literals first, so prose may say what code may not.

// The helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Module, and what it may import of the others.
const HOUSE: &[(&str, &[&str])] = &[
    ("reactor", &[]),
    ("chat", &[]),
    ("wire", &[]),
    ("terminal", &[]),
    ("session", &["chat", "wire"]),
    ("journal", &["chat"]),
    ("client", &["reactor", "wire", "terminal"]),
    ("lab", &["reactor", "wire"]),
    ("server", &["reactor", "chat", "wire", "session", "journal"]),
];

/// File, and the one module it imports beside those of its house. Why, stands in the file.
const EXCEPTIONS: &[(&str, &str)] = &[("server/console.rs", "terminal")];

/// Program, and the one module it starts.
const PROGRAMS: &[(&str, &str)] =
    &[("chatloop-server", "server"), ("chatloop-client", "client"), ("chatloop-lab", "lab")];

/// The crates that talk to the system, and the modules that may use them (and `unsafe`).
const SYSTEM_CRATES: &[&str] = &["libc", "nix", "socket2", "signal_hook"];
const SYSTEM_MODULES: &[&str] = &["reactor", "terminal"];

/// Lines of a file. About 500 are wanted; this is where it stops being "about".
const LONGEST_FILE: usize = 600;

/// Lines above an `unsafe` in which its SAFETY comment begins or ends.
const SAFETY_DISTANCE: usize = 6;

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "src", "tests", "scripts", "docs"];

/// One source file: where it is, what it says, and its code alone.
struct Source {
    path: PathBuf,
    /// The modules from the crate's root to it, as in `["reactor", "poller", "epoll"]`.
    module: Vec<String>,
    text: String,
    code: String,
}

impl Source {
    /// The top-level module it belongs to; empty for `lib.rs` and programs.
    fn home(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    rust_files(&root().join("src"), &mut paths);
    assert!(paths.len() > 20, "the source was not found");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let inside = path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let mut module: Vec<String> =
            inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        if module.first().is_some_and(|first| first == "bin") {
            module.clear();
        }
        Source { code: code_of(&text), path, module, text }
    };
    paths.into_iter().map(read).collect()
}

/// The text with comments and the insides of literals blanked, line for line.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            at + find(rest, b"*/").map_or(rest.len(), |place| place + 2)
        } else if let Some(length) = raw_string(rest).filter(|_| !follows_a_word(bytes, at)) {
            at + length
        } else if rest[0] == b'"' {
            at + quoted(rest, b'"')
        } else if rest[0] == b'\'' && is_character(rest) {
            at + quoted(rest, b'\'')
        } else {
            at += 1;
            continue;
        };
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(code).unwrap()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn follows_a_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && is_word(bytes[at - 1])
}

/// Length of the raw string that begins here, if one does.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"br").or_else(|| rest.strip_prefix(b"r"))?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    if after.get(hashes) != Some(&b'"') {
        return None;
    }
    let start = rest.len() - after.len() + hashes + 1;
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    Some(find(&rest[start..], &close).map_or(rest.len(), |place| start + place + close.len()))
}

/// Length of the quoted literal that begins here.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A character literal, and not a lifetime: `'\n'`, `'x'`, `'é'`.
fn is_character(rest: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(8)]).into_owned();
    let mut characters = text.chars();
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

/// The places where `word` stands as a whole word.
fn places(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let whole = |place: &usize| {
        !follows_a_word(bytes, *place)
            && !bytes.get(place + word.len()).is_some_and(|byte| is_word(*byte))
    };
    code.match_indices(word).map(|(place, _)| place).filter(whole).collect()
}

fn line_of(code: &str, place: usize) -> usize {
    code[..place].matches('\n').count() + 1
}

/// The first names of what follows a `::`: one, or those of a `{…}` list.
fn first_names(after: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = after.trim_start().strip_prefix('{') else { return vec![name(after)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (place, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&list[start..place]));
                start = place + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// How many inline modules (`mod tests {`) enclose this place; rustfmt keeps their braces in line.
fn inline_depth(code: &str, place: usize) -> usize {
    let mut open: Vec<usize> = Vec::new();
    for line in code[..place].lines() {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim_start();
        if text == "}" && open.last() == Some(&indent) {
            open.pop();
        }
        let text = text.strip_prefix("pub").unwrap_or(text);
        let text = text.trim_start_matches(|c: char| c != 'm' && c != '{');
        if text.starts_with("mod ") && text.trim_end().ends_with('{') {
            open.push(indent);
        }
    }
    open.len()
}

/// Top-level modules that a file reaches, with the lines where it does.
fn imports(source: &Source) -> Vec<(String, usize)> {
    let code = &source.code;
    let mut found = Vec::new();
    for crate_name in ["crate", "chatloop"] {
        for place in places(code, crate_name) {
            if let Some(after) = code[place + crate_name.len()..].trim_start().strip_prefix("::") {
                let line = line_of(code, place);
                found.extend(first_names(after).into_iter().map(|name| (name, line)));
            }
        }
    }
    for place in places(code, "chatloop_reactor") {
        // lib.rs only gives it a second name.
        if source.home() != "reactor" && !source.path.ends_with("src/lib.rs") {
            found.push(("reactor".to_owned(), line_of(code, place)));
        }
    }
    for place in places(code, "super") {
        if code[..place].trim_end().ends_with("::") {
            continue; // in the middle of a chain
        }
        let (mut after, mut steps) = (&code[place..], 0);
        while let Some(next) = after.strip_prefix("super::") {
            (after, steps) = (next, steps + 1);
        }
        if steps == source.module.len() + inline_depth(code, place) {
            let line = line_of(code, place);
            found.extend(first_names(after).into_iter().map(|name| (name, line)));
        }
    }
    found
}

/// Fails with all that is wrong, and not only the first.
fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

fn shown(source: &Source, line: usize) -> String {
    format!("{}:{line}", source.path.strip_prefix(root()).unwrap().display())
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for source in sources() {
        let program =
            PROGRAMS.iter().find(|(name, _)| source.path.ends_with(format!("bin/{name}.rs")));
        let allowed: Vec<&str> = match (source.home(), program) {
            ("", Some((_, part))) => vec![*part],
            ("", None) => vec![],
            (home, _) => {
                let row = HOUSE.iter().find(|(module, _)| *module == home);
                let Some((_, allowed)) = row else {
                    wrong
                        .push(format!("{}: '{home}' has no place in the house", shown(&source, 1)));
                    continue;
                };
                allowed.iter().copied().chain([home]).collect()
            }
        };
        let excepted = EXCEPTIONS.iter().find(|(file, _)| source.path.ends_with(file));
        for (name, line) in imports(&source) {
            if excepted.is_some_and(|(_, module)| *module == name) {
                continue;
            }
            if HOUSE.iter().any(|(module, _)| *module == name) && !allowed.contains(&&*name) {
                wrong.push(format!("{} imports {name}", shown(&source, line)));
            }
        }
    }
    assert_none("an import points up or sideways", &wrong);
}

#[test]
fn only_two_modules_talk_to_the_system() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !SYSTEM_MODULES.contains(&source.home())) {
        for name in SYSTEM_CRATES {
            for place in places(&source.code, name) {
                wrong.push(format!("{} uses {name}", shown(source, line_of(&source.code, place))));
            }
        }
        for place in places(&source.code, "unsafe") {
            wrong.push(format!("{} says unsafe", shown(source, line_of(&source.code, place))));
        }
    }
    assert_none("only reactor/ and terminal/ may", &wrong);
}

#[test]
fn every_unsafe_says_why_it_is_safe() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for place in places(&source.code, "unsafe") {
            seen += 1;
            let line = line_of(&source.code, place);
            let before = &lines[line.saturating_sub(1 + SAFETY_DISTANCE)..line];
            if !before.iter().any(|text| text.contains("SAFETY: ") || text.contains("# Safety")) {
                wrong.push(shown(&source, line));
            }
        }
    }
    assert!(seen > 5, "the pollers have some");
    assert_none("unsafe without a SAFETY line", &wrong);
}

/// Its own name aside, neither code nor comments of the reactor say what a program makes of it.
#[test]
fn the_reactor_does_not_know_what_it_is_for() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.home() == "reactor") {
        for (number, line) in source.text.lines().enumerate() {
            let line = line.replace("chatloop_reactor", "").replace("chatloop-reactor", "");
            if line.to_lowercase().contains("chat") {
                wrong.push(format!("{} {}", shown(source, number + 1), line.trim()));
            }
        }
    }
    assert_none("the reactor says 'chat'", &wrong);
}

#[test]
fn pure_modules_have_no_sockets_files_threads_or_clocks() {
    const IMPURE: &[&str] = &["std::net", "std::fs", "std::thread", "Instant", "SystemTime"];
    let mut wrong = Vec::new();
    for source in sources() {
        if !["chat", "wire", "session"].contains(&source.home()) {
            continue;
        }
        for name in IMPURE {
            for place in places(&source.code, name) {
                wrong.push(format!("{} uses {name}", shown(&source, line_of(&source.code, place))));
            }
        }
    }
    assert_none("not pure", &wrong);
}

#[test]
fn a_file_answers_one_question_and_says_which() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!(
                "{} has {lines} lines: look for the second question",
                shown(&source, 1)
            ));
        }
        if !source.text.starts_with("//! ") {
            wrong.push(format!("{} does not begin with its question", shown(&source, 1)));
        }
        for name in ["todo", "unimplemented", "dbg"] {
            for place in places(&source.code, name) {
                if source.code[place + name.len()..].starts_with('!') {
                    wrong.push(format!("{} {name}!", shown(&source, line_of(&source.code, place))));
                }
            }
        }
        for mark in ["TODO", "FIXME", "XXX"] {
            for place in places(&source.text, mark) {
                wrong.push(format!("{} {mark}", shown(&source, line_of(&source.text, place))));
            }
        }
    }
    assert_none("not as files are here", &wrong);
}

#[test]
fn nothing_else_lies_at_the_top() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&&*name) {
            wrong.push(name);
        }
    }
    assert_none("not at the top level", &wrong);
}

/// A rule that cannot see a violation holds nothing: here are some.
#[test]
fn the_rules_see_what_they_are_meant_to_see() {
    let source = |module: &[&str], text: &str| Source {
        path: root().join("src/x.rs"),
        module: module.iter().map(|part| (*part).to_owned()).collect(),
        text: text.to_owned(),
        code: code_of(text),
    };
    let names = |module: &[&str], text: &str| -> Vec<String> {
        imports(&source(module, text)).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&["chat"], "use crate::server::Config;"), ["server"]);
    assert_eq!(names(&["chat"], "use crate::{reactor::{Slab, Token}, wire};"), ["reactor", "wire"]);
    assert_eq!(names(&["chat", "hub"], "use super::super::lab::x;"), ["lab"]);
    assert_eq!(names(&["chat"], "use chatloop_reactor::Slab;"), ["reactor"]);
    assert_eq!(names(&["chat", "hub"], "use super::effect;"), [""; 0]);
    assert_eq!(
        names(&["chat", "hub"], "mod tests {\n    use super::super::x;\n}\nuse super::super::y;"),
        ["y"]
    );
    let text =
        "// crate::lab\n/* libc */ let a = \"crate::lab\"; let b = r#\"\"nix\"#; '\"' \"libc\"";
    assert_eq!(names(&[], text), [""; 0]);
    assert!(places(&code_of(text), "libc").is_empty() && places(&code_of(text), "nix").is_empty());
    assert_eq!(places("unsafe_op unsafe my_unsafe", "unsafe"), [10]);
    assert_eq!(code_of("let c = 'x'; fn f<'a>(s: &'a str)"), "let c =    ; fn f<'a>(s: &'a str)");
}
