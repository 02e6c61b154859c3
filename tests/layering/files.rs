//! Files: each answers one question, is not too long, is used, and lies where files lie.

use crate::imports::{Resolver, declared, imports, through_modules};
use crate::source::{Source, assert_none, line_of, places, root, sources, word};
use std::collections::BTreeSet;
use std::fs;

/// Lines of a file. About 500 are wanted; this is where it stops being "about".
const LONGEST_FILE: usize = 600;

/// The first line of a file is a noun phrase, which reads well in an index: it begins with none of these.
const QUESTIONS: [&str; 12] = [
    "Are", "Does", "How", "Is", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why",
];

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "src", "tests", "scripts", "docs"];

fn badly_formed(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = source.text.lines().count();
    if lines > LONGEST_FILE {
        wrong.push(format!("{} has {lines} lines: look for the second question", source.at(1)));
    }
    if !source.text.starts_with("//! ") {
        wrong.push(format!("{} does not begin with what it holds", source.at(1)));
    }
    if QUESTIONS.contains(&source.text.split_whitespace().nth(1).unwrap_or_default()) {
        wrong.push(format!("{} begins with a question and not with a noun", source.at(1)));
    }
    for name in ["todo", "unimplemented", "dbg"] {
        for place in places(&source.code, name) {
            if source.code[place + name.len()..].starts_with('!') {
                wrong.push(format!("{} {name}!", source.at(line_of(&source.code, place))));
            }
        }
    }
    for mark in ["TODO", "FIXME", "XXX"] {
        for place in places(&source.text, mark) {
            wrong.push(format!("{} {mark}", source.at(line_of(&source.text, place))));
        }
    }
    wrong
}

/// What the fuzz targets import, which use files of their own.
fn fuzz_targets() -> String {
    let folder = fs::read_dir(root().join("tests/fuzz/src")).unwrap();
    folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// Files that nothing imports. A file that only holds methods of a type from elsewhere is imported by
/// no one and is used all the same.
fn unused(sources: &[Source]) -> Vec<String> {
    let (resolver, fuzz_targets) = (Resolver::new(sources), fuzz_targets());
    let mut used = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let mut paths = imports(source, &source.shipped);
        paths.extend(through_modules(source, &source.shipped, &resolver));
        // A name that is passed on may be used in the same file, too.
        let is_used = |name: &String| places(&source.shipped, name).len() > 1;
        for import in paths {
            if resolver.is_file(&import.path) {
                used.insert(import.path.join("/") + ".rs");
            }
            if import.passed_on && !import.path.last().is_some_and(is_used) {
                continue;
            }
            if let Some(file) = resolver.file(&import.path)
                && file.name() != source.name()
            {
                used.insert(file.name());
            }
        }
        // A folder is used by what lies in it.
        for child in declared(&source.shipped) {
            let path: Vec<String> = source.module.iter().cloned().chain([child]).collect();
            let inside = |it: &Source| it.module.len() > path.len() && it.module.starts_with(&path);
            if sources.iter().any(inside) {
                used.insert(path.join("/") + "/mod.rs");
            }
        }
    }
    let is_used = |source: &Source| {
        source.is_test()
            || source.module.len() < 2
            || source.room() == "reactor" // a library, whose users may be elsewhere
            || used.contains(&source.name())
            || adds_methods(source)
            || fuzz_targets.contains(&format!("use chatloop::{}::", source.module.join("::")))
    };
    sources.iter().filter(|source| !is_used(source)).map(Source::name).collect()
}

/// Whether it has an `impl` of a type that it does not define.
fn adds_methods(source: &Source) -> bool {
    let defines = |name: &str| {
        ["struct", "enum", "union", "trait"]
            .iter()
            .any(|kind| source.shipped.contains(&format!("{kind} {name}")))
    };
    source.shipped.lines().filter(|line| line.starts_with("impl")).any(|line| {
        let line = line.rsplit(" for ").next().unwrap();
        let name = line.trim_start_matches("impl").trim_start();
        let name =
            if name.starts_with('<') { name.split_once("> ").unwrap_or(("", "")).1 } else { name };
        let name = word(name);
        !name.is_empty() && !defines(name)
    })
}

/// Files that no other file declares as a module: the compiler does not see them.
fn undeclared(sources: &[Source]) -> Vec<String> {
    let mut declared_paths = BTreeSet::new();
    for source in sources {
        for child in declared(&source.code) {
            declared_paths.insert([&source.module[..], &[child]].concat());
        }
    }
    let is_root = |source: &Source| {
        source.module.is_empty()
            || source.module == ["reactor"]
            || source.module.starts_with(&["reactor".to_owned(), "tests".to_owned()])
            || source.module.starts_with(&["reactor".to_owned(), "examples".to_owned()])
            || source.text.contains("//! Included by ")
    };
    let by_path = |source: &Source| {
        let file = source.path.file_name().unwrap().to_str().unwrap();
        sources.iter().any(|it| it.text.contains(&format!("#[path = \"{file}\"]")))
    };
    let lost = |source: &&Source| {
        !is_root(source) && !declared_paths.contains(&source.module) && !by_path(source)
    };
    sources.iter().filter(lost).map(Source::name).collect()
}

/// What the table of files at the head of a module names and does not declare, and the other way round.
fn table_of_files(source: &Source) -> Vec<String> {
    let head: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let Some(start) = head.iter().position(|line| line.starts_with("//! | file |")) else {
        return Vec::new();
    };
    let rows = head[start + 2..].iter().take_while(|line| line.starts_with("//! |"));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    // `run/connection` lies in its own folder.
    let named: BTreeSet<&str> = names.filter(|name| !name.contains('/')).collect();
    let mut known = declared(&source.shipped);
    known.retain(|name| name != "tests");
    let head = head.concat();
    let unknown = named.iter().filter(|name| !known.iter().any(|it| it == *name));
    let unnamed = known.iter().filter(|name| !head.contains(&format!("`{name}`")));
    let wrong = unknown.map(|name| (*name).to_owned()).chain(unnamed.cloned());
    wrong.map(|name| format!("{} the table of files: {name}", source.at(1))).collect()
}

#[test]
fn a_table_of_files_names_every_file() {
    let wrong: Vec<String> = sources().iter().flat_map(table_of_files).collect();
    assert_none("named and not declared, or declared and not named", &wrong);
}

#[test]
fn a_file_answers_one_question_and_says_which() {
    let wrong: Vec<String> = sources().iter().flat_map(badly_formed).collect();
    assert_none("not as files are here", &wrong);
}

#[test]
fn every_file_is_used() {
    let sources = sources();
    assert_none("no module declares", &undeclared(sources));
    assert_none("no file imports anything of", &unused(sources));
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

#[test]
fn a_bad_file_is_seen() {
    let count = |text: &str| badly_formed(&Source::new("chat/x.rs", text)).len();
    assert_eq!(count("//! A file.\nfn f() {}"), 0);
    assert_eq!(count("fn f() { todo!() }"), 2);
    assert_eq!(count("//! What it is.\nfn f() {}"), 1);
    assert_eq!(count(&"//! Long.\n".repeat(LONGEST_FILE + 1)), 1);
    assert_eq!(count(concat!("//! A file.\n// FIX", "ME")), 1);
    let table = |modules: &str| {
        let text = format!(
            "//! Rooms.\n//!\n//! | file | x |\n//! |---|---|\n//! | [`a`], `b` | y |\n\n{modules}"
        );
        table_of_files(&Source::new("chat/mod.rs", &text)).len()
    };
    assert_eq!(
        (table("mod a;\nmod b;"), table("mod b;"), table("mod a;\nmod b;\nmod c;")),
        (0, 1, 1)
    );
    let sources = [
        Source::new("lib.rs", "mod chat;"),
        Source::new("chat/mod.rs", "mod a;\nmod b;\nmod c;\nuse a::A;\npub use b::B;"),
        Source::new("chat/a.rs", "pub struct A;"),
        Source::new("chat/b.rs", "pub struct B;\nimpl B {}"),
        Source::new("chat/c.rs", "impl super::A {}"),
        Source::new("chat/d.rs", ""),
    ];
    assert_eq!(unused(&sources), ["chat/b.rs", "chat/d.rs"]);
    assert_eq!(undeclared(&sources), ["chat/d.rs"]);
}
