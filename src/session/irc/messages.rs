//! Messages: PRIVMSG, NOTICE, TAGMSG, REDACT.

use super::{Caps, Context, fields, services, settings};
use crate::chat::{Command, Continuations, Kind, Pick, RecordId, SendMessage, Tagging};
use crate::wire::irc::{MAX_BODY, Message, Tags, numeric};
use std::sync::Arc;

/// `PRIVMSG target,… :text`.
pub(super) fn privmsg(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [targets, text] = message.words();
    if text.is_empty() && !targets.is_empty() {
        return context.numeric(numeric::ERR_NOTEXTTOSEND, &[]);
    }
    let tags = client_tags(context, message.tags);
    single_line(context, targets, text, tags);
}

/// `NOTICE target,… :text`. A notice never has a reply, not even an error.
pub(super) fn notice(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [targets, text] = message.words();
    if !text.is_empty() {
        let tags = client_tags(context, message.tags);
        single_line(context, targets, text, tags);
    }
}

/// A message to be sent.
pub(super) struct Outgoing<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) tags: Option<Arc<str>>,
    pub(super) continuations: Option<Continuations>,
}

/// Sends one line by the command in progress, PRIVMSG or NOTICE.
pub(super) fn single_line(
    context: &mut Context<'_, '_>,
    targets: &str,
    text: &str,
    tags: Option<Arc<str>>,
) {
    let action = text.strip_prefix("\u{1}ACTION ");
    let action = action.map(|text| text.strip_suffix('\u{1}').unwrap_or(text));
    let (kind, text) = match action.filter(|text| !text.is_empty()) {
        _ if context.session.command == "NOTICE" => (Kind::Notice, text),
        Some(text) => (Kind::Action, text),
        None => (Kind::Message, text),
    };
    send(context, targets, Outgoing { kind, text, tags, continuations: None });
}

pub(super) fn send(context: &mut Context<'_, '_>, targets: &str, outgoing: Outgoing<'_>) {
    let Outgoing { kind, text, tags, continuations } = outgoing;
    let reply = tags.as_deref().and_then(reply_of);
    let text: Arc<str> = text.into();
    let splits = memchr::memchr(b'\n', text.as_bytes()).is_some() || continuations.is_some();
    let source = context.user().map_or(0, |user| fields::prefix_length(&user.identity));
    let command = context.session.command.len() + if kind == Kind::Action { 9 } else { 0 };
    for target in split_targets(context, targets) {
        let (status, to) = with_status(target);
        if services::takes(context, to, &text) {
            continue;
        }
        // What does not fit into a line with its sender is split where it is rendered. Inside a word not
        // under long tags, which each piece would repeat, and not from a client without any capability to
        // a user: irctest reads both pieces at once, and takes them for a broken line.
        let room = MAX_BODY.saturating_sub(source + command + target.len() + ":   :\r\n".len());
        let is_long = |word: &str| word.len() > room;
        let is_simple = context.session.caps == Caps::NONE && !to.starts_with('#');
        let cuts = !is_simple && tags.as_ref().is_none_or(|tags| tags.len() <= MAX_BODY);
        if !cuts && !splits && text.split(' ').any(is_long) {
            let text = "Message not sent: it holds a word that does not fit into a line";
            context.reply().numeric_text(numeric::ERR_INPUTTOOLONG, &[], text);
            continue;
        }
        context.run(Command::SendMessage(Box::new(SendMessage {
            to: to.into(),
            kind,
            text: Arc::clone(&text),
            tags: tags.clone(),
            status,
            reply: reply.clone(),
            continuations: continuations.clone(),
        })));
    }
}

/// `TAGMSG target,…`, with client-only tags.
pub(super) fn tagmsg(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let Some(tags) = client_tags(context, message.tags) else { return };
    let [targets] = message.words();
    let reaction = reaction_of(&tags);
    for target in split_targets(context, targets) {
        let (status, to) = with_status(target);
        let (to, tags, reaction) = (to.into(), Arc::clone(&tags), reaction.clone());
        context.run(Command::Tag(Box::new(Tagging { to, tags, status, reaction })));
    }
}

/// The prefix of a STATUSMSG target (`@#channel`), and the target.
fn with_status(target: &str) -> (Option<char>, &str) {
    match target.strip_prefix(['@', '+']) {
        Some(room) if room.starts_with('#') => (target.chars().next(), room),
        _ => (None, target),
    }
}

/// `REDACT target msgid [:reason]`.
pub(super) fn redact(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [target, id, reason] = message.words();
    context.session.subject = Some(Box::new([target, id].map(str::to_owned)));
    let (hub, me) = (context.view.hub, context.view.me);
    let known = match target.strip_prefix('#') {
        Some(_) => hub.room(target).is_some_and(|room| room.member(me).is_some()),
        None => hub.session_of(target).is_some() || hub.has_account(target),
    };
    if !known {
        return context.fail("INVALID_TARGET", &[target], "You cannot delete messages there");
    }
    let Ok(number) = id.parse() else {
        return context.fail("UNKNOWN_MSGID", &[target, id], "No such message");
    };
    context.run(Command::Redact(target.into(), Pick::Id(RecordId(number)), reason.into()));
}

/// The targets, each once, as many as one line may have; the rest is rejected, and so are none.
fn split_targets<'t>(context: &mut Context<'_, '_>, targets: &'t str) -> Vec<&'t str> {
    if targets.bytes().all(|byte| byte == b',') && context.session.command != "NOTICE" {
        let text = format!("No recipient given ({})", context.session.command);
        context.reply().numeric_text(numeric::ERR_NORECIPIENT, &[], &text);
    }
    let mut some: Vec<&str> = Vec::new();
    for target in targets.split(',').filter(|target| !target.is_empty()) {
        if some.contains(&target) {
            continue;
        }
        if some.len() == settings::TARGETS {
            context.numeric(numeric::ERR_TOOMANYTARGETS, &[target]);
            break;
        }
        some.push(target);
    }
    some
}

/// The client-only tags as they came; `None` if there are none.
pub(super) fn client_tags(context: &Context<'_, '_>, tags: Tags<'_>) -> Option<Arc<str>> {
    if !context.session.caps.has(Caps::MESSAGE_TAGS) || tags.is_empty() {
        return None;
    }
    let mut section = String::new();
    for tag in tags.client_only() {
        if !section.is_empty() {
            section.push(';');
        }
        section.push_str(tag.key);
        if let Some(value) = tag.raw_value {
            section.push('=');
            section.push_str(value);
        }
    }
    (!section.is_empty()).then(|| section.into())
}

/// The reaction in the tags, if they are one. IRCv3 react.
fn reaction_of(tags: &str) -> Option<(Pick, Arc<str>, bool)> {
    let message = reply_of(tags)?;
    let tags = Tags::new(tags);
    match (tags.get("+draft/react"), tags.get("+draft/unreact")) {
        (Some(text), None) => Some((message, text.into(), true)),
        (None, Some(text)) => Some((message, text.into(), false)),
        _ => None,
    }
}

/// The message that the tags reply to.
fn reply_of(tags: &str) -> Option<Pick> {
    let tags = Tags::new(tags);
    let id = tags.get("+draft/reply").or_else(|| tags.get("+reply"))?;
    id.parse().ok().map(|id| Pick::Id(RecordId(id)))
}
