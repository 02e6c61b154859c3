//! The server's side: its certificate, and which clients are asked for theirs.
//!
//! A client may show a certificate of any issuer, or none: its key is proved by the handshake, and its
//! fingerprint is what an account knows it by. Browsers are not asked, because they would ask their
//! users; they are told by what they want to speak (ALPN).

use super::certificate::{Fingerprint, Identity, day, unusable};
use super::channel::Channel;
use super::provider;
use crate::tls::Source;
use chatloop_reactor::Layer;
use jiff::{SignedDuration, Timestamp};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, UnbufferedServerConnection};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use std::sync::Arc;

/// Begins the handshakes of clients.
#[derive(Clone)]
pub struct Acceptor {
    chat: Arc<ServerConfig>,
    web: Arc<ServerConfig>,
    fingerprint: Fingerprint,
    self_signed: bool,
    validity: Option<(Timestamp, Timestamp)>,
}

/// So long before its end a certificate is warned of: whoever renews it does so before.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Acceptor {
    /// Loads the certificate.
    ///
    /// # Errors
    /// A text for people.
    pub fn load(source: &Source) -> Result<Acceptor, String> {
        let identity = match source {
            Source::Files(certificates, key) => Identity::load(certificates, key)?,
            Source::SelfSigned(file, name) => Identity::self_signed(file.as_deref(), name)?,
        };
        let (fingerprint, self_signed) = (identity.fingerprint(), identity.is_self_signed());
        let config = |asks: bool| {
            let provider = provider();
            let verifier =
                AnyCertificate { algorithms: provider.signature_verification_algorithms };
            let builder = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?;
            let builder = if asks {
                builder.with_client_cert_verifier(Arc::new(verifier))
            } else {
                builder.with_no_client_auth()
            };
            let key = identity.key.clone_key();
            let mut config = builder.with_single_cert(identity.chain.clone(), key)?;
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            Ok::<ServerConfig, Error>(config)
        };
        let explain = |error: Error| match source {
            Source::Files(certificates, key) => unusable(&error, certificates, key),
            Source::SelfSigned(..) => error.to_string(),
        };
        let (chat, mut web) = (config(true).map_err(explain)?, config(false).map_err(explain)?);
        web.alpn_protocols = vec![HTTP.to_vec()];
        let (chat, web, validity) = (Arc::new(chat), Arc::new(web), identity.validity());
        Ok(Acceptor { chat, web, fingerprint, self_signed, validity })
    }

    /// The layer of a client that has begun a handshake.
    pub fn begin(&self) -> Box<dyn Layer> {
        let acceptor = self.clone();
        let start = move |received: &[u8]| {
            let hello = first_record(received)?;
            let config = if offers_http(hello) { &acceptor.web } else { &acceptor.chat };
            Some(UnbufferedServerConnection::new(config.clone()))
        };
        Box::new(Channel::new(Box::new(start)))
    }

    /// What a client can compare.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Why clients reject the certificate, or will soon, by the milliseconds of a clock.
    pub fn warning(&self, now: i64) -> Option<String> {
        let now = Timestamp::from_millisecond(now).ok()?;
        match self.validity? {
            (first, _) if now < first => Some(format!("is not valid before {}", day(first))),
            (_, last) if last < now => Some(format!("expired on {}", day(last))),
            (_, last) if last < now + SOON => Some(format!("expires on {}", day(last))),
            _ => None,
        }
    }

    /// Whether no one vouches for it.
    pub fn is_self_signed(&self) -> bool {
        self.self_signed
    }
}

const HTTP: &[u8] = b"http/1.1";

/// Bytes of a record's head: kind, version, length.
const HEAD: usize = 5;

/// The first record, when it is whole; at once, if it is longer than one may be, for rustls to refuse.
fn first_record(received: &[u8]) -> Option<&[u8]> {
    let &[_, _, _, high, low] = received.first_chunk::<HEAD>()?;
    let length = HEAD + usize::from(u16::from_be_bytes([high, low]));
    if length > HEAD + (1 << 14) { Some(received) } else { received.get(..length) }
}

/// Whether the hello offers HTTP: a name in its list, after its length. Other fields of a hello are
/// random or fixed, and one that happens to hold the same bytes is only not asked for a certificate.
fn offers_http(hello: &[u8]) -> bool {
    let name = [&[HTTP.len() as u8], HTTP].concat();
    hello.windows(name.len()).any(|window| window == name)
}

/// Takes every certificate whose key the client has.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    check_signatures!();
}
