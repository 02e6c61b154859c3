//! The client's side: whom it trusts.

use super::certificate::{Fingerprint, Identity};
use super::channel::Channel;
use super::provider;
use chatloop_reactor::Layer;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Which certificates of a server are good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Those for its name that the system trusts.
    System,
    /// This one, whatever it says.
    Pinned(Fingerprint),
}

/// Begins handshakes with one server.
#[derive(Clone)]
pub struct Connector {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl Connector {
    /// For the server of this name or address, which is shown a certificate if there are files with one
    /// and its key.
    ///
    /// # Errors
    /// A text for people.
    pub fn new(host: &str, trust: Trust, own: Option<(&Path, &Path)>) -> Result<Connector, String> {
        let host = host.trim_end_matches('.');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("'{host}' cannot be the name in a certificate"))?;
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Pinned(fingerprint) => Arc::new(Pinned { fingerprint, algorithms }),
            Trust::System => {
                let system = rustls_platform_verifier::Verifier::new(provider.clone());
                let system =
                    system.map_err(|error| format!("the system's certificates: {error}"))?;
                Arc::new(Explaining(system))
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let Identity { chain, key: private } = Identity::load(certificate, key)?;
                config.with_client_auth_cert(chain, private).map_err(|error| {
                    format!("{} with {}: {error}", certificate.display(), key.display())
                })?
            }
        };
        config.resumption = Resumption::disabled();
        Ok(Connector { config: Arc::new(config), name })
    }

    /// The layer of a new connection.
    pub fn begin(&self) -> Box<dyn Layer> {
        let connector = self.clone();
        let start = move |_: &[u8]| {
            let (config, name) = (connector.config.clone(), connector.name.clone());
            Some(UnbufferedClientConnection::new(config, name))
        };
        Box::new(Channel::new(Box::new(start)))
    }
}

/// Why a certificate was not accepted, with what to give to `--tls-fingerprint`.
#[derive(Debug)]
struct Untrusted(String, Fingerprint);

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server's certificate is not trusted: {}", self.0)?;
        write!(f, "; its SHA-256 fingerprint is {}", self.1)
    }
}

impl std::error::Error for Untrusted {}

fn untrusted(reason: String, certificate: &CertificateDer<'_>) -> Error {
    let untrusted = Untrusted(reason, Fingerprint::of(certificate));
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
}

#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if Fingerprint::of(certificate) == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(untrusted("it is not the one of --tls-fingerprint".to_owned(), certificate))
    }

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
}

/// The system's verifier, whose refusals say which certificate it was.
#[derive(Debug)]
struct Explaining(rustls_platform_verifier::Verifier);

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.0.verify_server_cert(certificate, intermediates, name, ocsp, now);
        verified.map_err(|error| untrusted(error.to_string(), certificate))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
