//! The certificate of a simulated server, and how its clients know it.

use crate::tls::{Acceptor, Connector, Source, Trust};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One for all runs of this process: a seed that runs twice must do the same.
static MADE: OnceLock<Result<(String, String), String>> = OnceLock::new();

/// Certificate and key, in PEM.
///
/// Ed25519, and a serial number of one length: a signature of ECDSA has one byte more or less by
/// chance, so a run would not repeat.
fn made() -> Result<(String, String), String> {
    let make = || {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut parameters = CertificateParams::new([NAME.to_owned()])?;
        parameters.serial_number = Some(1_u64.into());
        Ok((parameters.self_signed(&key)?.pem(), key.serialize_pem()))
    };
    make().map_err(|error: rcgen::Error| error.to_string())
}

const NAME: &str = "localhost";

/// Puts its files into a directory: where they are, and what connects to the server that has them.
///
/// # Errors
/// They cannot be made or written.
pub(super) fn put_into(directory: &Path) -> Result<([PathBuf; 2], Connector), String> {
    let (certificate, key) = MADE.get_or_init(made).as_ref()?;
    let paths = [directory.join("certificate.pem"), directory.join("key.pem")];
    let written = fs::create_dir_all(directory)
        .and_then(|()| fs::write(&paths[0], certificate))
        .and_then(|()| fs::write(&paths[1], key));
    written.map_err(|error| error.to_string())?;
    let source = Source::Files(paths[0].clone(), paths[1].clone());
    let trust = Trust::Pinned(Acceptor::load(&source)?.fingerprint());
    Ok((paths, Connector::new(NAME, trust, None)?))
}
