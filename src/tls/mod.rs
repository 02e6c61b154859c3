//! TLS as a layer over a connection, by rustls; in a build without the feature `tls`, an error for who
//! asks for it.

#[cfg(not(feature = "tls"))]
mod off;
#[cfg(feature = "tls")]
mod on;

#[cfg(not(feature = "tls"))]
pub use off::{Acceptor, Connector, Fingerprint};
#[cfg(feature = "tls")]
pub use on::{Acceptor, Connector, Fingerprint};

use std::path::PathBuf;

/// Where the certificate comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Two files in PEM: the certificate with those that vouch for it, and its key.
    Files(PathBuf, PathBuf),
    /// Made here, kept in this file if there is one, and for this name.
    SelfSigned(Option<PathBuf>, String),
}

/// Which certificates of a server are good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Those for its name that the system trusts.
    System,
    /// This one, whatever it says.
    Pinned(Fingerprint),
}
