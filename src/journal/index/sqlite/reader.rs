//! Answering of queries, and its thread.

use super::events;
use super::rows::{COLUMNS, first_above, number_of, read_message};
use crate::chat::{
    HistoryEvent, Lookup, Name, Point, Query, RecordId, Reference, Scope, StoredMessage, query,
};
use crate::journal::index::query::{Answer, HistoryQuery, QueryId, search_words, wanted};
use crate::journal::index::span::{self, NOWHERE, Position, Span, position_of, record_of, spans};
use crate::journal::limits;
use crate::journal::runtime::TimeSource;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

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

    /// Answers one query, from one state of the file.
    pub(super) fn answer(&mut self, query: HistoryQuery, upto: RecordId) -> Answer {
        self.try_answer(query, upto).unwrap_or_else(|error| Answer::Failed(error.to_string()))
    }

    fn try_answer(&mut self, query: HistoryQuery, upto: RecordId) -> Result<Answer> {
        let time = Arc::clone(&self.time);
        let end = time.instant() + limits::QUERY_TIMEOUT;
        let out_of_time = move || time.instant() > end;
        self.connection.progress_handler(TIMEOUT_STEPS, Some(out_of_time))?;
        let connection = &self.connection;
        let _one_state = connection.unchecked_transaction()?;
        Ok(match query {
            HistoryQuery::Past(query) => {
                let (messages, events) = past(connection, &query, upto)?;
                Answer::Past(messages, events)
            }
            HistoryQuery::Find(lookup) => Answer::Found(find(connection, &lookup, upto)?),
        })
    }

    /// Answers queries until the channel is closed.
    pub(super) fn run(
        &mut self,
        queries: &Receiver<(QueryId, HistoryQuery, RecordId)>,
        answers: &SyncSender<(QueryId, Answer)>,
        wake: &dyn Fn(),
    ) {
        answer_with(queries, answers, wake, |query, upto| self.answer(query, upto));
    }
}

/// A panic affects only the query that caused it: it leaves a read-only transaction incomplete,
/// which is rolled back.
fn answer_with(
    queries: &Receiver<(QueryId, HistoryQuery, RecordId)>,
    answers: &SyncSender<(QueryId, Answer)>,
    wake: &dyn Fn(),
    mut answer: impl FnMut(HistoryQuery, RecordId) -> Answer,
) {
    let mut told = false;
    while let Ok((id, query, upto)) = queries.recv() {
        let found = catch_unwind(AssertUnwindSafe(|| answer(query, upto)));
        if found.is_err() && !std::mem::replace(&mut told, true) {
            log::error!("a history query has failed; others are still answered");
        }
        let failed = |_| Answer::Failed("the query failed (see the server's log)".to_owned());
        if answers.send((id, found.unwrap_or_else(failed))).is_err() {
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
        Scope::Search { rooms, .. } if rooms.len() == 1 => rooms.first(),
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
    let (mut messages, mut events) = (Vec::new(), Vec::new());
    for span in &spans {
        let mut some = in_span(connection, &query.scope, span)?;
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
    span::truncate(&mut messages, &mut events, newest);
    for message in &mut messages {
        add_reactions(connection, message)?;
    }
    Ok((messages, events))
}

/// The position of a point among the messages of a room, or among all.
fn locate_in(
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
struct Source {
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
fn source(connection: &Connection, scope: &Scope) -> Result<Option<Source>> {
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

/// The rows of a span, from the requested end.
fn in_span(connection: &Connection, scope: &Scope, span: &Span) -> Result<Vec<StoredMessage>> {
    let Some(source) = source(connection, scope)? else { return Ok(Vec::new()) };
    let Source { from, condition, key, mut values, rooms: known } = source;
    let order = if span.newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} LEFT JOIN message q ON q.id = m.reply
         WHERE {condition} AND {key} > ? AND {key} < ? ORDER BY {key} {order}"
    );
    let (after, before) = span.ids();
    values.push(after.cast_signed().into());
    values.push(before.cast_signed().into());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while found.len() < span.limit
        && let Some(row) = rows.next()?
    {
        let room = row.get::<_, Option<i64>>(2)?.and_then(|number| known.get(&number));
        let id = RecordId(row.get::<_, i64>(0)?.cast_unsigned());
        if room.is_some_and(|room| id < room.since) {
            // Said in an earlier room of that name; so was everything older.
            if span.newest && known.len() == 1 {
                break;
            }
            continue;
        }
        found.push(read_message(row, room.map(|room| &room.name))?);
    }
    Ok(found)
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
    let sql =
        "SELECT text, count(*) FROM reaction WHERE message = ?1 GROUP BY text ORDER BY min(id)";
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
    use std::sync::mpsc::{channel, sync_channel};

    #[test]
    fn a_query_that_panics_is_answered_and_so_is_the_next() {
        let (ask, queries) = channel();
        let (answers, answered) = sync_channel(10);
        for id in 1..=4 {
            let room = query::Room { name: Name::new("#x"), since: RecordId(0) };
            let lookup = Lookup { room, message: Point::Id(RecordId(id)) };
            ask.send((QueryId(id), HistoryQuery::Find(lookup), RecordId(id))).unwrap();
        }
        drop(ask);
        answer_with(&queries, &answers, &|| {}, |_, upto| {
            assert!(upto.0 % 2 == 0, "an odd query");
            Answer::Found(None)
        });
        let found: Vec<(u64, bool)> = answered
            .try_iter()
            .map(|(id, answer)| (id.0, matches!(answer, Answer::Failed(_))))
            .collect();
        assert_eq!(found, [(1, true), (2, false), (3, true), (4, false)]);
    }
}
