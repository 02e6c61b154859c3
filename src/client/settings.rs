//! The client's settings from the command line, the environment and its file.

use super::Options;
use crate::settings::{Entry, InvalidFile, Schema, document, with_documents};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;

/// Every field of [`Options`]: `CHATLOOP_TLS` would be the server's. Passwords are no settings, since a
/// file would keep them and a command line show them.
const SCHEMA: Schema = Schema {
    program: "chatloop-client",
    grammar: <Options as CommandFactory>::command,
    prefix: "CHATLOOP_CLIENT_",
    beside: &["CHATLOOP_ACCOUNT_PASSWORD", "CHATLOOP_PASSWORD"],
    others: &[],
};

/// Why there are no options.
pub enum Invalid {
    /// The command line is wrong, or asks for help.
    Arguments(Box<clap::Error>),
    /// None are wanted, but completions or the manual page, which this is.
    Document(Vec<u8>),
    /// The file is wrong.
    File(InvalidFile),
    /// A variable is wrong: its name, and why.
    Environment(String, String),
}

/// Reads the command line, the environment and the file.
///
/// # Errors
/// The first error, with its place.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, Invalid> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let first = match (parsed(&arguments, &[]), SCHEMA.check_environment()) {
        // --help and --version work even if a variable is invalid.
        (Err(Invalid::Arguments(error)), _) if !error.use_stderr() => {
            return Err(Invalid::Arguments(error));
        }
        (_, Err((name, why))) => return Err(Invalid::Environment(name, why)),
        (first, Ok(())) => first?,
    };
    match first.config.clone().or_else(|| default_file().filter(|path| path.exists())) {
        Some(path) => parsed(&arguments, &SCHEMA.read(&path).map_err(Invalid::File)?),
        None => Ok(first),
    }
}

/// Warnings of variables that look like one of the client's and are none.
pub fn mistyped_variables() -> Vec<String> {
    SCHEMA.mistyped_variables()
}

fn parsed(arguments: &[OsString], entries: &[Entry]) -> Result<Options, Invalid> {
    let invalid = |error| Invalid::Arguments(Box::new(error));
    let sources = || SCHEMA.with_sources(Options::command(), entries);
    let grammar = || with_documents(sources(), SCHEMA.program);
    let matches = grammar().try_get_matches_from(arguments).map_err(invalid)?;
    match document(grammar, &matches) {
        Some(text) => Err(Invalid::Document(text)),
        None => Options::from_arg_matches(&matches).map_err(invalid),
    }
}

fn default_file() -> Option<PathBuf> {
    let given = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = given("XDG_CONFIG_HOME").or_else(|| Some(given("HOME")?.join(".config")))?;
    Some(folder.join("chatloop/client.toml"))
}
