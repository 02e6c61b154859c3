//! Knowledge of servers from earlier connections: whether one has offered SCRAM, and whether it is for
//! TLS only (IRCv3 sts).
//!
//! A server that offered SCRAM once and no longer does may be someone in between who wants the
//! password in PLAIN. So the client remembers the offer, in `chatloop/servers.toml` under
//! `$XDG_STATE_HOME` (`~/.local/state`), for the user alone (0600).
//!
//! A file that cannot be read must not weaken a login: then the server counts as one that has
//! offered SCRAM, and the file stays as it is. For the same reason a full file takes no new server
//! instead of forgetting an old one. Without a home directory nothing is remembered.
//!
//! Keys are what the user typed, not addresses: an attacker who answers for a name answers for all
//! addresses of it. Known limit: two clients that save in the same instant keep one of the two.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Bytes of the file.
const MAX_FILE: u64 = 1024 * 1024;
/// The table of servers, and the key of one fact about one server.
const SERVERS: &str = "server";
const SCRAM: &str = "scram";
/// The table of hosts that are for TLS only, until when, in seconds since 1970, and at which port. By host
/// and not by port: anyone who can forge an answer chooses the port.
const STS: &str = "sts";
const UNTIL: &str = "until";
const PORT: &str = "port";

/// What is known of one server.
pub(super) struct KnownServer {
    /// `None` if there is no place for the file.
    path: Option<PathBuf>,
    name: String,
    host: String,
    port: u16,
    /// Until when it is for TLS only, and at which port.
    tls: Option<(u64, u16)>,
    /// The server has offered SCRAM, or that cannot be ruled out.
    pub(super) scram: bool,
}

impl KnownServer {
    /// Looks a server up, with a warning if the file could not be read.
    pub(super) fn look_up(host: &str, port: u16) -> (KnownServer, Option<String>) {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let absolute = |name| absolute(name).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        KnownServer::in_file(state.map(|state| state.join("chatloop/servers.toml")), host, port)
    }

    fn in_file(path: Option<PathBuf>, host: &str, port: u16) -> (KnownServer, Option<String>) {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let name = format!("{host}:{port}");
        let mut known = KnownServer { path, name, host, port, scram: false, tls: None };
        let Some(path) = &known.path else { return (known, None) };
        match read(path) {
            Ok(table) => {
                let server = table.get(SERVERS).and_then(|servers| servers.get(&known.name));
                let sts = table.get(STS).and_then(|hosts| hosts.get(&known.host));
                // Earlier versions kept the time alone: then it is for TLS at every port.
                let until = sts.and_then(|sts| sts.get(UNTIL).unwrap_or(sts).as_integer());
                let until = until.and_then(|until| u64::try_from(until).ok());
                let secure = sts.and_then(|sts| sts.get(PORT)).and_then(Value::as_integer);
                let secure = secure.and_then(|port| u16::try_from(port).ok());
                known.tls = until.map(|until| (until, secure.unwrap_or(port)));
                known.scram = server
                    .and_then(|server| server.get(SCRAM))
                    .is_some_and(|value| value.as_bool() != Some(false));
                (known, None)
            }
            Err(error) => {
                let warning = format!(
                    "cannot read {}: {error}; logging in by SCRAM only (--sasl plain sends the password itself)",
                    path.display()
                );
                known.scram = true;
                (known, Some(warning))
            }
        }
    }

    /// The port for TLS of one that is for TLS only.
    pub(super) fn tls_port(&self, now: u64) -> Option<u16> {
        self.tls.filter(|(until, _)| now < *until).map(|(_, port)| port)
    }

    /// It is for TLS only until then, at this port, or no longer.
    ///
    /// # Errors
    /// A text for people: the file could not be written.
    pub(super) fn is_for_tls_until(&mut self, until: Option<u64>) -> Result<(), String> {
        self.tls = until.map(|until| (until, self.port));
        let (host, port) = (self.host.clone(), self.port);
        self.change(|table| {
            let hosts = table_in(table, STS)?;
            hosts.remove(&host);
            if let Some(until) = until.and_then(|until| i64::try_from(until).ok()) {
                let host = table_in(hosts, &host)?;
                host.insert(UNTIL.to_owned(), Value::Integer(until));
                host.insert(PORT.to_owned(), Value::Integer(port.into()));
            }
            Some(())
        })
        .map_err(|why| format!("{why}: that this server is for TLS only will not be remembered"))
    }

    /// The server offers SCRAM: remembers it.
    ///
    /// # Errors
    /// A text for people: the file could not be written.
    pub(super) fn offers_scram(&mut self) -> Result<(), String> {
        if std::mem::replace(&mut self.scram, true) {
            return Ok(());
        }
        let name = self.name.clone();
        self.change(|table| {
            let server = table_in(table_in(table, SERVERS)?, &name)?;
            server.insert(SCRAM.to_owned(), Value::Boolean(true));
            Some(())
        })
        .map_err(|why| format!("{why}: that this server offers SCRAM will not be remembered"))
    }

    /// Changes the file, if it has the structure that `change` expects.
    fn change(&self, change: impl FnOnce(&mut Table) -> Option<()>) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        save(path, change).map_err(|error| format!("cannot write {} ({error})", path.display()))
    }
}

/// The table of a key, a new one if there is none; `None` if something else is there.
fn table_in<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Table> {
    table.entry(key).or_insert_with(|| Value::Table(Table::new())).as_table_mut()
}

fn save(path: &Path, change: impl FnOnce(&mut Table) -> Option<()>) -> io::Result<()> {
    // Read again: another client may have added a server.
    let mut table = read(path)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "it has another structure");
    change(&mut table).ok_or_else(invalid)?;
    let text = table.to_string();
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has reached 1 MiB"));
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Written whole or not at all.
    let new = path.with_extension(format!("toml.{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// The file's table; an empty one if there is no file.
fn read(path: &Path) -> io::Result<Table> {
    let file = match OpenOptions::new().read(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Table::new()),
        file => file?,
    };
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    if text.len() as u64 > MAX_FILE {
        return Err(invalid("it exceeds 1 MiB"));
    }
    text.parse().map_err(|error: toml::de::Error| invalid(error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_offer_is_remembered_for_its_server_alone_and_for_the_user_alone() {
        let scratch = Scratch::new("offer");
        let path = scratch.0.join("chatloop/servers.toml");
        let look_up = |host, port| KnownServer::in_file(Some(path.clone()), host, port);
        for port in [1, 2] {
            let (mut known, warning) = look_up("Chat.example.", port);
            assert!(!known.scram && warning.is_none());
            known.offers_scram().unwrap();
        }
        assert!(look_up("chat.example", 1).0.scram);
        assert!(look_up("chat.example", 2).0.scram);
        assert!(!look_up("chat.example", 3).0.scram);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_server_that_asked_for_tls_is_for_tls_at_every_port_until_its_time_is_over() {
        let scratch = Scratch::new("sts");
        let path = scratch.0.join("chatloop/servers.toml");
        let look_up = |host, port| KnownServer::in_file(Some(path.clone()), host, port).0;
        look_up("Chat.example", 1).is_for_tls_until(Some(1_000)).unwrap();
        look_up("chat.example", 1).offers_scram().unwrap();
        let known = look_up("chat.example", 2);
        assert_eq!((known.tls_port(999), known.tls_port(1_000)), (Some(1), None));
        assert_eq!(look_up("other.example", 1).tls_port(0), None);
        look_up("chat.example", 3).is_for_tls_until(None).unwrap();
        assert_eq!(look_up("chat.example", 1).tls_port(0), None);
        assert!(look_up("chat.example", 1).scram);
        // As an earlier version has written it.
        fs::write(&path, "[sts]\n\"chat.example\" = 1000\n").unwrap();
        let known = look_up("chat.example", 5);
        assert_eq!((known.tls_port(999), known.tls_port(1_000)), (Some(5), None));
        look_up("chat.example", 6).is_for_tls_until(Some(2_000)).unwrap();
        assert_eq!(look_up("chat.example", 5).tls_port(1_999), Some(6));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_warning_and_no_weaker_login() {
        let scratch = Scratch::new("unreadable");
        let path = scratch.0.join("servers.toml");
        for text in ["server = [", "\u{0}", &"#".repeat(MAX_FILE as usize + 1)] {
            fs::write(&path, text).unwrap();
            let (mut known, warning) = KnownServer::in_file(Some(path.clone()), "h", 1);
            assert!(known.scram);
            assert!(warning.unwrap().contains("servers.toml"));
            known.offers_scram().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "it stays as it is");
        }
        // A value that this version does not know is no permission either.
        fs::write(&path, "[server.\"h:1\"]\nscram = \"yes\"\nlater = 1\n").unwrap();
        assert!(KnownServer::in_file(Some(path.clone()), "h", 1).0.scram);
        KnownServer::in_file(Some(path.clone()), "i", 1).0.offers_scram().unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("later = 1"));
    }
}
