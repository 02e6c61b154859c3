//! What was said and what was received, and whether the two agree.

use std::collections::{BTreeMap, BTreeSet};

/// The most recent messages that a history can be asked for at once.
pub(super) const HISTORY: usize = 100;

/// A message: who said it, and which of theirs it is.
pub(super) type Id = (usize, u32);

/// The rooms; the first is the one that plain clients are in at the beginning.
pub(super) const ROOMS: [&str; 4] = ["#lobby", "#a", "#b", "#c"];

struct Said {
    room: usize,
    /// Who had to hear it: members at that time.
    owed: BTreeSet<usize>,
}

/// The books of one run. Clients have numbers; a number is never used again.
#[derive(Default)]
pub(super) struct Ledger {
    said: BTreeMap<Id, Said>,
    /// What each client has heard, in order.
    heard: BTreeMap<usize, Vec<Id>>,
    /// The last of each speaker that a client has heard.
    last: BTreeMap<(usize, usize), u32>,
    /// Who is in a room for certain: joined, confirmed, and not on the way out.
    members: [BTreeSet<usize>; ROOMS.len()],
    /// Who may be in a room: has asked to join it.
    visitors: [BTreeSet<usize>; ROOMS.len()],
    /// Those that have gone, perhaps in the middle of a line: its beginning counts as one.
    cut: BTreeSet<usize>,
    pub(super) count: (u64, u64),
}

/// The text of a message: enough to find the smallest thing that is wrong with it.
pub(super) fn text(room: usize, (speaker, number): Id) -> String {
    let length = (speaker * 37 + number as usize * 101) % 300;
    let filler: String =
        (0..length).map(|it| char::from(b'a' + ((it + speaker) % 26) as u8)).collect();
    format!("~~{}~{speaker}.{number}~{filler}~", &ROOMS[room][1..])
}

impl Ledger {
    pub(super) fn asks_to_join(&mut self, client: usize, room: usize) {
        self.visitors[room].insert(client);
    }

    pub(super) fn joined(&mut self, client: usize, room: usize) {
        self.members[room].insert(client);
    }

    /// From here on it may be told or not.
    pub(super) fn asks_to_leave(&mut self, client: usize, room: usize) {
        self.members[room].remove(&client);
        self.forgive(client, Some(room));
    }

    /// It is gone, or will not hear all of what it is sent.
    pub(super) fn gone(&mut self, client: usize) {
        for members in &mut self.members {
            members.remove(&client);
        }
        self.forgive(client, None);
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

    fn forgive(&mut self, client: usize, room: Option<usize>) {
        for said in self.said.values_mut().filter(|said| room.is_none_or(|it| it == said.room)) {
            said.owed.remove(&client);
        }
    }

    pub(super) fn says(&mut self, speaker: usize, number: u32, room: usize) {
        let mut owed = self.members[room].clone();
        if !owed.remove(&speaker) {
            owed.clear(); // it may be told that it is not in the room
        }
        self.count.0 += 1;
        self.said.insert((speaker, number), Said { room, owed });
    }

    /// A line that contains a message, as a client has received it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn hears(&mut self, listener: usize, line: &str) -> Result<(), String> {
        let Some(id) = self.identify(line)? else { return Ok(()) };
        let said = self.said.get_mut(&id).ok_or_else(|| format!("not said by anyone: {line:?}"))?;
        let (speaker, number) = id;
        if !self.visitors[said.room].contains(&listener) {
            return Err(format!("client {listener} is not in that room: {line:?}"));
        }
        if speaker == listener {
            return Err(format!("client {listener} receives its own: {line:?}"));
        }
        said.owed.remove(&listener);
        let last = self.last.insert((listener, speaker), number);
        if last.is_some_and(|last| last >= number) {
            let last = last.unwrap_or_default();
            return Err(format!(
                "client {listener} receives {speaker}.{number} after {speaker}.{last}"
            ));
        }
        self.heard.entry(listener).or_default().push(id);
        self.count.1 += 1;
        Ok(())
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
            let room = parts.next()?;
            let room = ROOMS.iter().position(|name| &name[1..] == room)?;
            let (speaker, number) = parts.next()?.split_once('.')?;
            let id = (speaker.parse().ok()?, number.parse().ok()?);
            (text(room, id) == body).then_some(id)
        };
        match parse() {
            None if !self.is_cut(body) => Err(format!("corrupted: {line:?}")),
            id => Ok(id),
        }
    }

    fn is_cut(&self, body: &str) -> bool {
        let of = |speaker: &usize| self.said.range((*speaker, 0)..(speaker + 1, 0));
        self.cut.iter().flat_map(of).any(|(id, said)| text(said.room, *id).starts_with(body))
    }

    /// Faults are over and everything has arrived: is anything missing, and is there one order?
    ///
    /// # Errors
    /// What is missing, or who saw another order.
    pub(super) fn settle(&self) -> Result<(), String> {
        for ((speaker, number), said) in &self.said {
            if let Some(listener) = said.owed.first() {
                let room = ROOMS[said.room];
                return Err(format!(
                    "client {listener} never receives {speaker}.{number} of {room}"
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
    /// anyone has heard must be there.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn compare(&self, room: usize, history: &[Id], total: usize) -> Result<(), String> {
        let kept: BTreeSet<Id> = history.iter().copied().collect();
        if kept.len() != history.len() {
            return Err(format!("the history of {} has a message twice", ROOMS[room]));
        }
        for heard in self.heard.values() {
            let mut heard = heard.iter().filter(|id| self.said[id].room == room).peekable();
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
