//! The commands about one message: replies, reactions, edits, deletions, threads.

use super::IrcSession;
use super::commands::Command;
use super::input::given;
use super::numbers::Numbered;
use super::outgoing::Outgoing;
use super::server_info::NUMBER;
use crate::wire::irc::{Limits, LineWriter};

/// The message that a command names.
enum Named {
    Known(Numbered),
    /// It was not shown here: a room and a number.
    Unseen(String, u64),
}

impl IrcSession {
    /// `/re`, `/react`, `/unreact`, `/edit`, `/delete`, `/thread`, each with `[#room] N|last [TEXT]`.
    pub(super) fn about_message(&mut self, command: &Command, rest: &str) {
        let (room, behind) = self.room_and_rest(rest);
        let (number, text) = behind.split_once(char::is_whitespace).unwrap_or((behind, ""));
        let text = text.trim();
        let needs_text = !matches!(command.name(), "delete" | "thread");
        if number.is_empty() || (needs_text && text.is_empty()) {
            return self.usage_error(command, "missing arguments");
        }
        let of = match self.message_named(room, number) {
            Some(Named::Known(of)) => of,
            Some(Named::Unseen(room, number)) => {
                return self.about_unseen(command, &room, number, text);
            }
            None => return,
        };
        match command.name() {
            "re" => {
                let outgoing = Outgoing { reply: Some(&of.id), ..Outgoing::to(&of.place) };
                self.send_checked(outgoing, text);
            }
            "react" => self.react(&of, text, "+draft/react", "reacted to"),
            "unreact" => self.react(&of, text, "+draft/unreact", "removed a reaction from"),
            "delete" if !self.server.has("draft/message-redaction") => {
                self.fail("this server cannot delete messages");
            }
            "delete" => self.queue("REDACT", &[&of.place, &of.id], given(text)),
            name if !self.server.is_room(&of.place) => {
                self.fail(format!(
                    "/{name} is for messages in rooms, and this is a direct message"
                ));
            }
            _ if self.holds_back(&of.place, text) => {}
            name => {
                let line = format!("{name} {} id:{} {text}", of.place, of.id);
                self.vendor_line(line.trim_end());
            }
        }
    }

    /// The message of a number in the room, or the current one; `last`: this user's last one.
    fn message_named(&mut self, room: Option<&str>, number: &str) -> Option<Named> {
        match number.parse() {
            Ok(number) => {
                let room = self.room_or_fail(room)?;
                let found = self.numbers.find(&self.server, &room, number).cloned();
                Some(found.map_or(Named::Unseen(room, number), Named::Known))
            }
            Err(_) if number == "last" => {
                let found = self.numbers.last_of(&self.server, &self.nick, room).cloned();
                if found.is_none() {
                    self.fail("you have not sent a message yet");
                }
                found.map(Named::Known)
            }
            Err(_) => {
                self.fail(format!("invalid message number \"{number}\" (/numbers on shows them)"));
                None
            }
        }
    }

    /// A chatloop server knows its numbers itself.
    fn about_unseen(&mut self, command: &Command, room: &str, number: u64, text: &str) {
        if !self.server.has(NUMBER) {
            return self.fail(unseen(room, number));
        }
        if !self.holds_back(room, text) {
            self.vendor_line(format!("{} {room} {number} {text}", command.name()).trim_end());
        }
    }

    /// The msgid of a number in a place, for CHATHISTORY.
    pub(super) fn msgid_of(&mut self, place: &str, number: &str) -> Option<String> {
        match self.message_named(Some(place), number)? {
            Named::Known(of) => Some(of.id),
            Named::Unseen(room, number) => {
                self.fail(unseen(&room, number));
                None
            }
        }
    }

    fn react(&mut self, of: &Numbered, text: &str, key: &str, did: &str) {
        if !self.server.has("message-tags") {
            return self.fail("this server does not support reactions (message-tags)");
        }
        let text = text.strip_prefix(':').and_then(|text| text.strip_suffix(':')).unwrap_or(text);
        let mut out = Vec::new();
        let line = LineWriter::new(&mut out, Limits::FROM_CLIENT);
        let line = line.tag("+draft/reply", &of.id).tag(key, text);
        let _ = line.command("TAGMSG").middle(&of.place).end();
        self.pace.push(out);
        if !self.server.has("echo-message") {
            self.show_text(format!("{} {did} {of}: {text}", self.nick));
        }
    }
}

fn unseen(room: &str, number: u64) -> String {
    format!("message {number} of {room} was not shown here (/numbers on shows the numbers)")
}
