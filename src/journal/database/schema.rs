//! The tables, and how a file of an older version becomes one of this version.
//!
//! Once released, a step is never changed: a new version adds a step. `user_version` counts the
//! steps applied to a file; `application_id` identifies it as ours.
//!
//! Invariants of the tables: `record` contains the records after the snapshot, and those before it
//! that have not been removed yet; every message has exactly one row in `message` and one entry in
//! `search`; a message's id is that of its record.

use super::classify::classify;
use crate::journal::error::JournalError;
use crate::journal::words::{indexed, is_hangul, normalized};
use rusqlite::{Connection, params};
use std::borrow::Cow;
use std::path::Path;

/// "chat", as a number.
const APPLICATION: i32 = 0x6368_6174;

const STEPS: &[&str] = &[
    // 1: records, the state at one of them, and messages.
    "CREATE TABLE name (id INTEGER PRIMARY KEY, spelled TEXT NOT NULL, folded TEXT NOT NULL UNIQUE);
     CREATE TABLE record (
         id INTEGER PRIMARY KEY, time INTEGER NOT NULL, origin INTEGER NOT NULL,
         about INTEGER, change TEXT NOT NULL);
     CREATE INDEX record_about ON record (about) WHERE about IS NOT NULL;
     CREATE TABLE snapshot (
         one INTEGER PRIMARY KEY CHECK (one = 1), record INTEGER NOT NULL, time INTEGER NOT NULL,
         stale INTEGER NOT NULL, hub TEXT NOT NULL);
     CREATE TABLE message (
         id INTEGER PRIMARY KEY, time INTEGER NOT NULL, room INTEGER, number INTEGER NOT NULL,
         root INTEGER, sender TEXT NOT NULL, account TEXT, kind TEXT NOT NULL, text TEXT NOT NULL,
         edited INTEGER NOT NULL DEFAULT 0,
         recipient TEXT, recipient_account TEXT,
         reply INTEGER, reply_number INTEGER, reply_from TEXT);
     CREATE INDEX message_room ON message (room, id) WHERE room IS NOT NULL;
     CREATE INDEX message_root ON message (root, id) WHERE reply IS NOT NULL;
     CREATE TABLE private (
         owner INTEGER NOT NULL, peer INTEGER NOT NULL, message INTEGER NOT NULL,
         PRIMARY KEY (owner, peer, message)) WITHOUT ROWID;
     CREATE INDEX private_message ON private (message);
     CREATE TABLE mail (
         owner INTEGER NOT NULL, message INTEGER NOT NULL,
         PRIMARY KEY (owner, message)) WITHOUT ROWID;
     CREATE INDEX mail_message ON mail (message);
     CREATE TABLE reaction (
         message INTEGER NOT NULL, text TEXT NOT NULL, nick TEXT NOT NULL, id INTEGER NOT NULL,
         PRIMARY KEY (message, text, nick)) WITHOUT ROWID;",
    // 2: search. Contentless: the text is in `message`. `tags` contains the numbers of the room
    // (r1) and of the sender's nick and account (f2 f3), so that the query starts with the rarest
    // term, whichever it is. Diacritics are significant, as in memory.
    "CREATE VIRTUAL TABLE search USING fts5 (
         text, tags, content='', tokenize='unicode61 remove_diacritics 0');
     INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
     INSERT OR IGNORE INTO name (spelled, folded)
         SELECT DISTINCT sender, lower(sender) FROM message;
     INSERT OR IGNORE INTO name (spelled, folded)
         SELECT DISTINCT account, lower(account) FROM message WHERE account IS NOT NULL;
     INSERT INTO search (rowid, text, tags)
         SELECT message.id, text, 'r' || room || ' f' || by_nick.id
                || coalesce(' f' || by_account.id, '')
         FROM message JOIN name by_nick ON by_nick.folded = lower(sender)
         LEFT JOIN name by_account ON by_account.folded = lower(account)
         WHERE room IS NOT NULL ORDER BY message.id;",
    // 3: the sender's address and the client-only tags.
    "ALTER TABLE message ADD COLUMN username TEXT;
     ALTER TABLE message ADD COLUMN host TEXT;
     ALTER TABLE message ADD COLUMN bot INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE message ADD COLUMN tags TEXT;
     ALTER TABLE message ADD COLUMN joints TEXT;",
    // 4: events, in rooms or between an owner and a peer. `place` combines the record's id and the
    // part into one number; `about` is the message with which the event is deleted. Separate from
    // messages, which are numbered and searched.
    "CREATE TABLE event (
         room INTEGER, owner INTEGER, peer INTEGER, place INTEGER NOT NULL, time INTEGER NOT NULL,
         about INTEGER, body TEXT NOT NULL);
     CREATE UNIQUE INDEX event_room ON event (room, place) WHERE room IS NOT NULL;
     CREATE UNIQUE INDEX event_private ON event (owner, peer, place) WHERE owner IS NOT NULL;
     CREATE INDEX event_about ON event (about) WHERE about IS NOT NULL;",
    // 5: a snapshot without texts, so that an erasure leaves it alone; one that has them is written
    // anew at once. A record of a reaction is found by the negative id of its message, apart from
    // edits, of which only the last one is kept.
    "UPDATE snapshot SET stale = 1;
     UPDATE record SET about = -json_extract(change, '$.message.id')
         WHERE change LIKE '{\"change\":\"react\"%';",
    // 6: search finds words in scripts without spaces, and emoji (`index_again`).
    "",
    // 7: accounts whose messages are being erased: those up to `upto` and from `since` on, if there is
    // one; where the erasure has got to.
    "CREATE TABLE erasure (
         account TEXT NOT NULL, since INTEGER, upto INTEGER NOT NULL, reached INTEGER NOT NULL);",
    // 8: search finds words in Korean that are there with another ending (`index_again`).
    "",
    // 9: search finds a character in whichever way it is written (`index_again`).
    "",
];

/// The version of a file that has seen all steps.
pub(in crate::journal) const CURRENT: u32 = STEPS.len() as u32;

/// The number of steps applied to the file.
///
/// # Errors
/// If it is another program's, or newer than this one.
pub(in crate::journal) fn version(
    connection: &Connection,
    path: &Path,
) -> Result<u32, JournalError> {
    let failed = |error| classify(path, error);
    let read = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let version = u32::try_from(read("user_version").map_err(failed)?).unwrap_or(u32::MAX);
    let application = read("application_id").map_err(failed)?;
    let known = CURRENT;
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if application != APPLICATION && (application != 0 || tables != 0) {
        let detail = "it is a database of another program".to_owned();
        return Err(JournalError::Corrupt { path: path.to_owned(), detail });
    }
    if version > known {
        return Err(JournalError::Newer { path: path.to_owned(), found: version, known });
    }
    Ok(version)
}

/// Brings the file to this version.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let failed = |error| classify(path, error);
    let transaction = connection.transaction().map_err(failed)?;
    let version = version(&transaction, path)?;
    for step in &STEPS[version as usize..] {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if version < 6 || (version < 9 && is_indexed_otherwise(&transaction).map_err(failed)?) {
        index_again(&transaction).map_err(failed)?;
    }
    if version < CURRENT {
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        transaction.pragma_update(None, "user_version", CURRENT).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Whether a message has a character that the versions from 6 on have not always indexed as today.
fn is_indexed_otherwise(connection: &Connection) -> rusqlite::Result<bool> {
    let mut texts = connection.prepare("SELECT text FROM message")?;
    let mut rows = texts.query([])?;
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str()?;
        if text.contains(is_hangul) || matches!(normalized(text), Cow::Owned(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives the search anew all texts: an earlier version gave it some of them otherwise.
fn index_again(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO search (search) VALUES ('delete-all')", [])?;
    let sql = "SELECT message.id, text, 'r' || room || ' f' || by_nick.id
                      || coalesce(' f' || by_account.id, '')
               FROM message JOIN name by_nick ON by_nick.folded = lower(sender)
               LEFT JOIN name by_account ON by_account.folded = lower(account)
               WHERE room IS NOT NULL ORDER BY message.id";
    let mut messages = connection.prepare(sql)?;
    let mut insert =
        connection.prepare("INSERT INTO search (rowid, text, tags) VALUES (?1, ?2, ?3)")?;
    let mut rows = messages.query([])?;
    while let Some(row) = rows.next()? {
        let (id, text, tags): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        insert.execute(params![id, indexed(&text), tags])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_first_version_becomes_searchable() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection
            .execute_batch(
                "INSERT INTO name VALUES (1, '#lobby', '#lobby');
                 INSERT INTO message (id, time, room, number, sender, account, kind, text)
                 VALUES (7, 1, 1, 1, 'Alice', 'Alice', 'message', 'an old word'),
                        (8, 1, 1, 2, 'Alice', NULL, 'message', '\u{65e5}\u{672c}\u{8a9e} \u{1f600}');",
            )
            .unwrap();
        migrate(&mut connection, Path::new("test")).unwrap();
        let find = |question: &str| {
            let sql = "SELECT rowid FROM search WHERE search MATCH ?1";
            connection.query_row(sql, [question], |row| row.get::<_, i64>(0)).ok()
        };
        assert_eq!(find("text : old AND tags : (r1 AND f2)"), Some(7));
        assert_eq!(find("text : new"), None);
        assert_eq!(find("text : \"\u{672c} \u{8a9e}\" AND tags : r1"), Some(8));
        assert_eq!(find("text : emoji1f600"), Some(8));
        // What is not known of it is not made up.
        let sql = "SELECT host FROM message WHERE id = 7";
        let host = connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0));
        assert_eq!(host.unwrap(), None);
        // A second look changes nothing.
        migrate(&mut connection, Path::new("test")).unwrap();
    }

    /// The texts as those versions gave them to the search, and what is looked for today.
    #[test]
    fn a_file_of_an_earlier_version_is_searched_as_a_new_one() {
        let (korean, apart) = ("\u{d55c}\u{ad6d}\u{c5b4}\u{b97c}", "un cafe\u{301}");
        for (version, text, asked) in [(7, korean, "\u{d55c} \u{ad6d}"), (8, apart, "caf\u{e9}")] {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, Path::new("test")).unwrap();
            connection.pragma_update(None, "user_version", version).unwrap();
            connection
                .execute_batch(&format!(
                    "INSERT INTO name VALUES (1, '#lobby', '#lobby'), (2, 'ann', 'ann');
                     INSERT INTO message (id, time, room, number, sender, kind, text)
                     VALUES (7, 1, 1, 1, 'ann', 'message', '{text}');
                     INSERT INTO search (rowid, text, tags) VALUES (7, '{text}', 'r1 f2');"
                ))
                .unwrap();
            let find = |connection: &Connection| {
                let sql = "SELECT count(*) FROM search WHERE search MATCH ?1";
                let asked = format!("text : \"{asked}\" AND tags : (r1 AND f2)");
                connection.query_row(sql, [asked], |row| row.get::<_, i64>(0)).unwrap()
            };
            assert_eq!(find(&connection), 0, "{version}");
            migrate(&mut connection, Path::new("test")).unwrap();
            assert_eq!(find(&connection), 1, "{version}");
        }
    }

    #[test]
    fn a_newer_file_and_a_stranger_are_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("test")).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refusal = migrate(&mut connection, Path::new("test")).unwrap_err();
        assert!(matches!(refusal, JournalError::Newer { found: 99, .. }), "{refusal}");
        let mut stranger = Connection::open_in_memory().unwrap();
        stranger.execute_batch("CREATE TABLE mine (a)").unwrap();
        let refusal = migrate(&mut stranger, Path::new("test")).unwrap_err();
        assert!(matches!(refusal, JournalError::Corrupt { .. }), "{refusal}");
    }
}
