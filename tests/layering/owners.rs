//! Owners: state is private to the file that owns it, and the server's methods are in one file.

use crate::source::{Source, assert_none, line_of, places, sources, word};

/// The file with all methods of the server; every other file of its room gets the parts it needs.
const TURN: &str = "server/turn.rs";

/// Structs that lend some of their fields and keep others: a station needs several of them at once,
/// which methods could not give. What they lend is a part or a separate value.
const LENDERS: &[&str] = &[
    "Exchange",   // the parts a command passes; each of them is closed
    "Connection", // lent to one station for one peer
    "Io",
    "Lifecycle",
    "Settings", // the values, beside the arguments to read them again with
];

/// The structs whose fields are the parts of the server.
const BUNDLES: &[&str] = &["Server", "Exchange"];

/// A struct with named fields.
struct Struct {
    name: String,
    line: usize,
    /// Name, type, and whether other files reach it.
    fields: Vec<(String, String, bool)>,
}

fn structs(source: &Source) -> Vec<Struct> {
    let code = &source.shipped;
    let mut found = Vec::new();
    for place in places(code, "struct") {
        let after = code[place + "struct".len()..].trim_start();
        let name = word(after).to_owned();
        let open = after.find(['{', ';', '(']).filter(|at| after[*at..].starts_with('{'));
        let Some(open) = open else { continue };
        let body = &after[open + 1..];
        let body = &body[..body.find("\n}").or(body.find('}')).unwrap_or(body.len())];
        let for_tests =
            |at: usize| at > 0 && body.lines().nth(at - 1).unwrap().trim() == "#[cfg(test)]";
        let lines =
            body.lines().enumerate().filter(|(at, _)| !for_tests(*at)).map(|(_, line)| line);
        let fields = lines.filter_map(|line| {
            let line = line.trim();
            let public = line.starts_with("pub");
            let line = line.strip_prefix("pub").unwrap_or(line).trim_start();
            let line =
                if line.starts_with('(') { line.split_once(')')?.1.trim_start() } else { line };
            let (name, kind) = line.split_once(':').filter(|_| !line.starts_with('#'))?;
            Some((name.to_owned(), kind.trim().trim_end_matches(',').to_owned(), public))
        });
        let fields: Vec<_> = fields.collect();
        found.push(Struct { name, line: line_of(code, place), fields });
    }
    found
}

/// Structs with both private and public fields. A value shows all of itself; an owner nothing: what
/// others may do with its state are its methods.
fn half_open(source: &Source) -> Vec<String> {
    let mixed = |it: &Struct| {
        let open = it.fields.iter().filter(|(_, _, public)| *public).count();
        open > 0 && open < it.fields.len() && !LENDERS.contains(&it.name.as_str())
    };
    let shown = |it: Struct| {
        let open = it.fields.iter().filter(|(_, _, public)| *public);
        let open: Vec<&str> = open.map(|(name, _, _)| name.as_str()).collect();
        format!("{} {}: {}", source.at(it.line), it.name, open.join(", "))
    };
    structs(source).into_iter().filter(mixed).map(shown).collect()
}

/// Public fields of the server, and of the parts that it is made of.
fn open_parts(sources: &[Source]) -> Vec<String> {
    let room = || sources.iter().filter(|source| source.room() == "server");
    let all = || room().flat_map(|source| structs(source).into_iter().map(move |it| (source, it)));
    let bundles = || all().filter(|(_, it)| BUNDLES.contains(&it.name.as_str()));
    let is_part = |name: &String| {
        *name == "Server"
            || bundles().any(|(_, bundle)| {
                bundle.fields.iter().any(|(_, kind, _)| !places(kind, name).is_empty())
            })
    };
    let mut wrong = Vec::new();
    let closed = |name: &String| is_part(name) && !LENDERS.contains(&name.as_str());
    for (source, part) in all().filter(|(_, it)| closed(&it.name)) {
        for (field, _, _) in part.fields.iter().filter(|(_, _, public)| *public) {
            wrong.push(format!("{} {}.{field}", source.at(part.line), part.name));
        }
    }
    wrong
}

/// `impl Server` outside of its file.
fn strayed_methods(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let room = sources.iter().filter(|it| it.room() == "server" && it.name() != TURN);
    for source in room {
        for line in source.lines_with("impl Server") {
            wrong.push(source.at(line));
        }
    }
    wrong
}

#[test]
fn the_servers_methods_are_in_one_file() {
    assert_none("impl Server belongs to turn.rs", &strayed_methods(sources()));
}

#[test]
fn a_struct_shows_all_of_its_fields_or_none() {
    let server = |source: &&Source| source.room() == "server";
    let wrong: Vec<String> = sources().iter().filter(server).flat_map(half_open).collect();
    assert_none("private and public fields", &wrong);
}

#[test]
fn the_parts_of_the_server_are_closed() {
    assert_none("fields that other files reach", &open_parts(sources()));
}

#[test]
fn an_open_part_is_seen() {
    let net = "pub struct Net {\n    pub(super) poller: Poller,\n    timers: Timers,\n}";
    let turn = "pub struct Server {\n    net: Net,\n    pub(super) hub: Hub,\n}\nimpl Server {}";
    let tested = "pub struct Acceptor {\n    paused: bool,\n    #[cfg(test)]\n    pub(super) fails: bool,\n}";
    let sources = [
        Source::new("server/turn.rs", turn),
        Source::new("server/net.rs", net),
        Source::new("server/accept.rs", "impl Server {\n    fn accept() {}\n}"),
        Source::new("server/limits.rs", "pub struct Bounds {\n    pub soft: usize,\n}"),
    ];
    assert_eq!(strayed_methods(&sources), ["src/server/accept.rs:1"]);
    assert_eq!(half_open(&sources[1]), ["src/server/net.rs:1 Net: poller"]);
    assert_eq!(half_open(&sources[3]), [""; 0]);
    assert_eq!(half_open(&Source::new("server/accept.rs", tested)), [""; 0]);
    let open = ["src/server/turn.rs:1 Server.hub", "src/server/net.rs:1 Net.poller"];
    assert_eq!(open_parts(&sources), open);
}
