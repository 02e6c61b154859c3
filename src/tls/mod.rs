//! TLS as a layer over a connection, by rustls; in a build without the feature `tls`, an error for who
//! asks for it.

#[cfg(not(feature = "tls"))]
mod off;
#[cfg(feature = "tls")]
mod on;

#[cfg(not(feature = "tls"))]
pub use off::{Acceptor, Connector, Fingerprint, Source, Trust};
#[cfg(feature = "tls")]
pub use on::{Acceptor, Connector, Fingerprint, Source, Trust};
