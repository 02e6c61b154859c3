//! How does this person get back to where they were, and what was missed meanwhile?
//!
//! `/numbers on` is asked last: its answer says that all others have been given.

use super::catchup::{Caught, Next};
use super::{Conversation, Login};
use crate::client::Notice;
use crate::client::heard::{Shown, mentions};
use crate::client::options::Bell;
use crate::wire::chatline::{ChatLine, LOBBY, parse};
use zeroize::Zeroizing;

impl Conversation {
    /// Asks for all that was there before the loss.
    pub(super) fn go_back(&mut self) {
        (self.returning, self.complete) = (true, true);
        self.back.clone_from(&self.current);
        if let Some(Login { account: Some(account), password }) = &self.login {
            let line = Zeroizing::new(format!("/login {account} {}", **password));
            self.send(&line);
        }
        if let Some(nick) = self.chosen.clone() {
            self.send(&format!("/nick {nick}"));
        }
        let names: Vec<String> = self.rooms.iter().map(|room| room.log.name.clone()).collect();
        for (name, room) in names.iter().zip(0..) {
            if name != LOBBY {
                let key = self.rooms[room].key.as_ref().map_or("", |key| key.as_str()).to_owned();
                self.send(format!("/join {name} {key}").trim_end());
            }
        }
        if !names.iter().any(|name| name == LOBBY) {
            self.send("/part #lobby");
        }
        if let Some(room) = self.back.clone() {
            self.send(&format!("/room {room}"));
        }
        let questions: Vec<String> = self.rooms.iter_mut().map(|room| room.log.begin()).collect();
        questions.iter().for_each(|question| self.send(question));
        self.mark();
    }

    pub(super) fn mark(&mut self) {
        self.marks += 1;
        self.send("/numbers on");
    }

    /// All answers of a return are here.
    pub(super) fn caught_up(&mut self, shown: &mut Vec<Shown>) {
        let nick = self.nick.clone();
        let mut questions = Vec::new();
        let mut caught = Vec::new();
        for room in self.rooms.iter_mut().filter(|room| room.log.is_catching_up()) {
            match room.log.next(&nick) {
                Next::Ask(question) => questions.push(question),
                Next::Done(done) => caught.push((room.log.name.clone(), done)),
            }
        }
        for (room, done) in caught {
            self.tell_caught(&room, done, shown);
        }
        if questions.is_empty() {
            self.returning = false;
            let place = self.room().unwrap_or("no room").to_owned();
            let nothing = if self.complete { "; nothing was missed" } else { "" };
            shown.push(note(format!("back in {place} as {}{nothing}", self.nick)));
        } else {
            questions.iter().for_each(|question| self.send(question));
            self.mark();
        }
    }

    fn tell_caught(&mut self, room: &str, done: Caught, shown: &mut Vec<Shown>) {
        if done.new_past {
            shown.push(note(format!(
                "the server has forgotten what was said in {room} (was it restarted, or the room empty?); what was said meanwhile may be lost"
            )));
        }
        if done.more {
            shown.push(note(format!("more was missed in {room} than is shown; /history shows it")));
        }
        match done.missed.len() {
            0 => {}
            1 => shown.push(note(format!("1 message was missed in {room}:"))),
            count => shown.push(note(format!("{count} messages were missed in {room}:"))),
        }
        self.complete &= !done.new_past && !done.more && done.missed.is_empty();
        let mut mentioned = false;
        for line in done.missed {
            if let ChatLine::Past(_, said) = parse(&line) {
                self.vocabulary.spoke(said.nick);
                mentioned |= mentions(said.text, &self.nick);
            }
            shown.push(Shown::Line(line));
        }
        if mentioned && self.bell >= Bell::Mention {
            shown.push(Shown::Bell);
        }
        for text in done.unheard {
            shown.push(note(format!("perhaps nobody has heard your: {text}")));
        }
        shown.extend(done.held.into_iter().map(Shown::Line));
    }
}

fn note(text: String) -> Shown {
    Shown::Notice(Notice::note(text))
}
