//! Channels, the server's certificate, and whom a client trusts.
//!
//! | file | subject |
//! |---|---|
//! | `channel` | records in, bytes out, and back: a [`Layer`](chatloop_reactor::Layer), pure |
//! | `server` | the server's settings, and whether a client is asked for a certificate |
//! | `certificate` | certificates and keys from PEM, a self-signed one, fingerprints |
//! | `client` | whom a client trusts |
//!
//! rustls' unbuffered API, because an idle connection costs 3 KB with it, and 7 KB with rustls' own
//! buffers.
//!
//! Rejected: session tickets and 0-RTT. A connection of a chat lasts for hours, and what comes early
//! can be replayed.

/// The part that all verifiers have alike: signatures are checked as the provider does it.
macro_rules! check_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, certificate, signed, &self.algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, certificate, signed, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}

mod certificate;
mod channel;
mod client;
mod server;
#[cfg(test)]
mod tests;

pub use certificate::Fingerprint;
pub use client::Connector;
pub use server::Acceptor;

use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// AES with 128 bits comes first, as in browsers: it takes four rounds less for each block than AES
/// with 256, and no one can try 2^128 keys, either. A server takes the first one of its client's.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    let first = CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != first);
    Arc::new(provider)
}
