//! What is known before the first turn? The server's addresses, who is talking, and in colours or
//! not.

use super::watch::INPUT;
use super::{Notice, Options};
use crate::reactor::{Backend, Interest, Poller};
use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};

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

/// A terminal that does not say what it is understands no escape sequences, as far as we know.
fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb")
}

/// Whether somebody types and reads here.
pub(super) fn is_person() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb_terminal()
}

/// A poller that takes this standard input. On some systems kqueue and poll refuse a terminal;
/// `select` takes everything.
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

/// Writes a notice to standard error; if that fails, too, there is nobody to tell.
pub(super) fn to_stderr(notice: &Notice, style: &str) {
    let mut line = Vec::new();
    crate::terminal::screen::styled(&notice.text, style, &mut line);
    line.push(b'\n');
    let _ = io::stderr().write_all(&line);
}
