//! The imports of a file: every path in its code, and the file that defines what the path names.

use crate::source::{Source, line_of, places, word};
use std::collections::BTreeMap;

/// A path in the code, from the root of the rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    pub path: Vec<String>,
    pub line: usize,
    /// `pub use`: the file passes the name on and does not depend on it.
    pub passed_on: bool,
}

/// All paths in `code`, which is the source's own or a part of it.
pub fn imports(source: &Source, code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut add = |place: usize, base: Vec<String>, after: &str| {
        let line = line_of(code, place);
        let passed_on = is_passed_on(code, place);
        for tail in tails(after) {
            let path = base.iter().cloned().chain(tail).collect();
            found.push(Import { path, line, passed_on });
        }
    };
    let in_reactor = source.room() == "reactor";
    for (name, root) in [
        ("crate", if in_reactor { &["reactor"][..] } else { &[] }),
        ("chatloop", &[]),
        ("chatloop_reactor", &["reactor"]),
    ] {
        for place in starts(code, name) {
            let root = root.iter().map(|part| (*part).to_owned()).collect();
            add(place, root, &code[place + name.len()..]);
        }
    }
    for place in starts(code, "super") {
        let (mut after, mut steps) = (&code[place..], 0);
        while let Some(next) = after.strip_prefix("super") {
            steps += 1;
            after = next;
            match next.strip_prefix("::") {
                Some(further) if further.starts_with("super") => after = further,
                _ => break,
            }
        }
        let inline = inline_depth(code, place);
        if steps >= inline && steps - inline <= source.module.len() {
            let base = source.module[..source.module.len() + inline - steps].to_vec();
            add(place, base, after);
        }
    }
    for place in starts(code, "self") {
        add(place, source.module.clone(), &code[place + "self".len()..]);
    }
    for child in declared(code) {
        for place in starts(code, &child) {
            let base = source.module.iter().cloned().chain([child.clone()]).collect();
            add(place, base, &code[place + child.len()..]);
        }
    }
    found
}

/// The modules that a file declares with `mod name;`.
pub fn declared(code: &str) -> Vec<String> {
    let name = |place: usize| {
        let after = code[place + 3..].trim_start();
        let name = word(after);
        after[name.len()..].starts_with(';').then(|| name.to_owned())
    };
    places(code, "mod").into_iter().filter_map(name).collect()
}

/// The paths that begin with a module which `use` has brought into scope, as `wire::irc` in
/// `use crate::wire; … wire::irc`.
pub fn through_modules(source: &Source, code: &str, resolver: &Resolver<'_>) -> Vec<Import> {
    let mut found = Vec::new();
    for import in imports(source, code).iter().filter(|import| resolver.is_file(&import.path)) {
        let Some(name) = import.path.last() else { continue };
        for place in starts(code, name) {
            for tail in tails(&code[place + name.len()..]) {
                let path = import.path.iter().cloned().chain(tail).collect();
                found.push(Import { path, line: line_of(code, place), passed_on: false });
            }
        }
    }
    found
}

/// Where a path begins with `name`: it is followed by `::` and not itself behind one.
fn starts(code: &str, name: &str) -> Vec<usize> {
    let is_start = |place: &usize| {
        code[place + name.len()..].starts_with("::") && !code[..*place].trim_end().ends_with("::")
    };
    places(code, name).into_iter().filter(is_start).collect()
}

/// Whether the statement around `place` begins with `pub use` or `pub(…) use`.
fn is_passed_on(code: &str, place: usize) -> bool {
    let start = code[..place].rfind([';', '}']).map_or(0, |at| at + 1);
    // Attributes and comments in front are of no interest.
    let statement = &code[start..place];
    places(statement, "use").last().is_some_and(|at| statement[..*at].contains("pub"))
}

/// What follows the first name of a path: one list of names, or several where there is a `{…}`.
fn tails(after: &str) -> Vec<Vec<String>> {
    let Some(after) = after.strip_prefix("::") else { return vec![Vec::new()] };
    let after = after.trim_start();
    if let Some(list) = after.strip_prefix('{') {
        return parts(list).into_iter().flat_map(tree).collect();
    }
    tree(after)
}

/// One branch of a `use` tree.
fn tree(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    let name = word(text);
    let own = if name == "self" { Vec::new() } else { vec![name.to_owned()] };
    let rest = text[name.len()..].strip_prefix("::").unwrap_or("");
    if rest.is_empty() || rest.starts_with('<') {
        return vec![own];
    }
    let further = tails(&text[name.len()..]);
    further.into_iter().map(|tail| own.iter().cloned().chain(tail).collect()).collect()
}

/// The parts of a list up to its closing brace.
fn parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (place, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(&list[start..place]);
                start = place + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
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

/// Which file defines what a path names.
pub struct Resolver<'s> {
    files: BTreeMap<&'s [String], &'s Source>,
    /// What a file passes on: the name, and the path it stands for.
    passed_on: BTreeMap<(&'s [String], String), Vec<String>>,
}

impl<'s> Resolver<'s> {
    pub fn new(sources: &'s [Source]) -> Resolver<'s> {
        let rooms = sources.iter().filter(|source| !source.module.is_empty());
        let files: BTreeMap<_, _> =
            rooms.map(|source| (source.module.as_slice(), source)).collect();
        let mut passed_on = BTreeMap::new();
        for source in files.values() {
            for import in imports(source, &source.shipped).into_iter().filter(|it| it.passed_on) {
                // `as` gives another name; who asks for that one is told of this file instead.
                if let Some(name) = import.path.last().filter(|name| !name.is_empty()) {
                    passed_on.insert((source.module.as_slice(), name.clone()), import.path.clone());
                }
            }
        }
        Resolver { files, passed_on }
    }

    pub fn is_file(&self, path: &[String]) -> bool {
        self.files.contains_key(path)
    }

    /// `None` if the path leads to another crate, or to `lib.rs`.
    pub fn file(&self, path: &[String]) -> Option<&'s Source> {
        let mut length = 0;
        while length < path.len() && self.files.contains_key(&path[..length + 1]) {
            length += 1;
        }
        let file = self.files.get(&path[..length])?;
        let name = path.get(length)?;
        match self.passed_on.get(&(file.module.as_slice(), name.clone())) {
            Some(target) if target[..] != path[..=length] => self.file(target),
            _ => Some(file),
        }
    }
}

#[test]
fn every_form_of_a_path_is_seen() {
    let paths = |name: &str, text: &str| -> Vec<String> {
        let source = Source::new(name, text);
        imports(&source, &source.code).into_iter().map(|import| import.path.join("::")).collect()
    };
    assert_eq!(paths("chat/mod.rs", "use crate::server::Config;"), ["server::Config"]);
    assert_eq!(
        paths("chat/mod.rs", "use crate::{reactor::{Slab, Token}, wire};"),
        ["reactor::Slab", "reactor::Token", "wire"]
    );
    assert_eq!(paths("chat/hub.rs", "use super::super::lab::x;"), ["lab::x"]);
    assert_eq!(paths("chat/hub.rs", "use super::effect;"), ["chat::effect"]);
    assert_eq!(paths("chat/mod.rs", "use chatloop_reactor::Slab;"), ["reactor::Slab"]);
    assert_eq!(paths("reactor/poller/mod.rs", "crate::slab::Token"), ["reactor::slab::Token"]);
    assert_eq!(paths("chat/mod.rs", "mod hub;\nhub::new()"), ["chat::hub::new"]);
    assert_eq!(
        paths("chat/hub.rs", "mod tests {\n    use super::super::x;\n}\nuse super::super::y::Z;"),
        ["chat::x", "y::Z"]
    );
    assert_eq!(paths("chat/mod.rs", "let a = wire::b; a.super_b()"), [""; 0]);
    assert_eq!(paths("chat/mod.rs", "use self::a::{self, b};"), ["chat::a", "chat::a::b"]);
}

#[test]
fn a_name_leads_to_the_file_that_defines_it() {
    let sources = [
        Source::new("chat/mod.rs", "mod hub;\npub use hub::Hub;\npub fn own() {}"),
        Source::new("chat/hub.rs", "pub struct Hub;"),
    ];
    let resolver = Resolver::new(&sources);
    let file = |path: &str| {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        resolver.file(&path).map(Source::name)
    };
    assert_eq!(file("chat::Hub").unwrap(), "chat/hub.rs");
    assert_eq!(file("chat::hub::Hub").unwrap(), "chat/hub.rs");
    assert_eq!(file("chat::own").unwrap(), "chat/mod.rs");
    assert_eq!(file("memchr::memchr"), None);
}
