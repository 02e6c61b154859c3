//! The server under test: its addresses, and how many connections to it this process can hold.

use crate::wire::address::Address;
use chatloop_reactor::{Backend, descriptors};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Descriptors besides the connections': standard streams, poller, signals, some spare.
const OTHER_DESCRIPTORS: usize = 16;

/// An error that other arguments would help against: exit code 2.
pub fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.into())
}

/// The addresses of a host.
pub fn resolve(
    host: &Address,
    port: Option<u16>,
) -> io::Result<impl Iterator<Item = SocketAddr> + use<>> {
    let (host, port) = host.with_port(port).map_err(invalid)?;
    let addresses = (host.as_str(), port).to_socket_addrs();
    addresses.map_err(|reason| io::Error::other(format!("no address for {host}: {reason}")))
}

/// Raises the limit of descriptors, and checks that so many connections are possible.
pub fn make_room(connections: usize, backend: Backend) -> io::Result<()> {
    let ceiling = backend.descriptor_ceiling().unwrap_or(usize::MAX);
    let limit = ceiling.min(descriptors::raise_limit()?) - OTHER_DESCRIPTORS;
    if connections <= limit {
        return Ok(());
    }
    Err(invalid(format!(
        "{connections} connections asked for, {limit} possible with {backend} here (see `ulimit -Hn`)"
    )))
}
