//! How does a server's line look to a program? One JSON object, on one line.
//!
//! Version 1. Every object has `v` (1), `type`, `time` (RFC 3339, UTC) and `text`; a later
//! version may add fields. By `type`:
//!
//! | `type` | is | and has |
//! |---|---|---|
//! | `message`, `action`, `notice` | said in a room | `room`, `number` (or null), `nick`, `mention` |
//! | `private` | said to you alone | `nick`, `own` (you said it, to `nick`), `kind` |
//! | `past` | said before | `room` or null, `number`, `nick`, `own`, `kind`; `time` is when |
//! | all of these | | `id`, `account`, `reply` (the `id` of what it answers), each or null |
//! | `server` | the server's own words | |
//! | `raw` | not understood | |
//!
//! `kind` is `message`, `action` or `notice`. `text` is harmless on a terminal, as in all output
//! of the client; a newline in it is one that was said. The plain dialect has no ids and accounts,
//! and its times of the past are to the minute; in it everything is `raw` unless the first line of the connection is the welcome of a
//! chatloop server: what only looks like one of its lines proves nothing.

use super::heard::{Heard, Shown};
use crate::wire::chatline::{ChatLine, Kind, Place, parse};
use crate::wire::clean::clean;
use serde_json::{Value, json};

/// The version in every object.
pub const VERSION: u32 = 1;

/// One line as an object, without newline. `time` is now, in RFC 3339; `known` says whether the
/// server is a chatloop server.
pub fn object(line: &[u8], known: bool, time: &str) -> String {
    let parsed = if known { parse(line) } else { ChatLine::Raw(line) };
    let mut object = match parsed {
        ChatLine::Raw(line) => json!({ "type": "raw", "text": clean(line) }),
        ChatLine::Server(words) => json!({ "type": "server", "text": words }),
        ChatLine::Said(said) => match said.place {
            Place::Room(room) => json!({
                "type": kind(said.kind), "room": room, "number": said.number,
                "nick": said.nick, "mention": said.mention, "text": said.text,
            }),
            Place::From | Place::To => json!({
                "type": "private", "nick": said.nick, "own": said.place == Place::To,
                "kind": kind(said.kind), "text": said.text,
            }),
        },
        ChatLine::Past(stamp, said) => {
            let room = match said.place {
                Place::Room(room) => Some(room),
                Place::From | Place::To => None,
            };
            json!({
                "type": "past", "time": format!("{}T{}:00Z", stamp.date, stamp.time),
                "room": room, "number": said.number, "nick": said.nick,
                "own": said.place == Place::To, "kind": kind(said.kind), "text": said.text,
            })
        }
    };
    let said = !matches!(parsed, ChatLine::Raw(_) | ChatLine::Server(_));
    if let Value::Object(fields) = &mut object
        && said
    {
        for name in ["id", "account", "reply"] {
            fields.insert(name.to_owned(), Value::Null);
        }
    }
    finished(object, time)
}

fn finished(mut object: Value, time: &str) -> String {
    if let Value::Object(fields) = &mut object {
        fields.insert("v".to_owned(), VERSION.into());
        fields.entry("time").or_insert(time.into());
    }
    object.to_string()
}

/// What an IRC server has said, as an object; `None` for what is only for people. `time` is now,
/// and counts where the server says none.
pub fn shown(shown: &Shown, time: &str) -> Option<String> {
    let object = match shown {
        Shown::Said(heard) => said(heard),
        Shown::Words(text) => json!({ "type": "server", "text": text }),
        Shown::Line(line) | Shown::Raw(line) => json!({ "type": "raw", "text": clean(line) }),
        Shown::Notice(_) | Shown::Bell => return None,
    };
    Some(finished(object, time))
}

fn said(heard: &Heard) -> Value {
    let reply = heard.reply.as_ref().map(|reply| &reply.id);
    let mut object = json!({
        "type": "private", "nick": heard.nick, "own": heard.own, "kind": kind(heard.kind),
        "text": heard.text, "id": heard.id, "account": heard.account, "reply": reply,
    });
    let Value::Object(fields) = &mut object else { return object };
    if let Some(time) = heard.time {
        fields.insert("time".to_owned(), super::script::rfc3339(time).into());
    }
    if heard.past {
        fields.insert("type".to_owned(), "past".into());
    } else if heard.room.is_some() {
        fields.insert("type".to_owned(), kind(heard.kind).into());
        fields.insert("mention".to_owned(), heard.mention.into());
        fields.remove("own");
        fields.remove("kind");
    }
    if heard.past || heard.room.is_some() {
        fields.insert("room".to_owned(), heard.room.clone().into());
        fields.insert("number".to_owned(), heard.number.into());
    }
    object
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "message",
        Kind::Action => "action",
        Kind::Notice => "notice",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &[u8], known: bool) -> Value {
        let text = object(line, known, "2026-11-21T12:00:00Z");
        assert!(!text.contains('\n'));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_type() {
        let now = "2026-11-21T12:00:00Z";
        for (line, expected) in [
            (
                "*#x 7 [bob]: hi \"alice\"",
                json!({"v": 1, "type": "message", "time": now, "room": "#x", "number": 7,
                    "nick": "bob", "mention": true, "text": "hi \"alice\"",
                    "id": null, "account": null, "reply": null}),
            ),
            (
                "[bob] waves",
                json!({"v": 1, "type": "action", "time": now, "room": "#lobby", "number": null,
                    "nick": "bob", "mention": false, "text": "waves",
                    "id": null, "account": null, "reply": null}),
            ),
            (
                "[you -> bob]: psst",
                json!({"v": 1, "type": "private", "time": now, "nick": "bob", "own": true,
                    "kind": "message", "text": "psst", "id": null, "account": null, "reply": null}),
            ),
            (
                "- 3 2026-01-31 12:30 [bob]: then",
                json!({"v": 1, "type": "past", "time": "2026-01-31T12:30:00Z", "room": "#lobby",
                    "number": 3, "nick": "bob", "own": false, "kind": "message", "text": "then",
                    "id": null, "account": null, "reply": null}),
            ),
            ("* hello", json!({"v": 1, "type": "server", "time": now, "text": "hello"})),
            ("what", json!({"v": 1, "type": "raw", "time": now, "text": "what"})),
        ] {
            assert_eq!(read(line.as_bytes(), true), expected);
            let raw = json!({"v": 1, "type": "raw", "time": now, "text": line});
            assert_eq!(read(line.as_bytes(), false), raw);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_object(bytes in proptest::collection::vec(any::<u8>(), 0..60), known: bool) {
            prop_assert_eq!(&read(&bytes, known)["v"], VERSION);
        }
    }
}
