//! Files that settings name: passwords, a message, a certificate.

use std::fs::{File, metadata};
use std::io::Read;
use std::path::Path;

/// Bytes of one: many operators, each with a hash.
const MOST_BYTES: u64 = 1024 * 1024;

/// What such a file holds, without a byte order mark.
///
/// # Errors
/// Why it cannot be read, without its path.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it exceeds {MOST_BYTES} bytes"));
    }
    const MARK: &[u8] = "\u{feff}".as_bytes();
    Ok(bytes.strip_prefix(MARK).map(<[u8]>::to_vec).unwrap_or(bytes))
}

/// The same as text.
///
/// # Errors
/// Why it cannot be read, without its path.
pub fn read_text(path: &Path) -> Result<String, String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| "cannot be read: it is not UTF-8".to_owned())
}

/// Checks that reading a file once more does not wait: a pipe would give nothing, or keep the loop
/// of the server waiting. Whether the file is there shows when it is read.
///
/// # Errors
/// Why it is not read again, without its path.
pub fn check_again(path: &Path) -> Result<(), String> {
    match metadata(path) {
        Ok(found) if !found.is_file() => {
            Err("not a regular file, so it cannot be reloaded".to_owned())
        }
        _ => Ok(()),
    }
}
