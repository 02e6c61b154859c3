//! A file of settings, with their lines.
//!
//! One flat table of TOML: `max-line = "64k"`, with the names of the flags. Every value is checked
//! by itself, by the parser of its flag, so that an error names the file, the line and the key.

use super::input::read_text;
use super::parameters::{Entry, Schema, check, is_many, is_switch};
use clap::Arg;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::{Spanned, Value};

/// An error in a file, and its line.
#[derive(Debug)]
pub struct InvalidFile {
    path: PathBuf,
    line: Option<usize>,
    why: String,
}

impl InvalidFile {
    /// A pipe, for example: it can be read only once.
    pub fn unreadable_again(path: &Path, why: String) -> InvalidFile {
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

impl Schema {
    /// Reads a file.
    ///
    /// # Errors
    /// The first error, with its line.
    pub fn read(&self, path: &Path) -> Result<Vec<Entry>, InvalidFile> {
        let wrong = |line, why| InvalidFile { path: path.to_owned(), line, why };
        let text = read_text(path).map_err(|why| wrong(None, why))?;
        let parsed = self.parse(&text);
        parsed.map_err(|(line, why)| wrong(Some(line), why))
    }

    /// Parses a file; or a line, and its error.
    fn parse(&self, text: &str) -> Result<Vec<Entry>, (usize, String)> {
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
            let arg = self.parameter(&name).map_err(|meant| wrong(self.unknown(meant)))?;
            let values = values_of(&arg, value.into_inner()).map_err(wrong)?;
            values.iter().try_for_each(|value| check(&arg, value)).map_err(wrong)?;
            entries.push(Entry { name, values, line });
        }
        entries.sort_by_key(|entry| entry.line);
        Ok(entries)
    }

    fn unknown(&self, meant: Option<String>) -> String {
        match meant {
            Some(meant) => format!("unknown setting (did you mean '{meant}'?)"),
            None => format!("unknown setting ({} --help lists them)", self.program),
        }
    }
}

/// A value as the command line would give it.
fn values_of(arg: &Arg, value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Boolean(on) if is_switch(arg) => Ok(vec![on.to_string()]),
        _ if is_switch(arg) => Err("expected true or false, without quotes".to_owned()),
        Value::String(text) => Ok(vec![text]),
        Value::Array(values) if is_many(arg) => {
            let text = |value| match value {
                Value::String(text) => Ok(text),
                _ => Err("expected a list of strings: [\"one\", \"two\"]".to_owned()),
            };
            values.into_iter().map(text).collect()
        }
        _ if is_many(arg) => Err("expected a list of strings: [\"one\", \"two\"]".to_owned()),
        Value::Integer(number) => Ok(vec![number.to_string()]),
        Value::Float(number) => Ok(vec![number.to_string()]),
        other => {
            let kind = other.type_str();
            Err(format!("unexpected {kind}: expected a number or a string in quotes"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{ArgAction, Command, value_parser};

    const SCHEMA: Schema = Schema {
        program: "program",
        grammar: || {
            let long = |name: &'static str| Arg::new(name).long(name);
            Command::new("program").args([
                Arg::new("host"),
                long("nick").requires("join"),
                long("join").action(ArgAction::Append).conflicts_with("nick"),
                long("tls").action(ArgAction::SetTrue),
                long("time_out").value_parser(value_parser!(f32)).help("How long"),
                long("bell").value_parser(["off", "all"]),
                long("config"),
            ])
        },
        prefix: "PROGRAM_",
        beside: &[],
        others: &[],
    };

    #[test]
    fn a_file_has_the_names_of_the_flags() {
        let text =
            "nick = \"ann\"\njoin = [\"#a\", \"#b\"]\ntls = true\ntime-out = 1.5\nhost = \"h\"";
        let entries = SCHEMA.parse(text).unwrap();
        let found: Vec<_> =
            entries.iter().map(|it| (it.name.as_str(), it.values.join(" "), it.line)).collect();
        let expected = [
            ("nick", "ann"),
            ("join", "#a #b"),
            ("tls", "true"),
            ("time-out", "1.5"),
            ("host", "h"),
        ];
        let expected = expected
            .iter()
            .zip(1..)
            .map(|((name, value), line)| (*name, (*value).to_owned(), line));
        assert_eq!(found, expected.collect::<Vec<_>>());
    }

    #[test]
    fn an_error_names_its_line_and_what_is_right() {
        for (text, line, why) in [
            ("nick = \"a\"\nnik = \"b\"", 2, "nik: unknown setting (did you mean 'nick'?)"),
            ("time_out = 5", 1, "time_out: unknown setting (did you mean 'time-out'?)"),
            ("colour = 5", 1, "colour: unknown setting (program --help lists them)"),
            ("time-out = \"soon\"", 1, "time-out: invalid float literal (How long)"),
            ("bell = \"loud\"", 1, "bell: invalid value 'loud': expected one of off, all"),
            ("config = \"x\"", 1, "config: unknown setting"),
            ("tls = 5", 1, "tls: expected true or false"),
            ("host = []", 1, "host: unexpected array"),
            ("join = 5", 1, "join: expected a list of strings"),
            ("nick = ", 1, "invalid TOML"),
        ] {
            let (at, what) = SCHEMA.parse(text).unwrap_err();
            assert!(at == line && what.starts_with(why), "{text}: {at}: {what}");
        }
    }
}
