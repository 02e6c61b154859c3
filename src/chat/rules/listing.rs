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

    fn list_rooms(&self, asker: &User, mut walk: Walk<(Reverse<usize>, Name)>) -> Page<RoomLine> {
        let visible = || self.rooms.values().filter(|room| self.sees(asker, room));
        let total = walk.is_new().then(|| visible().count());
        let key = |room: &Room| (Reverse(room.members.len()), room.name.clone());
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE {
            let Some((_, name)) = walk.next(|| visible().map(key)) else {
                return Page { total, lines, more: None };
            };
            let Some(room) = self.rooms.get(&name).filter(|room| self.sees(asker, room)) else {
                continue;
            };
            let topic = room.topic.as_ref().map(|topic| Arc::clone(&topic.text));
            bytes += LINE + topic.as_ref().map_or(0, |topic| topic.len());
            lines.push(RoomLine {
                room: room.name.clone(),
                members: room.members.len(),
                topic,
                joined: room.members.contains_key(&asker.identity.session),
                created: room.created,
            });
        }
        Page { total, lines, more: Some(Box::new(Listing::Rooms(walk))) }
    }

    fn list_server_bans(&self, mut walk: Walk<BanTarget>, now: Moment) -> Page<ServerBanLine> {
        let in_force = || self.server_bans.iter().filter(|ban| ban.in_force(now));
        let total = walk.is_new().then(|| in_force().count());
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE {
            let Some(target) = walk.next(|| in_force().map(|ban| ban.target.clone())) else {
                return Page { total, lines, more: None };
            };
            let Some(ban) = in_force().find(|ban| ban.target == target) else { continue };
            let (by, reason, until) = (ban.by.clone(), ban.reason.clone(), ban.until);
            bytes += LINE + reason.as_ref().map_or(0, |reason| reason.len());
            lines.push(ServerBanLine { target, by, reason, until });
        }
        Page { total, lines, more: Some(Box::new(Listing::ServerBans(walk))) }
    }

    fn list_people<I: Iterator<Item = (Moment, SessionId)>>(
        &self,
        room: Option<&Room>,
        mut walk: Walk<(Moment, SessionId)>,
        total: usize,
        all: impl Fn() -> I,
        more: impl FnOnce(Walk<(Moment, SessionId)>) -> Listing,
    ) -> Page<Person> {
        let total = walk.is_new().then_some(total);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE {
            let Some((_, session)) = walk.next(&all) else {
                return Page { total, lines, more: None };
            };
            let inside = room.is_none_or(|room| room.members.contains_key(&session));
            if let Some(user) = self.users.get(&session).filter(|_| inside) {
                bytes += LINE + user.away().map_or(0, |away| away.len());
                lines.push(self.person(user, room));
            }
        }
        Page { total, lines, more: Some(Box::new(more(walk))) }
    }
}

fn joined(user: &User) -> (Moment, SessionId) {
    (user.since, user.identity.session)
}
