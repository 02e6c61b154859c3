//! Imports point down: which room may import which, and which floor of a room which floor.

use crate::imports::{Resolver, imports};
use crate::source::{Source, assert_none, sources};

/// Room, and what it may import of the others.
const ROOMS: &[(&str, &[&str])] = &[
    ("reactor", &[]),
    ("chat", &[]),
    ("wire", &[]),
    ("terminal", &[]),
    ("tls", &["reactor", "settings"]),
    ("trace", &["reactor"]),
    ("files", &[]),
    ("settings", &[]),
    ("session", &["chat", "wire"]),
    ("journal", &["chat"]),
    ("client", &["reactor", "wire", "terminal", "tls", "trace", "settings"]),
    ("lab", &["reactor", "wire", "tls", "trace", "settings"]),
    (
        "server",
        &["reactor", "chat", "wire", "session", "journal", "tls", "trace", "files", "settings"],
    ),
    ("simulation", &["reactor", "server", "tls", "lab"]),
];

/// Folder of a room, and what it may import of its neighbours.
const FLOORS: &[(&str, &[&str])] = &[
    ("chat/model", &[]),
    ("chat/log", &["chat/model"]),
    ("chat/api", &["chat/model", "chat/log"]),
    ("chat/state", &["chat/model", "chat/log", "chat/api"]),
    ("chat/rules", &["chat/model", "chat/log", "chat/api", "chat/state"]),
];

/// File, and the one room it imports beside its own. The file says why.
const EXCEPTIONS: &[(&str, &str)] = &[("server/console.rs", "terminal")];

/// Program, and the room it starts; `chatloop-lab` has two. What all of them share makes text harmless, and says
/// what is wrong with an argument.
const PROGRAMS: &[(&str, &str)] = &[
    ("bin/chatloop-server.rs", "server"),
    ("bin/chatloop-client.rs", "client"),
    ("bin/chatloop-lab.rs", "lab"),
    ("bin/chatloop-lab.rs", "simulation"),
    ("bin/shared/usage.rs", "wire"),
    ("bin/shared/usage.rs", "settings"),
];

fn upward(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let started = PROGRAMS.iter().filter(|(file, _)| source.name() == *file);
        let allowed: Vec<&str> = match source.room() {
            "" => started.map(|(_, room)| *room).collect(),
            room => {
                let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
                    wrong.push(format!("{}: '{room}' is no room", source.at(1)));
                    continue;
                };
                allowed.iter().copied().chain([room]).collect()
            }
        };
        let exception = EXCEPTIONS.iter().find(|(file, _)| source.name() == *file);
        for import in imports(source, &source.code) {
            let Some(room) = import.path.first().map(String::as_str) else { continue };
            let is_room = ROOMS.iter().any(|(name, _)| *name == room);
            if is_room && !allowed.contains(&room) && exception.is_none_or(|(_, it)| *it != room) {
                wrong.push(format!("{} imports {room}", source.at(import.line)));
            }
        }
    }
    wrong
}

/// Sockets that are named outside the reactor: other rooms have a `Transport`, which may be more than
/// a TCP stream.
fn bare_streams(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.room() != "reactor") {
        for import in imports(source, &source.code) {
            if import.path[..1] == ["reactor"] && import.path[1..].contains(&"Stream".to_owned()) {
                wrong.push(source.at(import.line));
            }
        }
    }
    wrong
}

fn floor(source: &Source) -> Option<&'static str> {
    let folder = source.module.get(..2)?.join("/");
    FLOORS.iter().map(|(floor, _)| *floor).find(|floor| *floor == folder)
}

fn upstairs(sources: &[Source]) -> Vec<String> {
    let resolver = Resolver::new(sources);
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let Some(here) = floor(source) else { continue };
        let (_, below) = FLOORS.iter().find(|(floor, _)| *floor == here).unwrap();
        for import in imports(source, &source.shipped) {
            let Some(target) = resolver.file(&import.path) else { continue };
            match floor(target) {
                Some(there) if there != here && !below.contains(&there) => {
                    wrong.push(format!("{} imports {there}", source.at(import.line)));
                }
                // The room's front door passes on what is upstairs.
                None if target.room() == source.room() => {
                    wrong.push(format!("{} imports {}", source.at(import.line), target.name()));
                }
                _ => {}
            }
        }
    }
    wrong
}

#[test]
fn imports_point_down() {
    assert_none("an import points up or sideways", &upward(sources()));
}

#[test]
fn streams_stay_in_the_reactor() {
    assert_none("names reactor::Stream", &bare_streams(sources()));
}

#[test]
fn floors_import_from_below() {
    assert_none("an import points to a floor above", &upstairs(sources()));
}

#[test]
fn an_import_upwards_is_seen() {
    let count = |file: &str, text: &str| upward(&[Source::new(file, text)]).len();
    assert_eq!(count("chat/hub.rs", "use crate::server::Config;"), 1);
    assert_eq!(count("server/turn.rs", "use crate::{chat::Hub, terminal::Keys, lab};"), 2);
    assert_eq!(count("server/console.rs", "use crate::terminal::Keys;"), 0);
    assert_eq!(count("bin/chatloop-client.rs", "use chatloop::{client::run, wire::X};"), 1);
    assert_eq!(count("cellar/mod.rs", ""), 1);
    let bare = [Source::new("client/link.rs", "use chatloop_reactor::{Slab, Stream};")];
    assert_eq!(bare_streams(&bare), ["src/client/link.rs:1"]);
    let floors = [
        Source::new("chat/mod.rs", "mod model;\nmod api;\npub use api::command::Command;"),
        Source::new(
            "chat/api/command.rs",
            "use crate::chat::model::name::Name;\npub struct Command;",
        ),
        Source::new("chat/model/mod.rs", "mod name;\nmod ids;"),
        Source::new("chat/api/mod.rs", "mod command;"),
        Source::new("chat/model/name.rs", "use super::super::api::command::Command;"),
        Source::new("chat/model/ids.rs", "use crate::chat::Command;\nuse crate::chat::other;"),
    ];
    let wrong = upstairs(&floors);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert_eq!(wrong[0], "src/chat/model/name.rs:1 imports chat/api");
    assert_eq!(wrong[1], "src/chat/model/ids.rs:1 imports chat/api");
}
