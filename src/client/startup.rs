//! Preparations for the first turn: the server's addresses, whether a person or a script uses
//! the client, with which passwords, and in colours or not.
//!
//! Passwords come from the environment, a file or the terminal: never from an argument, which
//! every user of this machine could read.

use super::event_loop::INPUT;
use super::irc::{ConnectOptions, Login};
use super::options::LoginMethod;
use super::{Notice, Options};
use crate::settings::read_text;
use base64ct::{Base64, Encoding};
use chatloop_reactor::{Backend, Clock, Interest, Poller};
use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use zeroize::Zeroizing;

/// The addresses of the server, in the order the system prefers. It may take as long as the
/// system's resolver takes; nothing else is going on yet.
pub(super) fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
    }
    Ok(addresses)
}

/// <https://no-color.org>: any value but the empty one.
pub(super) fn wants_colours(options: &Options) -> bool {
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !options.no_color && !forbidden && !is_dumb_terminal()
}

/// A terminal without a TERM is assumed to understand no escape sequences.
fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb")
}

/// Whether a person types and reads here.
pub(super) fn is_person() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb_terminal()
}

/// A poller that accepts this standard input. On some systems kqueue and poll reject a terminal;
/// `select` accepts everything.
pub(super) fn poller_for_input(backend: Backend) -> io::Result<Poller> {
    let mut poller = Poller::new(backend)?;
    match poller.add(io::stdin(), INPUT, Interest::READ) {
        Ok(()) => {
            poller.remove(io::stdin())?;
            Ok(poller)
        }
        Err(_) => Poller::new(Backend::Select),
    }
}

/// The time for `servers.toml`.
pub(super) fn unix_seconds(clock: &Clock) -> u64 {
    u64::try_from(clock.unix_milliseconds() / 1000).unwrap_or_default()
}

/// What the command line and the environment say about an IRC session.
///
/// # Errors
/// A text for people: a password is missing or cannot be read, or a name is invalid.
pub(super) fn connect_options(
    options: &Options,
    person: bool,
    tls: bool,
    scram_seen: bool,
) -> Result<ConnectOptions, String> {
    let user = || std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let nick = options.nick.clone().or_else(|| options.account.clone()).unwrap_or_else(|| {
        let fits = |letter: &char| letter.is_ascii_alphanumeric() || "-_".contains(*letter);
        user().chars().filter(fits).collect()
    });
    if nick.contains(char::is_whitespace) || nick.starts_with(':') {
        return Err(format!("invalid nick \"{nick}\": it contains a space or begins with a colon"));
    }
    // A variable may be empty, and its rooms may be parted by a comma and a space.
    let rooms = options.join.iter().map(|room| room.trim()).filter(|room| !room.is_empty());
    let rooms: Vec<String> = rooms.map(str::to_owned).collect();
    for room in &rooms {
        let key = room.split_once(' ').map_or("", |(_, key)| key);
        let what = if key.contains([' ', ',']) || room.contains([',', '\u{7}']) {
            "room names and keys contain no spaces and no commas".to_owned()
        } else if !room.starts_with(['#', '&', '!']) {
            format!("room names begin with # (try '#{room}')")
        } else {
            continue;
        };
        return Err(format!("invalid room name \"{room}\": {what}"));
    }
    let password = match &options.password_file {
        Some(path) => Some(first_line(path)?),
        None => variable("CHATLOOP_PASSWORD"),
    };
    let by_certificate = match options.sasl {
        LoginMethod::Auto => options.tls_cert.is_some(),
        LoginMethod::External if options.tls_cert.is_none() => {
            return Err("--sasl external: there is no certificate to show (--tls-cert)".to_owned());
        }
        method => method == LoginMethod::External,
    };
    if options.sasl != LoginMethod::Auto && options.account.is_none() {
        return Err("--sasl: there is no account to log in to (--account)".to_owned());
    }
    let login = |account: &String| {
        let password = (!by_certificate).then(|| account_password(account)).transpose()?;
        Ok::<_, String>(Login { account: account.clone(), password: password.unwrap_or_default() })
    };
    let no_random = |error| format!("no random bytes from the system: {error}");
    Ok(ConnectOptions {
        nick,
        password,
        account: options.account.as_ref().map(login).transpose()?,
        sasl: options.sasl,
        scram_seen,
        tls,
        rooms,
        person,
        seed: getrandom::u32().map_err(no_random)?,
        nonce: nonce().map_err(no_random)?,
    })
}

/// Eighteen random bytes in base64, which has no comma.
fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes)?;
    Ok(Base64::encode_string(&bytes))
}

fn variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, String> {
    let text = read_text(path).map(Zeroizing::new);
    let text = text.map_err(|why| format!("{}: {why}", path.display()))?;
    let line = text.lines().next().filter(|line| !line.is_empty());
    let line = line.ok_or_else(|| {
        format!("the first line of {} is empty: it must be the password", path.display())
    })?;
    Ok(Zeroizing::new(line.to_owned()))
}

fn account_password(account: &str) -> Result<Zeroizing<String>, String> {
    if let Some(password) = variable("CHATLOOP_ACCOUNT_PASSWORD") {
        return Ok(password);
    }
    let asked = rpassword::prompt_password(format!("Password for {account}: "));
    let why = "set CHATLOOP_ACCOUNT_PASSWORD, or run from a terminal";
    asked.map(Zeroizing::new).map_err(|error| format!("no password for {account}: {why} ({error})"))
}

/// Writes a notice to standard error. If that fails, too, there is nowhere left to report it.
pub(super) fn to_stderr(notice: &Notice, style: &str) {
    let mut line = b"chatloop-client: ".to_vec();
    crate::terminal::styled(&notice.text, style, &mut line);
    line.push(b'\n');
    let _ = io::stderr().write_all(&line);
}
