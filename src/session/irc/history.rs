//! History: CHATHISTORY, IRCv3 draft/chathistory.

use super::render::MessageBody;
use super::{Caps, Context, Lines, fields, render, settings};
use crate::chat::{
    Command, HistoryEvent, Moment, Name, Past, Point, Range, RecordId, Scope, Stamp, StoredMessage,
    Target,
};
use crate::session::time;
use crate::wire::irc::Message;

/// `CHATHISTORY subcommand target point [point] limit`.
pub(super) fn chathistory(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let words = message.parameters.as_slice();
    let subcommand = words.first().copied().unwrap_or_default().to_ascii_uppercase();
    let two = subcommand == "BETWEEN";
    let known = ["LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN", "TARGETS"];
    if !known.contains(&subcommand.as_str()) {
        return context.fail("INVALID_PARAMS", &[&subcommand], "Unknown subcommand");
    }
    let needed = if two { 5 } else { 4 };
    if words.len() < needed {
        return context.fail("INVALID_PARAMS", &[&subcommand], "Insufficient parameters");
    }
    if subcommand == "TARGETS" {
        return targets(context, words);
    }
    let target = words[1];
    context.session.subject = Some(Box::new([subcommand.clone(), target.to_owned()]));
    let limit: Option<u32> = words[needed - 1].parse().ok().filter(|limit| *limit > 0);
    let (first, second) = (point(words[2]), if two { point(words[3]) } else { None });
    let range = match (subcommand.as_str(), first, second) {
        ("LATEST", _, _) if words[2] == "*" => Some(Range::Latest),
        // From the newest back to it: the limit cuts off the old end.
        ("LATEST", Some(first), _) => Some(Range::Between(Point::Id(RecordId(u64::MAX)), first)),
        ("AFTER", Some(first), _) => Some(Range::After(first)),
        ("BEFORE", Some(first), _) => Some(Range::Before(first)),
        ("AROUND", Some(first), _) => Some(Range::Around(first)),
        ("BETWEEN", Some(first), Some(second)) => Some(Range::Between(first, second)),
        _ => None,
    };
    let (Some(range), Some(limit)) = (range, limit) else {
        return context.fail("INVALID_PARAMS", &[&subcommand], "Invalid message reference");
    };
    let limit = Some(limit.min(settings::HISTORY));
    // Without batches a client could not tell a JOIN of then from one of now.
    let caps = context.session.caps;
    let playback = caps.has(Caps::EVENT_PLAYBACK) && caps.has(Caps::BATCH);
    let member = |room: &crate::chat::Room| room.member(context.view.me).is_some();
    if target.starts_with('#') && !context.view.hub.room(target).is_some_and(member) {
        let text = "Messages could not be retrieved";
        return context.fail("INVALID_TARGET", &[&subcommand, target], text);
    }
    context.run(match target.strip_prefix('#') {
        _ if playback => Command::Playback(target.into(), range, limit),
        Some(_) => Command::History(target.into(), range, limit),
        None => Command::PrivateHistory(target.into(), range, limit),
    });
}

/// `CHATHISTORY TARGETS timestamp=… timestamp=… limit`: the conversations with a message between the two.
fn targets(context: &mut Context<'_, '_>, words: &[&str]) {
    let (Some(Point::Time(one)), Some(Point::Time(other))) = (point(words[1]), point(words[2]))
    else {
        return context.fail("INVALID_PARAMS", &["TARGETS"], "Invalid timestamp");
    };
    let (after, before) = (one.min(other), one.max(other));
    let limit = words[3].parse().unwrap_or(settings::HISTORY).min(settings::HISTORY);
    let (hub, user) = (context.view.hub, context.user());
    let rooms = user.map_or(&[][..], |user| user.rooms());
    let rooms = rooms.iter().filter_map(|name| {
        let room = hub.room(name.as_str())?;
        Some((room.name.clone(), room.last_said?))
    });
    let people = user.map_or(&[][..], |user| hub.partners(user)).iter().cloned();
    let mut found: Vec<(Name, Moment)> =
        rooms.chain(people).filter(|(_, time)| after < *time && *time < before).collect();
    found.sort_by_key(|(_, time)| *time);
    // The limit counts from the first of the two, as in BETWEEN.
    let excess = found.len().saturating_sub(limit as usize);
    if one > other {
        found.drain(..excess);
    } else {
        found.truncate(limit as usize);
    }
    context.reply().batch("targets", &["draft/chathistory-targets"], |reply| {
        for (target, time) in found {
            let words = ["TARGETS", target.as_str(), &fields::timestamp(time)];
            reply.line("CHATHISTORY", &words, None);
        }
    });
}

/// `msgid=…` or `timestamp=…`.
fn point(word: &str) -> Option<Point> {
    if let Some(id) = word.strip_prefix("msgid=") {
        let (id, part) = id.split_once('.').map_or((id, None), |(id, part)| (id, Some(part)));
        let id = RecordId(id.parse().ok()?);
        return Some(match part {
            None => Point::Id(id),
            Some(part) => Point::Part(id, part.parse().ok()?),
        });
    }
    let time: jiff::Timestamp = word.strip_prefix("timestamp=")?.parse().ok()?;
    Some(Point::Time(Moment(time.as_millisecond())))
}

/// Whether a page is the first one, and the last.
pub(super) fn place(past: &Past) -> (bool, bool) {
    (past.total.is_some(), past.more.is_none())
}

/// The reply to a query, or a page of it.
pub(super) fn past(context: &mut Context<'_, '_>, past: &Past) {
    let Past { query, entries, happened, total, .. } = past;
    let me = context.session.nick(context.view);
    let render_caps = context.session.render_caps();
    let caps = render_caps.caps();
    let target = match &query.scope {
        Scope::Room(room) | Scope::Thread { room, .. } => room.name.clone(),
        Scope::Private { peer, .. } | Scope::Session { peer, .. } => peer.clone(),
        // Mail and the like: as if sent now, with its own time.
        Scope::Mail { .. } | Scope::Search { .. } => {
            for entry in entries {
                write(entry, caps, me.as_str(), &mut context.out.lines());
            }
            return;
        }
    };
    // Some clients show every message with the time at which it came.
    let played_back = context.session.is_played_back() && target.as_str().starts_with('#');
    if let (Some(first), Some(count)) = (entries.first().filter(|_| played_back), total) {
        let since = time::shown(first.time);
        let text = format!("History: {count} of the last messages, from {since} UTC on");
        context.reply().line("NOTICE", &[target.as_str()], Some(&text));
    }
    let batch = ("history", &["chathistory", target.as_str()][..]);
    context.reply().page_of_batch(batch, place(past), |reply| {
        let out = &mut reply.lines;
        let mut happened = happened.iter().peekable();
        let mut happen = |before: Option<RecordId>, out: &mut Lines<'_>| {
            let due = |it: &&HistoryEvent| before.is_none_or(|id| it.stamp.id < id);
            while let Some(it) = happened.next_if(due) {
                render::write(render_caps, Some(it.stamp), &it.event(&target), out);
            }
        };
        for entry in entries {
            happen(Some(entry.id), out);
            write(entry, caps, me.as_str(), out);
        }
        happen(None, out);
    });
    if played_back && !entries.is_empty() && past.more.is_none() {
        context.reply().line("NOTICE", &[target.as_str()], Some("End of history"));
    }
}

pub(super) fn write(entry: &StoredMessage, caps: Caps, me: &str, out: &mut Lines<'_>) {
    let to = match &entry.target {
        Target::Room(room) => room.as_str(),
        Target::Private { to, .. } => to.as_str(),
    };
    let to = if to.is_empty() { me } else { to };
    let stamp = Stamp { id: entry.id, part: 0, time: entry.time };
    let tags = render::client_tags(entry.tags.as_deref(), entry.reply.as_ref());
    let continuations = entry.continuations.as_deref().unwrap_or_default();
    let (kind, text, tags, number) = (entry.kind, &*entry.text, tags.as_deref(), entry.number);
    let body = MessageBody { kind, text, continuations, tags, number };
    render::message(caps, stamp, &entry.author(), &body, to, out);
}
