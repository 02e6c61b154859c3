//! The reader of the database: it answers queries, on its thread.

use super::events;
use super::queue::{Job, Next, Queue};
use super::rows::{all, first, number_of};
use super::scopes::{locate_in, select, source};
use super::search::Search;
use crate::chat::{
    HistoryEvent, Lookup, Name, Point, Query, RecordId, Reference, Scope, StoredMessage,
};
use crate::journal::database::classify::classify;
use crate::journal::error::JournalError;
use crate::journal::index::query::{Answer, HistoryQuery, QueryId};
use crate::journal::index::span::{self, Position, record_of};
use crate::journal::limits;
use crate::journal::runtime::TimeSource;
use rusqlite::{Connection, Result, Row};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Database instructions between two checks of the clock.
const TIMEOUT_STEPS: i32 = 10_000;

/// A connection that only reads: the writer's transactions do not hold it up, nor it them.
pub(super) struct Reader {
    connection: Connection,
    time: Arc<dyn TimeSource>,
    /// The log has been told that the file is damaged.
    damage_told: bool,
}

impl Reader {
    pub(super) fn new(connection: Connection, time: Arc<dyn TimeSource>) -> Reader {
        Reader { connection, time, damage_told: false }
    }

    /// Answers a query, from one state of the file; `None` if it is a search that goes on.
    pub(super) fn answer(&mut self, job: &mut Job) -> Option<Answer> {
        let answer = self.try_answer(job);
        answer.unwrap_or_else(|error| Some(Answer::Failed(self.reason(error))))
    }

    /// Why there is no answer, in a few words. What to do about damage is for the log.
    fn reason(&mut self, error: rusqlite::Error) -> String {
        let path = Path::new(self.connection.path().unwrap_or_default());
        let error = classify(path, error);
        if matches!(error, JournalError::Corrupt { .. })
            && !std::mem::replace(&mut self.damage_told, true)
        {
            log::error!("a history query has failed: {error}");
        }
        error.reason().to_string()
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
                // An earlier server kept any number of them.
                let sql = "SELECT nick FROM reaction WHERE message = ?1 LIMIT 1000";
                let nick = |row: &Row<'_>| Ok(Name::new(&row.get::<_, String>(0)?));
                Answer::Found(found, all(connection, sql, [id], nick)?)
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

    /// What a simulation has it do in place of a thread: whether a query was answered.
    #[cfg(feature = "simulation")]
    pub(super) fn step(
        &mut self,
        queue: &Queue,
        answers: &SyncSender<(QueryId, Answer)>,
        wake: &dyn Fn(),
    ) -> bool {
        let mut next = queue.try_next(true, self.time.instant());
        answer_with(|| next.take(), queue, answers, wake, |job| self.answer(job)) > 0
    }
}

/// Answers what is next until there is nothing, and tells how many were answered.
///
/// A panic affects only the query that caused it: it leaves a read-only transaction incomplete,
/// which is rolled back.
fn answer_with(
    mut next: impl FnMut() -> Option<Next>,
    queue: &Queue,
    answers: &SyncSender<(QueryId, Answer)>,
    wake: &dyn Fn(),
    mut answer: impl FnMut(&mut Job) -> Option<Answer>,
) -> usize {
    let (mut told, mut answered) = (false, 0);
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
            break;
        }
        answered += 1;
        wake();
    }
    answered
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
    let found = first(connection, sql, [id.cast_signed(), room], |row| {
        let (from, account): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        Ok(Reference {
            id: RecordId(id),
            number: row.get::<_, i64>(0)?.cast_unsigned(),
            root: RecordId(row.get::<_, i64>(1)?.cast_unsigned()),
            from: Name::new(&from),
            account: account.as_deref().map(Name::new),
        })
    })?;
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
    let source = source(connection, &query.scope)?;
    span::past(query, upto, locate, |span| {
        let span = &room.map_or(*span, |room| span.since(room.since));
        let mut messages = Vec::new();
        if let Some(source) = &source {
            select(connection, source, span.ids(), (span.newest, span.limit), &mut messages)?;
        }
        if span.newest {
            messages.reverse();
        }
        let events = whose.as_ref().map(|whose| events::in_span(connection, whose, span));
        Ok((messages, events.transpose()?.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::query;
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
        answer_with(
            || jobs.next(),
            &queue,
            &answers,
            &|| {},
            |job| {
                assert!(job.upto.0 % 2 == 0, "an odd query");
                Some(Answer::Found(None, Vec::new()))
            },
        );
        let found: Vec<(u64, bool)> = answered
            .try_iter()
            .map(|(id, answer)| (id.0, matches!(answer, Answer::Failed(_))))
            .collect();
        assert_eq!(found, [(1, true), (2, false), (3, true), (4, false)]);
    }
}
