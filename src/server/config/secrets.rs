//! Passwords from files of their own, which a service manager or an ACME client can protect.

use super::{Config, Operator};
use crate::chat::Secret;
use std::io::Read;
use std::path::Path;

/// Bytes of such a file: many operators, each with a hash.
const MOST_BYTES: u64 = 1024 * 1024;

impl Config {
    /// Reads `--password-file` and `--oper-file`.
    ///
    /// # Errors
    /// The file, the line and what is wrong, and nothing of what stands there.
    pub(super) fn read_secrets(&mut self) -> Result<(), String> {
        if let Some(path) = &self.password_file {
            let text = read(path).map_err(|why| format!("--password-file: {why}"))?;
            let first = text.lines().next().unwrap_or_default();
            if first.is_empty() {
                let path = path.display();
                return Err(format!("--password-file: the first line of {path} is empty"));
            }
            self.password = Some(Secret::new(first));
        }
        if let Some(path) = &self.oper_file {
            let text = read(path).map_err(|why| format!("--oper-file: {why}"))?;
            let lines = text.lines().map(str::trim).enumerate();
            for (place, line) in lines.filter(|(_, it)| !it.is_empty() && !it.starts_with('#')) {
                let wrong =
                    |why| format!("--oper-file: {}, line {}: {why}", path.display(), place + 1);
                self.oper.push(line.parse::<Operator>().map_err(wrong)?);
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
