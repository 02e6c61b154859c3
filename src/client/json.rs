//! A server's messages as JSON for programs: one object per line, version 1.
//!
//! Every object has `v` (1), `type`, `time` (RFC 3339, UTC) and `text`; a later version may add
//! fields. By `type`:
//!
//! | `type` | is | and has |
//! |---|---|---|
//! | `message`, `action`, `notice` | sent to a room | `room`, `number` (or null), `nick`, `own`, `mention` |
//! | `private` | a direct message | `nick`, `own` (sent by this client, to `nick`), `kind` |
//! | `past` | from the history | `room` or null, `number`, `nick`, `own`, `kind`; `time` is when |
//! | all of these | | `id`, `account`, `reply` (the `id` of the message it replies to), each or
//! null |
//! | `join`, `part`, `quit`, `nick`, `topic`, `mode`, `kick`, `reaction`, `delete`, `edit`, `away`, `error` | what happened | `room`, `nick`, `target`, each or null |
//! | `server` | a message from the server itself | |
//! | `raw` | not IRC; with `--plain` every line | |
//!
//! `kind` is `message`, `action` or `notice`. `text` is harmless on a terminal, as in all output
//! of the client; a newline in it separates two lines of one message.

use super::display::{DisplayItem, Event, Incoming};
use crate::wire::clean::{clean, escape_json};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The version in every object.
pub const VERSION: u32 = 1;

fn finished(mut object: Value, time: &str) -> String {
    if let Value::Object(fields) = &mut object {
        fields.insert("v".to_owned(), VERSION.into());
        fields.entry("time").or_insert(time.into());
    }
    escape_json(&object.to_string()).into_owned()
}

/// An item as an object, without newline; `None` for what is shown to people only. `now` is used if
/// the server sends no time.
pub fn object(item: &DisplayItem, now: Timestamp) -> Option<String> {
    let object = match item {
        DisplayItem::Message(message) => message_object(message),
        DisplayItem::ServerText(text) => json!({ "type": "server", "text": text }),
        DisplayItem::Row(term, meaning) => {
            json!({ "type": "server", "text": format!("{term}: {meaning}") })
        }
        DisplayItem::Line(line) => json!({ "type": "raw", "text": clean(line) }),
        DisplayItem::Event(event) => event_object(event),
        DisplayItem::Notice(_) | DisplayItem::Bell | DisplayItem::Clear => return None,
    };
    Some(finished(object, &rfc3339(now)))
}

fn event_object(event: &Event) -> Value {
    let given = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    json!({
        "type": event.kind, "room": event.room, "nick": given(&event.nick),
        "target": given(&event.target), "text": event.text,
    })
}

fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn message_object(incoming: &Incoming) -> Value {
    let reply = incoming.reply.as_ref().map(|reply| &reply.id);
    let mut object = json!({
        "type": "private", "nick": incoming.nick, "own": incoming.own, "kind": incoming.kind,
        "text": incoming.text, "id": incoming.id, "account": incoming.account, "reply": reply,
    });
    let Value::Object(fields) = &mut object else { return object };
    if let Some(time) = incoming.time {
        fields.insert("time".to_owned(), rfc3339(time).into());
    }
    if incoming.past {
        fields.insert("type".to_owned(), "past".into());
    } else if incoming.room.is_some() {
        let kind = fields.remove("kind").unwrap_or_default();
        fields.insert("type".to_owned(), kind);
        fields.insert("mention".to_owned(), incoming.mention.into());
    }
    if incoming.past || incoming.room.is_some() {
        fields.insert("room".to_owned(), incoming.room.clone().into());
        fields.insert("number".to_owned(), incoming.number.into());
    }
    object
}

#[cfg(test)]
mod tests {
    use super::super::display::MessageKind;
    use super::*;
    use proptest::prelude::*;

    fn read(item: &DisplayItem) -> Value {
        let time = "2026-11-21T12:00:00.5Z".parse().unwrap();
        let text = object(item, time).unwrap();
        assert!(!text.contains('\n'));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_type() {
        let now = "2026-11-21T12:00:00.500Z";
        let in_room = Incoming {
            past: false,
            time: None,
            room: Some("#x".to_owned()),
            nick: "bob".to_owned(),
            own: false,
            kind: MessageKind::Message,
            number: Some(7),
            id: Some("m1".to_owned()),
            account: None,
            reply: None,
            mention: true,
            text: "hi \"alice\"".to_owned(),
        };
        let private =
            Incoming { room: None, own: true, kind: MessageKind::Action, ..in_room.clone() };
        let then = Some("2026-01-31T12:30:00Z".parse().unwrap());
        let past = Incoming { past: true, time: then, ..in_room.clone() };
        let message = |message: Incoming| DisplayItem::Message(Box::new(message));
        for (item, expected) in [
            (
                message(in_room),
                json!({"v": 1, "type": "message", "time": now, "room": "#x", "number": 7,
                    "nick": "bob", "own": false, "mention": true, "text": "hi \"alice\"",
                    "id": "m1", "account": null, "reply": null}),
            ),
            (
                message(private),
                json!({"v": 1, "type": "private", "time": now, "nick": "bob", "own": true,
                    "kind": "action", "text": "hi \"alice\"",
                    "id": "m1", "account": null, "reply": null}),
            ),
            (
                message(past),
                json!({"v": 1, "type": "past", "time": "2026-01-31T12:30:00.000Z", "room": "#x",
                    "number": 7, "nick": "bob", "own": false, "kind": "message",
                    "text": "hi \"alice\"", "id": "m1", "account": null, "reply": null}),
            ),
            (
                DisplayItem::ServerText("hello".to_owned()),
                json!({"v": 1, "type": "server", "time": now, "text": "hello"}),
            ),
            (
                DisplayItem::Line(b"[bob]: \x1b".to_vec()),
                json!({"v": 1, "type": "raw", "time": now, "text": "[bob]: \u{241b}"}),
            ),
        ] {
            assert_eq!(read(&item), expected);
        }
        assert_eq!(object(&DisplayItem::Bell, Timestamp::UNIX_EPOCH), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_object(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(&read(&DisplayItem::Line(bytes))["v"], VERSION);
        }
    }
}
