//! Events: positions, and the events of a span.
//!
//! Limit: between two users, a time is looked up among all direct messages, so a span that starts
//! or ends at one may be slightly off for tags without a text; a msgid is exact.

use super::rows::{first_above, number_of};
use crate::chat::{HistoryEvent, Moment, RecordId, Scope};
use crate::journal::index::span::{NOWHERE, Position, Span, position_of};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

/// The room or the two users.
pub(super) enum Whose {
    /// A room's number, and the first position since its creation.
    Room(i64, u64),
    /// An owner's and a peer's number.
    Private(i64, i64),
}

/// What a scope means here; `None` if it contains nothing.
pub(super) fn whose(connection: &Connection, scope: &Scope) -> Result<Option<Whose>> {
    Ok(match scope {
        Scope::Room(room) => number_of(connection, &room.name)?
            .map(|number| Whose::Room(number, position_of(room.since, 0))),
        Scope::Private { account, peer } => {
            let (owner, peer) = (number_of(connection, account)?, number_of(connection, peer)?);
            owner.zip(peer).map(|(owner, peer)| Whose::Private(owner, peer))
        }
        _ => None,
    })
}

/// The position of a time.
pub(super) fn locate(
    connection: &Connection,
    whose: &Whose,
    time: Moment,
    upto: RecordId,
) -> Result<Position> {
    let Whose::Room(room, since) = *whose else { return Ok(Position::END) };
    let sql = "SELECT place, time FROM event WHERE room = ?3 AND place >= ?1 AND place < ?2
               ORDER BY place LIMIT 1";
    let mut probe = connection.prepare_cached(sql)?;
    let end = position_of(RecordId(upto.0.saturating_add(1)), 0).cast_signed();
    let mut above = |wanted| first_above(&mut probe, Some(room), since.cast_signed()..end, wanted);
    let (first, next) = (above(time.0.saturating_sub(1))?, above(time.0)?);
    let last = next.map_or(NOWHERE, |place| place.cast_unsigned() - 1);
    Ok(Position { first: first.map_or(NOWHERE, i64::cast_unsigned), last })
}

/// The events in a span, from the requested end, oldest first.
pub(super) fn in_span(
    connection: &Connection,
    whose: &Whose,
    span: &Span,
) -> Result<Vec<HistoryEvent>> {
    let (condition, mut values, since): (_, Vec<Value>, u64) = match *whose {
        Whose::Room(room, since) => ("room = ?", vec![room.into()], since),
        Whose::Private(owner, peer) => {
            ("owner = ? AND peer = ?", vec![owner.into(), peer.into()], 0)
        }
    };
    let order = if span.newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT body FROM event WHERE {condition} AND place > ? AND place < ?
         ORDER BY place {order} LIMIT ?"
    );
    // Events of an earlier room with the same name do not belong to this one.
    let after = span.after.max(since.saturating_sub(1));
    values.push(after.cast_signed().into());
    values.push(span.before.cast_signed().into());
    values.push(i64::try_from(span.limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let bodies = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0))?;
    let mut found = Vec::new();
    for body in bodies {
        // What cannot be parsed cannot be shown; nothing else depends on it.
        found.extend(serde_json::from_str::<HistoryEvent>(&body?).ok());
    }
    if span.newest {
        found.reverse();
    }
    Ok(found)
}
