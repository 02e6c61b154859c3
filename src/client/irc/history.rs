//! Joining rooms, rejoining them after a loss, and IRCv3 draft/chathistory.
//!
//! After a loss the client rejoins the same rooms and requests what came after the last message that
//! was shown in each. Messages of this person that the server had not confirmed are looked for in
//! the answers; one that is not there was possibly not delivered.
//!
//! Direct messages are requested too (`CHATHISTORY TARGETS`). A chatloop server delivers missed
//! ones at the next login anyway; they are not shown twice.

use super::catchup::{CatchUp, Next, by_timestamp, shortly_before};
use super::messages::ChatMessage;
use super::rooms::Joining;
use super::{DisplayItem, IrcSession};
use crate::client::display::mentions;
use crate::client::options::Bell;
use crate::wire::plural::counted;
use jiff::SignedDuration;

/// Messages shown of a room when it is joined for the first time.
const ON_ENTRY: usize = 20;
/// Users whose direct messages are requested after a loss.
const MAX_PEOPLE: usize = 20;
/// Messages of each of them.
const OF_EACH: usize = 100;
/// The first room of a chatloop server.
const LOBBY: &str = "#lobby";

impl IrcSession {
    /// The welcome is complete: joins the rooms.
    pub(super) fn end_of_welcome(&mut self) {
        if std::mem::replace(&mut self.welcomed, true) {
            return;
        }
        let to = match self.server.network() {
            "" => String::new(),
            network => format!(" to {network}"),
        };
        let text = format!("connected{to} as {}; /help lists the commands, /quit exits", self.nick);
        self.show_text(text);
        if std::mem::replace(&mut self.was_in, true) {
            return self.rejoin();
        }
        let mut rooms = self.connect_options.rooms.clone();
        if rooms.is_empty() && self.server.is_chatloop {
            rooms.push(LOBBY.to_owned());
        }
        if rooms.is_empty() {
            self.note("not in a room yet (/join #room joins one, /list lists them; at startup: --join '#room')");
        }
        for room in rooms {
            match room.split_once(' ') {
                Some((room, key)) => self.join(room, Some(key)),
                None => self.join(&room, None),
            }
        }
    }

    /// `JOIN`, remembered until the reply.
    pub(super) fn join(&mut self, room: &str, key: Option<&str>) {
        let Some(line) = self.line("JOIN", &[&[room], key.as_slice()].concat(), None) else {
            return self.fail("that room name is too long");
        };
        let (room, key) = (room.to_owned(), key.map(|key| key.to_owned().into()));
        let serial = self.pace.push(line);
        self.rooms.joining.push(Joining { room, key, serial, waited: false });
    }

    /// The server has answered a PING. What it has not answered before a second one was rejected, in
    /// whatever words: a script must not wait for it.
    pub(super) fn give_up_joins(&mut self) {
        let (taken, person) = (self.pace.taken, self.connect_options.person);
        let behind = |it: &mut Joining| !person && it.serial <= taken;
        let over = self
            .rooms
            .joining
            .extract_if(.., |it| behind(it) && std::mem::replace(&mut it.waited, true));
        let over: Vec<Joining> = over.collect();
        if self.rooms.joining.iter().any(|it| it.waited) {
            self.pace.fence();
        }
        for Joining { room, .. } in over {
            self.fail(format!("could not join {room}: the server did not confirm it"));
            self.check_rejoined();
        }
    }

    fn rejoin(&mut self) {
        (self.missed.returning, self.missed.any) = (true, false);
        let rooms = self.rooms.all.iter_mut();
        let rooms: Vec<_> = rooms
            .map(|room| {
                room.inside = false;
                room.forget_members();
                (room.name.clone(), room.key.clone())
            })
            .collect();
        for (name, key) in rooms {
            self.join(&name, key.as_ref().map(|key| key.as_str()));
        }
        self.missed.asked_of.clear();
        if let Some(lost_at) = self.missed.since.filter(|_| self.server.keeps_history()) {
            let until = self.now.checked_add(SignedDuration::from_hours(24)).unwrap_or(self.now);
            let (since, until) = (shortly_before(lost_at), by_timestamp(until));
            self.queue("CHATHISTORY", &["TARGETS", &since, &until, &MAX_PEOPLE.to_string()], None);
        }
        self.check_rejoined();
    }

    /// A room was joined: requests its last messages, or those that were missed. A script wants only
    /// the latter.
    pub(super) fn request_history(&mut self, name: &str, returns: bool) {
        if !self.server.keeps_history() || !(self.connect_options.person || returns) {
            return;
        }
        let Some(room) = self.rooms.get(&self.server, name) else { return };
        let (first, unheard) = ((!returns).then_some(ON_ENTRY), self.sent.lost_since(name));
        let (reference, count) = room.log.begin(&self.server, first, unheard);
        self.ask_after(name, &reference, count);
    }

    fn ask_after(&mut self, name: &str, reference: &str, count: usize) {
        let how = if reference == "*" { "LATEST" } else { "AFTER" };
        self.queue("CHATHISTORY", &[how, name, reference, &count.to_string()], None);
    }

    /// `CHATHISTORY TARGETS who when`: there are messages since the loss.
    pub(super) fn history_target(&mut self, words: &[&str]) {
        let ["TARGETS", who, ..] = *words else { return };
        let Some(lost_at) = self.missed.since else { return };
        if self.server.is_room(who) || self.missed.asked_of.len() == MAX_PEOPLE {
            return;
        }
        self.missed.asked_of.push(who.to_owned());
        let count = self.server.history_page(OF_EACH).to_string();
        self.queue("CHATHISTORY", &["AFTER", who, &shortly_before(lost_at), &count], None);
    }

    /// Shows the direct messages of a user since the loss.
    fn show_missed_direct(&mut self, who: &str, mut messages: Vec<ChatMessage>) {
        messages.retain(|chat| {
            !self.server.same(&chat.nick, &self.nick) && !self.missed.private.knows(chat)
        });
        if messages.is_empty() {
            return;
        }
        self.missed.any = true;
        self.note(format!("missed {} from {who}", counted(messages.len(), "direct message")));
        if self.bell >= Bell::Pm {
            self.shown.push(DisplayItem::Bell);
        }
        messages.into_iter().for_each(|chat| self.show(chat, true));
    }

    /// An answer arrived: messages of a room, or direct ones.
    pub(super) fn history_received(&mut self, target: &str, messages: Vec<ChatMessage>) {
        let asked = self.missed.asked_of.iter().position(|who| self.server.same(who, target));
        if let Some(place) = asked {
            self.missed.asked_of.remove(place);
            return self.show_missed_direct(target, messages);
        }
        let left = self.rooms.left_to_wait();
        let room = self.rooms.get(&self.server, target);
        match room.filter(|room| room.log.is_catching_up()) {
            Some(room) => match room.log.answered(messages, &self.server, left) {
                Next::Ask(reference, count) => self.ask_after(target, &reference, count),
                Next::Done(caught) => self.show_caught(target, caught),
            },
            None if messages.is_empty() => self.show_text(format!("no history of {target}")),
            None => {
                let found = counted(messages.len(), "message");
                self.show_text(format!("history of {target}: {found}"));
                messages.into_iter().for_each(|chat| self.show(chat, true));
            }
        }
    }

    /// `FAIL CHATHISTORY code subcommand target :text`.
    pub(super) fn history_refused(&mut self, context: &[&str], text: &str) {
        if context.first() == Some(&"TARGETS") {
            return;
        }
        let target = context.get(1).copied().unwrap_or_default();
        self.missed.asked_of.retain(|who| who != target);
        let room = self.rooms.get(&self.server, target);
        match room.filter(|room| room.log.is_catching_up()) {
            Some(room) => {
                let caught = room.log.give_up();
                self.missed.any = true;
                if !caught.first_visit {
                    self.note(format!("messages missed in {target} are not available: {text}"));
                }
                self.show_caught(target, caught);
            }
            None => self.fail(format!("{text} ({})", context.join(" "))),
        }
    }

    fn show_caught(&mut self, room: &str, caught: CatchUp) {
        let mut missed = caught.missed;
        if caught.first_visit {
            if !missed.is_empty() {
                self.show_text(format!("history of {room}: {}", counted(missed.len(), "message")));
            }
        } else {
            // The person's own messages are on the screen already.
            let sent = &mut self.sent;
            let names = [Some(&self.nick), self.regain.as_ref()];
            let server = &self.server;
            let by_me = |nick: &str| names.iter().flatten().any(|own| server.same(own, nick));
            missed.retain(|chat| {
                let own = by_me(&chat.nick) && sent.was_heard(room, &chat.text);
                !own && (chat.time.is_none() || chat.time >= caught.shown_until)
            });
            if caught.forgotten {
                self.note(format!(
                    "the server no longer has the history of {room} (it was restarted, or the room was empty); missed messages may be lost"
                ));
            }
            if caught.more {
                self.note(format!(
                    "more messages were missed in {room} than are shown (see /history)"
                ));
            }
            if !missed.is_empty() {
                self.note(format!("missed {} in {room}:", counted(missed.len(), "message")));
            }
            self.missed.any |= !missed.is_empty() || caught.more || caught.forgotten;
            let rings = missed.iter().any(|chat| mentions(&chat.text, &self.nick));
            if rings && self.bell >= Bell::Mention {
                self.shown.push(DisplayItem::Bell);
            }
        }
        missed.into_iter().for_each(|chat| self.show(chat, true));
        caught.held.into_iter().for_each(|chat| self.show(chat, false));
        self.check_rejoined();
    }

    /// Checks whether all rooms are rejoined and all requests answered.
    pub(super) fn check_rejoined(&mut self) {
        let waits = self.rooms.all.iter().any(|room| room.log.is_catching_up());
        if !self.missed.returning || waits || !self.rooms.joining.is_empty() {
            return;
        }
        self.missed.returning = false;
        // Rooms that could not be rejoined are dropped, perhaps the current one too.
        let lost = self.rooms.all.iter().filter(|room| !room.inside);
        let lost: Vec<String> = lost.map(|room| room.name.clone()).collect();
        lost.iter().for_each(|name| self.left(name));
        let place = self.rooms.current.clone().unwrap_or_else(|| "no room".to_owned());
        let how = match (self.server.keeps_history(), self.missed.any) {
            (false, _) => {
                "; this server does not keep history, so missed messages are not available"
            }
            (true, false) => "; no messages were missed",
            (true, true) => "",
        };
        self.note(format!("back in {place} as {}{how}", self.nick));
        for text in self.sent.take_lost() {
            self.note(format!("possibly not delivered: {text}"));
        }
    }
}
