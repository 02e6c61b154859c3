//! What was asked, as lines: a first one that says what follows and how much, then one for each.

use super::Theme;
use super::render::{begin, end, label, notice, put, server_ban_target, users, words};
use crate::chat::{
    Event, Flag, Modes, Moment, Person, Query, Range, RoomLine, Scope, ServerBanLine,
    StoredMessage, Target, Whois,
};
use crate::session::time;
use std::fmt::Write;

const GREEN: &str = "\x1b[32m";

/// Adds the lines of an answer to `out`.
pub(super) fn render(look: Theme, event: &Event, out: &mut Vec<u8>) {
    let mut say = |text: &str| notice(look, GREEN, text, out);
    match event {
        Event::Rooms(rooms) => {
            say(&format!("{} {}:", rooms.len(), if rooms.len() == 1 { "room" } else { "rooms" }));
            for room in rooms {
                say(&room_line(room));
            }
        }
        Event::Who { room, people } => {
            let place = room.as_ref().map_or("online", |room| room.as_str());
            say(&format!("{} {}:", users(people.len()), preposition(place)));
            for person in people {
                say(&person_line(look, person));
            }
        }
        Event::Connections(people) => {
            say(&format!("{} connected:", users(people.len())));
            for person in people {
                let since = time::shown(person.since);
                say(&format!(
                    "{} from {} since {since} UTC",
                    person_line(look, person),
                    person.who.label
                ));
            }
        }
        Event::Whois(whois) => {
            for line in whois_lines(look, whois) {
                say(&line);
            }
        }
        Event::TopicIs { room, topic: Some(topic) } => {
            let time = time::shown(topic.time);
            say(&format!("topic of {room}: {} (by {}, {time} UTC)", topic.text, topic.by));
        }
        Event::TopicIs { room, topic: None } => say(&format!("{room} has no topic")),
        Event::ModesAre { room, modes, created } => {
            say(&format!("{room}: {}{}", modes_text(modes), opened(*created)));
        }
        Event::Bans { room, bans } => {
            say(&format!("{} on the ban list of {room}", bans.len()));
            for (mask, by, time) in bans {
                say(&format!("{mask} (by {by}, {} UTC)", time::shown(*time)));
            }
        }
        Event::Ignored(nicks) if nicks.is_empty() => say("you ignore nobody"),
        Event::Ignored(nicks) => {
            let nicks: Vec<&str> = nicks.iter().map(crate::chat::Name::as_str).collect();
            say(&format!("you ignore {}", nicks.join(", ")));
        }
        Event::ServerBans(bans) => {
            say(&format!("{} banned from the server", bans.len()));
            for ban in bans {
                say(&server_ban_line(ban));
            }
        }
        Event::Past(found) => past(look, &found.query, &found.entries, out),
        _ => {}
    }
}

fn server_ban_line(ban: &ServerBanLine) -> String {
    let until = match ban.until {
        Some(until) => format!("until {} UTC", time::shown(until)),
        None => "for ever".to_owned(),
    };
    let reason = ban.reason.as_deref().unwrap_or("no reason given");
    format!("{} {until}, by {}: {reason}", server_ban_target(&ban.target), ban.by)
}

fn preposition(place: &str) -> String {
    if place.starts_with('#') { format!("in {place}") } else { place.to_owned() }
}

fn room_line(room: &RoomLine) -> String {
    let mut line = format!("{} {}", room.room, users(room.members));
    if room.joined {
        line.push_str(", you are in it");
    }
    if let Some(topic) = &room.topic {
        // Writing to a String cannot fail.
        let _ = write!(line, ": {topic}");
    }
    line
}

/// `@` marks an op, `+` a voice, as IRC does.
fn person_line(look: Theme, person: &Person) -> String {
    let mark = if person.op {
        "@"
    } else if person.voice {
        "+"
    } else {
        ""
    };
    let mut line = format!("{mark}{}", label(look, &person.who));
    if person.operator {
        line.push_str(" (server operator)");
    }
    if let Some(away) = &person.away {
        // Writing to a String cannot fail.
        let _ = write!(line, " (away: {away})");
    }
    line
}

fn whois_lines(look: Theme, whois: &Whois) -> Vec<String> {
    let who = &whois.person.who;
    let mut lines = vec![format!("{} is {}", label(look, who), who.prefix())];
    if let Some(name) = who.names.realname() {
        lines.push(format!("real name: {name}"));
    }
    lines.push(match &who.account {
        Some(account) => format!("logged in as {account}"),
        None => "not logged in".to_owned(),
    });
    if whois.person.operator {
        lines.push("server operator".to_owned());
    }
    if let Some(away) = &whois.person.away {
        lines.push(format!("away: {away}"));
    }
    let rooms: Vec<String> = whois
        .rooms
        .iter()
        .map(|(room, op, voice)| {
            format!(
                "{}{room}",
                if *op {
                    "@"
                } else if *voice {
                    "+"
                } else {
                    ""
                }
            )
        })
        .collect();
    if !rooms.is_empty() {
        lines.push(format!("in {}", rooms.join(", ")));
    }
    let idle = time::length((whois.now.0 - whois.last.0).max(0));
    lines.push(format!("here since {} UTC, idle {idle}", time::shown(whois.person.since)));
    lines
}

/// Nothing for the lobby, which has been there since before time was kept.
fn opened(created: Moment) -> String {
    match created.0 {
        0 => String::new(),
        _ => format!("; opened {} UTC", time::shown(created)),
    }
}

fn modes_text(modes: &Modes) -> String {
    let word = |flag: &Flag| match flag {
        Flag::InviteOnly => "only invited people enter (i)",
        Flag::Moderated => "only ops and the voiced speak (m)",
        Flag::NoExternal => "only members speak (n)",
        Flag::Secret => "shown to members only (s)",
        Flag::TopicLocked => "only ops set the topic (t)",
    };
    let mut words: Vec<String> = modes.flags.iter().map(word).map(str::to_owned).collect();
    if let Some(key) = &modes.key {
        words.push(format!("the key is {key} (k)"));
    }
    if let Some(limit) = modes.limit {
        words.push(format!("at most {} (l)", users(limit as usize)));
    }
    if words.is_empty() { "open to everyone".to_owned() } else { words.join(", ") }
}

/// Past messages: `- 17 2026-01-31 12:30 [alice]: text`.
fn past(look: Theme, query: &Query, entries: &[StoredMessage], out: &mut Vec<u8>) {
    let what = match (&query.scope, query.range) {
        (Scope::Room(room), Range::Latest) => format!("past of {}", room.name),
        (Scope::Room(room), _) => format!("from the past of {}", room.name),
        (Scope::Thread { room, .. }, _) => format!("thread in {}", room.name),
        (Scope::Mail { .. }, _) => "what was said to you while you were not here".to_owned(),
        (Scope::Private { peer, .. } | Scope::Session { peer, .. }, _) => {
            format!("said between you and {peer}")
        }
        (Scope::Search { words, .. }, _) => format!("found \"{words}\""),
    };
    let count = match entries.len() {
        0 => "nothing".to_owned(),
        1 => "1 message, times are UTC".to_owned(),
        count => format!("{count} messages, times are UTC"),
    };
    notice(look, GREEN, &format!("{what}: {count}"), out);
    let own = match &query.scope {
        Scope::Mail { account, .. } | Scope::Private { account, .. } => Some(account),
        _ => None,
    };
    let of_guest = matches!(query.scope, Scope::Session { .. });
    let with_room = matches!(query.scope, Scope::Search { .. });
    for logged in entries {
        begin(look, GREEN, out);
        put(out, &["- "]);
        let mut stamp = String::new();
        if logged.number > 0 {
            // Writing to a String cannot fail.
            let _ = write!(stamp, "{} ", logged.number);
        }
        stamp.push_str(&time::shown(logged.time));
        put(out, &[&stamp, " "]);
        match &logged.target {
            Target::Room(room) => {
                if with_room || room.as_str() != "#lobby" {
                    put(out, &[room.as_str(), " "]);
                }
                put(out, &["[", logged.from.as_str()]);
            }
            // What a guest has heard is to nobody by name.
            Target::Private { to, .. }
                if (logged.account.as_ref() == own && own.is_some())
                    || (of_guest && !to.as_str().is_empty()) =>
            {
                put(out, &["[you -> ", to.as_str()]);
            }
            Target::Private { .. } => put(out, &["[", logged.from.as_str(), " -> you"]),
        }
        words(logged.kind, logged.reply.as_ref(), &logged.text, out);
        if logged.edited {
            put(out, &[" (edited)"]);
        }
        for (text, count) in &logged.reactions {
            put(out, &[" {", text, " ", &count.to_string(), "}"]);
        }
        end(look, out);
    }
}
