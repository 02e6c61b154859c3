//! A PRIVMSG or NOTICE, taken apart.
//!
//! Formatting is removed, a CTCP ACTION becomes an action, and anything else between `\x01` is a
//! CTCP request or reply.

use super::server_info::NUMBER;
use crate::client::display::{Incoming, MessageKind, Quoted};
use crate::wire::clean::clean;
use crate::wire::irc::format::stripped;
use crate::wire::irc::{Message, Tags};
use jiff::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Bytes of a msgid, account, nick or room that is kept. A tag with a longer one is ignored, and so is
/// a line: names are kept in many places, and each would need its own bound.
pub(super) const MAX_WORD: usize = 256;

/// Commands whose last parameter is a text.
const WITH_TEXT: &str = "AUTHENTICATE AWAY CAP ERROR FAIL KICK KILL NOTE NOTICE PART PING PONG \
    PRIVMSG QUIT REDACT SETNAME TOPIC WALLOPS WARN";

/// Whether no name in a line is longer than is kept.
pub(super) fn has_short_names(message: &Message<'_>) -> bool {
    let is_named = |known: &str| known.eq_ignore_ascii_case(message.command);
    let has_text = message.numeric().is_some() || WITH_TEXT.split(' ').any(is_named);
    let words = message.parameters.as_slice();
    let names = &words[..words.len() - usize::from(has_text && !words.is_empty())];
    // A source is a nick, a user and a host.
    message.raw_source.is_none_or(|source| source.len() <= 3 * MAX_WORD)
        && message.source().is_none_or(|source| source.name.len() <= MAX_WORD)
        && names.iter().all(|name| name.len() <= MAX_WORD)
}

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ChatMessage {
    pub time: Option<Timestamp>,
    pub id: Option<String>,
    pub account: Option<String>,
    /// The sender; a server's name if `by_server`.
    pub nick: String,
    pub by_server: bool,
    /// A room, perhaps with a STATUSMSG prefix; a nick; `*` or `$…`.
    pub target: String,
    pub kind: MessageKind,
    pub text: String,
    /// Its number in its room, as the server counts.
    pub number: Option<u64>,
    /// The msgid of the message it replies to.
    pub reply: Option<String>,
    /// The msgid of the message whose new text it is.
    pub edit: Option<String>,
    /// A CTCP request or reply, not a text.
    pub ctcp: bool,
}

/// The value of a tag, if it is there and of a sane length.
pub(super) fn word(tags: Tags<'_>, key: &str) -> Option<String> {
    tags.get(key).filter(|value| !value.is_empty() && value.len() <= MAX_WORD).map(Into::into)
}

/// IRCv3 server-time.
pub(super) fn time(tags: Tags<'_>) -> Option<Timestamp> {
    tags.get("time")?.parse().ok()
}

impl ChatMessage {
    /// Bytes that a server can make more.
    pub fn bytes(&self) -> usize {
        let word = |word: &Option<String>| word.as_ref().map_or(0, String::len);
        let words = word(&self.id) + word(&self.account) + word(&self.reply);
        words + self.nick.len() + self.target.len() + self.text.len()
    }

    /// Bytes that it takes, about.
    pub fn weight(&self) -> usize {
        size_of::<ChatMessage>() + self.bytes()
    }

    /// Reads a message, whose command is PRIVMSG or NOTICE. `head` has the tags that belong to
    /// it: its own, or those of the batch that it is a part of.
    pub fn of(message: &Message<'_>, head: Tags<'_>) -> Option<ChatMessage> {
        let [target, text, ..] = *message.parameters.as_slice() else { return None };
        let source = message.source().unwrap_or_default();
        let notice = message.command.eq_ignore_ascii_case("NOTICE");
        let inside =
            text.strip_prefix('\u{1}').map(|text| text.strip_suffix('\u{1}').unwrap_or(text));
        let action = inside.and_then(|inside| inside.strip_prefix("ACTION"));
        let action = action.filter(|rest| rest.is_empty() || rest.starts_with(' '));
        let (kind, text) = match action {
            Some(text) => (MessageKind::Action, text.strip_prefix(' ').unwrap_or(text)),
            None => (
                if notice { MessageKind::Notice } else { MessageKind::Message },
                inside.unwrap_or(text),
            ),
        };
        Some(ChatMessage {
            time: time(head),
            id: word(head, "msgid"),
            account: word(head, "account"),
            nick: clean(source.name.as_bytes()).into_owned(),
            by_server: source.user.is_none() && source.host.is_none(),
            target: clean(target.as_bytes()).into_owned(),
            kind,
            text: stripped(text).into_owned(),
            number: word(head, NUMBER).and_then(|number| number.parse().ok()),
            reply: word(head, "+draft/reply").or_else(|| word(head, "+reply")),
            edit: word(head, "chatloop/edit"),
            ctcp: inside.is_some() && action.is_none(),
        })
    }

    /// Identifies it in the history. A restarted server may reuse msgids, but not with the same
    /// time.
    pub fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match (&self.id, self.time) {
            (Some(id), time) => (id, time.map(Timestamp::as_millisecond)).hash(&mut hasher),
            (None, time) => {
                (time.map(Timestamp::as_millisecond), &self.nick, &self.text).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// The message as it is shown. `own` and `nick` are those of [`Incoming`].
    pub fn incoming(&self, room: Option<String>, nick: String, own: bool) -> Incoming {
        let lines: Vec<_> = self.text.split('\n').map(|line| clean(line.as_bytes())).collect();
        Incoming {
            time: self.time,
            room,
            nick,
            own,
            kind: self.kind,
            id: self.id.clone(),
            account: self.account.clone(),
            reply: self.reply.clone().map(|id| Quoted { id, known: None }),
            text: lines.join("\n"),
            ..Incoming::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(line: &str) -> ChatMessage {
        let message = Message::parse(line.as_bytes()).unwrap();
        ChatMessage::of(&message, message.tags).unwrap()
    }

    #[test]
    fn fields_come_from_tags_source_and_text() {
        let chat = chat(
            "@time=2026-01-31T12:30:00.5Z;msgid=a\\s1;account=al;+draft/reply=x :bob!b@h PRIVMSG #x :\x02hi\x02 there",
        );
        assert_eq!(chat.time.unwrap().as_millisecond() % 1000, 500);
        assert_eq!((chat.id.as_deref(), chat.account.as_deref()), (Some("a 1"), Some("al")));
        assert_eq!((chat.nick.as_str(), chat.by_server), ("bob", false));
        assert_eq!((chat.kind, chat.text.as_str()), (MessageKind::Message, "hi there"));
        assert_eq!(chat.reply.as_deref(), Some("x"));
        let incoming = chat.incoming(Some("#x".to_owned()), "bob".to_owned(), false);
        assert_eq!(
            (incoming.text.as_str(), incoming.reply_prefix().as_str()),
            ("hi there", "re …: ")
        );
    }

    #[test]
    fn actions_and_questions_of_programs() {
        let action = chat(":bob!b@h PRIVMSG #x :\u{1}ACTION waves\u{1}");
        assert_eq!(
            (action.kind, action.text.as_str(), action.ctcp),
            (MessageKind::Action, "waves", false)
        );
        let version = chat(":bob!b@h PRIVMSG me :\u{1}VERSION");
        assert_eq!(
            (version.kind, version.text.as_str(), version.ctcp),
            (MessageKind::Message, "VERSION", true)
        );
        let other = chat(":bob!b@h PRIVMSG #x :\u{1}ACTIONS\u{1}");
        assert!(other.ctcp);
        let server = chat(":irc.example.org NOTICE * :looking up");
        assert!(server.by_server && server.kind == MessageKind::Notice);
    }

    #[test]
    fn the_same_message_has_the_same_key() {
        let one = chat("@time=2026-01-31T12:30:00Z;msgid=1 :bob!b@h PRIVMSG #x :hi");
        let again = chat("@batch=x;msgid=1;time=2026-01-31T12:30:00.000Z :bob!c@i PRIVMSG #x :hi");
        let later = chat("@msgid=1;time=2026-01-31T12:31:00.000Z :bob!c@i PRIVMSG #x :hi");
        assert_eq!(one.key(), again.key());
        assert_ne!(one.key(), later.key());
    }
}
