//! The configuration file: its settings, with their lines.
//!
//! One flat table of TOML: `max-line = "64k"`, with the names of the flags. Every value is checked
//! by itself, by the parser of its flag, so that an error names the file, the line and the key.

use super::parameters::{check, is_many, is_switch, parameter, parameters};
use clap::Arg;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::{Spanned, Value};

/// Bytes of a configuration file: many times the size of all settings.
const MOST_BYTES: u64 = 1024 * 1024;

/// One line of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The setting.
    pub name: String,
    /// Its values, as a command line would give them.
    pub values: Vec<String>,
    /// The line, from 1.
    pub line: usize,
}

/// An error in a file, and its line.
#[derive(Debug)]
pub struct InvalidFile {
    path: PathBuf,
    line: Option<usize>,
    why: String,
}

impl InvalidFile {
    /// A pipe, for example: it can be read only once.
    pub(super) fn unreadable_again(path: &Path) -> InvalidFile {
        let why = "not a regular file, so it cannot be reloaded".to_owned();
        InvalidFile { path: path.to_owned(), line: None, why }
    }
}

impl fmt::Display for InvalidFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for InvalidFile {}

/// Reads a file.
///
/// # Errors
/// The first error, with its line.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, InvalidFile> {
    let wrong = |line, why| InvalidFile { path: path.to_owned(), line, why };
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| wrong(None, format!("cannot be read: {error}")))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(wrong(None, format!("it exceeds {MOST_BYTES} bytes")));
    }
    parse(text.trim_start_matches('\u{feff}')).map_err(|(line, why)| wrong(Some(line), why))
}

/// Parses a file; or a line, and its error.
fn parse(text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let table: BTreeMap<Spanned<String>, Spanned<Value>> =
        toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            (line_at(place), format!("invalid TOML: {}", error.message()))
        })?;
    let mut entries = Vec::new();
    for (key, value) in table {
        let (line, name) = (line_at(key.span().start), key.into_inner());
        let wrong = |why: String| (line, format!("{name}: {why}"));
        let arg = parameter(&name).map_err(|meant| wrong(unknown(meant)))?;
        let values = values_of(&arg, value.into_inner()).map_err(wrong)?;
        values.iter().try_for_each(|value| check(&arg, value)).map_err(wrong)?;
        entries.push(Entry { name, values, line });
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn unknown(meant: Option<String>) -> String {
    match meant {
        Some(meant) => format!("unknown setting (did you mean '{meant}'?)"),
        None => {
            let names: Vec<String> = parameters()
                .iter()
                .map(|arg| arg.get_id().as_str().replace('_', "-"))
                .filter(|name| name != "config")
                .collect();
            format!("unknown setting (available: {})", names.join(", "))
        }
    }
}

/// A value as the command line would give it.
fn values_of(arg: &Arg, value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Boolean(on) if is_switch(arg) => Ok(vec![on.to_string()]),
        _ if is_switch(arg) => Err("expected true or false, without quotes".to_owned()),
        Value::String(text) => Ok(vec![text]),
        Value::Integer(number) if !is_many(arg) => Ok(vec![number.to_string()]),
        Value::Array(values) if is_many(arg) => {
            let text = |value| match value {
                Value::String(text) => Ok(text),
                _ => Err("expected a list of strings: [\"one\", \"two\"]".to_owned()),
            };
            values.into_iter().map(text).collect()
        }
        _ if is_many(arg) => Err("expected a list of strings: [\"one\", \"two\"]".to_owned()),
        other => {
            let kind = other.type_str();
            Err(format!("unexpected {kind}: expected a number or a string in quotes"))
        }
    }
}
