//! What can be asked about people, and what they say of themselves: WHO, WHOIS, WHOWAS, AWAY,
//! USERHOST, ISON, SETNAME, MONITOR.

use super::channel::{prefixes, share_a_room};
use super::fields;
use super::{Context, commands, metadata, modes, settings};
use crate::chat::{Command, Member, Name, Room, User, UserMode, glob, limits};
use crate::wire::irc::{Message, numeric};
use std::borrow::Cow;

/// Nicks of one USERHOST. RFC 1459 §5.7.
const USERHOST_MOST: usize = 5;

/// `AWAY [:message]`.
pub(super) fn away(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let text = message.parameters.first().copied().filter(|text| !text.is_empty());
    let text = text.map(|text| &text[..text.floor_char_boundary(limits::REASON_LENGTH)]);
    context.run(Command::Away(text.map(Into::into)));
}

/// `SETNAME :real name`.
pub(super) fn setname(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let text = message.parameters.first().copied().unwrap_or_default();
    if text.is_empty() || text.len() > limits::REAL_NAME_LENGTH {
        let text = "Realname is not valid";
        return context.reply().fail("SETNAME", "INVALID_REALNAME", &[], text);
    }
    context.run(Command::RealName(text.into()));
}

/// `USERHOST nick …`.
pub(super) fn userhost(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let mut answers = Vec::new();
    let nicks = message.parameters.iter().flat_map(|word| word.split_ascii_whitespace());
    for nick in nicks.take(USERHOST_MOST) {
        let session = context.view.hub.session_of(nick);
        if let Some(user) = session.and_then(|session| context.view.hub.user(session)) {
            let who = &user.identity;
            let star = if user.is_operator() { "*" } else { "" };
            let sign = if user.away().is_some() { '-' } else { '+' };
            answers.push(format!("{}{star}={sign}{}@{}", who.nick, who.user(), fields::host(who)));
        }
    }
    context.reply().numeric_text(numeric::RPL_USERHOST, &[], &answers.join(" "));
}

/// `ISON nick …`.
pub(super) fn ison(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let nicks = message.parameters.iter().flat_map(|word| word.split_ascii_whitespace());
    let hub = context.view.hub;
    let there = nicks.filter_map(|nick| hub.user(hub.session_of(nick)?));
    let there: Vec<&str> = there.map(|user| user.identity.nick.as_str()).collect();
    context.reply().numeric_text(numeric::RPL_ISON, &[], &there.join(" "));
}

/// `MONITOR +|-|C|L|S [nick,…]`.
pub(super) fn monitor(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let action = message.parameters.first().copied().unwrap_or_default();
    let list = message.parameters.get(1).copied().unwrap_or_default();
    let nicks: Vec<&str> = list.split(',').filter(|nick| !nick.is_empty()).collect();
    let me = context.view.me;
    match action {
        "+" if nicks.is_empty() => commands::need_more(context),
        "+" => {
            let mut added = Vec::new();
            let mut refused = Vec::new();
            for nick in nicks {
                let name = Name::new(nick);
                if Name::nick(nick).is_err() && context.view.hub.session_of(nick).is_none() {
                    continue;
                }
                let watched = context.view.monitors.watched(me);
                if watched.len() >= settings::MONITORED && !watched.contains(&name) {
                    refused.push(nick);
                    continue;
                }
                context.view.monitors.add(me, name.clone());
                added.push(name);
            }
            tell_presence(context, &added);
            if !refused.is_empty() {
                let words = [settings::MONITORED.to_string(), refused.join(",")];
                let words = [words[0].as_str(), words[1].as_str()];
                context.reply().numeric(numeric::ERR_MONLISTFULL, &words);
            }
        }
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
        _ => commands::need_more(context),
    }
}

fn tell_presence(context: &mut Context<'_, '_>, nicks: &[Name]) {
    let hub = context.view.hub;
    let of = |nick: &Name| hub.user(hub.session_of(nick.as_str())?);
    let there = nicks.iter().filter_map(of).map(|user| fields::prefix(&user.identity).into());
    let gone = nicks.iter().filter(|nick| of(nick).is_none()).map(|nick| nick.as_str().into());
    let mut reply = context.reply();
    reply.list(numeric::RPL_MONONLINE, &[], ',', there);
    reply.list(numeric::RPL_MONOFFLINE, &[], ',', gone);
    let there: Vec<&User> = nicks.iter().filter_map(of).collect();
    let (session, view) = (&*context.session, &*context.view);
    let mut reply = session.reply(view, context.out);
    for user in there {
        session.tell_watched_metadata(user, hub, &mut reply);
    }
}

/// `WHOWAS nick [count]`.
pub(super) fn whowas(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let Some(nick) = message.parameters.first().copied().filter(|nick| !nick.is_empty()) else {
        return context.reply().numeric(numeric::ERR_NONICKNAMEGIVEN, &[]);
    };
    let count: i64 = message.parameters.get(1).and_then(|count| count.parse().ok()).unwrap_or(0);
    let most = usize::try_from(count).ok().filter(|count| *count > 0).unwrap_or(usize::MAX);
    let server = &context.view.settings.name;
    let mut reply = context.session.reply(context.view, context.out);
    let mut found = false;
    for gone in context.view.whowas.find(nick).take(most) {
        found = true;
        let (who, host) = (&gone.who, fields::host(&gone.who));
        let realname = fields::realname(who);
        let words = [who.nick.as_str(), who.user(), &host, "*"];
        reply.numeric_text(numeric::RPL_WHOWASUSER, &words, realname);
        let words = [who.nick.as_str(), server];
        reply.numeric_text(numeric::RPL_WHOISSERVER, &words, &fields::timestamp(gone.when));
    }
    if !found {
        reply.numeric(numeric::ERR_WASNOSUCHNICK, &[nick]);
    }
    reply.numeric(numeric::RPL_ENDOFWHOWAS, &[nick]);
}

/// `WHOIS [server] nick`.
pub(super) fn whois(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let nick = match *message.parameters.as_slice() {
        [] | [""] => {
            return context.reply().numeric(numeric::ERR_NONICKNAMEGIVEN, &[]);
        }
        [nick] => nick,
        [server, nick, ..] => {
            let known = glob(server, &context.view.settings.name)
                || context.view.hub.session_of(server).is_some();
            if !known {
                return context.reply().numeric(numeric::ERR_NOSUCHSERVER, &[server]);
            }
            nick
        }
    };
    let hub = context.view.hub;
    match hub.session_of(nick).and_then(|session| hub.user(session)) {
        Some(user) => tell_whois(context, user),
        None => context.reply().numeric(numeric::ERR_NOSUCHNICK, &[nick]),
    }
    context.reply().numeric(numeric::RPL_ENDOFWHOIS, &[nick]);
}

fn tell_whois(context: &mut Context<'_, '_>, user: &User) {
    let (settings, now, hub) = (context.view.settings, context.view.now, context.view.hub);
    let Some(asker) = context.user() else { return };
    let (who, host) = (&user.identity, fields::host(&user.identity));
    let nick = who.nick.as_str();
    let own = asker.identity.session == who.session;
    let hidden = user.is(UserMode::Invisible) && !own && !asker.is_operator();
    let caps = context.session.caps;
    let rooms = user.rooms().iter().filter_map(|name| hub.room(name.as_str()));
    let shown = rooms.filter(|room| {
        hub.sees(asker, room) && (!hidden || room.member(asker.identity.session).is_some())
    });
    let entries = shown.map(|room| {
        let mark = prefixes(room.member(who.session).unwrap_or_default(), caps);
        Cow::Owned(format!("{mark}{}", room.name))
    });
    let entries: Vec<Cow<'_, str>> = entries.collect();
    let mut reply = context.reply();
    let realname = fields::realname(who);
    reply.numeric_text(numeric::RPL_WHOISUSER, &[nick, who.user(), &host, "*"], realname);
    reply.list(numeric::RPL_WHOISCHANNELS, &[nick], ' ', entries);
    reply.numeric_text(numeric::RPL_WHOISSERVER, &[nick, &settings.name], &settings.network);
    if user.is_operator() {
        reply.numeric(numeric::RPL_WHOISOPERATOR, &[nick]);
    }
    if who.bot {
        reply.numeric(numeric::RPL_WHOISBOT, &[nick]);
    }
    if let Some(account) = &who.account {
        let words = [nick, account.as_str()];
        reply.numeric(numeric::RPL_WHOISACCOUNT, &words);
    }
    if own || asker.is_operator() {
        let text = format!("is connecting from {}@{host} {host}", who.user());
        reply.numeric_text(numeric::RPL_WHOISHOST, &[nick], &text);
        let text = format!("is using modes {}", modes::of(user));
        reply.numeric_text(numeric::RPL_WHOISMODES, &[nick], &text);
    }
    if let Some(message) = user.away() {
        reply.numeric_text(numeric::RPL_AWAY, &[nick], message);
    }
    metadata::tell_whois(&mut reply, nick, hub.metadata_of(user));
    let idle = (now.0 - user.last.0).max(0) / 1000;
    let words = [nick, &idle.to_string(), &fields::seconds(user.since)];
    reply.numeric(numeric::RPL_WHOISIDLE, &words);
}

/// `WHO mask [o] [%fields[,token]]`.
pub(super) fn who(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let mask = message.parameters.first().copied().unwrap_or("*");
    let option = message.parameters.get(1).copied().unwrap_or_default();
    let operators = option.split('%').next().unwrap_or_default().contains('o');
    let fields = option.split_once('%').map(|(_, fields)| fields);
    let hub = context.view.hub;
    if mask.starts_with('#') {
        if let Some(room) = super::channel::visible(context, mask) {
            let inside = room.member(context.view.me).is_some();
            for (session, member) in room.members() {
                if let Some(user) = hub.user(session)
                    && (!operators || user.is_operator())
                    && (inside || !user.is(UserMode::Invisible))
                {
                    tell_who(context, user, Some((room, member)), fields);
                }
            }
        }
    } else if let Some(user) = hub.session_of(mask).and_then(|session| hub.user(session)) {
        if !operators || user.is_operator() {
            tell_who(context, user, None, fields);
        }
    } else if let Some(asker) = context.user() {
        let mask = if mask == "0" { "*" } else { mask };
        let hidden = |user: &User| {
            user.is(UserMode::Invisible)
                && user.identity.session != asker.identity.session
                && !asker.is_operator()
                && !share_a_room(user.rooms(), asker.rooms())
        };
        for user in hub.users() {
            let who = &user.identity;
            let texts = [who.nick.as_str(), who.user(), who.host()];
            let fits = texts.iter().any(|text| glob(mask, text))
                || who.realname.as_deref().is_some_and(|text| glob(mask, text));
            if fits && !hidden(user) && (!operators || user.is_operator()) {
                tell_who(context, user, None, fields);
            }
        }
    }
    let mask = if mask.is_empty() { "*" } else { mask };
    context.reply().numeric(numeric::RPL_ENDOFWHO, &[mask]);
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
        // The extended answer shows all prefixes to who asked for that, too.
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
    let idle = ((now.0 - user.last.0).max(0) / 1000).to_string();
    let account = who.account.as_ref().map_or("0", Name::as_str);
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
        ('l', &idle),
        ('a', account),
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
