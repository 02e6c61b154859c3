//! This person's messages that the server has not confirmed yet, and those that may be lost.

use super::pace::MAX_WAITING;
use super::server_info::ServerInfo;
use crate::wire::plural::counted;
use crate::wire::secrets;
use jiff::Timestamp;
use std::collections::VecDeque;

/// Messages that are remembered until they are confirmed: more than may wait or be in flight. If
/// one were forgotten, its echo would be shown.
const MAX_SPOKEN: usize = 2 * MAX_WAITING;
/// Messages that were possibly not delivered, and are looked for in the history. Of those before them
/// the number is told.
const MAX_LOST: usize = 100;

/// One message.
#[derive(Debug)]
pub(super) struct Sent {
    pub label: String,
    pub target: String,
    pub text: String,
    /// Its serial number in the [`Pace`](super::pace::Pace).
    pub serial: u64,
    /// It was sent after this.
    pub after: Timestamp,
    /// It was shown when it was sent.
    pub shown: bool,
}

/// This person's messages that the server has not confirmed.
#[derive(Debug, Default)]
pub(super) struct SentMessages {
    waiting: VecDeque<Sent>,
    /// Possibly not delivered.
    lost: Vec<Sent>,
    /// How many others there were, before these.
    forgotten: usize,
    labels: u64,
    /// How many echoes have arrived.
    pub confirmed: u64,
}

impl SentMessages {
    pub fn next_label(&mut self) -> String {
        self.labels += 1;
        self.labels.to_string()
    }

    pub fn remember(&mut self, sent: Sent) {
        if self.waiting.len() == MAX_SPOKEN {
            self.waiting.pop_front();
        }
        self.waiting.push_back(sent);
    }

    /// An echo arrives; if this client sent the message, whether it was shown then. Without labels
    /// they come in order.
    pub fn echoed(&mut self, label: Option<&str>, to: &str, server: &ServerInfo) -> Option<bool> {
        let labelled = server.has("labeled-response");
        let place = self.waiting.iter().position(|it| match label {
            Some(label) => it.label == label,
            None => !labelled && server.same(&it.target, to),
        });
        let found = self.waiting.remove(place?)?;
        self.confirmed += 1;
        Some(found.shown)
    }

    /// Whether a message is not confirmed.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the message with this label is for a service, which may answer in its own way.
    pub fn is_to_service(&self, label: &str) -> bool {
        let found = self.waiting.iter().find(|it| it.label == label);
        found.is_some_and(|it| secrets::is_service(&it.target))
    }

    /// The server rejected the message with this label: its target and text.
    pub fn refused(&mut self, label: &str) -> Option<(String, String)> {
        let place = self.waiting.iter().position(|it| it.label == label)?;
        self.waiting.remove(place).map(|it| (it.target, it.text))
    }

    /// The server has taken everything up to this one. Echoes are still waited for.
    pub fn taken(&mut self, serial: u64, comes_back: bool) {
        if !comes_back {
            self.waiting.retain(|it| it.serial > serial);
        }
    }

    /// What is not confirmed may be lost.
    pub fn connection_lost(&mut self) {
        self.lost.extend(self.waiting.drain(..));
        let over = self.lost.len().saturating_sub(MAX_LOST);
        self.forgotten += self.lost.drain(..over).count();
    }

    /// A message of this person is in the room's history; whether it is one that may be lost.
    pub fn was_heard(&mut self, room: &str, text: &str) -> bool {
        let is_it = |it: &Sent| it.target.eq_ignore_ascii_case(room) && it.text == text;
        let place = self.lost.iter().position(is_it);
        place.map(|place| self.lost.remove(place)).is_some()
    }

    /// After when the first message that may be lost was sent to a room.
    pub fn lost_since(&self, room: &str) -> Option<Timestamp> {
        let here = self.lost.iter().filter(|it| it.target.eq_ignore_ascii_case(room));
        here.map(|it| it.after).min()
    }

    /// The possibly lost messages, in words.
    pub fn take_lost(&mut self) -> Vec<String> {
        let earlier = match std::mem::take(&mut self.forgotten) {
            0 => None,
            count => Some(counted(count, "earlier message")),
        };
        earlier.into_iter().chain(self.lost.drain(..).map(|it| it.text)).collect()
    }

    /// Those that no one will look for.
    pub fn give_up(&mut self) -> Vec<String> {
        self.lost.extend(self.waiting.drain(..));
        self.take_lost()
    }
}
