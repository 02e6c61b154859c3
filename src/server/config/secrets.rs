//! Passwords from files of their own, which a service manager or an ACME client can protect; and which
//! files can be read again while the server runs.

use super::{Config, Operator};
use crate::chat::Secret;
use crate::settings::{check_again, read_text};
use std::path::Path;

pub(super) fn read(flag: &str, path: &Path) -> Result<String, String> {
    read_text(path).map_err(|why| format!("{flag}: {}: {why}", path.display()))
}

impl Config {
    /// Reads `--password-file` and `--oper-file`.
    ///
    /// # Errors
    /// The file, the line and what is wrong, and nothing of what stands there.
    pub(super) fn read_secrets(&mut self) -> Result<(), String> {
        if let Some(path) = &self.password_file {
            let text = read("--password-file", path)?;
            let first = text.lines().next().unwrap_or_default();
            if first.is_empty() {
                let path = path.display();
                return Err(format!("--password-file: the first line of {path} is empty"));
            }
            self.password = Some(Secret::new(first));
        }
        if let Some(path) = &self.oper_file {
            let text = read("--oper-file", path)?;
            let lines = text.lines().map(str::trim).enumerate();
            for (place, line) in lines.filter(|(_, it)| !it.is_empty() && !it.starts_with('#')) {
                let wrong =
                    |why| format!("--oper-file: {}, line {}: {why}", path.display(), place + 1);
                self.oper.push(line.parse::<Operator>().map_err(wrong)?);
            }
        }
        Ok(())
    }

    /// Checks that files of the settings that `asked` names can be read while the loop runs.
    ///
    /// # Errors
    /// The setting, the file, and why not.
    pub(in crate::server) fn check_files(&self, asked: fn(&str) -> bool) -> Result<(), String> {
        let files = [
            ("--password-file", &self.password_file),
            ("--oper-file", &self.oper_file),
            ("--motd", &self.motd),
            ("--tls-cert", &self.tls_cert),
            ("--tls-key", &self.tls_key),
        ];
        for (flag, path) in files.into_iter().filter(|(flag, _)| asked(flag)) {
            if let Some(path) = path {
                check_again(path).map_err(|why| format!("{flag}: {}: {why}", path.display()))?;
            }
        }
        Ok(())
    }
}
