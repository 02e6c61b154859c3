//! Answering of queries, and its thread.

use super::events;
use super::queue::{Job, Next, Queue};
use super::rows::{COLUMNS, first_above, number_of, read_message};
use super::search::Search;
use crate::chat::{
    HistoryEvent, Lookup, Name, Point, Query, RecordId, Reference, Scope, StoredMessage, query,
};
use crate::journal::index::query::{Answer, HistoryQuery, QueryId, search_words, wanted};
use crate::journal::index::span::{self, NOWHERE, Position, position_of, record_of, spans};
use crate::journal::limits;
use crate::journal::runtime::TimeSource;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Database instructions between two checks of the clock.
const TIMEOUT_STEPS: i32 = 10_000;

/// A connection that only reads: the writer's transactions do not hold it up, nor it them.
pub(super) struct Reader {
    connection: Connection,
    time: Arc<dyn TimeSource>,
}

impl Reader {
    pub(super) fn new(connection: Connection, time: Arc<dyn TimeSource>) -> Reader {
        Reader { connection, time }
    }

    /// Answers a query, from one state of the file; `None` if it is a search that goes on.
    pub(super) fn answer(&mut self, job: &mut Job) -> Option<Answer> {
        let answer = self.try_answer(job);
        answer.unwrap_or_else(|error| Some(Answer::Failed(error.to_string())))
    }

    fn try_answer(&mut self, job: &mut Job) -> Result<Option<Answer>> {
        let time = Arc::clone(&self.time);
        let search = job.query.is_search();
        let mut end = time.instant() + limits::QUERY_TIMEOUT;
        if search {
            end = time.instant() + 2 * limits::SEARCH_SLICE;
        }
        let out_of_time = move || time.instant() > end;
        self.connection.progress_handler(TIMEOUT_STEPS, Some(out_of_time))?;
        let connection = &self.connection;
        let _one_state = connection.unchecked_transaction()?;
        Ok(Some(match &job.query {
            HistoryQuery::Past(query) | HistoryQuery::Replay(query) if search => {
                let state = match &mut job.search {
                    Some(state) => state,
                    None => job.search.insert(Search::new(connection, query, job.upto)?),
                };
                return state.step(connection, query, &*self.time);
            }
            HistoryQuery::Past(query) | HistoryQuery::Replay(query) => {
                let (messages, events) = past(connection, query, job.upto)?;
                Answer::Past(messages, events)
            }
            HistoryQuery::Find(lookup) => {
                let found = find(connection, lookup, job.upto)?;
                let id = found.as_ref().map_or(0, |found| found.id.0.cast_signed());
                let sql = "SELECT count(*) FROM reaction WHERE message = ?1";
                let reactions = connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
                Answer::Found(found, reactions)
            }
        }))
    }

    /// Answers queries until the queue is closed, or only those that are no searches.
    pub(super) fn run(
        &mut self,
        queue: &Queue,
        searches: bool,
        answers: &SyncSender<(QueryId, Answer)>,
        wake: &dyn Fn(),
    ) {
        let time = Arc::clone(&self.time);
        let next = || queue.next(searches, || time.instant());
        answer_with(next, queue, answers, wake, |job| self.answer(job));
    }
}

/// A panic affects only the query that caused it: it leaves a read-only transaction incomplete,
/// which is rolled back.
fn answer_with(
    mut next: impl FnMut() -> Option<Next>,
    queue: &Queue,
    answers: &SyncSender<(QueryId, Answer)>,
    wake: &dyn Fn(),
    mut answer: impl FnMut(&mut Job) -> Option<Answer>,
) {
    let mut told = false;
    while let Some(next) = next() {
        let (id, answer) = match next {
            Next::GiveUp(id) => (id, Answer::Failed("it took too long".to_owned())),
            Next::Answer(asker, mut job) => {
                let found = catch_unwind(AssertUnwindSafe(|| answer(&mut job)));
                if found.is_err() && !std::mem::replace(&mut told, true) {
                    log::error!("a history query has failed; others are still answered");
                }
                let failed = "the query failed (see the server's log)";
                match found.unwrap_or_else(|_| Some(Answer::Failed(failed.to_owned()))) {
                    Some(answer) => (job.id, answer),
                    None => {
                        queue.put_back(asker, *job);
                        continue;
                    }
                }
            }
        };
        if answers.send((id, answer)).is_err() {
            return;
        }
        wake();
    }
}

fn find(connection: &Connection, lookup: &Lookup, upto: RecordId) -> Result<Option<Reference>> {
    let id = match lookup.message {
        Point::Id(id) => id.0,
        point @ Point::Number(_) => {
            record_of(locate_in(connection, Some(&lookup.room), point, upto)?.first)
        }
        Point::Time(_) | Point::Part(..) => return Ok(None),
    };
    let Some(room) = number_of(connection, &lookup.room.name)? else { return Ok(None) };
    if id > upto.0 || id < lookup.room.since.0 {
        return Ok(None);
    }
    let sql = "SELECT number, root, sender, account FROM message WHERE id = ?1 AND room = ?2";
    let found = connection
        .prepare_cached(sql)?
        .query_row([id.cast_signed(), room], |row| {
            let (from, account): (String, Option<String>) = (row.get(2)?, row.get(3)?);
            Ok(Reference {
                id: RecordId(id),
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                root: RecordId(row.get::<_, i64>(1)?.cast_unsigned()),
                from: Name::new(&from),
                account: account.as_deref().map(Name::new),
            })
        })
        .optional()?;
    Ok(found.filter(|found| match lookup.message {
        Point::Number(number) => found.number == number,
        _ => true,
    }))
}

fn past(
    connection: &Connection,
    query: &Query,
    upto: RecordId,
) -> Result<(Vec<StoredMessage>, Vec<HistoryEvent>)> {
    let room = match &query.scope {
        Scope::Room(room) | Scope::Thread { room, .. } => Some(room),
        _ => None,
    };
    let whose = if query.events { events::whose(connection, &query.scope)? } else { None };
    let locate = |point| {
        let position = locate_in(connection, room, point, upto)?;
        Ok::<Position, rusqlite::Error>(match (point, &whose) {
            (Point::Time(time), Some(whose)) => {
                position.and(events::locate(connection, whose, time, upto)?)
            }
            _ => position,
        })
    };
    let spans = spans(query.range, wanted(query), upto, locate)?;
    let newest = spans.first().is_some_and(|span| span.newest);
    let source = source(connection, &query.scope)?;
    let (mut messages, mut events) = (Vec::new(), Vec::new());
    for span in &spans {
        let span = &room.map_or(*span, |room| span.since(room.since));
        let mut some = Vec::new();
        if let Some(source) = &source {
            select(connection, source, span.ids(), (span.newest, span.limit), &mut some)?;
        }
        if span.newest {
            some.reverse();
        }
        let mut others = match &whose {
            Some(whose) => events::in_span(connection, whose, span)?,
            None => Vec::new(),
        };
        span::merge(&mut some, &mut others, span.limit, span.newest);
        messages.append(&mut some);
        events.append(&mut others);
    }
    span::merge(&mut messages, &mut events, usize::MAX, newest);
    Ok((messages, events))
}

/// The position of a point among the messages of a room, or among all.
pub(super) fn locate_in(
    connection: &Connection,
    room: Option<&query::Room>,
    point: Point,
    upto: RecordId,
) -> Result<Position> {
    let (wanted, column) = match (point, room) {
        (Point::Id(id), _) => return Ok(Position::of(id, 0)),
        (Point::Part(id, part), _) => return Ok(Position::of(id, part)),
        (Point::Number(number), Some(_)) => (number.cast_signed(), "number"),
        // These messages have no numbers: nothing is before, nothing is after.
        (Point::Number(_), None) => return Ok(Position::NONE),
        (Point::Time(time), _) => (time.0, "time"),
    };
    let (room, since) = match room {
        Some(room) => match number_of(connection, &room.name)? {
            Some(number) => (Some(number), room.since.0.cast_signed()),
            None => return Ok(Position::END),
        },
        None => (None, 0),
    };
    let condition = if room.is_some() { "room = ?3" } else { "?3 IS NULL" };
    let sql = format!(
        "SELECT id, {column} FROM message WHERE {condition} AND id >= ?1 AND id < ?2
         ORDER BY id LIMIT 1"
    );
    let mut probe = connection.prepare_cached(&sql)?;
    let end = upto.0.saturating_add(1).min(NOWHERE).cast_signed();
    let position = |id: i64| position_of(RecordId(id.cast_unsigned()), 0);
    let mut above = |wanted| first_above(&mut probe, room, since..end, wanted);
    let (first, next) = (above(wanted.saturating_sub(1))?, above(wanted)?);
    Ok(Position {
        first: first.map_or(NOWHERE, position),
        last: next.map_or(NOWHERE, |id| position(id) - 1),
    })
}

/// The rows of a scope: where they are, which they are, what their id is called there.
pub(super) struct Source {
    from: &'static str,
    condition: &'static str,
    key: &'static str,
    values: Vec<Value>,
    /// The rooms they may be from, by number.
    rooms: HashMap<i64, query::Room>,
}

const MAIL: &str = "mail s CROSS JOIN message m ON m.id = s.message";
const PRIVATE: &str = "private s CROSS JOIN message m ON m.id = s.message";
const SEARCH: &str = "search s CROSS JOIN message m ON m.id = s.rowid";

/// The table with a scope's messages; `None` if there are none.
pub(super) fn source(connection: &Connection, scope: &Scope) -> Result<Option<Source>> {
    let mut rooms = HashMap::new();
    let mut know = |room: &query::Room| -> Result<Option<i64>> {
        let number = number_of(connection, &room.name)?;
        if let Some(number) = number {
            rooms.insert(number, room.clone());
        }
        Ok(number)
    };
    let (from, condition, key, values): (_, _, _, Vec<Value>) = match scope {
        Scope::Room(room) => {
            let Some(number) = know(room)? else { return Ok(None) };
            ("message m", "m.room = ?", "m.id", vec![number.into()])
        }
        Scope::Thread { room, root } => {
            let Some(number) = know(room)? else { return Ok(None) };
            let root = root.0.cast_signed();
            let condition = "m.room = ? AND (m.id = ? OR (m.root = ? AND m.reply IS NOT NULL))";
            ("message m", condition, "m.id", vec![number.into(), root.into(), root.into()])
        }
        Scope::Mail { account, since } => {
            let Some(owner) = number_of(connection, account)? else { return Ok(None) };
            let values = vec![owner.into(), since.0.cast_signed().into()];
            (MAIL, "s.owner = ? AND s.message >= ?", "s.message", values)
        }
        // On no disk.
        Scope::Session { .. } => return Ok(None),
        Scope::Private { account, peer } => {
            let (owner, peer) = (number_of(connection, account)?, number_of(connection, peer)?);
            let (Some(owner), Some(peer)) = (owner, peer) else { return Ok(None) };
            let values = vec![owner.into(), peer.into()];
            (PRIVATE, "s.owner = ? AND s.peer = ?", "s.message", values)
        }
        Scope::Search { rooms, words, from } => {
            let mut numbers = Vec::new();
            for room in rooms {
                numbers.extend(know(room)?);
            }
            let by = match from {
                Some(from) => match number_of(connection, from)? {
                    Some(number) => Some(number),
                    None => return Ok(None),
                },
                None => None,
            };
            let Some(search) = search_for(words, &numbers, by) else { return Ok(None) };
            (SEARCH, "search MATCH ?", "s.rowid", vec![search.into()])
        }
    };
    Ok(Some(Source { from, condition, key, values, rooms }))
}

/// Adds the messages between two ids, both exclusive, from the requested end.
pub(super) fn select(
    connection: &Connection,
    source: &Source,
    (after, before): (u64, u64),
    (newest, limit): (bool, usize),
    found: &mut Vec<StoredMessage>,
) -> Result<()> {
    let Source { from, condition, key, values, rooms: known } = source;
    let order = if newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} LEFT JOIN message q ON q.id = m.reply
         WHERE {condition} AND {key} > ? AND {key} < ? ORDER BY {key} {order}"
    );
    let ids = [after, before].map(|id| Value::from(id.cast_signed()));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values.iter().chain(&ids)))?;
    let (wanted, mut bytes) = (found.len().saturating_add(limit), 0);
    while found.len() < wanted
        && bytes <= limits::ANSWER_BYTES
        && let Some(row) = rows.next()?
    {
        let room = row.get::<_, Option<i64>>(2)?.and_then(|number| known.get(&number));
        let id = RecordId(row.get::<_, i64>(0)?.cast_unsigned());
        if room.is_some_and(|room| id < room.since) {
            // Sent in an earlier room of that name.
            continue;
        }
        let mut message = read_message(row, room.map(|room| &room.name))?;
        add_reactions(connection, &mut message)?;
        bytes += message.bytes();
        found.push(message);
    }
    Ok(())
}

/// The query for the full-text index; `None` if it cannot find anything.
fn search_for(words: &str, rooms: &[i64], by: Option<i64>) -> Option<String> {
    let wanted = words.split_whitespace().filter(|word| search_words(word).next().is_some());
    // A quoted word is never an operator.
    let wanted: Vec<String> =
        wanted.map(|word| format!("\"{}\"", word.replace('"', " "))).collect();
    if wanted.is_empty() || rooms.is_empty() {
        return None;
    }
    let rooms: Vec<String> = rooms.iter().map(|room| format!("r{room}")).collect();
    let by = by.map_or(String::new(), |by| format!(" AND f{by}"));
    let (wanted, rooms) = (wanted.join(" AND "), rooms.join(" OR "));
    Some(format!("text : ({wanted}) AND tags : (({rooms}){by})"))
}

fn add_reactions(connection: &Connection, message: &mut StoredMessage) -> Result<()> {
    // An earlier server kept any number of them.
    let sql = "SELECT text, count(*) FROM
                   (SELECT text, id FROM reaction WHERE message = ?1 LIMIT 1000)
               GROUP BY text ORDER BY min(id) LIMIT 100";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([message.id.0.cast_signed()], |row| {
        Ok((row.get::<_, String>(0)?.into(), row.get(1)?))
    })?;
    message.reactions = rows.collect::<Result<_>>()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_query_that_panics_is_answered_and_so_is_the_next() {
        let (answers, answered) = sync_channel(10);
        let queue = Queue::new();
        let mut jobs = (1..=4).map(|id| {
            let room = query::Room { name: Name::new("#x"), since: RecordId(0) };
            let query = HistoryQuery::Find(Lookup { room, message: Point::Id(RecordId(id)) });
            let job = Job { id: QueryId(id), query, upto: RecordId(id), search: None };
            Next::Answer(Name::new("alice"), Box::new(job))
        });
        answer_with(|| jobs.next(), &queue, &answers, &|| {}, |job| {
            assert!(job.upto.0 % 2 == 0, "an odd query");
            Some(Answer::Found(None, 0))
        });
        let found: Vec<(u64, bool)> = answered
            .try_iter()
            .map(|(id, answer)| (id.0, matches!(answer, Answer::Failed(_))))
            .collect();
        assert_eq!(found, [(1, true), (2, false), (3, true), (4, false)]);
    }
}
