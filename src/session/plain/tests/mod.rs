//! Two and more people at their `nc`, without the sockets: lines in, lines out. Here the server
//! between them; what they see is in `seen`, what they may type in `typed`.

mod harmless;
mod seen;
mod typed;

use super::commands::help;
use super::*;
use crate::chat::{
    Change, Decision, Entry, Event, Hub, Outcome, PasswordHash, Point, Query, QuitReason, Range,
    Record, RecordId, Refusal, Scope, Secret, SessionId, StoredMessage, Viewpoint, Work,
};
use crate::session::{Protocol, refusal_text};
use proptest::prelude::*;

/// The server between them, with a worker that hashes nothing and an empty journal.
struct Chat {
    hub: Hub,
    people: Vec<(Session, String)>,
    last: u64,
}

impl Chat {
    fn new(styles: &[Style]) -> Chat {
        let mut chat = Chat { hub: Hub::new(), people: Vec::new(), last: 0 };
        for (number, style) in styles.iter().enumerate() {
            chat.people.push((Session::new(*style, Protocol::Any), String::new()));
            let label = format!("127.0.0.1:500{number}").into();
            let entry = Entry { label, lobby: true, ..Entry::default() };
            chat.write(number, Change::Enter(entry.into()));
        }
        chat
    }

    fn session(number: usize) -> SessionId {
        SessionId(number as u64)
    }

    fn write(&mut self, number: usize, change: Change) {
        self.last += 1;
        let (id, time) = (RecordId(self.last), Moment(60_000 * self.last as i64));
        let record = Record { id, time, origin: Chat::session(number), change };
        let mut effects = Vec::new();
        self.hub.apply(record, &mut effects);
        for effect in effects {
            self.hub.recipients(&effect.audience, |session_id, viewpoint| {
                let Some((session, shown)) = self.people.get_mut(session_id.0 as usize) else {
                    return;
                };
                let Some(event) = effect.event_for(session_id) else { return };
                session.observe(&event, viewpoint);
                let mut line = Vec::new();
                render(session.theme(), &event, viewpoint, &mut line);
                shown.push_str(&String::from_utf8(line).unwrap());
            });
        }
    }

    /// One types a line; what all see of it is collected.
    fn line(&mut self, number: usize, line: &str) {
        let now = Moment(60_000 * (self.last as i64 + 1));
        let user = self.hub.user(Chat::session(number));
        let rooms = user.map_or(Vec::new(), |user| user.rooms().to_vec());
        match self.people[number].0.parse(line.as_bytes(), &rooms, now) {
            // The server's own.
            None
            | Some(
                Action::Stats
                | Action::Reload
                | Action::Trace(_)
                | Action::LoopLink
                | Action::Files(_)
                | Action::AddCertificate
                | Action::LogInByCertificate,
            ) => {}
            Some(Action::Do(command)) => {
                let decision = self.hub.decide(Chat::session(number), command, now);
                self.settle(number, decision, now);
            }
            Some(Action::Tell(lines)) => {
                for line in lines {
                    self.notice(number, &line);
                }
            }
            Some(Action::Leave { words, .. }) => {
                let departure = words.map_or(QuitReason::Quit, QuitReason::Message);
                self.write(number, Change::Leave { departure });
            }
            other => panic!("a line asked for {other:?}"),
        }
    }

    fn settle(&mut self, number: usize, decision: Decision, now: Moment) {
        match decision {
            Decision::Change(change) => self.write(number, change),
            Decision::Reply(event) => self.show(number, &event),
            Decision::Ask(query) | Decision::AskPage(query, _) => {
                self.show(number, &past(query, Vec::new()));
            }
            Decision::Lookup { missing, .. } => self.notice(number, &refusal_text::of(&missing)),
            Decision::Refuse(why) => self.notice(number, &refusal_text::of(&why)),
            Decision::Work(work) => {
                let (purpose, outcome) = match work {
                    Work::Hash { secret, purpose, .. } => {
                        (purpose, Outcome::Hashed(PasswordHash::new(secret.expose()), None))
                    }
                    Work::Challenge { .. } | Work::Proof { .. } => {
                        unreachable!("a plain client knows nothing of SCRAM")
                    }
                    Work::Verify { secret, hash, purpose, .. } => {
                        let hash = hash.unwrap_or(PasswordHash::new("operator"));
                        (purpose, Outcome::Verified(hash.as_phc() == secret.expose()))
                    }
                };
                let decision = self.hub.worked(Chat::session(number), purpose, outcome, now);
                self.settle(number, decision, now);
            }
        }
    }

    fn show(&mut self, number: usize, event: &Event) {
        let (session, shown) = &mut self.people[number];
        let mut line = Vec::new();
        render(session.theme(), event, Viewpoint::Observer, &mut line);
        shown.push_str(&String::from_utf8(line).unwrap());
    }

    fn notice(&mut self, number: usize, text: &str) {
        let (session, shown) = &mut self.people[number];
        let mut line = Vec::new();
        render_notice(session.theme(), text, &mut line);
        shown.push_str(&String::from_utf8(line).unwrap());
    }

    /// What one has seen since the last time.
    fn seen(&mut self, number: usize) -> String {
        std::mem::take(&mut self.people[number].1)
    }

    /// One types a line; what they and another one see.
    fn both(&mut self, number: usize, line: &str, other: usize) -> (String, String) {
        self.people.iter_mut().for_each(|(_, shown)| shown.clear());
        self.line(number, line);
        (self.seen(number), self.seen(other))
    }
}

fn past(query: Query, entries: Vec<StoredMessage>) -> Event {
    Event::Past(Box::new(crate::chat::Past::whole(query, entries, Vec::new(), None)))
}

/// Alice and bob in the lobby.
fn two() -> Chat {
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    chat.line(0, "/nick alice");
    chat.line(1, "/nick bob");
    chat.people.iter_mut().for_each(|(_, shown)| shown.clear());
    chat
}

fn own(text: &str) -> (String, String) {
    (format!("* {text}\n"), String::new())
}
