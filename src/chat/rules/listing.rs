//! Lists of any length, a page at a time.

use crate::chat::api::{Event, Listing, Page, Person, RoomLine, ServerBanLine};
use crate::chat::log::BanTarget;
use crate::chat::model::{Moment, Name, Refusal, Result, SessionId, Walk};
use crate::chat::state::{Hub, Room, User};
use std::cmp::Reverse;
use std::sync::Arc;

/// Bytes of a page, more or less a line.
const PAGE: usize = 16 * 1024;

/// Bytes of a line beside a topic or an away message, about.
const LINE: usize = 96;

impl Hub {
    /// The next page of a list.
    pub(super) fn list(&self, asker: &User, listing: Listing, now: Moment) -> Result<Event> {
        Ok(match listing {
            Listing::Rooms(walk) => Event::Rooms(self.list_rooms(asker, walk)),
            Listing::Who(None, walk) => {
                let all = || self.users.values().map(joined);
                let more = |walk| Listing::Who(None, walk);
                let people = self.list_people(None, walk, self.online(), all, more);
                Event::Who { room: None, people }
            }
            Listing::Who(Some(name), walk) => {
                let room = self.visible_room(asker, &name)?;
                let members =
                    || room.members.keys().filter_map(|it| self.users.get(it)).map(joined);
                let more = |walk| Listing::Who(Some(name), walk);
                let total = room.members.len();
                let people = self.list_people(Some(room), walk, total, members, more);
                Event::Who { room: Some(room.name.clone()), people }
            }
            Listing::Connections(_) | Listing::Accounts(_) | Listing::ServerBans(_)
                if !asker.is_operator() =>
            {
                return Err(Refusal::NotOperator);
            }
            Listing::Accounts(walk) => Event::Accounts(self.list_accounts(walk)),
            Listing::ServerBans(walk) => Event::ServerBans(self.list_server_bans(walk, now)),
            // Asked of the journal.
            Listing::History(_) => return Err(Refusal::NotHere),
            Listing::Connections(walk) => {
                let all = || self.users.values().map(joined);
                let people = self.list_people(None, walk, self.online(), all, Listing::Connections);
                Event::Connections(people)
            }
        })
    }

    fn list_rooms(&self, asker: &User, walk: Walk<(Reverse<usize>, Name)>) -> Page<RoomLine> {
        let visible = || self.rooms.values().filter(|room| self.sees(asker, room));
        let key = |room: &Room| (Reverse(room.members.len()), room.name.clone());
        let line = |(_, name)| {
            let room = self.rooms.get(&name).filter(|room| self.sees(asker, room))?;
            let topic = room.topic.as_ref().map(|topic| Arc::clone(&topic.text));
            let bytes = topic.as_ref().map_or(0, |topic| topic.len());
            let line = RoomLine {
                room: room.name.clone(),
                members: room.members.len(),
                topic,
                joined: room.members.contains_key(&asker.identity.session),
                created: room.created,
            };
            Some((line, bytes))
        };
        page(walk, || visible().count(), || visible().map(key), line, Listing::Rooms)
    }

    fn list_server_bans(&self, walk: Walk<BanTarget>, now: Moment) -> Page<ServerBanLine> {
        let in_force = || self.server_bans.iter().filter(|ban| ban.in_force(now));
        let targets = || in_force().map(|ban| ban.target.clone());
        let line = |target| {
            let ban = in_force().find(|ban| ban.target == target)?;
            let (by, reason, until) = (ban.by.clone(), ban.reason.clone(), ban.until);
            let bytes = reason.as_ref().map_or(0, |reason| reason.len());
            Some((ServerBanLine { target, by, reason, until }, bytes))
        };
        page(walk, || in_force().count(), targets, line, Listing::ServerBans)
    }

    fn list_people<I: Iterator<Item = (Moment, SessionId)>>(
        &self,
        room: Option<&Room>,
        walk: Walk<(Moment, SessionId)>,
        total: usize,
        all: impl Fn() -> I,
        more: impl FnOnce(Walk<(Moment, SessionId)>) -> Listing,
    ) -> Page<Person> {
        let line = |(_, session)| {
            let inside = room.is_none_or(|room| room.members.contains_key(&session));
            let user = self.users.get(&session).filter(|_| inside)?;
            Some((self.person(user, room), user.away().map_or(0, |away| away.len())))
        };
        page(walk, || total, all, line, more)
    }
}

/// A page of lines. `line` makes one, and says how many bytes its text has; none of what is no
/// longer there.
fn page<K: Ord + Clone, I: Iterator<Item = K>, T>(
    mut walk: Walk<K>,
    total: impl FnOnce() -> usize,
    all: impl Fn() -> I,
    line: impl Fn(K) -> Option<(T, usize)>,
    more: impl FnOnce(Walk<K>) -> Listing,
) -> Page<T> {
    let total = walk.is_new().then(total);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while bytes < PAGE {
        let Some(key) = walk.next(&all) else { return Page { total, lines, more: None } };
        if let Some((line, size)) = line(key) {
            bytes += LINE + size;
            lines.push(line);
        }
    }
    Page { total, lines, more: Some(Box::new(more(walk))) }
}

fn joined(user: &User) -> (Moment, SessionId) {
    (user.since, user.identity.session)
}
