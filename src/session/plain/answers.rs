//! Replies in plain text: a heading that says what follows and how much, then one line for each.

use super::Theme;
use super::lines::{GREEN, LineWriter, label};
use crate::chat::{
    BanTarget, Event, Flag, Modes, Moment, Name, Page, Past, Person, RoomLine, Scope,
    ServerBanLine, Target, Whois,
};
use crate::session::{account_text, time};
use crate::wire::plural::counted;

/// Adds the lines of an answer to `out`.
pub(super) fn render(theme: Theme, event: &Event, out: &mut LineWriter<'_>) {
    if let Event::Past(found) = event {
        return past(found, out);
    }
    for line in lines(theme, event) {
        out.notice(GREEN, &line);
    }
}

/// A heading, and a line for each item.
fn list<T>(heading: String, items: &[T], line: impl Fn(&T) -> String) -> Vec<String> {
    std::iter::once(heading).chain(items.iter().map(line)).collect()
}

/// A page of a list: a heading, if it is the first one, and a line for each item.
fn page<T>(
    heading: impl Fn(usize) -> String,
    page: &Page<T>,
    line: impl Fn(&T) -> String,
) -> Vec<String> {
    page.total.map(heading).into_iter().chain(page.lines.iter().map(line)).collect()
}

/// "2 entries:", "no entries".
fn entries(count: usize) -> String {
    match count {
        0 => "no entries".to_owned(),
        1 => "1 entry:".to_owned(),
        count => format!("{count} entries:"),
    }
}

fn lines(theme: Theme, event: &Event) -> Vec<String> {
    match event {
        Event::Rooms(rooms) => page(|total| counted(total, "room") + ":", rooms, room_line),
        Event::Who { room, people } => {
            let place = room.as_ref().map_or("online".to_owned(), |room| format!("in {room}"));
            let heading = |total| format!("{} {place}:", counted(total, "user"));
            page(heading, people, |person| person_line(theme, person))
        }
        Event::Connections(people) => {
            let heading = |total| format!("{} connected:", counted(total, "user"));
            page(heading, people, |person| {
                let (line, since) = (person_line(theme, person), time::shown(person.since));
                format!("{line} from {} since {since} UTC", person.who.label)
            })
        }
        Event::Whois(whois) => whois_lines(theme, whois),
        Event::TopicIs { room, topic: Some(topic) } => {
            let time = time::shown(topic.time);
            vec![format!("topic of {room}: {} (set by {}, {time} UTC)", topic.text, topic.by)]
        }
        Event::TopicIs { room, topic: None } => vec![format!("{room} has no topic")],
        Event::ModesAre { room, modes, created } => {
            vec![format!("modes of {room}: {}{}", modes_text(modes), created_text(*created))]
        }
        Event::Bans { room, bans } => {
            let heading = format!("ban list of {room}: {}", entries(bans.len()));
            list(heading, bans, |(mask, by, time)| {
                format!("{mask} (set by {by}, {} UTC)", time::shown(*time))
            })
        }
        Event::Accounts(accounts) => page(
            |total| match total {
                0 => "no registered accounts".to_owned(),
                _ => counted(total, "registered account") + ":",
            },
            accounts,
            account_text::line,
        ),
        Event::Ignored(nicks) if nicks.is_empty() => vec!["you are not ignoring anyone".to_owned()],
        Event::Ignored(nicks) => {
            let nicks: Vec<&str> = nicks.iter().map(Name::as_str).collect();
            vec![format!("you are ignoring {}", nicks.join(", "))]
        }
        Event::Certificates(known) if known.is_empty() => {
            vec!["your account knows no certificate (/cert add)".to_owned()]
        }
        Event::Certificates(known) => {
            known.iter().map(|fingerprint| format!("certificate {fingerprint}")).collect()
        }
        Event::FileDeleted { name } => vec![format!("deleted {name}")],
        Event::ServerBans(bans) => {
            page(|total| format!("server bans: {}", entries(total)), bans, server_ban_line)
        }
        _ => Vec::new(),
    }
}

pub(super) fn server_ban_target(target: &BanTarget) -> String {
    match target {
        BanTarget::Address(mask) => mask.clone(),
        BanTarget::Account(name) => format!("account:{name}"),
    }
}

pub(super) fn until(moment: Option<Moment>) -> String {
    match moment {
        Some(moment) => format!("until {} UTC", time::shown(moment)),
        None => "permanent".to_owned(),
    }
}

fn server_ban_line(ban: &ServerBanLine) -> String {
    let (target, until) = (server_ban_target(&ban.target), until(ban.until));
    let reason = ban.reason.as_deref().unwrap_or("no reason given");
    format!("{target} ({until}, set by {}): {reason}", ban.by)
}

fn room_line(room: &RoomLine) -> String {
    let joined = if room.joined { ", joined" } else { "" };
    let topic = room.topic.as_ref().map(|topic| format!(": {topic}")).unwrap_or_default();
    format!("{} ({}{joined}){topic}", room.room, counted(room.members, "user"))
}

/// `@` marks an operator, `+` a voiced member, as IRC does.
fn mark(op: bool, voice: bool) -> &'static str {
    match (op, voice) {
        (true, _) => "@",
        (false, true) => "+",
        (false, false) => "",
    }
}

fn person_line(theme: Theme, person: &Person) -> String {
    let mark = mark(person.op, person.voice);
    let operator = if person.operator { " (server operator)" } else { "" };
    let away = person.away.as_ref().map(|away| format!(" (away: {away})")).unwrap_or_default();
    format!("{mark}{}{operator}{away}", label(theme, &person.who))
}

fn whois_lines(theme: Theme, whois: &Whois) -> Vec<String> {
    let who = &whois.person.who;
    let mut lines = vec![format!("{} is {}", label(theme, who), who.prefix())];
    lines.extend(who.names.realname().map(|name| format!("real name: {name}")));
    lines.push(match &who.account {
        Some(account) => format!("logged in as {account}"),
        None => "not logged in".to_owned(),
    });
    lines.extend(whois.person.operator.then(|| "server operator".to_owned()));
    lines.extend(whois.person.away.as_ref().map(|away| format!("away: {away}")));
    let room = |(room, op, voice): &(Name, bool, bool)| format!("{}{room}", mark(*op, *voice));
    let rooms: Vec<String> = whois.rooms.iter().map(room).collect();
    if !rooms.is_empty() {
        lines.push(format!("in {}", rooms.join(", ")));
    }
    let idle = time::length((whois.now.0 - whois.last.0).max(0));
    lines.push(format!("connected since {} UTC, idle {idle}", time::shown(whois.person.since)));
    lines
}

/// Nothing for the lobby, which is older than any record.
fn created_text(created: Moment) -> String {
    match created.0 {
        0 => String::new(),
        _ => format!("; created {} UTC", time::shown(created)),
    }
}

fn modes_text(modes: &Modes) -> String {
    let word = |flag: &Flag| match flag {
        Flag::InviteOnly => "invite-only (i)",
        Flag::Moderated => "moderated (m)",
        Flag::NoCtcp => "no client requests (C)",
        Flag::NoExternal => "no messages from outside (n)",
        Flag::Secret => "secret (s)",
        Flag::TopicLocked => "topic locked (t)",
    };
    let mut words: Vec<String> = modes.flags.iter().map(word).map(str::to_owned).collect();
    words.extend(modes.key.as_ref().map(|key| format!("key {key} (k)")));
    words.extend(modes.limit.map(|limit| format!("limit {} (l)", counted(limit as usize, "user"))));
    if words.is_empty() { "no restrictions".to_owned() } else { words.join(", ") }
}

fn heading(past: &Past, total: usize, out: &mut LineWriter<'_>) {
    let what = match &past.query.scope {
        Scope::Room(room) => format!("history of {}", room.name),
        Scope::Thread { room, .. } => format!("thread in {}", room.name),
        Scope::Mail { .. } => "direct messages while you were offline".to_owned(),
        Scope::Private { peer, .. } | Scope::Session { peer, .. } => {
            format!("direct messages with {peer}")
        }
        Scope::Search { words, .. } => format!("search for \"{words}\""),
    };
    let count = match total {
        0 => "no messages".to_owned(),
        count => format!("{} (times in UTC)", counted(count, "message")),
    };
    out.notice(GREEN, &format!("{what}: {count}"));
    if let (Some(from), Scope::Search { words, .. }) = (past.unsearched, &past.query.scope) {
        let from = from.0;
        let text = format!(
            "the search took too long: messages before id:{from} were not searched \
             (try /search {words} before id:{from})"
        );
        out.notice(GREEN, &text);
    }
}

/// History: `- 17 2026-01-31 12:30 [alice]: text`.
fn past(past: &Past, out: &mut LineWriter<'_>) {
    let Past { query, entries, .. } = past;
    if let Some(total) = past.total {
        heading(past, total, out);
    }
    let account = match &query.scope {
        Scope::Mail { account, .. } | Scope::Private { account, .. } => Some(account),
        _ => None,
    };
    let of_guest = matches!(query.scope, Scope::Session { .. });
    let with_room = matches!(query.scope, Scope::Search { .. });
    for message in entries {
        out.begin(GREEN);
        out.fixed("- ");
        if message.number > 0 {
            out.number(message.number);
            out.fixed(" ");
        }
        out.text(&time::shown(message.time));
        out.fixed(" ");
        match &message.target {
            Target::Room(room) => {
                if with_room || room.as_str() != "#lobby" {
                    out.text(room.as_str());
                    out.fixed(" ");
                }
                out.fixed("[");
                out.text(message.from.as_str());
            }
            // A message that a guest received is stored without a recipient.
            Target::Private { to, .. }
                if (account.is_some() && message.account.as_ref() == account)
                    || (of_guest && !to.as_str().is_empty()) =>
            {
                out.fixed("[you -> ");
                out.text(to.as_str());
            }
            Target::Private { .. } => {
                out.fixed("[");
                out.text(message.from.as_str());
                out.fixed(" -> you");
            }
        }
        out.body(message.kind, message.reply.as_ref(), &message.text);
        out.fixed(if message.edited { " (edited)" } else { "" });
        for (text, count) in &message.reactions {
            out.fixed(" {");
            out.text(text);
            out.fixed(" ");
            out.number((*count).into());
            out.fixed("}");
        }
        out.end();
    }
}
