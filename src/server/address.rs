//! The address of a peer, and how it has come here.

use crate::chat::Origin;
use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// How a connection has come here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Via {
    /// From its client, as far as anyone knows.
    Direct,
    /// From a peer of `--proxy-from`, whose header may still come.
    NewProxy,
    /// From such a peer.
    Proxy,
    /// A proxy has forwarded its HTTP request: one of those, or any.
    Forwarded { trusted: bool },
}

/// A peer's address in 24 bytes, where a `SocketAddr` has 32. Behind a proxy that is trusted, its
/// client's.
#[derive(Clone, Copy)]
pub(super) struct PeerAddress {
    ip: IpAddr,
    port: u16,
    /// The interface of a link-local address.
    scope: u32,
    via: Via,
}

impl PeerAddress {
    /// As the system has it.
    pub fn new(address: SocketAddr, from_proxy: bool) -> PeerAddress {
        let scope = if let SocketAddr::V6(v6) = address { v6.scope_id() } else { 0 };
        let via = if from_proxy { Via::NewProxy } else { Via::Direct };
        PeerAddress { ip: address.ip(), port: address.port(), scope, via }
    }

    /// The address of the client that has come by this peer.
    pub fn relayed(self, ip: IpAddr, port: Option<u16>, via: Via) -> PeerAddress {
        let (port, scope) = (port.unwrap_or(self.port), if ip == self.ip { self.scope } else { 0 });
        PeerAddress { ip, port, scope, via }
    }

    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    pub fn via(&self) -> Via {
        self.via
    }

    pub fn origin(&self) -> Origin {
        self.ip.into()
    }

    /// Whether it is of this machine: its limits have other defaults. The request that a proxy of
    /// this machine forwards is not.
    pub fn is_loopback(&self) -> bool {
        self.ip.is_loopback() && !matches!(self.via, Via::Forwarded { .. })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => SocketAddrV4::new(ip, self.port).fmt(f),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, self.port, 0, self.scope).fmt(f),
        }
    }
}
