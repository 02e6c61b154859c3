//! The records of an open TLS 1.3 connection: sealed into the caller's buffer, opened where they lie.
//!
//! rustls does the handshake, derives every key, those of a key update too, and decrypts; ring encrypts.
//! What is left is section 5 of RFC 8446: five bytes of head, a number for each record, and three kinds of
//! content. A line to 500 members is 500 records, so each is sealed without an allocation, and an idle
//! connection keeps two keys and not what its handshake needed.
//!
//! Bounds: a peer's requests to change keys are answered by one change before the next record, and are an
//! error if nothing else comes. A key seals 2^24 records.
//!
//! Rejected: handshake messages that span records. The only one that a client may send now has five bytes.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305};
use ring::aead::{LessSafeKey, Nonce, UnboundKey};
use rustls::crypto::cipher::{AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, make_tls13_aad};
use rustls::kernel::KernelConnection;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, Error, HandshakeType, InvalidMessage,
    PeerMisbehaved, ProtocolVersion,
};

/// A record's head: kind, version, length.
const HEAD: usize = 5;

/// What a record has beside its content: the head, the kind of content, and the tag.
const AROUND: usize = HEAD + 1 + 16;

/// The longest record, its head apart.
const LONGEST: usize = (1 << 14) + 256;

/// Records under one key: what AES-GCM stands by (RFC 8446, section 5.5), for every cipher.
const MOST_RECORDS: u64 = 1 << 24;

/// Changes of keys with no text in between, as in BoringSSL and rustls: each costs a hundred times its bytes.
const MOST_KEY_UPDATES: u8 = 32;

/// `KeyUpdate` with nothing requested.
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];

/// `warning` and `fatal`.
const LEVELS: [u8; 2] = [1, 2];

/// Both directions.
pub(super) struct Records {
    sealing: SealingKey,
    opening: OpeningKey,
    /// The keys that come after these.
    next: KernelConnection<ServerConnectionData>,
    /// The peer wants another key from us.
    asked_for_update: bool,
    key_updates: u8,
    closed: bool,
}

/// What a record brings.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Content<'r> {
    Text(&'r [u8]),
    /// Something between the two ends.
    Nothing,
    /// The peer will send nothing more.
    Closed,
}

impl Records {
    /// Those after the handshake of `connection`, which has nothing left to say.
    pub(super) fn new(connection: UnbufferedServerConnection) -> Result<Records, Error> {
        let (secrets, next) = connection.dangerous_into_kernel_connection()?;
        Ok(Records {
            sealing: SealingKey::new(secrets.tx)?,
            opening: OpeningKey::new(secrets.rx, &next)?,
            next,
            asked_for_update: false,
            key_updates: 0,
            closed: false,
        })
    }

    /// Seals `text` at the beginning of `output`, which has room for a change of keys, too. How long it has
    /// become.
    pub(super) fn seal(&mut self, text: &[u8], output: &mut [u8]) -> Result<usize, Error> {
        if self.closed {
            return Err(Error::EncryptError);
        }
        let mut before = 0;
        if self.asked_for_update || self.sealing.sequence >= MOST_RECORDS {
            before = self.sealing.seal(ContentType::Handshake, &KEY_UPDATE, output)?;
            self.sealing = SealingKey::new(self.next.update_tx_secret()?)?;
            self.asked_for_update = false;
        }
        let rest = output.get_mut(before..).unwrap_or_default();
        Ok(before + self.sealing.seal(ContentType::ApplicationData, text, rest)?)
    }

    /// Says at the end of `output` that nothing more will come.
    pub(super) fn close(&mut self, output: &mut Vec<u8>) {
        if !self.closed {
            self.alert(LEVELS[0], AlertDescription::CloseNotify, output);
        }
    }

    /// Says at the end of `output` what is wrong.
    pub(super) fn fail(&mut self, error: &Error, output: &mut Vec<u8>) {
        let description = match error {
            // The peer has said it.
            Error::AlertReceived(_) => return,
            Error::DecryptError => AlertDescription::BadRecordMac,
            Error::PeerSentOversizedRecord => AlertDescription::RecordOverflow,
            Error::InvalidMessage(_) => AlertDescription::DecodeError,
            _ => AlertDescription::UnexpectedMessage,
        };
        self.alert(LEVELS[1], description, output);
    }

    fn alert(&mut self, level: u8, description: AlertDescription, output: &mut Vec<u8>) {
        let mut record = [0; AROUND + 2];
        let content = [level, description.into()];
        if self.sealing.seal(ContentType::Alert, &content, &mut record).is_ok() {
            output.extend_from_slice(&record);
        }
        self.closed = true;
    }

    /// Opens the first of `records`, if it is whole: how long it is, and what it brings.
    pub(super) fn open<'r>(
        &mut self,
        records: &'r mut [u8],
    ) -> Result<Option<(usize, Content<'r>)>, Error> {
        let Some(&[kind, _, _, high, low]) = records.first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind != u8::from(ContentType::ApplicationData) {
            return Err(Error::InappropriateMessage {
                expect_types: vec![ContentType::ApplicationData],
                got_type: ContentType::from(kind),
            });
        }
        if length > LONGEST {
            return Err(Error::PeerSentOversizedRecord);
        }
        let Some(sealed) = records.get_mut(HEAD..HEAD + length) else { return Ok(None) };
        let (kind, content) = self.opening.open(sealed)?;
        let content = match kind {
            ContentType::ApplicationData => {
                self.key_updates = 0;
                Content::Text(content)
            }
            ContentType::Handshake => {
                self.take_key_update(content)?;
                Content::Nothing
            }
            ContentType::Alert => take_alert(content)?,
            kind => {
                return Err(Error::InappropriateMessage {
                    expect_types: vec![ContentType::ApplicationData],
                    got_type: kind,
                });
            }
        };
        Ok(Some((HEAD + length, content)))
    }

    /// The only message of a handshake that may come after it.
    fn take_key_update(&mut self, message: &[u8]) -> Result<(), Error> {
        let &[24, 0, 0, 1, requested] = message else {
            return Err(Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::KeyUpdate],
                got_type: HandshakeType::from(message.first().copied().unwrap_or_default()),
            });
        };
        if requested > 1 {
            return Err(InvalidMessage::InvalidKeyUpdate.into());
        }
        if self.key_updates == MOST_KEY_UPDATES {
            return Err(PeerMisbehaved::TooManyKeyUpdateRequests.into());
        }
        self.key_updates += 1;
        self.asked_for_update |= requested == 1;
        let secret = self.next.update_rx_secret()?;
        self.opening = OpeningKey::new(secret, &self.next)?;
        Ok(())
    }
}

/// All alerts end a connection of TLS 1.3, but for one that means nothing.
fn take_alert(alert: &[u8]) -> Result<Content<'static>, Error> {
    let &[level, description] = alert else {
        return Err(InvalidMessage::MessageTooShort.into());
    };
    match AlertDescription::from(description) {
        AlertDescription::CloseNotify => Ok(Content::Closed),
        AlertDescription::UserCanceled if level == LEVELS[0] => Ok(Content::Nothing),
        other => Err(Error::AlertReceived(other)),
    }
}

/// Seals records, in their order.
struct SealingKey {
    key: LessSafeKey,
    iv: Iv,
    sequence: u64,
}

impl SealingKey {
    fn new((sequence, secrets): (u64, ConnectionTrafficSecrets)) -> Result<SealingKey, Error> {
        let (algorithm, key, iv) = parts(secrets)?;
        let key = UnboundKey::new(algorithm, key.as_ref()).map_err(|_| Error::EncryptError)?;
        Ok(SealingKey { key: LessSafeKey::new(key), iv, sequence })
    }

    /// How long the record is.
    fn seal(
        &mut self,
        kind: ContentType,
        content: &[u8],
        output: &mut [u8],
    ) -> Result<usize, Error> {
        let length = AROUND + content.len();
        let Some(record) = output.get_mut(..length) else { return Err(Error::EncryptError) };
        let (head, sealed) = record.split_at_mut(HEAD);
        let (plain, tag) = sealed.split_at_mut(content.len() + 1);
        head.copy_from_slice(&make_tls13_aad(length - HEAD));
        plain[..content.len()].copy_from_slice(content);
        plain[content.len()] = kind.into();
        let nonce = rustls::crypto::cipher::Nonce::new(&self.iv, self.sequence).0;
        // No two records have the same number, and a key has one direction of one connection.
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.sequence += 1;
        let sealed = self.key.seal_in_place_separate_tag(nonce, Aad::from(&*head), plain);
        tag.copy_from_slice(sealed.map_err(|_| Error::EncryptError)?.as_ref());
        Ok(length)
    }
}

/// Opens records, in their order.
struct OpeningKey {
    decrypter: Box<dyn MessageDecrypter>,
    sequence: u64,
}

impl OpeningKey {
    fn new<S>(
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
        connection: &KernelConnection<S>,
    ) -> Result<OpeningKey, Error> {
        let suite = connection.negotiated_cipher_suite();
        let suite = suite.tls13().ok_or(Error::HandshakeNotComplete)?;
        let (_, key, iv) = parts(secrets)?;
        Ok(OpeningKey { decrypter: suite.aead_alg.decrypter(key, iv), sequence })
    }

    fn open<'r>(&mut self, sealed: &'r mut [u8]) -> Result<(ContentType, &'r [u8]), Error> {
        let (kind, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        let message = InboundOpaqueMessage::new(kind, version, sealed);
        let plain = self.decrypter.decrypt(message, self.sequence)?;
        self.sequence += 1;
        Ok((plain.typ, plain.payload))
    }
}

/// The cipher, the key, and what its nonces are made from.
fn parts(secrets: ConnectionTrafficSecrets) -> Result<(&'static Algorithm, AeadKey, Iv), Error> {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => Ok((&AES_128_GCM, key, iv)),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => Ok((&AES_256_GCM, key, iv)),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => Ok((&CHACHA20_POLY1305, key, iv)),
        _ => Err(Error::General("no such cipher".to_owned())),
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
