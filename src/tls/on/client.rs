//! The client's side: whom it trusts.

use super::certificate::{Fingerprint, Identity, day, is_self_signed, unusable};
use super::channel::Channel;
use super::provider;
use crate::tls::Trust;
use chatloop_reactor::Layer;
use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;

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
                Arc::new(Explaining { system, algorithms })
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
                let config = config.with_client_auth_cert(chain, private);
                config.map_err(|error| unusable(&error, certificate, key))?
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

/// Why a certificate was not accepted.
#[derive(thiserror::Error, Debug)]
#[error("the server's certificate {0}")]
struct Untrusted(String);

fn untrusted(reason: String) -> Error {
    let untrusted = Untrusted(reason);
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
}

/// What the system has against a certificate, and how to trust it all the same.
fn explained(error: Error, certificate: &CertificateDer<'_>) -> Error {
    let on_day = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or_default();
        day(Timestamp::from_second(seconds).unwrap_or_default())
    };
    let why = match error {
        Error::InvalidCertificate(error) => match &error {
            CertificateError::UnknownIssuer if is_self_signed(certificate) => {
                "is self-signed".to_owned()
            }
            CertificateError::UnknownIssuer => {
                "is from an authority that this system does not trust".to_owned()
            }
            CertificateError::ExpiredContext { not_after, .. } => {
                format!("expired on {}", on_day(not_after))
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                format!("is not valid before {}: is this clock right?", on_day(not_before))
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names: Vec<&str> =
                    presented.iter().map(|it| it.split('"').nth(1).unwrap_or(it)).collect();
                format!("is for {}, not for {}", names.join(", "), expected.to_str())
            }
            CertificateError::Revoked => "has been revoked".to_owned(),
            other => format!("is not trusted: {other}"),
        },
        other => return other,
    };
    let fingerprint = Fingerprint::of(certificate);
    untrusted(format!("{why} (to trust it all the same: --tls-fingerprint {fingerprint})"))
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
        let fingerprint = Fingerprint::of(certificate);
        Err(untrusted(format!(
            "is not that of --tls-fingerprint: its fingerprint is {fingerprint}"
        )))
    }

    check_signatures!();
}

/// The system's verifier, whose refusals say which certificate it was.
#[derive(Debug)]
struct Explaining {
    system: rustls_platform_verifier::Verifier,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.system.verify_server_cert(certificate, intermediates, name, ocsp, now);
        verified.map_err(|error| explained(error, certificate))
    }

    check_signatures!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Names, days and words in place of rustls' numbers.
    #[test]
    fn what_is_wrong_with_a_certificate_is_told_in_words() {
        let certified = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let day = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(days * 86_400));
        let expected = ServerName::try_from("chat.example").unwrap();
        for (error, words) in [
            (CertificateError::UnknownIssuer, "is self-signed (to trust it"),
            (
                CertificateError::ExpiredContext { time: day(20_000), not_after: day(18_628) },
                "expired on 2021-01-01 (",
            ),
            (
                CertificateError::NotValidYetContext { time: day(1), not_before: day(18_628) },
                "is not valid before 2021-01-01: is this clock right? (",
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected,
                    presented: vec!["DnsName(\"a.example\")".into(), "IpAddress(::1)".into()],
                },
                "is for a.example, IpAddress(::1), not for chat.example (",
            ),
            (CertificateError::Revoked, "has been revoked ("),
        ] {
            let error = explained(Error::InvalidCertificate(error), certified.cert.der());
            let Error::InvalidCertificate(CertificateError::Other(told)) = error else { panic!() };
            let told = told.0.to_string();
            assert!(told.starts_with(&format!("the server's certificate {words}")), "{told}");
            assert!(told.ends_with(&format!("{})", Fingerprint::of(certified.cert.der()))));
        }
    }
}
