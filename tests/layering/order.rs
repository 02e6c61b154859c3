//! No order of a std `HashMap` or `HashSet` reaches anyone: they are looked up and not walked.
//!
//! Limits: a text shows the names of maps and what is done with them, and not where they go. A map
//! that is handed on under another name is not followed.

use crate::source::{Source, assert_none, line_of, places, sources, word};

/// File and map: walks whose order no one can see, because a sum, a set or a sort takes it up.
const HARMLESS: &[(&str, &str)] = &[
    ("client/irc/rooms.rs", "members"), // sorted by rank and nick
    ("journal/index/sqlite/reader.rs", "rooms"), // a list of the same name
    ("journal/index/guests.rs", "rings"), // the same is done to every ring
    ("server/guesses.rs", "all"),       // for an eighth of their times, in order
];

const WALKS: &[&str] = &[
    ".iter()",
    ".iter_mut()",
    ".into_iter()",
    ".keys()",
    ".values()",
    ".values_mut()",
    ".into_values()",
    ".into_keys()",
    ".drain()",
    ".extract_if(",
];

/// A name with one of std's hashed collections behind it, and where in the code it has that meaning.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Map {
    name: String,
    /// A field is reached with a dot, in all of the file; anything else up to the end of its function.
    field: bool,
    from: usize,
    to: usize,
}

fn maps(code: &str) -> Vec<Map> {
    let mut types = vec!["HashMap".to_owned(), "HashSet".to_owned()];
    for line in code.lines().filter(|line| line.contains("type ") && line.contains("= Hash")) {
        types.extend(line.split("type ").nth(1).map(|rest| word(rest).to_owned()));
    }
    let mut maps = Vec::new();
    for place in types.iter().flat_map(|kind| places(code, kind)) {
        let start = code[..place].rfind(['\n', ',', '(', ';']).map_or(0, |at| at + 1);
        let before = code[start..place].trim_end_matches("std::collections::").trim_end();
        let borrowed = before.ends_with(['&', 't']);
        let before = before.trim_end_matches("mut").trim_end().trim_end_matches('&').trim_end();
        let Some(before) = before.strip_suffix([':', '=']) else { continue };
        let name = before.split(':').next().unwrap().split_whitespace().last().unwrap_or("");
        if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_') {
            continue;
        }
        let field = code[..start].ends_with('\n') && !before.contains("let ") && !borrowed;
        let end = ["\n    }\n", "\n}\n"].iter().filter_map(|end| code[place..].find(end)).min();
        let to = if field { code.len() } else { end.map_or(code.len(), |end| place + end) };
        let from = if field { 0 } else { place };
        maps.push(Map { name: name.to_owned(), field, from, to });
    }
    maps.sort();
    maps.dedup();
    maps
}

fn walks(source: &Source) -> Vec<String> {
    let code = &source.shipped;
    let mut found = Vec::new();
    for map in maps(code) {
        let harmless = HARMLESS.contains(&(source.name().as_str(), map.name.as_str()));
        let meant = |place: &usize| {
            (map.from..map.to).contains(place) && code[..*place].ends_with('.') == map.field
        };
        for place in places(code, &map.name).into_iter().filter(meant).filter(|_| !harmless) {
            let after = code[place + map.name.len()..].trim_start();
            let start = code[..place].rfind('\n').map_or(0, |at| at + 1);
            let walked = WALKS.iter().any(|walk| after.starts_with(walk));
            let in_for =
                code[start..place].trim_start().starts_with("for ") && after.starts_with('{');
            if walked || in_for {
                found.push(format!("{} walks {}", source.at(line_of(code, place)), map.name));
            }
        }
    }
    found
}

#[test]
fn no_hash_order_is_visible() {
    let sources = sources();
    let shipped = sources.iter().filter(|source| !source.is_test());
    assert_none("in hash order", &shipped.flat_map(walks).collect::<Vec<_>>());
}

#[test]
fn a_walk_is_seen() {
    let count = |text: &str| walks(&Source::new("chat/x.rs", text)).len();
    assert_eq!(count("struct S {\n    map: HashMap<u8, u8>,\n}\nself.map.get(1);"), 0);
    assert_eq!(count("struct S {\n    map: HashMap<u8, u8>,\n}\nself.map.values().sum();"), 1);
    assert_eq!(count("let seen = HashSet::new();\nfor one in &seen {\n}"), 1);
    assert_eq!(count("let seen: HashSet<u8> = x;\nseen\n    .iter()"), 1);
    assert_eq!(
        count("type Peers = HashMap<u8, u8>;\nfn f(peers: &mut Peers) { peers.drain() }"),
        1
    );
    assert_eq!(count("fn f() {\n    let a = HashMap::new();\n}\nfn g(a: &[u8]) { a.iter() }"), 0);
    assert_eq!(count("fn f(peers: &IndexMap<u8, u8>) { peers.keys() }"), 0);
}
