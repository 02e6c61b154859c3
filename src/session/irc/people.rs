//! Users: WHO, WHOIS, WHOWAS, AWAY, USERHOST, ISON, SETNAME, MONITOR.

use super::fields::{self, cut, given};
use super::lookup::{self, prefixes, visible};
use super::session::Answer;
use super::whowas::SHOWN;
use super::{Context, about, metadata_lines, modes, settings};
use crate::chat::{
    Command, Glob, Hub, Member, Moment, Name, Room, SessionId, User, UserMode, Walk, limits,
};
use crate::wire::irc::{Message, numeric};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Nicks of one USERHOST. RFC 1459 §5.7.
const USERHOST_MOST: usize = 5;

/// `AWAY [:message]`.
pub(super) fn away(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [text] = message.words();
    let text = given(text).map(|text| cut(text, limits::REASON_LENGTH).into());
    context.run(Command::Away(text));
}

/// `SETNAME :real name`.
pub(super) fn setname(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [text] = message.words();
    if text.is_empty() || text.len() > limits::REAL_NAME_LENGTH {
        return context.fail("INVALID_REALNAME", &[], "Realname is not valid");
    }
    context.run(Command::RealName(text.into()));
}

/// The users whose nicks a command names, as separate parameters or in one.
fn named<'v>(context: &Context<'_, 'v>, message: &Message<'_>, most: usize) -> Vec<&'v User> {
    let nicks = message.parameters.iter().flat_map(|word| word.split_ascii_whitespace());
    nicks.take(most).filter_map(|nick| lookup::user(context, nick)).collect()
}

/// `USERHOST nick …`.
pub(super) fn userhost(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let entry = |user: &User| {
        let (who, star) = (&user.identity, if user.is_operator() { "*" } else { "" });
        let sign = if user.away().is_some() { '-' } else { '+' };
        format!("{}{star}={sign}{}@{}", who.nick, who.user(), fields::host(who))
    };
    let users = named(context, message, USERHOST_MOST).into_iter().map(entry);
    let users: Vec<String> = users.collect();
    context.reply().numeric_text(numeric::RPL_USERHOST, &[], &users.join(" "));
}

/// `ISON nick …`.
pub(super) fn ison(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let users = named(context, message, usize::MAX);
    let nicks: Vec<&str> = users.iter().map(|user| user.identity.nick.as_str()).collect();
    context.reply().numeric_text(numeric::RPL_ISON, &[], &nicks.join(" "));
}

/// `MONITOR +|-|C|L|S [nick,…]`.
pub(super) fn monitor(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [action, list] = message.words();
    let nicks: Vec<&str> = list.split(',').filter(|nick| !nick.is_empty()).collect();
    let me = context.view.me;
    match action {
        "+" if !nicks.is_empty() => monitor_more(context, &nicks),
        "-" => nicks.iter().for_each(|nick| context.view.monitors.remove(me, &Name::new(nick))),
        "C" | "c" => context.view.monitors.clear(me),
        "L" | "l" => {
            let watched = context.view.monitors.watched(me).to_vec();
            let entries = watched.iter().map(|nick| Cow::Borrowed(nick.as_str()));
            let mut reply = context.reply();
            reply.list(numeric::RPL_MONLIST, &[], ',', entries);
            reply.numeric(numeric::RPL_ENDOFMONLIST, &[]);
        }
        "S" | "s" => {
            let watched = context.view.monitors.watched(me).to_vec();
            tell_presence(context, &watched);
        }
        _ => context.need_more(),
    }
}

fn monitor_more(context: &mut Context<'_, '_>, nicks: &[&str]) {
    let me = context.view.me;
    let (mut added, mut excess) = (Vec::new(), Vec::new());
    for nick in nicks {
        let name = Name::new(nick);
        if Name::nick(nick).is_err() && context.view.hub.session_of(nick).is_none() {
            continue;
        }
        let watched = context.view.monitors.watched(me);
        if watched.len() >= settings::MONITORED && !watched.contains(&name) {
            excess.push(*nick);
            continue;
        }
        context.view.monitors.add(me, name.clone());
        if !added.contains(&name) {
            added.push(name);
        }
    }
    tell_presence(context, &added);
    if !excess.is_empty() {
        let words = [&*settings::MONITORED.to_string(), &*excess.join(",")];
        context.numeric(numeric::ERR_MONLISTFULL, &words);
    }
}

fn tell_presence(context: &mut Context<'_, '_>, nicks: &[Name]) {
    let (mut online, mut offline) = (Vec::new(), Vec::new());
    for nick in nicks {
        match lookup::user(context, nick.as_str()) {
            Some(user) => online.push(user),
            None => offline.push(Cow::Borrowed(nick.as_str())),
        }
    }
    let mut reply = context.reply();
    let prefixes = online.iter().map(|user| fields::prefix(&user.identity).into());
    reply.list(numeric::RPL_MONONLINE, &[], ',', prefixes);
    reply.list(numeric::RPL_MONOFFLINE, &[], ',', offline);
    context.answer(MonitoredMetadata(online.iter().map(|it| it.identity.session).collect()));
}

/// The metadata of those of the monitored users who are online.
struct MonitoredMetadata(VecDeque<SessionId>);

impl Answer for MonitoredMetadata {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        if let Some(user) = self.0.pop_front().and_then(|online| context.view.hub.user(online)) {
            context.tell_watched_metadata(user);
        }
        !self.0.is_empty()
    }
}

/// `WHOWAS nick [count]`.
pub(super) fn whowas(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [nick, count] = message.words();
    if nick.is_empty() {
        return context.numeric(numeric::ERR_NONICKNAMEGIVEN, &[]);
    }
    let count = count.parse().ok().filter(|count| (1..SHOWN).contains(count)).unwrap_or(SHOWN);
    let server = &context.view.settings.name;
    let former: Vec<_> = context.view.whowas.find(nick).take(count).collect();
    let mut reply = context.session.reply(context.view, context.out);
    for former in &former {
        let (who, host) = (&former.who, fields::host(&former.who));
        let words = [who.nick.as_str(), who.user(), &host, "*"];
        reply.numeric_text(numeric::RPL_WHOWASUSER, &words, fields::realname(who));
        let words = [who.nick.as_str(), server];
        reply.numeric_text(numeric::RPL_WHOISSERVER, &words, &fields::timestamp(former.when));
    }
    if former.is_empty() {
        reply.numeric(numeric::ERR_WASNOSUCHNICK, &[nick]);
    }
    reply.numeric(numeric::RPL_ENDOFWHOWAS, &[nick]);
}

/// `WHOIS [server] nick`.
pub(super) fn whois(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let nick = match *message.parameters.as_slice() {
        [] | [""] => return context.numeric(numeric::ERR_NONICKNAMEGIVEN, &[]),
        [nick] => nick,
        [_, nick, ..] => {
            if !about::is_here(context, message) {
                return;
            }
            nick
        }
    };
    match lookup::user(context, nick) {
        Some(user) => tell_whois(context, user),
        None => context.numeric(numeric::ERR_NOSUCHNICK, &[nick]),
    }
    context.numeric(numeric::RPL_ENDOFWHOIS, &[nick]);
}

fn tell_whois(context: &mut Context<'_, '_>, user: &User) {
    let (settings, now, hub) = (context.view.settings, context.view.now, context.view.hub);
    let Some(asker) = context.user() else { return };
    let (who, host) = (&user.identity, fields::host(&user.identity));
    let nick = who.nick.as_str();
    let privileged = asker.identity.session == who.session || asker.is_operator();
    let rooms = shown_rooms(context, asker, user, privileged);
    let mut reply = context.reply();
    let words = [nick, who.user(), &host, "*"];
    reply.numeric_text(numeric::RPL_WHOISUSER, &words, fields::realname(who));
    reply.list(numeric::RPL_WHOISCHANNELS, &[nick], ' ', rooms);
    let words = [nick, &*settings.name];
    reply.numeric_text(numeric::RPL_WHOISSERVER, &words, &settings.network);
    if user.is_operator() {
        reply.numeric(numeric::RPL_WHOISOPERATOR, &[nick]);
    }
    if who.bot {
        reply.numeric(numeric::RPL_WHOISBOT, &[nick]);
    }
    if let Some(account) = &who.account {
        reply.numeric(numeric::RPL_WHOISACCOUNT, &[nick, account.as_str()]);
    }
    if privileged {
        let text = format!("is connecting from {}@{host} {host}", who.user());
        reply.numeric_text(numeric::RPL_WHOISHOST, &[nick], &text);
        let text = format!("is using modes {}", modes::of_user(user));
        reply.numeric_text(numeric::RPL_WHOISMODES, &[nick], &text);
    }
    if let Some(message) = user.away() {
        reply.numeric_text(numeric::RPL_AWAY, &[nick], message);
    }
    metadata_lines::tell_whois(&mut reply, nick, hub.metadata_of(user));
    let words = [nick, &*idle(user, now), &*fields::seconds(user.since)];
    reply.numeric(numeric::RPL_WHOISIDLE, &words);
}

fn idle(user: &User, now: Moment) -> String {
    ((now.0 - user.last.0).max(0) / 1000).to_string()
}

/// The channels of a user, each with the user's prefixes there.
fn shown_rooms<'v>(
    context: &Context<'_, 'v>,
    asker: &User,
    user: &User,
    privileged: bool,
) -> Vec<Cow<'v, str>> {
    let (hub, caps) = (context.view.hub, context.session.caps);
    let hidden = user.is(UserMode::Invisible) && !privileged;
    let rooms = user.rooms().iter().filter_map(|name| hub.room(name.as_str()));
    let shown = rooms.filter(|room| {
        hub.sees(asker, room) && (!hidden || room.member(asker.identity.session).is_some())
    });
    let entry = |room: &Room| {
        let member = room.member(user.identity.session).unwrap_or_default();
        Cow::Owned(format!("{}{}", prefixes(member, caps), room.name))
    };
    shown.map(entry).collect()
}

/// `WHO mask [o] [%fields[,token]]`.
pub(super) fn who(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let mask = message.parameters.first().copied().unwrap_or("*");
    let [_, option] = message.words();
    let operators = option.split('%').next().unwrap_or_default().contains('o');
    let fields = option.split_once('%').map(|(_, fields)| fields);
    let end = given(mask).unwrap_or("*").to_owned();
    let fields = fields.map(str::to_owned);
    let place = if mask.starts_with('#') {
        Place::Room(Name::new(mask))
    } else if let Some(user) = lookup::user(context, mask) {
        if !operators || user.is_operator() {
            tell_who(context, user, None, fields.as_deref());
        }
        return context.numeric(numeric::RPL_ENDOFWHO, &[mask]);
    } else {
        Place::Fitting(if mask == "0" { "*".to_owned() } else { end.clone() })
    };
    context.answer(Who { place, operators, fields, end, walk: Walk::default() });
}

/// Where the users of a WHO are.
enum Place {
    Room(Name),
    /// Those whom this mask fits.
    Fitting(String),
}

/// The users in a channel, or those whom a mask fits.
struct Who {
    place: Place,
    operators: bool,
    fields: Option<String>,
    end: String,
    walk: Walk<SessionId>,
}

impl Answer for Who {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        let (hub, operators) = (context.view.hub, self.operators);
        let wanted = |user: &User| !operators || user.is_operator();
        let Some(asker) = context.user() else { return false };
        let next = match &self.place {
            Place::Room(name) => visible(context, name.as_str()).and_then(|room| {
                let inside = room.member(asker.identity.session).is_some();
                let session = self.walk.next(|| room.sessions())?;
                let user = hub.user(session).filter(|user| wanted(user));
                let user = user.filter(|user| inside || !user.is(UserMode::Invisible));
                Some(
                    user.zip(room.member(session))
                        .map(|(user, member)| (user, Some((room, member)))),
                )
            }),
            Place::Fitting(mask) => {
                let session = self.walk.next(|| fitting(hub, asker, mask));
                let user = |session| hub.user(session).filter(|user| wanted(user));
                session.map(|session| user(session).map(|user| (user, None)))
            }
        };
        match next {
            Some(Some((user, place))) => tell_who(context, user, place, self.fields.as_deref()),
            Some(None) => {}
            None => context.numeric(numeric::RPL_ENDOFWHO, &[&self.end]),
        }
        next.is_some()
    }
}

/// The users whom a mask fits and whom the asker may see.
fn fitting(hub: &Hub, asker: &User, mask: &str) -> Vec<SessionId> {
    let mut near = None;
    let mut hidden = |user: &User| {
        user.is(UserMode::Invisible)
            && user.identity.session != asker.identity.session
            && !asker.is_operator()
            && !near
                .get_or_insert_with(|| lookup::who_shares_a_room(hub, asker))
                .contains(&user.identity.session)
    };
    // Longer than any text that it could match.
    let Some(glob) = Glob::new(mask) else { return Vec::new() };
    let mut fits = |user: &&User| {
        let who = &user.identity;
        let texts = [who.nick.as_str(), who.user(), who.host()];
        let fits = mask == "*"
            || texts.iter().any(|text| glob.matches(text))
            || who.names.realname().is_some_and(|text| glob.matches(text));
        fits && !hidden(user)
    };
    hub.users().filter(|user| fits(user)).map(|user| user.identity.session).collect()
}

fn tell_who(
    context: &mut Context<'_, '_>,
    user: &User,
    place: Option<(&Room, Member)>,
    fields: Option<&str>,
) {
    let (server, now) = (&context.view.settings.name, context.view.now);
    let caps = context.session.caps;
    let (who, host) = (&user.identity, fields::host(&user.identity));
    let room = place.map_or("*", |(room, _)| room.name.as_str());
    let mut flags = String::from(if user.away().is_some() { "G" } else { "H" });
    if user.is_operator() {
        flags.push('*');
    }
    if let Some((_, member)) = place {
        flags.push_str(prefixes(member, caps));
    }
    if who.bot {
        flags.push('B');
    }
    let realname = fields::realname(who);
    let mut reply = context.reply();
    let Some(fields) = fields else {
        let words = [room, who.user(), &host, server.as_str(), who.nick.as_str(), &flags];
        return reply.numeric_text(numeric::RPL_WHOREPLY, &words, &format!("0 {realname}"));
    };
    let (fields, token) = fields.split_once(',').unwrap_or((fields, "0"));
    let all: [(char, &str); 12] = [
        ('t', token),
        ('c', room),
        ('u', who.user()),
        ('i', &host),
        ('h', &host),
        ('s', server),
        ('n', who.nick.as_str()),
        ('f', &flags),
        ('d', "0"),
        ('l', &idle(user, now)),
        ('a', who.account.as_ref().map_or("0", Name::as_str)),
        ('o', "n/a"),
    ];
    let chosen = all.iter().filter(|(letter, _)| fields.contains(*letter));
    let words: Vec<&str> = chosen.map(|(_, word)| *word).collect();
    if fields.contains('r') {
        reply.numeric_text(numeric::RPL_WHOSPCRPL, &words, realname);
    } else {
        reply.numeric(numeric::RPL_WHOSPCRPL, &words);
    }
}
