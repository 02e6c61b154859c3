//! Queries that are answered at once from the state, and queries for the journal.
//!
//! Invariant: a reply contains nothing about a room that the client may not see.

use super::checks::{fits, given};
use super::messages::{Found, find};
use crate::chat::api::{Command, Decision, Event, Listing, Past, Person, Rest, Whois};
use crate::chat::model::{
    Field, Moment, Name, Query, Range, Refusal, Result, Scope, limits, query,
};
use crate::chat::state::{Ban, Hub, Room, User};
use std::sync::Arc;

impl Hub {
    pub(super) fn answer(&self, user: &User, command: Command, now: Moment) -> Result<Decision> {
        let event = match command {
            Command::List(listing) => match *listing {
                Listing::History(rest) => return Ok(self.next_page(user, *rest)),
                listing => self.list(user, listing, now)?,
            },
            Command::Whois(nick) => self.whois(user, &nick, now)?,
            Command::Topic(name) => {
                let room = self.visible_room(user, &name)?;
                Event::TopicIs { room: room.name.clone(), topic: room.topic.clone() }
            }
            Command::Modes(name) => {
                let room = self.visible_room(user, &name)?;
                let mut modes = room.modes.clone();
                if self.own_room(user, &name).is_err() && !user.is_operator() {
                    // That there is a key may be known; which one may not.
                    modes.key = modes.key.map(|_| "*".into());
                }
                Event::ModesAre { room: room.name.clone(), modes, created: room.created }
            }
            Command::Bans(name) => {
                let room = self.own_room(user, &name)?;
                let line = |ban: &Ban| (ban.mask.to_string(), ban.by.clone(), ban.time);
                Event::Bans { room: room.name.clone(), bans: room.bans.iter().map(line).collect() }
            }
            other => return self.ask(user, other),
        };
        Ok(Decision::Reply(event))
    }

    fn ask(&self, user: &User, command: Command) -> Result<Decision> {
        let bounded = |limit: Option<u32>| {
            Some(limit.unwrap_or(limits::HISTORY_DEFAULT).clamp(1, limits::HISTORY_LINES))
        };
        let query = match command {
            Command::History(name, range, limit) => {
                let scope = Scope::Room(self.own_room(user, &name)?.for_query());
                Query { scope, range, limit: bounded(limit), events: false }
            }
            Command::PrivateHistory(peer, range, limit) => {
                let (session, other) = (user.identity.session, self.session_of(&peer));
                let peer = Name::new(&peer);
                let scope = match user.identity.account.clone() {
                    Some(account) => Scope::Private { account, peer },
                    None => Scope::Session { session, peer, other },
                };
                Query { scope, range, limit: bounded(limit), events: false }
            }
            Command::Playback(target, range, limit) => {
                let command = match target.strip_prefix('#') {
                    Some(_) => Command::History(target, range, limit),
                    None => Command::PrivateHistory(target, range, limit),
                };
                return match self.ask(user, command)? {
                    Decision::Ask(query) => Ok(Decision::Ask(Query { events: true, ..query })),
                    decision => Ok(decision),
                };
            }
            Command::Search(words, room, from, range) => {
                given(Field::Search, words.trim())?;
                fits(Field::Search, &words, limits::SEARCH_LENGTH)?;
                let rooms = match room {
                    Some(name) => vec![self.own_room(user, &name)?.for_query()],
                    None => {
                        let own = user.rooms.iter().filter_map(|name| self.rooms.get(name));
                        own.map(Room::for_query).collect()
                    }
                };
                let from = from.map(|nick| Name::new(&nick));
                let scope = Scope::Search { rooms, words, from };
                Query { scope, range, limit: bounded(None), events: false }
            }
            Command::Thread(name, pick) => {
                let room = self.own_room(user, &name)?;
                match find(room, &pick)? {
                    Found::Here(reference) => Query {
                        scope: Scope::Thread { room: room.for_query(), root: reference.root },
                        range: Range::Latest,
                        limit: Some(limits::HISTORY_LINES),
                        events: false,
                    },
                    Found::Elsewhere(lookup, missing) => {
                        let then = Box::new(Command::Thread(name, pick));
                        return Ok(Decision::Lookup { lookup, then, missing });
                    }
                }
            }
            _ => return Err(Refusal::NotHere),
        };
        Ok(Decision::Ask(query))
    }

    /// The next page of an answer; the end of it, if the asker may see it no more.
    fn next_page(&self, user: &User, rest: Rest) -> Decision {
        if !self.may_read(user, &rest.query().scope) {
            return Decision::Reply(Event::Past(Box::new(Past::end(rest.query().clone()))));
        }
        let (query, rest) = rest.next();
        Decision::AskPage(query, rest)
    }

    fn may_read(&self, user: &User, scope: &Scope) -> bool {
        let is_in = |room: &query::Room| {
            self.rooms.get(&room.name).is_some_and(|it| {
                it.since == room.since && it.members.contains_key(&user.identity.session)
            })
        };
        match scope {
            Scope::Room(room) | Scope::Thread { room, .. } => is_in(room),
            Scope::Search { rooms, .. } => rooms.iter().all(is_in),
            Scope::Mail { account, .. } | Scope::Private { account, .. } => {
                user.identity.account.as_ref() == Some(account)
            }
            Scope::Session { session, .. } => *session == user.identity.session,
        }
    }

    fn whois(&self, asker: &User, nick: &str, now: Moment) -> Result<Event> {
        let user = self.users.called(nick);
        let user = user.ok_or_else(|| Refusal::NoSuchNick(Name::new(nick)))?;
        let rooms = user.rooms.iter().filter_map(|name| self.rooms.get(name));
        let rooms = rooms.filter(|room| self.sees(asker, room)).map(|room| {
            let member = room.member(user.identity.session).unwrap_or_default();
            (room.name.clone(), member.op, member.voice)
        });
        Ok(Event::Whois(Box::new(Whois {
            person: self.person(user, None),
            rooms: rooms.collect(),
            last: user.last,
            now,
        })))
    }

    /// A user, as a line of a list.
    pub(super) fn person(&self, user: &User, room: Option<&Room>) -> Person {
        let member = room.and_then(|room| room.member(user.identity.session)).unwrap_or_default();
        Person {
            who: Arc::clone(&user.identity),
            op: member.op,
            voice: member.voice,
            operator: user.is_operator(),
            away: user.extras().away.clone(),
            since: user.since,
        }
    }
}
