//! Certificates and their keys: from files, made here, and their fingerprints.

use crate::settings::read_bytes;
use jiff::{Timestamp, civil, tz::TimeZone};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::Error;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` computes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub(super) fn of(certificate: &[u8]) -> Fingerprint {
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Fingerprint(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Fingerprint, String> {
        let digits: String = text.chars().filter(|it| *it != ':').collect();
        let byte = |place| u8::from_str_radix(&digits[2 * place..][..2], 16).unwrap_or_default();
        if digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            Ok(Fingerprint(std::array::from_fn(byte)))
        } else {
            Err(format!(
                "invalid fingerprint '{text}': expected the SHA-256 of a certificate, 64 hexadecimal digits"
            ))
        }
    }
}

/// A certificate, those that vouch for it, and its key.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From PEM.
    ///
    /// # Errors
    /// A text for people, with the file.
    pub(super) fn load(certificates: &Path, key: &Path) -> Result<Identity, String> {
        let read =
            |path: &Path| read_bytes(path).map_err(|why| format!("{}: {why}", path.display()));
        let (certificates_pem, key_pem) = (read(certificates)?, read(key)?);
        let chain: Result<Vec<_>, pem::Error> =
            CertificateDer::pem_slice_iter(&certificates_pem).collect();
        let chain = chain.map_err(|error| format!("{}: {error}", certificates.display()))?;
        if chain.is_empty() {
            return Err(format!("{}: no certificate in PEM", certificates.display()));
        }
        let is_encrypted = key_pem.windows(9).any(|word| word == b"ENCRYPTED");
        let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|error| match error {
            _ if is_encrypted => format!(
                "{}: the key is encrypted; decrypt it first (openssl pkey -in FILE -out NEW)",
                key.display()
            ),
            pem::Error::NoItemsFound => format!("{}: no private key in PEM", key.display()),
            error => format!("{}: {error}", key.display()),
        })?;
        Ok(Identity { chain, key })
    }

    /// A new one for `name` that no one vouches for, as PEM: the certificate, then the key.
    fn new_pem(name: &str) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::new([name.to_owned(), "localhost".to_owned()])?;
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, name);
        let certificate = parameters.self_signed(&key)?;
        Ok(certificate.pem() + &key.serialize_pem())
    }

    /// The self-signed one kept in `file`, made if there is none; without a file, one for this run.
    ///
    /// # Errors
    /// A text for people.
    pub(super) fn self_signed(file: Option<&Path>, name: &str) -> Result<Identity, String> {
        let make = || Self::new_pem(name).map_err(|error| format!("no certificate: {error}"));
        let Some(path) = file else { return Self::from_pem(&make()?) };
        match fs::read_to_string(path) {
            Ok(pem) => Self::from_pem(&pem),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = make()?;
                keep(path, &pem).map_err(|error| error.to_string())?;
                Self::from_pem(&pem)
            }
            Err(error) => Err(error.to_string()),
        }
        .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn from_pem(pem: &str) -> Result<Identity, String> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes());
        match (certificate, key) {
            (Ok(certificate), Ok(key)) => Ok(Identity { chain: vec![certificate], key }),
            (Err(error), _) | (_, Err(error)) => {
                Err(format!("{error}; move the file away to have a new one made"))
            }
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.chain[0])
    }

    pub(super) fn is_self_signed(&self) -> bool {
        is_self_signed(&self.chain[0])
    }

    /// The first and the last second in which it is valid.
    pub(super) fn validity(&self) -> Option<(Timestamp, Timestamp)> {
        let (_, validity, _) = names_and_validity(&self.chain[0])?;
        let (tag, text, rest) = element(validity)?;
        let (end_tag, end, _) = element(rest)?;
        Some((time(tag, text)?, time(end_tag, end)?))
    }
}

/// Why this certificate and this key are of no use.
pub(super) fn unusable(error: &Error, certificate: &Path, key: &Path) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    match error {
        Error::InconsistentKeys(_) => {
            format!("{key} is the key of another certificate than the first one in {certificate}")
        }
        Error::InvalidCertificate(_) => {
            format!("{certificate} is damaged, or not an X.509 certificate of version 3")
        }
        // rustls has no variant for it.
        Error::General(text) if text.contains("private key") => format!(
            "{key}: this kind of key cannot be used; use ECDSA (P-256, P-384), Ed25519, or RSA \
             from 2048 bits on"
        ),
        error => format!("{certificate} with {key}: {error}"),
    }
}

/// Whether its issuer is its subject.
pub(super) fn is_self_signed(certificate: &[u8]) -> bool {
    names_and_validity(certificate).is_none_or(|(issuer, _, subject)| issuer == subject)
}

/// `2026-11-30`, in UTC.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Written whole or not at all, for the user alone.
fn keep(path: &Path, pem: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// A time of a certificate: with two digits of the year (until 2049), or with four.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let format = if tag == 0x17 { "%y%m%d%H%M%SZ" } else { "%Y%m%d%H%M%SZ" };
    let time = civil::DateTime::strptime(format, text).ok()?;
    Some(time.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
}

/// Three fields of a certificate (RFC 5280, section 4.1), as they are written there: issuer,
/// validity, and subject.
fn names_and_validity(certificate: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // A version, if there is one, then the serial number and the algorithm.
    for _ in 0..if rest.first() == Some(&0xa0) { 3 } else { 2 } {
        rest = element(rest)?.2;
    }
    let (_, issuer, rest) = element(rest)?;
    let (_, validity, rest) = element(rest)?;
    let (_, subject, _) = element(rest)?;
    Some((issuer, validity, subject))
}

/// The first element of DER: its tag, its contents, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
        rest = after;
    }
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_colons_and_without() {
        let plain = "00112233445566778899aabbccddeeff".repeat(2);
        let fingerprint: Fingerprint = plain.parse().unwrap();
        assert_eq!(fingerprint.to_string(), plain);
        let pairs: Vec<&str> = (0..64).step_by(2).map(|place| &plain[place..place + 2]).collect();
        assert_eq!(pairs.join(":").to_uppercase().parse(), Ok(fingerprint));
        for wrong in ["", "00", &plain[1..], &plain.replace('f', "g"), &"é".repeat(32)] {
            assert!(wrong.parse::<Fingerprint>().unwrap_err().contains("64"), "{wrong}");
        }
    }

    #[test]
    fn a_certificate_made_here_is_kept_for_its_owner_alone_and_found_again() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = crate::scratch::Scratch::new("tls");
        let file = scratch.0.join("new/tls.pem");
        let first = Identity::self_signed(Some(&file), "chat.example.org").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Identity::self_signed(Some(&file), "chat.example.org").unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert!(first.is_self_signed());
        fs::write(&file, "nonsense").unwrap();
        let Err(error) = Identity::self_signed(Some(&file), "chat.example.org") else { panic!() };
        assert!(error.contains("tls.pem"), "{error}");
        let for_this_run = Identity::self_signed(None, "chat.example.org").unwrap();
        assert_ne!(for_this_run.fingerprint(), first.fingerprint());
    }

    #[test]
    fn a_certificate_that_another_one_signed_is_not_self_signed() {
        let names = |name: &str| {
            let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
            parameters.distinguished_name = DistinguishedName::new();
            parameters.distinguished_name.push(DnType::CommonName, name);
            (parameters, KeyPair::generate().unwrap())
        };
        let ((issuer, issuer_key), (leaf, leaf_key)) = (names("a.example"), names("b.example"));
        let issuer = rcgen::Issuer::new(issuer, issuer_key);
        let signed = leaf.signed_by(&leaf_key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(leaf_key.serialize_der()).unwrap();
        assert!(!Identity { chain: vec![signed.der().clone()], key }.is_self_signed());
        // Cut anywhere, it is no certificate, and counts as self-signed.
        for end in 0..40 {
            assert_eq!(names_and_validity(&signed.der()[..end]), None);
        }
    }

    #[test]
    fn the_days_of_a_certificate_are_read_in_either_form() {
        for (from, to) in [((2024, 2, 29), (2049, 12, 31)), ((2020, 1, 1), (2050, 1, 1))] {
            let key = KeyPair::generate().unwrap();
            let mut parameters = CertificateParams::new(["a.example".to_owned()]).unwrap();
            parameters.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
            parameters.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
            let chain = vec![parameters.self_signed(&key).unwrap().der().clone()];
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let (first, last) = Identity { chain, key }.validity().unwrap();
            let text = |(year, month, day)| format!("{year}-{month:02}-{day:02}");
            assert_eq!((day(first), day(last)), (text(from), text(to)));
        }
    }
}
