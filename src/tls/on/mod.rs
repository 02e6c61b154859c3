//! Channels, the server's certificate, and whom a client trusts.
//!
//! | file | subject |
//! |---|---|
//! | `channel` | records in, bytes out, and back: a [`Layer`](chatloop_reactor::Layer), pure |
//! | `records` | what a server's channel consists of when its handshake in TLS 1.3 is over |
//! | `server` | the server's settings, and whether a client is asked for a certificate |
//! | `certificate` | certificates and keys from PEM, a self-signed one, fingerprints |
//! | `client` | whom a client trusts |
//!
//! rustls' unbuffered API, because an idle connection costs 2 KB with it, and 7 KB with rustls' own
//! buffers.
//!
//! Rejected: session tickets and 0-RTT. A connection of a chat lasts for hours, and what comes early
//! can be replayed.

mod certificate;
mod channel;
mod client;
mod records;
mod server;
#[cfg(test)]
mod tests;

pub use certificate::Fingerprint;
pub use client::{Connector, Trust};
pub use server::{Acceptor, Source};

use rustls::crypto::CryptoProvider;
use std::sync::Arc;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
