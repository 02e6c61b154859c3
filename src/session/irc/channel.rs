//! Channels: JOIN, PART, RENAME, TOPIC, NAMES, LIST, INVITE, KICK.

use super::fields::{self, cut, given};
use super::lookup::{prefixes, visible};
use super::session::Answer;
use super::{Caps, Context, read_marker, render, settings, subscriptions};
use crate::chat::{
    Command, Event, Flag, Glob, Moment, Name, Room, SessionId, UserMode, Walk, limits,
};
use crate::wire::irc::{Message, numeric};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

/// The items of a comma-separated list, as many as one line may have; the rest is rejected, and so
/// is a list of nothing.
fn items<'l>(
    context: &mut Context<'_, '_>,
    list: &'l str,
) -> impl Iterator<Item = &'l str> + use<'l> {
    let items = move || list.split(',').filter(|item| !item.is_empty());
    if items().next().is_none() {
        context.need_more();
    }
    if let Some(excess) = items().nth(settings::AT_ONCE) {
        context.numeric(numeric::ERR_TOOMANYTARGETS, &[excess]);
    }
    items().take(settings::AT_ONCE)
}

fn reason(message: &Message<'_>, place: usize) -> Option<Arc<str>> {
    message.parameters.get(place).map(|text| cut(text, limits::REASON_LENGTH).into())
}

/// `JOIN #channel,… [key,…]`; `JOIN 0` parts from all channels.
pub(super) fn join(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [rooms, keys] = message.words();
    if rooms == "0" {
        let joined = context.user().map_or(&[][..], |user| user.rooms());
        for room in joined {
            context.run(Command::Part(room.shared(), None));
        }
        return;
    }
    let mut keys = keys.split(',');
    for room in items(context, rooms) {
        let key = keys.next().and_then(given);
        context.run(Command::Join(room.into(), key.map(Into::into)));
    }
}

/// `PART #channel,… [:reason]`.
pub(super) fn part(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [rooms] = message.words();
    let reason = reason(message, 1);
    for room in items(context, rooms) {
        context.run(Command::Part(room.into(), reason.clone()));
    }
}

/// `RENAME #channel #name [:reason]`. IRCv3 draft/channel-rename.
pub(super) fn rename(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [room, to] = message.words();
    context.session.subject = Some(Box::new([room, to].map(str::to_owned)));
    context.run(Command::RenameRoom(room.into(), to.into(), reason(message, 2)));
}

/// A room was renamed. A client without the capability sees its own PART and JOIN.
pub(super) fn renamed(context: &mut Context<'_, '_>, event: &Event) {
    let Event::RoomRenamed { before, room, reason, .. } = event else { return };
    let (caps, stamp) = (context.session.render_caps(), context.view.stamp);
    if caps.caps().has(Caps::CHANNEL_RENAME) {
        return render::write(caps, stamp, event, &mut context.out.lines());
    }
    let Some(user) = context.user() else { return };
    let Some(room) = context.view.hub.room(room.as_str()) else { return };
    // Only the spelling changed, or a server operator renamed a room without being in it.
    if *before == room.name || room.member(context.view.me).is_none() {
        return;
    }
    let who = Arc::clone(&user.identity);
    let (before, reason) = (before.clone(), reason.clone());
    let parted = Event::Parted { who: Arc::clone(&who), room: before, reason };
    render::write(caps, stamp, &parted, &mut context.out.lines());
    // The msgid went with the first line.
    render::joined(caps.caps(), None, &who, &room.name, false, &mut context.out.lines());
    tell_room(context, room);
}

/// What a client is told of a room when it joins.
pub(super) fn tell_room(context: &mut Context<'_, '_>, room: &Room) {
    tell_topic(context, room, false);
    read_marker::tell_joined(context, room);
    if !context.session.caps.has(Caps::NO_IMPLICIT_NAMES) {
        context.answer(Names::new(vec![room.name.clone()], room.name.as_str()));
    }
    subscriptions::tell_joined(context, room);
}

/// `TOPIC #channel [:text]`.
pub(super) fn topic(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [name] = message.words();
    if let Some(text) = message.parameters.get(1) {
        return context.run(Command::SetTopic(name.into(), cut(text, limits::TOPIC_LENGTH).into()));
    }
    match visible(context, name) {
        Some(room) => tell_topic(context, room, true),
        None => context.numeric(numeric::ERR_NOSUCHCHANNEL, &[name]),
    }
}

/// The topic of a room, or with `always` that there is none.
fn tell_topic(context: &mut Context<'_, '_>, room: &Room, always: bool) {
    let mut reply = context.reply();
    let name = room.name.as_str();
    match &room.topic {
        Some(topic) => {
            reply.numeric_text(numeric::RPL_TOPIC, &[name], &topic.text);
            let time = fields::seconds(topic.time);
            reply.numeric(numeric::RPL_TOPICTIME, &[name, topic.by.as_str(), &time]);
        }
        None if always => reply.numeric(numeric::RPL_NOTOPIC, &[name]),
        None => {}
    }
}

/// `NAMES [#channel,…]`.
pub(super) fn names(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [list] = message.words();
    if list.is_empty() {
        let all = Some(Walk::default());
        return context.answer(Names { all, ..Names::new(Vec::new(), "*") });
    }
    if list.bytes().all(|byte| byte == b',') {
        return context.need_more();
    }
    // A channel named twenty times is answered once.
    let mut rooms: Vec<Name> = Vec::new();
    for name in items(context, list) {
        if let Some(room) = visible(context, name).filter(|room| !rooms.contains(&room.name)) {
            rooms.push(room.name.clone());
        }
    }
    context.answer(Names::new(rooms, list));
}

/// The members of channels.
struct Names {
    /// The channels to come; or all, if that was the question.
    rooms: VecDeque<Name>,
    all: Option<Walk<Name>>,
    /// The channel in progress, how far, and a line that is not full.
    current: Option<(Name, Walk<SessionId>, String)>,
    /// What the last line repeats.
    end: String,
}

impl Names {
    fn new(rooms: Vec<Name>, end: &str) -> Names {
        Names { rooms: rooms.into(), all: None, current: None, end: end.to_owned() }
    }

    fn next_room(&mut self, context: &Context<'_, '_>) -> Option<Name> {
        let Some(all) = &mut self.all else { return self.rooms.pop_front() };
        let (hub, user) = (context.view.hub, context.user()?);
        all.next(|| hub.rooms().filter(|room| hub.sees(user, room)).map(|room| room.name.clone()))
    }
}

impl Answer for Names {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        let Some((name, walk, line)) = &mut self.current else {
            let room = self.next_room(context);
            match room {
                Some(room) => self.current = Some((room, Walk::default(), String::new())),
                None => context.numeric(numeric::RPL_ENDOFNAMES, &[&self.end]),
            }
            return self.current.is_some();
        };
        let Some(room) = visible(context, name.as_str()) else {
            // It is gone since.
            self.current = None;
            return true;
        };
        let symbol = if room.modes.has(Flag::Secret) { "@" } else { "=" };
        let words = [symbol, room.name.as_str()];
        while let Some(session) = walk.next(|| room.sessions()) {
            if let Some(entry) = member_entry(context, room, session)
                && context.reply().list_entry((numeric::RPL_NAMREPLY, &words), line, ' ', &entry)
            {
                return true;
            }
        }
        if !line.is_empty() {
            context.reply().numeric_text(numeric::RPL_NAMREPLY, &words, line);
        }
        self.current = None;
        true
    }
}

/// A member in a list of names; `None` if the client may not see it.
fn member_entry<'v>(
    context: &Context<'_, 'v>,
    room: &'v Room,
    session: SessionId,
) -> Option<Cow<'v, str>> {
    let (member, user) = (room.member(session)?, context.view.hub.user(session)?);
    if user.is(UserMode::Invisible) && room.member(context.view.me).is_none() {
        return None;
    }
    let caps = context.session.caps;
    let mark = prefixes(member, caps);
    Some(if caps.has(Caps::USERHOST_IN_NAMES) {
        format!("{mark}{}", fields::prefix(&user.identity)).into()
    } else if mark.is_empty() {
        user.identity.nick.as_str().into()
    } else {
        format!("{mark}{}", user.identity.nick).into()
    })
}

/// The filter of a LIST: `C`, `M`, `N`, `T` and `U` of ELIST.
#[derive(Default)]
struct Filter {
    /// Whether a mask was given, if only one that no name can match.
    has_masks: bool,
    masks: Vec<Glob>,
    without: Vec<Glob>,
    more_than: Option<usize>,
    fewer_than: Option<usize>,
    /// Bounds of the room's and its topic's age in minutes: older than, younger than.
    created: (Option<i64>, Option<i64>),
    topic: (Option<i64>, Option<i64>),
}

impl Filter {
    fn parse(words: &str) -> Filter {
        let mut filter = Filter::default();
        let age = |bounds: &mut (Option<i64>, Option<i64>), text: &str| match (
            text.get(..1),
            text.get(1..).and_then(|minutes| minutes.parse().ok()),
        ) {
            (Some(">"), minutes) => bounds.0 = minutes,
            (Some("<"), minutes) => bounds.1 = minutes,
            _ => {}
        };
        for word in words.split(',').filter(|word| !word.is_empty()).take(settings::AT_ONCE) {
            if let Some(count) = word.strip_prefix('>') {
                filter.more_than = count.parse().ok();
            } else if let Some(count) = word.strip_prefix('<') {
                filter.fewer_than = count.parse().ok();
            } else if let Some(mask) = word.strip_prefix('!') {
                filter.without.extend(Glob::new(mask));
            } else if word.starts_with("C>") || word.starts_with("C<") {
                age(&mut filter.created, &word[1..]);
            } else if word.starts_with("T>") || word.starts_with("T<") {
                age(&mut filter.topic, &word[1..]);
            } else {
                filter.masks.extend(Glob::new(word));
                filter.has_masks = true;
            }
        }
        filter
    }

    fn fits(&self, room: &Room, now: Moment) -> bool {
        let (name, members) = (room.name.as_str(), room.member_count());
        let minutes = |since: Moment| now.0.saturating_sub(since.0) / 60_000;
        let within = |(older, younger): (Option<i64>, Option<i64>), since: Option<Moment>| {
            if older.is_none() && younger.is_none() {
                return true;
            }
            since.is_some_and(|since| {
                let age = minutes(since);
                older.is_none_or(|bound| age > bound) && younger.is_none_or(|bound| age < bound)
            })
        };
        (!self.has_masks || self.masks.iter().any(|mask| mask.matches(name)))
            && !self.without.iter().any(|mask| mask.matches(name))
            && self.more_than.is_none_or(|count| members > count)
            && self.fewer_than.is_none_or(|count| members < count)
            && within(self.created, Some(room.created))
            && within(self.topic, room.topic.as_ref().map(|topic| topic.time))
    }
}

/// `LIST [filter,…]`.
pub(super) fn list(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [words] = message.words();
    context.numeric(numeric::RPL_LISTSTART, &["Channel"]);
    context.answer(List { filter: words.to_owned(), walk: Walk::default() });
}

/// The channels that fit. Rooms without members exist for plain clients and are not listed.
struct List {
    /// As it was given: compiled, it takes kilobytes for each mask.
    filter: String,
    walk: Walk<Name>,
}

impl Answer for List {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        let (hub, now) = (context.view.hub, context.view.now);
        let Some(user) = context.user() else { return false };
        let listed = |room: &&Room| room.member_count() > 0 && hub.sees(user, room);
        let filter = &self.filter;
        let all = || {
            let filter = Filter::parse(filter);
            let fits = move |room: &&Room| listed(room) && filter.fits(room, now);
            hub.rooms().filter(fits).map(|room| room.name.clone())
        };
        let Some(name) = self.walk.next(all) else {
            context.numeric(numeric::RPL_LISTEND, &[]);
            return false;
        };
        if let Some(room) = hub.room(name.as_str()).filter(listed) {
            let count = room.member_count().to_string();
            let topic = room.topic.as_ref().map_or("", |topic| &topic.text);
            let words = [room.name.as_str(), &count];
            context.reply().numeric_text(numeric::RPL_LIST, &words, topic);
        }
        true
    }
}

/// `INVITE nick #channel`, or `INVITE` for the client's own invitations.
pub(super) fn invite(context: &mut Context<'_, '_>, message: &Message<'_>) {
    match *message.parameters.as_slice() {
        [] => {
            let invites = context.user().map_or(&[][..], |user| user.invites());
            let mut reply = context.reply();
            for (room, _) in invites {
                reply.numeric(numeric::RPL_INVITELIST, &[room.as_str()]);
            }
            reply.numeric(numeric::RPL_ENDOFINVITELIST, &[]);
        }
        [_] => context.need_more(),
        [nick, room, ..] => context.run(Command::Invite(nick.into(), room.into())),
    }
}

/// `KICK #channel nick,… [:reason]`.
pub(super) fn kick(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [rooms, nicks] = message.words();
    let reason = reason(message, 2);
    let me = context.view.me;
    // One channel for all nicks, or one for each.
    let count = |list: &str| list.split(',').filter(|item| !item.is_empty()).count();
    if !matches!(count(rooms), 0 | 1) && count(rooms) != count(nicks) {
        return context.need_more();
    }
    let mut last = "";
    let mut rooms = items(context, rooms).peekable();
    if rooms.peek().is_none() {
        return;
    }
    for nick in items(context, nicks) {
        let room = rooms.next().unwrap_or(last);
        last = room;
        // The hub would first ask whether the target is a member. It answers for a room that the
        // client may not know of.
        let outside = visible(context, room).is_some_and(|room| room.member(me).is_none());
        if outside && !context.is_operator() {
            context.numeric(numeric::ERR_NOTONCHANNEL, &[room]);
            continue;
        }
        context.run(Command::Kick(room.into(), nick.into(), reason.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Change, Hub, Name, Record, RecordId};
    use crate::session::irc::{MonitorList, Session, Settings, UserCounts, View, Whowas};

    /// This many rooms, each with a topic of maximum length.
    fn hub(rooms: usize) -> Hub {
        let (mut hub, mut effects, mut last) = (Hub::new(), Vec::new(), 0);
        let mut write = |origin, change| {
            last += 1;
            let record = Record { id: RecordId(last), time: Moment(1), origin, change };
            hub.apply(record, &mut effects);
            effects.clear();
        };
        for number in 0..rooms {
            let session = SessionId(1 + (number / limits::ROOMS_PER_USER) as u64);
            if number % limits::ROOMS_PER_USER == 0 {
                write(session, Change::Enter(Box::default()));
            }
            let room = Name::new(&format!("#r{number}"));
            let text = "t".repeat(limits::TOPIC_LENGTH).into();
            write(session, Change::Join { room: room.clone(), registers: false, modes: None });
            write(session, Change::Topic { room, text });
        }
        hub
    }

    /// The pages of a LIST.
    fn listed(hub: &Hub, label: &str) -> Vec<String> {
        let settings = Settings::example();
        let (mut session, mut pages) = (Session::new(), Vec::new());
        session.registration = None;
        session.caps = Caps::LABELED_RESPONSE.with(Caps::BATCH);
        let mut view = View {
            hub,
            settings: &settings,
            monitors: &mut MonitorList::default(),
            whowas: &Whowas::default(),
            counts: &mut UserCounts::default(),
            me: SessionId(1),
            now: Moment(1),
            stamp: None,
        };
        let line = format!("{label}LIST");
        let mut out = Vec::new();
        let mut actions = Vec::new();
        session.answering(&mut view, &mut out, &mut actions, |irc| irc.take(line.as_bytes()));
        while session.has_more() {
            pages.push(std::mem::take(&mut out));
            session.answering(&mut view, &mut out, &mut actions, |irc| irc.more());
        }
        session.finish(&mut out);
        pages.push(out);
        pages.into_iter().map(|page| String::from_utf8(page).unwrap()).collect()
    }

    #[test]
    fn a_list_of_any_length_comes_in_pages_and_each_room_once() {
        let few = listed(&hub(20), "");
        assert_eq!((few.len(), few[0].matches(" 322 ").count()), (1, 20));
        let many = listed(&hub(2_000), "");
        assert!(many.iter().all(|page| page.len() < 17 * 1024), "a page and a line at most");
        let all = many.concat();
        let mut rooms: Vec<&str> = all.lines().filter(|line| line.contains(" 322 ")).collect();
        rooms.sort_unstable();
        rooms.dedup();
        assert_eq!(rooms.len(), 2_000);
        assert!(all.lines().last().unwrap().contains(" 323 "));
    }

    #[test]
    fn a_labelled_list_of_several_pages_is_one_batch() {
        let pages = listed(&hub(200), "@label=x ");
        assert!(pages.len() > 3, "{}", pages.len());
        let all = pages.concat();
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines[0], "@label=x :irc.example.org BATCH +l1 labeled-response");
        assert!(lines[1..lines.len() - 1].iter().all(|line| line.starts_with("@batch=l1 :")));
        assert_eq!(lines.last().unwrap(), &":irc.example.org BATCH -l1");
        assert_eq!(lines.len(), 200 + 4);
    }
}
