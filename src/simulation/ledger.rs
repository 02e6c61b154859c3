//! The messages that were sent and those that were received, and whether the two agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most recent messages that a history can be asked for at once.
pub(super) const HISTORY: usize = 100;

/// A message: who said it, and which of theirs it is.
pub(super) type Id = (usize, u32);

/// The rooms; the first is the one that plain clients are in at the beginning.
pub(super) const ROOMS: [&str; 4] = ["#lobby", "#a", "#b", "#c"];

/// Whom a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// All in a room, by its number.
    Room(usize),
    /// One client.
    Client(usize),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Room(room) => f.write_str(&ROOMS[*room][1..]),
            Target::Client(client) => write!(f, "@{client}"),
        }
    }
}

impl Target {
    fn parse(text: &str) -> Option<Target> {
        match text.strip_prefix('@') {
            Some(client) => client.parse().ok().map(Target::Client),
            None => ROOMS.iter().position(|name| &name[1..] == text).map(Target::Room),
        }
    }
}

struct Said {
    target: Target,
    /// Who had to receive it: members at that time.
    owed: BTreeSet<usize>,
    /// Someone has.
    heard: bool,
}

/// The books of one run. Clients have numbers; a number is never used again.
#[derive(Default)]
pub(super) struct Ledger {
    said: BTreeMap<Id, Said>,
    /// What each client has received, in order.
    heard: BTreeMap<usize, Vec<Id>>,
    /// The last of each speaker that a client has received.
    last: BTreeMap<(usize, usize), u32>,
    /// What a client was shown as history before it could receive it.
    recalled: BTreeSet<(usize, Id)>,
    /// How often each speaker was told that something is not saved; any number of times, if it may
    /// not have been there to be told.
    refused: BTreeMap<usize, Option<usize>>,
    /// Messages may be rejected.
    may_refuse: bool,
    /// Who is in a room for certain: joined, confirmed, and not on the way out.
    members: [BTreeSet<usize>; ROOMS.len()],
    /// Who may be in a room: has asked to join it.
    visitors: [BTreeSet<usize>; ROOMS.len()],
    /// Those that have gone, perhaps in the middle of a line: its beginning counts as one.
    cut: BTreeSet<usize>,
    pub(super) count: (u64, u64),
}

/// The text of a message: enough to find the smallest thing that is wrong with it.
pub(super) fn text(target: Target, (speaker, number): Id) -> String {
    let length = (speaker * 37 + number as usize * 101) % 300;
    let filler: String =
        (0..length).map(|it| char::from(b'a' + ((it + speaker) % 26) as u8)).collect();
    format!("~~{target}~{speaker}.{number}~{filler}~")
}

impl Ledger {
    /// Whether a message may be rejected, too.
    pub(super) fn new(may_refuse: bool) -> Ledger {
        Ledger { may_refuse, ..Ledger::default() }
    }

    pub(super) fn asks_to_join(&mut self, client: usize, room: usize) {
        self.visitors[room].insert(client);
    }

    pub(super) fn joined(&mut self, client: usize, room: usize) {
        self.members[room].insert(client);
    }

    /// From here on it may be told or not.
    pub(super) fn asks_to_leave(&mut self, client: usize, room: usize) {
        self.members[room].remove(&client);
        self.forgive(client, Some(Target::Room(room)));
    }

    /// How many messages have been received by anyone.
    pub(super) fn arrived(&self) -> u64 {
        self.said.values().filter(|said| said.heard).count() as u64
    }

    /// What is on its way to its nick arrives or does not.
    pub(super) fn changes_its_nick(&mut self, client: usize) {
        self.forgive(client, Some(Target::Client(client)));
    }

    /// It is gone, or will not receive all of what it is sent.
    pub(super) fn gone(&mut self, client: usize) {
        for members in &mut self.members {
            members.remove(&client);
        }
        self.forgive(client, None);
        if self.may_refuse {
            self.refused.insert(client, None);
        }
    }

    /// What a speaker has said may have been lost with it.
    pub(super) fn may_be_lost(&mut self, speaker: usize) {
        self.cut.insert(speaker);
        for (_, said) in self.said.range_mut((speaker, 0)..(speaker + 1, 0)) {
            said.owed.clear();
        }
    }

    /// All sessions are over.
    pub(super) fn killed(&mut self) {
        self.members.iter_mut().chain(&mut self.visitors).for_each(BTreeSet::clear);
        self.said.values_mut().for_each(|said| said.owed.clear());
    }

    fn forgive(&mut self, client: usize, target: Option<Target>) {
        let is_meant = |said: &&mut Said| target.is_none_or(|it| it == said.target);
        for said in self.said.values_mut().filter(is_meant) {
            said.owed.remove(&client);
        }
    }

    pub(super) fn says(&mut self, speaker: usize, number: u32, target: Target) {
        let owed = match target {
            Target::Client(client) => BTreeSet::from([client]),
            // It may be told that it is not in the room.
            Target::Room(room) if !self.members[room].contains(&speaker) => BTreeSet::new(),
            Target::Room(room) => {
                self.members[room].iter().copied().filter(|it| *it != speaker).collect()
            }
        };
        self.count.0 += 1;
        self.said.insert((speaker, number), Said { target, owed, heard: false });
    }

    /// Whether a client may see what is said there.
    fn may_see(&self, client: usize, target: Target) -> bool {
        match target {
            Target::Room(room) => self.visitors[room].contains(&client),
            Target::Client(other) => client == other,
        }
    }

    /// A line that contains a message, as a client has received it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn hears(&mut self, listener: usize, line: &str) -> Result<(), String> {
        let Some(id) = self.identify(line)? else {
            if line.contains("not saved: ")
                && let Some(count) = self.refused.entry(listener).or_insert(Some(0))
            {
                *count += 1;
            }
            return Ok(());
        };
        let ((speaker, number), target) = (id, self.target(id, line)?);
        if speaker == listener && matches!(target, Target::Client(_)) {
            return Ok(()); // it is shown what it has sent to another
        }
        if !self.may_see(listener, target) {
            return Err(format!("client {listener} is not in that room: {line:?}"));
        }
        if speaker == listener {
            return Err(format!("client {listener} receives its own: {line:?}"));
        }
        if self.recalled.contains(&(listener, id)) {
            return Err(format!("client {listener} was shown this as history before: {line:?}"));
        }
        self.seen(listener, id);
        let last = self.last.insert((listener, speaker), number);
        if last.is_some_and(|last| last >= number) {
            let last = last.unwrap_or_default();
            return Err(format!(
                "client {listener} receives {speaker}.{number} after {speaker}.{last}"
            ));
        }
        if matches!(target, Target::Room(_)) {
            self.heard.entry(listener).or_default().push(id);
        }
        self.count.1 += 1;
        Ok(())
    }

    /// A line of a history, as a client has received it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn recalls(&mut self, listener: usize, line: &str) -> Result<(), String> {
        let Some(id) = self.identify(line)? else { return Ok(()) };
        let ((speaker, number), target) = (id, self.target(id, line)?);
        if !self.may_see(listener, target) {
            return Err(format!("client {listener} has no business with this: {line:?}"));
        }
        if speaker != listener && self.last.get(&(listener, speaker)).is_none_or(|it| *it < number)
        {
            self.recalled.insert((listener, id));
        }
        self.seen(listener, id);
        Ok(())
    }

    fn target(&self, id: Id, line: &str) -> Result<Target, String> {
        let said = self.said.get(&id).ok_or_else(|| format!("not said by anyone: {line:?}"))?;
        Ok(said.target)
    }

    fn seen(&mut self, listener: usize, id: Id) {
        if let Some(said) = self.said.get_mut(&id) {
            said.owed.remove(&listener);
            said.heard = true;
        }
    }

    /// The message in a line, if there is one.
    ///
    /// # Errors
    /// It is not as it was said.
    pub(super) fn identify(&self, line: &str) -> Result<Option<Id>, String> {
        let Some(start) = line.find("~~") else { return Ok(None) };
        let body = &line[start..];
        let parse = || {
            let mut parts = body[2..].split('~');
            let target = Target::parse(parts.next()?)?;
            let (speaker, number) = parts.next()?.split_once('.')?;
            let id = (speaker.parse().ok()?, number.parse().ok()?);
            (text(target, id) == body).then_some(id)
        };
        match parse() {
            None if !self.is_cut(body) => Err(format!("corrupted: {line:?}")),
            id => Ok(id),
        }
    }

    fn is_cut(&self, body: &str) -> bool {
        let of = |speaker: &usize| self.said.range((*speaker, 0)..(speaker + 1, 0));
        self.cut.iter().flat_map(of).any(|(id, said)| text(said.target, *id).starts_with(body))
    }

    /// Faults are over and everything has arrived: is anything missing, and is there one order?
    ///
    /// # Errors
    /// What is missing, or who saw another order.
    pub(super) fn settle(&self) -> Result<(), String> {
        let mut refused = self.refused.clone();
        for ((speaker, number), said) in &self.said {
            let Some(listener) = said.owed.first() else { continue };
            // One that is rejected, no one receives.
            let is_refused = match refused.get_mut(speaker) {
                Some(None) => true,
                Some(Some(count)) if *count > 0 => {
                    *count -= 1;
                    true
                }
                _ => false,
            };
            if said.heard || !is_refused {
                let target = said.target;
                return Err(format!(
                    "client {listener} never receives {speaker}.{number} to {target}"
                ));
            }
        }
        for (one, heard) in &self.heard {
            let places: BTreeMap<Id, usize> =
                heard.iter().enumerate().map(|(place, id)| (*id, place)).collect();
            for (other, heard) in self.heard.range(one + 1..) {
                let common: Vec<usize> =
                    heard.iter().filter_map(|id| places.get(id).copied()).collect();
                if !common.is_sorted() {
                    return Err(format!("clients {one} and {other} receive another order"));
                }
            }
        }
        Ok(())
    }

    /// The last messages of a room as its history has them, `total` with those of no client: all that
    /// anyone has received must be there.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn compare(&self, room: usize, history: &[Id], total: usize) -> Result<(), String> {
        let kept: BTreeSet<Id> = history.iter().copied().collect();
        if kept.len() != history.len() {
            return Err(format!("the history of {} has a message twice", ROOMS[room]));
        }
        for heard in self.heard.values() {
            let mut heard =
                heard.iter().filter(|id| self.said[id].target == Target::Room(room)).peekable();
            // Others may be older than what was asked for.
            while total >= HISTORY && heard.next_if(|id| !kept.contains(id)).is_some() {}
            if let Some((speaker, number)) = heard.find(|id| !kept.contains(id)) {
                let room = ROOMS[room];
                return Err(format!(
                    "{speaker}.{number} was received, and is not in the history of {room}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clients in the lobby, of which the first has said something.
    fn room() -> (Ledger, String) {
        let mut ledger = Ledger::new(true);
        for client in 0..3 {
            ledger.asks_to_join(client, 0);
            ledger.joined(client, 0);
        }
        ledger.says(0, 1, Target::Room(0));
        (ledger, text(Target::Room(0), (0, 1)))
    }

    #[test]
    fn a_message_is_heard_by_all_or_refused_to_its_speaker() {
        let (mut ledger, text) = room();
        assert!(ledger.settle().unwrap_err().contains("client 1 never"));
        ledger.hears(0, "* not saved: disk full").unwrap();
        assert_eq!(ledger.settle(), Ok(()));
        ledger.hears(1, &text).unwrap();
        assert!(ledger.settle().unwrap_err().contains("client 2 never"));
        ledger.hears(2, &text).unwrap();
        assert_eq!(ledger.settle(), Ok(()));
        ledger.says(0, 2, Target::Room(0));
        ledger.says(0, 3, Target::Client(1));
        assert!(ledger.settle().is_err(), "two are missing, and one was refused");
    }

    #[test]
    fn a_message_is_not_received_twice_nor_before_its_history_nor_elsewhere() {
        let (mut ledger, text) = room();
        ledger.recalls(1, &format!("- {text}")).unwrap();
        assert!(ledger.hears(1, &text).unwrap_err().contains("as history before"));
        ledger.hears(2, &text).unwrap();
        ledger.recalls(2, &text).unwrap();
        assert!(ledger.hears(2, &text).unwrap_err().contains("after"));
        assert!(ledger.hears(3, &text).unwrap_err().contains("not in that room"));
        assert!(ledger.recalls(3, &text).unwrap_err().contains("no business"));
        assert!(ledger.hears(2, &text.replace('a', "b")).unwrap_err().contains("corrupted"));
    }
}
