//! What happened besides what was said: where it is, and which of it is asked for.
//!
//! Limit: between two people a moment is looked up among all that is private, so a stretch that
//! begins or ends at one may be a little off for tags without a text; a msgid is exact.

use super::super::question::{NO_ID, Place, Stretch, place_of};
use super::reader::{first_above, number_of};
use crate::chat::{HistoryEvent, Moment, RecordId, Scope};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

/// Of which room, or between whom.
pub(super) enum Whose {
    /// A room's number, and the first place since it was opened.
    Room(i64, u64),
    /// An owner's and a peer's number.
    Private(i64, i64),
}

/// What a scope means here; `None` if there is nothing of it.
pub(super) fn whose(connection: &Connection, scope: &Scope) -> Result<Option<Whose>> {
    Ok(match scope {
        Scope::Room(room) => number_of(connection, &room.name)?
            .map(|number| Whose::Room(number, place_of(room.since, 0))),
        Scope::Private { account, peer } => {
            let (owner, peer) = (number_of(connection, account)?, number_of(connection, peer)?);
            owner.zip(peer).map(|(owner, peer)| Whose::Private(owner, peer))
        }
        _ => None,
    })
}

/// Where a moment is.
pub(super) fn locate(
    connection: &Connection,
    whose: &Whose,
    time: Moment,
    upto: RecordId,
) -> Result<Place> {
    let Whose::Room(room, since) = *whose else { return Ok(Place { first: NO_ID, last: NO_ID }) };
    let sql = "SELECT place, time FROM event WHERE room = ?3 AND place >= ?1 AND place < ?2
               ORDER BY place LIMIT 1";
    let mut probe = connection.prepare_cached(sql)?;
    let end = place_of(RecordId(upto.0.saturating_add(1)), 0).cast_signed();
    let mut above = |wanted| first_above(&mut probe, Some(room), since.cast_signed()..end, wanted);
    let (first, next) = (above(time.0.saturating_sub(1))?, above(time.0)?);
    let last = next.map_or(NO_ID, |place| place.cast_unsigned() - 1);
    Ok(Place { first: first.map_or(NO_ID, i64::cast_unsigned), last })
}

/// What is in a stretch, from the end that is wanted, oldest first.
pub(super) fn in_stretch(
    connection: &Connection,
    whose: &Whose,
    stretch: &Stretch,
) -> Result<Vec<HistoryEvent>> {
    let (condition, mut values, since): (_, Vec<Value>, u64) = match *whose {
        Whose::Room(room, since) => ("room = ?", vec![room.into()], since),
        Whose::Private(owner, peer) => {
            ("owner = ? AND peer = ?", vec![owner.into(), peer.into()], 0)
        }
    };
    let order = if stretch.newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT body FROM event WHERE {condition} AND place > ? AND place < ?
         ORDER BY place {order} LIMIT ?"
    );
    // What happened in an earlier room of that name is not of this one.
    let after = stretch.after.max(since.saturating_sub(1));
    values.push(after.cast_signed().into());
    values.push(stretch.before.cast_signed().into());
    values.push(i64::try_from(stretch.limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let bodies = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0))?;
    let mut found = Vec::new();
    for body in bodies {
        // What cannot be read cannot be shown; nothing else depends on it.
        found.extend(serde_json::from_str::<HistoryEvent>(&body?).ok());
    }
    if stretch.newest {
        found.reverse();
    }
    Ok(found)
}
