//! The thread that answers questions, on a connection of its own: the writer's transactions do not
//! hold it up, nor it them.

use super::super::limits;
use super::super::question::{
    self, Answer, Place, Question, Stretch, place_of, record_of, stretches,
};
use super::events;
use crate::chat::{
    HistoryEvent, Joints, Kind, Lookup, Moment, Name, Point, Query, Quoted, RecordId, Reference,
    Scope, StoredMessage, Target, query,
};
use rusqlite::types::Value;
use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Result, Row, params, params_from_iter,
};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

/// Database instructions between two looks at the clock.
const PATIENCE_STEPS: i32 = 10_000;

/// Answers until nobody asks any more.
pub(super) fn run(
    connection: &mut Connection,
    questions: &Receiver<(u64, Question, RecordId)>,
    answers: &SyncSender<(u64, Answer)>,
    wake: &dyn Fn(),
) {
    answer_with(questions, answers, wake, |question, upto| {
        answer(connection, question, upto).unwrap_or_else(|error| Answer::Failed(error.to_string()))
    });
}

/// A panic costs the question that led to it, and nobody's wait for another: what it leaves half
/// done is a transaction that only reads, and is rolled back.
fn answer_with(
    questions: &Receiver<(u64, Question, RecordId)>,
    answers: &SyncSender<(u64, Answer)>,
    wake: &dyn Fn(),
    mut answer: impl FnMut(Question, RecordId) -> Answer,
) {
    let mut told = false;
    while let Ok((ticket, question, upto)) = questions.recv() {
        let found = catch_unwind(AssertUnwindSafe(|| answer(question, upto)));
        if found.is_err() && !std::mem::replace(&mut told, true) {
            log::error!("a question to the journal has failed; others are still answered");
        }
        let failed =
            |_| Answer::Failed("the question has failed; the server's log says where".to_owned());
        if answers.send((ticket, found.unwrap_or_else(failed))).is_err() {
            return;
        }
        wake();
    }
}

/// Answers one question from one state of the file.
fn answer(connection: &mut Connection, question: Question, upto: RecordId) -> Result<Answer> {
    let end = Instant::now() + limits::QUESTION_PATIENCE;
    connection.progress_handler(PATIENCE_STEPS, Some(move || Instant::now() > end))?;
    let _one_state = connection.unchecked_transaction()?;
    Ok(match question {
        Question::Past(query) => {
            let (entries, happened) = past(connection, &query, upto)?;
            Answer::Past(entries, happened)
        }
        Question::Find(lookup) => Answer::Found(find(connection, &lookup, upto)?),
    })
}

pub(super) fn number_of(connection: &Connection, name: &Name) -> Result<Option<i64>> {
    let sql = "SELECT id FROM name WHERE folded = ?1";
    connection.prepare_cached(sql)?.query_row([name.folded()], |row| row.get(0)).optional()
}

fn find(connection: &Connection, lookup: &Lookup, upto: RecordId) -> Result<Option<Reference>> {
    let id = match lookup.message {
        Point::Id(id) => id.0,
        point @ Point::Number(_) => {
            let place = locate_in(connection, Some(&lookup.room), point, upto)?;
            record_of(place.first)
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
        let place = locate_in(connection, room, point, upto)?;
        Ok::<Place, rusqlite::Error>(match (point, &whose) {
            (Point::Time(time), Some(whose)) => {
                place.and(events::locate(connection, whose, time, upto)?)
            }
            _ => place,
        })
    };
    let stretches = stretches(query.range, question::wanted(query), upto, locate)?;
    let newest = stretches.first().is_some_and(|stretch| stretch.newest);
    let (mut entries, mut happened) = (Vec::new(), Vec::new());
    for stretch in &stretches {
        let mut said = in_stretch(connection, &query.scope, stretch)?;
        if stretch.newest {
            said.reverse();
        }
        let mut done = match &whose {
            Some(whose) => events::in_stretch(connection, whose, stretch)?,
            None => Vec::new(),
        };
        question::nearest(&mut said, &mut done, stretch.limit, stretch.newest);
        entries.append(&mut said);
        happened.append(&mut done);
    }
    question::cut(&mut entries, &mut happened, newest);
    for entry in &mut entries {
        add_reactions(connection, entry)?;
    }
    Ok((entries, happened))
}

/// Where a point is, among the messages of a room or among all.
fn locate_in(
    connection: &Connection,
    room: Option<&query::Room>,
    point: Point,
    upto: RecordId,
) -> Result<Place> {
    let (wanted, column) = match (point, room) {
        (Point::Id(id), _) => return Ok(Place::of(id, 0)),
        (Point::Part(id, part), _) => return Ok(Place::of(id, part)),
        (Point::Number(number), Some(_)) => (number.cast_signed(), "number"),
        // There are no numbers in it: nothing is before, nothing is after.
        (Point::Number(_), None) => return Ok(Place { first: 0, last: question::NO_ID }),
        (Point::Time(time), _) => (time.0, "time"),
    };
    let nowhere = Place { first: question::NO_ID, last: question::NO_ID };
    let (room, since) = match room {
        Some(room) => match number_of(connection, &room.name)? {
            Some(number) => (Some(number), room.since.0.cast_signed()),
            None => return Ok(nowhere),
        },
        None => (None, 0),
    };
    let condition = if room.is_some() { "room = ?3" } else { "?3 IS NULL" };
    let sql = format!(
        "SELECT id, {column} FROM message WHERE {condition} AND id >= ?1 AND id < ?2
         ORDER BY id LIMIT 1"
    );
    let mut probe = connection.prepare_cached(&sql)?;
    let end = upto.0.saturating_add(1).min(question::NO_ID).cast_signed();
    let place = |id: i64| place_of(RecordId(id.cast_unsigned()), 0);
    let mut above = |wanted| first_above(&mut probe, room, since..end, wanted);
    let (first, next) = (above(wanted.saturating_sub(1))?, above(wanted)?);
    Ok(Place {
        first: first.map_or(question::NO_ID, place),
        last: next.map_or(question::NO_ID, |id| place(id) - 1),
    })
}

/// The first row in a range of keys whose value is above `wanted`. `probe` finds the first row
/// from a key (1) to below another (2) with its value. Numbers and times rise with the keys, so
/// this is a binary search, and needs no index.
pub(super) fn first_above(
    probe: &mut CachedStatement<'_>,
    room: Option<i64>,
    range: std::ops::Range<i64>,
    wanted: i64,
) -> Result<Option<i64>> {
    let (mut low, mut high) = (range.start, range.end);
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let row = probe
            .query_row(params![middle, high, room], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        match row {
            Some((key, value)) if value <= wanted => low = key + 1,
            Some((key, _)) => {
                found = Some(key);
                high = middle;
            }
            None => high = middle,
        }
    }
    Ok(found)
}

/// What [`read_message`] reads, of `message m` and the message `q` that it answers.
pub(in crate::journal) const COLUMNS: &str =
    "m.id, m.time, m.room, m.number, m.root, m.sender, m.account, m.kind, m.text,
    m.edited, m.recipient, m.recipient_account, m.reply, m.reply_number, m.reply_from, q.text,
    m.username, m.host, m.bot, m.tags, m.joints";

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

/// Where a scope's messages are; `None` if there are none.
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
            let Some(question) = search_for(words, &numbers, by) else { return Ok(None) };
            (SEARCH, "search MATCH ?", "s.rowid", vec![question.into()])
        }
    };
    Ok(Some(Source { from, condition, key, values, rooms }))
}

/// The rows of a stretch, from the end that is wanted.
fn in_stretch(
    connection: &Connection,
    scope: &Scope,
    stretch: &Stretch,
) -> Result<Vec<StoredMessage>> {
    let Some(source) = source(connection, scope)? else { return Ok(Vec::new()) };
    let Source { from, condition, key, mut values, rooms: known } = source;
    let order = if stretch.newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} LEFT JOIN message q ON q.id = m.reply
         WHERE {condition} AND {key} > ? AND {key} < ? ORDER BY {key} {order}"
    );
    let (after, before) = stretch.ids();
    values.push(after.cast_signed().into());
    values.push(before.cast_signed().into());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while found.len() < stretch.limit
        && let Some(row) = rows.next()?
    {
        let room = row.get::<_, Option<i64>>(2)?.and_then(|number| known.get(&number));
        let id = RecordId(row.get::<_, i64>(0)?.cast_unsigned());
        if room.is_some_and(|room| id < room.since) {
            // Said in an earlier room of that name; so was everything older.
            if stretch.newest && known.len() == 1 {
                break;
            }
            continue;
        }
        found.push(read_message(row, room.map(|room| &room.name))?);
    }
    Ok(found)
}

/// The question for the full-text index; `None` if it cannot find anything.
fn search_for(words: &str, rooms: &[i64], by: Option<i64>) -> Option<String> {
    let wanted = words.split_whitespace().filter(|word| question::words(word).next().is_some());
    // A quoted word is no operator, whatever is in it.
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

pub(in crate::journal) fn read_message(
    row: &Row<'_>,
    room: Option<&Name>,
) -> Result<StoredMessage> {
    let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let name = |column: usize| {
        row.get::<_, Option<String>>(column).map(|name| name.as_deref().map(Name::new))
    };
    let text =
        |column: usize| row.get::<_, Option<String>>(column).map(|text| text.map(Arc::<str>::from));
    let kind: String = row.get(7)?;
    let reply = match row.get::<_, Option<i64>>(12)? {
        Some(id) => Some(Quoted {
            id: RecordId(id.cast_unsigned()),
            number: number(13)?,
            root: RecordId(number(4)?),
            from: name(14)?.unwrap_or_else(|| Name::new("")),
            text: text(15)?,
        }),
        None => None,
    };
    Ok(StoredMessage {
        id: RecordId(number(0)?),
        time: Moment(row.get(1)?),
        target: match room {
            Some(room) => Target::Room(room.clone()),
            None => Target::Private {
                to: name(10)?.unwrap_or_else(|| Name::new("")),
                account: name(11)?,
            },
        },
        number: number(3)?,
        from: name(5)?.unwrap_or_else(|| Name::new("")),
        account: name(6)?,
        username: text(16)?,
        host: text(17)?,
        bot: row.get(18)?,
        kind: match kind.as_str() {
            "action" => Kind::Action,
            "notice" => Kind::Notice,
            _ => Kind::Message,
        },
        text: row.get::<_, String>(8)?.into(),
        tags: text(19)?,
        joints: joints(row.get(20)?),
        reply,
        edited: row.get(9)?,
        reactions: Vec::new(),
    })
}

/// What cannot be read is no place in a text.
fn joints(column: Option<String>) -> Option<Joints> {
    serde_json::from_str(&column?).ok()
}

fn add_reactions(connection: &Connection, entry: &mut StoredMessage) -> Result<()> {
    let sql =
        "SELECT text, count(*) FROM reaction WHERE message = ?1 GROUP BY text ORDER BY min(id)";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([entry.id.0.cast_signed()], |row| {
        Ok((row.get::<_, String>(0)?.into(), row.get(1)?))
    })?;
    entry.reactions = rows.collect::<Result<_>>()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{channel, sync_channel};

    #[test]
    fn a_question_that_panics_is_answered_and_so_is_the_next() {
        let (ask, questions) = channel();
        let (answers, answered) = sync_channel(10);
        for id in 1..=4 {
            let room = query::Room { name: Name::new("#x"), since: RecordId(0) };
            let lookup = Lookup { room, message: Point::Id(RecordId(id)) };
            ask.send((id, Question::Find(lookup), RecordId(id))).unwrap();
        }
        drop(ask);
        answer_with(&questions, &answers, &|| {}, |_, upto| {
            assert!(upto.0 % 2 == 0, "an odd question");
            Answer::Found(None)
        });
        let found: Vec<(u64, bool)> = answered
            .try_iter()
            .map(|(ticket, answer)| (ticket, matches!(answer, Answer::Failed(_))))
            .collect();
        assert_eq!(found, [(1, true), (2, false), (3, true), (4, false)]);
    }
}
