//! No two files of a room import each other, neither directly nor by way of others.

use crate::imports::{Resolver, imports, through_modules};
use crate::source::{Source, assert_none, sources};
use std::collections::{BTreeMap, BTreeSet};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Which file imports which, of one room. A name that a file only passes on (`pub use`) counts for
/// the file that defines it, and test modules do not count.
fn graph(sources: &[Source], resolver: &Resolver<'_>, room: &str) -> Graph {
    let mut graph = Graph::new();
    for source in sources.iter().filter(|it| it.room() == room && !it.is_test()) {
        let targets = graph.entry(source.name()).or_default();
        let mut paths = imports(source, &source.shipped);
        paths.extend(through_modules(source, &source.shipped, resolver));
        for import in paths.into_iter().filter(|import| !import.passed_on) {
            if let Some(file) = resolver.file(&import.path)
                && file.room() == room
                && file.name() != source.name()
                && !file.is_test()
            {
                targets.insert(file.name());
            }
        }
    }
    graph
}

/// Tarjan's algorithm: the sets of files that all reach each other, without those of one file.
#[derive(Default)]
struct Search {
    index: BTreeMap<String, usize>,
    low: BTreeMap<String, usize>,
    path: Vec<String>,
    circles: Vec<Vec<String>>,
}

impl Search {
    fn visit(&mut self, graph: &Graph, file: &str) {
        let number = self.index.len();
        self.index.insert(file.to_owned(), number);
        self.low.insert(file.to_owned(), number);
        self.path.push(file.to_owned());
        for next in graph.get(file).into_iter().flatten() {
            let seen = if !self.index.contains_key(next) {
                self.visit(graph, next);
                self.low[next]
            } else if self.path.contains(next) {
                self.index[next]
            } else {
                continue;
            };
            let low = self.low[file].min(seen);
            self.low.insert(file.to_owned(), low);
        }
        if self.low[file] == number {
            let start = self.path.iter().position(|it| it == file).unwrap();
            let mut circle = self.path.split_off(start);
            circle.sort();
            if circle.len() > 1 {
                self.circles.push(circle);
            }
        }
    }
}

fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut search = Search::default();
    for file in graph.keys() {
        if !search.index.contains_key(file) {
            search.visit(graph, file);
        }
    }
    search.circles
}

#[test]
fn no_room_has_a_circle() {
    let sources = sources();
    let resolver = Resolver::new(sources);
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    let mut wrong = Vec::new();
    for room in rooms.into_iter().filter(|room| !room.is_empty()) {
        let graph = graph(sources, &resolver, room);
        for circle in circles(&graph) {
            wrong.push(format!("{room}: {} files import each other", circle.len()));
            for file in &circle {
                let others = graph[file].iter().filter(|it| circle.contains(it));
                let others: Vec<&str> = others.map(String::as_str).collect();
                wrong.push(format!("  {file} -> {}", others.join(" ")));
            }
        }
    }
    assert_none("imports in a circle", &wrong);
}

#[test]
fn a_circle_is_found_and_a_facade_is_none() {
    let found = |texts: &[(&str, &str)]| {
        let sources: Vec<Source> =
            texts.iter().map(|(name, text)| Source::new(name, text)).collect();
        circles(&graph(&sources, &Resolver::new(&sources), "chat"))
    };
    let facade = ("chat/mod.rs", "mod a;\nmod b;\nmod c;\npub use a::A;");
    let straight = [facade, ("chat/a.rs", "use super::b::B;"), ("chat/b.rs", "")];
    assert_eq!(found(&straight), [[""; 0]; 0]);
    let circle = [
        facade,
        ("chat/a.rs", "use super::b::B;"),
        ("chat/b.rs", "fn f() { crate::chat::c::f() }"),
        ("chat/c.rs", "use super::A;\n#[cfg(test)]\nmod tests {\n    use super::super::b;\n}"),
    ];
    assert_eq!(found(&circle), [["chat/a.rs", "chat/b.rs", "chat/c.rs"]]);
    let module = [facade, ("chat/a.rs", "use super::b;\nb::g()"), ("chat/b.rs", "use super::A;")];
    assert_eq!(found(&module), [["chat/a.rs", "chat/b.rs"]]);
    let parent = [("chat/mod.rs", "mod a;\nuse a::A;\nstruct M;"), ("chat/a.rs", "use super::M;")];
    assert_eq!(found(&parent), [["chat/a.rs", "chat/mod.rs"]]);
}
