//! Rows for what the hub made of a record: messages, access to direct messages, search terms.
//!
//! Everything here happens in the transaction that keeps the record.

use super::rows::{MOST_OWN_REACTIONS, MOST_REACTIONS, first};
use crate::chat::{
    Change, HistoryEvent, HistoryUpdate, Kind, Name, RecordId, StoredMessage, Target,
};
use crate::journal::database::json;
use crate::journal::index::span::position_of_event;
use crate::journal::limits;
use crate::journal::words::indexed;
use rusqlite::{CachedStatement, Connection, Params, Result, Statement, ToSql, params};
use std::collections::HashMap;

/// The numbers of names, the last few of them remembered.
#[derive(Default)]
pub(in crate::journal) struct Names(HashMap<Name, i64>);

/// A kind as it is written in the table.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "message",
        Kind::Action => "action",
        Kind::Notice => "notice",
    }
}

/// The tables, inside one transaction.
pub(in crate::journal) struct Tables<'a> {
    connection: &'a Connection,
    names: &'a mut Names,
    inserts: Option<Inserts<'a>>,
}

/// The statements for messages, found once for all that a transaction adds: the cache finds them by a
/// hash of their text, which costs a twentieth of all that is done for a message.
struct Inserts<'a> {
    message: CachedStatement<'a>,
    /// The last message had some of what most messages have nothing of: it is bound until then.
    has_rare: bool,
    search: CachedStatement<'a>,
}

impl<'a> Tables<'a> {
    pub fn new(connection: &'a Connection, names: &'a mut Names) -> Tables<'a> {
        Tables { connection, names, inserts: None }
    }

    fn inserts(&mut self) -> Result<&mut Inserts<'a>> {
        if self.inserts.is_none() {
            let sql = "INSERT INTO message (id, time, room, number, root, sender, account, kind,
                           text, edited, username, host, bot, recipient, recipient_account, reply,
                           reply_number, reply_from, tags, joints)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                           ?16, ?17, ?18, ?19, ?20)";
            let message = self.connection.prepare_cached(sql)?;
            let sql = "INSERT INTO search (rowid, text, tags) VALUES (?1, ?2, ?3)";
            let search = self.connection.prepare_cached(sql)?;
            self.inserts = Some(Inserts { message, has_rare: false, search });
        }
        self.inserts.as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }

    fn number(&mut self, name: &Name) -> Result<i64> {
        if let Some(&number) = self.names.0.get(name) {
            return Ok(number);
        }
        let folded = name.folded();
        let insert = "INSERT INTO name (spelled, folded) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.run(insert, params![name.as_str(), folded])?;
        let select = "SELECT id FROM name WHERE folded = ?1";
        let mut select = self.connection.prepare_cached(select)?;
        let number = select.query_row([&folded], |row| row.get(0))?;
        if self.names.0.len() >= limits::NAME_CACHE {
            self.names.0.clear();
        }
        self.names.0.insert(name.clone(), number);
        Ok(number)
    }

    fn run(&self, sql: &str, parameters: impl Params) -> Result<usize> {
        self.connection.prepare_cached(sql)?.execute(parameters)
    }

    /// Takes in one change. Tells whether a text was erased.
    pub fn archive(&mut self, record: RecordId, update: HistoryUpdate<'_>) -> Result<bool> {
        let erases = matches!(
            update,
            HistoryUpdate::Edit(..) | HistoryUpdate::Delete(_) | HistoryUpdate::Forget { .. }
        );
        match update {
            HistoryUpdate::Add(message) => self.add(&message)?,
            HistoryUpdate::Edit(id, text) => self.edit(record, (id, text))?,
            HistoryUpdate::Delete(id) => self.delete(id)?,
            HistoryUpdate::React(id, nick, text, on) => {
                let number = id.0.cast_signed();
                if on {
                    let sql = "INSERT OR IGNORE INTO reaction (message, text, nick, id)
                           SELECT id, ?2, ?3, ?4 FROM message WHERE id = ?1
                           AND (SELECT count(*) FROM reaction WHERE message = ?1) < ?5
                           AND (SELECT count(*) FROM reaction WHERE message = ?1 AND nick = ?3) < ?6";
                    let (nick, record) = (nick.folded(), record.0.cast_signed());
                    let row =
                        params![number, &**text, nick, record, MOST_REACTIONS, MOST_OWN_REACTIONS];
                    self.run(sql, row)?;
                } else {
                    let sql = "DELETE FROM reaction WHERE message = ?1 AND text = ?2 AND nick = ?3";
                    let row = params![number, &**text, nick.folded()];
                    self.run(sql, row)?;
                }
            }
            // For as long as a session lasts, in memory.
            HistoryUpdate::Guests(..) | HistoryUpdate::Over(_) => {}
            HistoryUpdate::Forget { account, since } => {
                self.begin_erasure(record, (account, since))?;
            }
            HistoryUpdate::Rename(before, room) => self.rename(before, room)?,
            HistoryUpdate::HistoryEvent(places, event) => {
                places.iter().try_for_each(|place| self.happen(place, &event))?;
            }
        }
        Ok(erases)
    }

    /// Moves a room's number to another name, so that all its history moves without rewriting any row.
    /// An earlier room with that name keeps its number under an impossible name (with a space), because
    /// it must not be mistaken for this one, which may have been created before that one was deleted.
    fn rename(&mut self, before: &Name, room: &Name) -> Result<()> {
        if before != room {
            let sql = "UPDATE name SET spelled = spelled || ' ' || id, folded = folded || ' ' || id
                   WHERE folded = ?1";
            self.run(sql, [room.folded()])?;
        }
        let sql = "UPDATE name SET spelled = ?2, folded = ?3 WHERE folded = ?1";
        let row = params![before.folded(), room.as_str(), room.folded()];
        self.run(sql, row)?;
        self.names.0.clear();
        Ok(())
    }

    /// A number for a room whose name another has taken; the impossible name for it.
    pub fn retired_room(&mut self, name: &Name) -> Result<Name> {
        let sql = "INSERT INTO name (spelled, folded) VALUES (?1 || ' ', ?2 || ' ')";
        self.run(sql, params![name.as_str(), name.folded()])?;
        let number = self.connection.last_insert_rowid();
        let sql = "UPDATE name SET spelled = spelled || id, folded = folded || id WHERE id = ?1";
        self.run(sql, [number])?;
        Ok(Name::new(&format!("{} {number}", name.as_str())))
    }

    /// Keeps what event in one room, or between two.
    pub fn happen(&mut self, target: &Target, event: &HistoryEvent) -> Result<()> {
        let place = position_of_event(event).cast_signed();
        let (time, about) = (event.stamp.time.0, event.about().map(|id| id.0.cast_signed()));
        let body = json(event)?;
        let sql = "INSERT OR IGNORE INTO event (room, owner, peer, place, time, about, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let connection = self.connection;
        let mut insert = connection.prepare_cached(sql)?;
        if let Target::Room(room) = target {
            let (room, nobody) = (self.number(room)?, None::<i64>);
            insert.execute(params![room, nobody, nobody, place, time, about, body])?;
            return Ok(());
        }
        let who = &event.who;
        for (owner, peer) in self.shares(target, &who.nick, who.account.as_ref())? {
            insert.execute(params![None::<i64>, owner, peer, place, time, about, body])?;
        }
        Ok(())
    }

    /// The accounts with access to a direct message and the other user's name for each: twice, if a
    /// user writes to themselves.
    fn shares(
        &mut self,
        target: &Target,
        from: &Name,
        by: Option<&Name>,
    ) -> Result<Vec<(i64, i64)>> {
        let Target::Private { to, account } = target else { return Ok(Vec::new()) };
        let mut shares = Vec::new();
        let mut share = |owner: Option<&Name>, peers: [Option<&Name>; 2]| -> Result<()> {
            let Some(owner) = owner else { return Ok(()) };
            let owner = self.number(owner)?;
            for peer in peers.into_iter().flatten() {
                shares.push((owner, self.number(peer)?));
            }
            Ok(())
        };
        share(account.as_ref(), [Some(from), by])?;
        share(by, [Some(to), account.as_ref()])?;
        Ok(shares)
    }

    /// Takes in a message.
    pub fn add(&mut self, message: &StoredMessage) -> Result<()> {
        let id = message.id.0.cast_signed();
        let (room, to, to_account) = match &message.target {
            Target::Room(room) => (Some(self.number(room)?), None, None),
            // It can never be queried.
            Target::Private { account: None, .. } if message.account.is_none() => return Ok(()),
            Target::Private { to, account } => (None, Some(to), account.as_ref()),
        };
        let reply = message.reply.as_ref();
        let root = room.map(|_| reply.map_or(id, |reply| reply.root.0.cast_signed()));
        let common = params![
            id,
            message.time.0,
            room,
            message.number.cast_signed(),
            root,
            message.from.as_str(),
            message.account.as_ref().map(Name::as_str),
            kind_word(message.kind),
            &*message.text,
            message.edited,
            message.username.as_deref(),
            message.host.as_deref(),
            message.bot,
        ];
        let tagged = message.tags.is_some() || message.continuations.is_some();
        let has_rare = to.is_some() || reply.is_some() || tagged;
        let inserts = self.inserts()?;
        bind(&mut inserts.message, 1, common)?;
        let had_rare = std::mem::replace(&mut inserts.has_rare, has_rare);
        if has_rare || had_rare {
            let rare = params![
                to.map(Name::as_str),
                to_account.map(Name::as_str),
                reply.map(|reply| reply.id.0.cast_signed()),
                reply.map(|reply| reply.number.cast_signed()),
                reply.map(|reply| reply.from.as_str()),
                message.tags.as_deref(),
                message.continuations.as_ref().map(json).transpose()?,
            ];
            bind(&mut inserts.message, common.len() + 1, rare)?;
        }
        inserts.message.raw_execute()?;
        if let Some(room) = room {
            let tags = self.tags(room, &message.from, message.account.as_ref())?;
            self.inserts()?.search.execute(params![id, indexed(&message.text), tags])?;
            return Ok(());
        }
        let sql = "INSERT OR IGNORE INTO private (owner, peer, message) VALUES (?1, ?2, ?3)";
        let connection = self.connection;
        let mut insert = connection.prepare_cached(sql)?;
        let by = message.account.as_ref();
        for (owner, peer) in self.shares(&message.target, &message.from, by)? {
            insert.execute([owner, peer, id])?;
        }
        if let Some(owner) = to_account {
            let owner = self.number(owner)?;
            let sql = "INSERT INTO mail (owner, message) VALUES (?1, ?2)";
            self.run(sql, [owner, id])?;
        }
        Ok(())
    }

    fn tags(&mut self, room: i64, nick: &Name, account: Option<&Name>) -> Result<String> {
        let nick = self.number(nick)?;
        Ok(match account {
            Some(account) => format!("r{room} f{nick} f{}", self.number(account)?),
            None => format!("r{room} f{nick}"),
        })
    }

    /// Removes a message from the search. Its words must be given as they were indexed.
    fn unfind(&mut self, id: i64) -> Result<Option<String>> {
        let sql = "SELECT room, sender, account, text FROM message WHERE id = ?1";
        let found = first(self.connection, sql, [id], |row| {
            let account: Option<String> = row.get(2)?;
            let (sender, text): (String, String) = (row.get(1)?, row.get(3)?);
            Ok((row.get::<_, Option<i64>>(0)?, sender, account, text))
        })?;
        let Some((Some(room), sender, account, text)) = found else { return Ok(None) };
        let account = account.as_deref().map(Name::new);
        let tags = self.tags(room, &Name::new(&sender), account.as_ref())?;
        let sql = "INSERT INTO search (search, rowid, text, tags) VALUES ('delete', ?1, ?2, ?3)";
        self.run(sql, params![id, indexed(&text), tags])?;
        Ok(Some(tags))
    }

    fn edit(&mut self, record: RecordId, (id, text): (RecordId, &str)) -> Result<()> {
        let number = id.0.cast_signed();
        if let Some(tags) = self.unfind(number)? {
            self.inserts()?.search.execute(params![number, indexed(text), tags])?;
        }
        let sql = "UPDATE message SET text = ?2, joints = NULL, edited = 1 WHERE id = ?1";
        self.run(sql, params![number, text])?;
        // What this record replaces: the record of the edit before it, and the first text.
        let sql = "DELETE FROM record WHERE about = ?1 AND id < ?2";
        self.run(sql, [number, record.0.cast_signed()])?;
        self.blank_record(number, false)
    }

    pub fn delete(&mut self, id: RecordId) -> Result<()> {
        self.forget(id.0.cast_signed())?;
        let number = id.0.cast_signed();
        let sql = "DELETE FROM record WHERE about IN (?1, -?1)";
        self.run(sql, [number])?;
        self.blank_record(number, true)
    }

    /// Removes a message from all tables but `record`.
    pub fn forget(&mut self, id: i64) -> Result<()> {
        self.unfind(id)?;
        for sql in [
            "DELETE FROM message WHERE id = ?1",
            "DELETE FROM reaction WHERE message = ?1",
            "DELETE FROM private WHERE message = ?1",
            "DELETE FROM mail WHERE message = ?1",
            "DELETE FROM event WHERE about = ?1",
        ] {
            self.run(sql, [id])?;
        }
        Ok(())
    }

    /// Begins the erasure of what a deleted account leaves; `erasure` goes on with it. `since` is the record that made the account, if its messages are erased; conversations
    /// that no one can read any more are erased in any case.
    fn begin_erasure(
        &mut self,
        record: RecordId,
        (account, since): (&Name, Option<RecordId>),
    ) -> Result<()> {
        let owner = self.number(account)?;
        for sql in [
            "DELETE FROM private WHERE owner = ?1",
            "DELETE FROM mail WHERE owner = ?1",
            "DELETE FROM event WHERE owner = ?1",
        ] {
            self.run(sql, [owner])?;
        }
        let sql = "INSERT INTO erasure (account, since, upto, reached) VALUES (?1, ?2, ?3, 0)";
        let since = since.map(|since| since.0.cast_signed());
        let row = params![account.folded(), since, record.0.cast_signed()];
        self.run(sql, row)?;
        Ok(())
    }

    /// Erases the text in the record of a message, and if it is deleted, its tags. The state after a
    /// replay is the same: texts come from the tables.
    fn blank_record(&self, number: i64, deleted: bool) -> Result<()> {
        let sql = "SELECT change FROM record WHERE id = ?1";
        let change = first(self.connection, sql, [number], |row| row.get::<_, String>(0))?;
        let Some(Ok(mut change)) = change.map(|change| serde_json::from_str::<Change>(&change))
        else {
            return Ok(());
        };
        let (Change::Say { text, tags, continuations, .. }
        | Change::Tell { text, tags, continuations, .. }) = &mut change
        else {
            return Ok(());
        };
        if text.is_empty() && !deleted {
            return Ok(());
        }
        (*text, *continuations) = ("".into(), None);
        if deleted {
            *tags = None;
        }
        let sql = "UPDATE record SET change = ?2 WHERE id = ?1";
        self.run(sql, params![number, json(&change)?])?;
        Ok(())
    }
}

/// Binds some parameters of a statement, which keeps the others.
fn bind(statement: &mut Statement<'_>, first: usize, values: &[&dyn ToSql]) -> Result<()> {
    (first..).zip(values).try_for_each(|(place, value)| statement.raw_bind_parameter(place, value))
}
