//! Incoming messages, reactions, deletions and CTCP requests.

use super::IrcSession;
use super::messages::{self, ChatMessage};
use super::numbers::Place;
use crate::client::display::{DisplayItem, Event, EventKind, MessageKind, Quoted, mentions};
use crate::client::options::Bell;
use crate::client::secrets;
use crate::wire::irc::Message;
use jiff::SignedDuration;

/// What is quoted of a message that was deleted.
const DELETED: &str = "(deleted)";
/// CTCP requests that are answered, and within which time.
const MAX_ANSWERS: (usize, SignedDuration) = (3, SignedDuration::from_secs(60));
/// Bytes of a CTCP PING that are sent back.
const MAX_PING: usize = 64;
/// A message that is so much older than the newest is played back by a bouncer.
const OLD: SignedDuration = SignedDuration::from_secs(60);
/// The same compared with the local clock: no clock is that wrong.
const ANOTHER_DAY: SignedDuration = SignedDuration::from_hours(12);

impl IrcSession {
    /// A message arrives.
    pub(super) fn message_received(&mut self, mut chat: ChatMessage, label: Option<&str>) {
        let mine = !chat.by_server && self.is_me(&chat.nick);
        if let Some(id) = chat.edit.take() {
            return self.edited(&chat, &id);
        }
        if mine && self.is_own_echo(&chat, label) {
            return;
        }
        if !mine && self.is_ignored(&chat) {
            return;
        }
        if chat.ctcp {
            return self.ctcp_received(&chat);
        }
        match self.server.room_of(&chat.target).map(str::to_owned) {
            Some(name) => {
                let left = self.rooms.left_to_wait();
                let now = match self.rooms.get(&self.server, &name) {
                    Some(room) => room.log.live(chat, left),
                    None => Some(chat),
                };
                now.into_iter().for_each(|chat| self.show(chat, false));
            }
            None if chat.by_server || chat.target.starts_with('$') => {
                let by = if chat.by_server {
                    String::new()
                } else {
                    format!("announcement from {}: ", chat.nick)
                };
                for line in chat.text.split('\n') {
                    self.show_text(format!("{by}{line}"));
                }
            }
            None => self.show(chat, false),
        }
    }

    /// Whether this is the echo of this client's own message. If that is on the screen already, it
    /// gets its number now.
    fn is_own_echo(&mut self, chat: &ChatMessage, label: Option<&str>) -> bool {
        if !self.server.has("echo-message") {
            return false;
        }
        let Some(shown) = self.sent.echoed(label, &chat.target, &self.server) else { return false };
        let name = self.server.room_of(&chat.target).map(str::to_owned);
        if let Some(room) = name.as_ref().and_then(|name| self.rooms.get(&self.server, name)) {
            room.log.note(chat);
        }
        if !shown {
            self.show(chat.clone(), false);
        } else if let Some(name) = name {
            self.numbers.give(&self.server, Place::Room(&name), chat);
        }
        true
    }

    /// A message has another text now.
    fn edited(&mut self, chat: &ChatMessage, id: &str) {
        let (who, room) = (&chat.nick, self.server.room_of(&chat.target).map(str::to_owned));
        if self.is_ignored(chat) {
            return;
        }
        let text = chat.text.strip_prefix("* ").unwrap_or(&chat.text);
        let shown = format!("{who} edited {}: {text}", self.described(id, &chat.target));
        self.numbers.edited(id, text);
        let event = Event::new(EventKind::Edit, room.as_deref(), who, shown);
        self.event(event.to(id).with_text(text));
    }

    fn is_ignored(&self, chat: &ChatMessage) -> bool {
        let is = |name: &str| self.ignored.iter().any(|it| self.server.same(it, name));
        is(&chat.nick) || chat.account.as_deref().is_some_and(is)
    }

    /// Shows a message; `past` if it comes from the history.
    pub(super) fn show(&mut self, mut chat: ChatMessage, past: bool) {
        self.note_shared_file(&chat);
        let room = self.server.room_of(&chat.target).map(str::to_owned);
        let mine = self.is_me(&chat.nick);
        let told = room.is_none() && mine && !self.is_me(&chat.target);
        let own = told || (room.is_some() && mine);
        let nick = if told { chat.target.clone() } else { chat.nick.clone() };
        let old = !past && self.is_old(&chat);
        if told {
            chat.text = secrets::masked_message(&nick, &chat.text).into_owned();
        }
        let mut incoming = chat.incoming(room, nick, own);
        incoming.past = past || old;
        incoming.mention = !incoming.past
            && !mine
            && incoming.room.is_some()
            && mentions(&incoming.text, &self.nick);
        let place = incoming.room.as_deref().map_or(Place::Peer(&incoming.nick), Place::Room);
        incoming.number = self.numbers.give(&self.server, place, &chat);
        if let Some(Quoted { id, known }) = &mut incoming.reply
            && let Some(of) = self.numbers.by_id(id)
        {
            *known = Some(of.quoted());
            let to_me = self.server.same(&of.nick, &self.nick);
            incoming.mention |= to_me && !incoming.past && !mine && incoming.room.is_some();
        }
        if !mine {
            self.vocabulary.spoke(&chat.nick);
        }
        if let Some(room) = incoming.room.clone().filter(|_| !incoming.past) {
            self.unfold(&room);
        }
        if incoming.room.is_none() {
            self.missed.private.note(&chat);
            if !incoming.past {
                self.last_private = Some(incoming.nick.clone());
            }
        }
        let least = match &incoming.room {
            None => Bell::Pm,
            Some(_) if incoming.mention => Bell::Mention,
            Some(_) => Bell::All,
        };
        if !incoming.past && !mine && self.bell >= least {
            self.shown.push(DisplayItem::Bell);
        }
        self.shown.push(DisplayItem::Message(Box::new(incoming)));
    }

    fn is_old(&self, chat: &ChatMessage) -> bool {
        let newest = self.newest.unwrap_or(self.now);
        chat.time.is_some_and(|time| {
            newest.duration_since(time) > OLD || self.now.duration_since(time) > ANOTHER_DAY
        })
    }

    /// TAGMSG: of those, only reactions are shown.
    pub(super) fn tag_message(&mut self, message: &Message<'_>) {
        let who = super::people::name(message);
        if self.ignored.iter().any(|it| self.server.same(it, &who)) {
            return;
        }
        let tags = message.tags;
        let of = messages::word(tags, "+draft/reply").or_else(|| messages::word(tags, "+reply"));
        let (reaction, did) = match messages::word(tags, "+draft/react") {
            Some(text) => (Some(text), "reacted to"),
            None => (messages::word(tags, "+draft/unreact"), "removed a reaction from"),
        };
        if let (Some(of), Some(reaction)) = (of, reaction) {
            let target = message.parameters.first().copied().unwrap_or_default();
            let shown = format!("{who} {did} {}: {reaction}", self.described(&of, target));
            let room = self.server.room_of(target).map(str::to_owned);
            let event = Event::new(EventKind::Reaction, room.as_deref(), &who, shown);
            let sign = if did == "reacted to" { "" } else { "-" };
            self.event(event.to(&of).with_text(&format!("{sign}{reaction}")));
        }
    }

    /// Describes a message: `#rust 17 <alice>`, or its beginning if it was a direct one.
    pub(super) fn described(&self, id: &str, target: &str) -> String {
        match self.numbers.by_id(id) {
            Some(known) => known.to_string(),
            None => format!("a message in {target}"),
        }
    }

    /// REDACT: a message is deleted. IRCv3 draft/message-redaction.
    pub(super) fn redacted(&mut self, message: &Message<'_>, words: &[&str]) {
        let [target, id, reason @ ..] = words else { return };
        let who = super::people::name(message);
        let why = reason.first().copied().unwrap_or_default();
        let what = self.described(id, target);
        if let Some(room) = self.rooms.get(&self.server, target) {
            room.log.deleted(id);
        }
        let shown = format!("{who} deleted {what}{}", super::people::in_brackets(why));
        self.numbers.edited(id, DELETED);
        let room = self.server.room_of(target).map(str::to_owned);
        let event = Event::new(EventKind::Delete, room.as_deref(), &who, shown);
        self.event(event.to(id).with_text(why));
    }

    /// CTCP. Two harmless requests are answered, at a limited rate; nothing is ever obeyed.
    fn ctcp_received(&mut self, chat: &ChatMessage) {
        if chat.kind == MessageKind::Notice {
            return self.show_text(format!("{} replied: {}", chat.nick, chat.text));
        }
        let (question, rest) = chat.text.split_once(' ').unwrap_or((&chat.text, ""));
        let answer = match question.to_ascii_uppercase().as_str() {
            "VERSION" => format!("VERSION chatloop-client {}", env!("CARGO_PKG_VERSION")),
            "PING" => format!("PING {}", &rest[..rest.floor_char_boundary(MAX_PING)]),
            _ => return,
        };
        let (most, within) = MAX_ANSWERS;
        let now = self.now;
        self.answered.retain(|then| now.duration_since(*then) < within);
        if self.answered.len() < most {
            self.answered.push(now);
            self.show_text(format!("{} requested {question} (CTCP)", chat.nick));
            self.queue("NOTICE", &[&chat.nick], Some(&format!("\u{1}{answer}\u{1}")));
        }
    }
}
