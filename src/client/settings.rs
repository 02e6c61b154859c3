//! The client's settings from its file and the environment, behind those of the command line.
//!
//! As in the server, `--nick` is `nick` in the file, and every value goes through the parser of its
//! flag. A variable is `CHATLOOP_CLIENT_NICK`: `CHATLOOP_TLS` would be the server's.

use super::{Options, document, with_documents};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use toml::{Spanned, Value};

/// The prefix of the variables.
const PREFIX: &str = "CHATLOOP_CLIENT_";
/// Bytes of the file: many times the size of all settings.
const MOST_BYTES: u64 = 64 * 1024;

/// Why there are no options.
pub enum Invalid {
    /// The command line is wrong, or asks for help.
    Arguments(Box<clap::Error>),
    /// None are wanted, but completions or the manual page, which this is.
    Document(Vec<u8>),
    /// A variable or the file is wrong; a text.
    Setting(String),
}

/// Reads the command line, the environment and the file.
///
/// # Errors
/// The first error, with its place.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, Invalid> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = |defaults: &BTreeMap<String, Vec<String>>| {
        let invalid = |error| Invalid::Arguments(Box::new(error));
        let command = command(defaults);
        let matches = command.clone().try_get_matches_from(&arguments).map_err(invalid)?;
        match document(&command, &matches) {
            Some(text) => Err(Invalid::Document(text)),
            None => Options::from_arg_matches(&matches).map_err(invalid),
        }
    };
    match check_environment().map_err(Invalid::Setting) {
        Ok(()) => {}
        // --help and --version work even so.
        Err(wrong) => match parsed(&BTreeMap::new()) {
            Err(Invalid::Arguments(error)) if !error.use_stderr() => {
                return Err(Invalid::Arguments(error));
            }
            _ => return Err(wrong),
        },
    }
    let first = parsed(&BTreeMap::new())?;
    let (path, named) = match first.config {
        Some(path) => (path, true),
        None => match default_file() {
            Some(path) => (path, false),
            None => return parsed(&BTreeMap::new()),
        },
    };
    match read_file(&path) {
        Ok(settings) => parsed(&settings),
        Err((None, error)) if !named && error.kind() == io::ErrorKind::NotFound => {
            parsed(&BTreeMap::new())
        }
        Err((line, error)) => {
            let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
            Err(Invalid::Setting(format!("{}{line}: {error}", path.display())))
        }
    }
}

/// The grammar of the command line, with variables, and these defaults.
fn command(defaults: &BTreeMap<String, Vec<String>>) -> clap::Command {
    let options = Options::command().mut_args(|arg| {
        let Some(name) = name_of(&arg) else { return arg };
        let arg = arg.env(variable(&name)).hide_env(true);
        match defaults.get(&name) {
            Some(values) => arg.default_values(values.clone()),
            None => arg,
        }
    });
    with_documents(options, "chatloop-client")
}

/// The name of a setting; `None` for `--help` and its kind.
fn name_of(arg: &Arg) -> Option<String> {
    let id = arg.get_id().as_str();
    (!matches!(id, "help" | "version")).then(|| id.replace('_', "-"))
}

fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_uppercase())
}

fn settings() -> impl Iterator<Item = (String, Arg)> {
    let all: Vec<Arg> = Options::command().get_arguments().cloned().collect();
    all.into_iter().filter_map(|arg| Some((name_of(&arg)?, arg)))
}

fn default_file() -> Option<PathBuf> {
    let given = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = given("XDG_CONFIG_HOME").or_else(|| Some(given("HOME")?.join(".config")))?;
    Some(folder.join("chatloop/client.toml"))
}

/// Checks each variable by itself, so that the error can name it.
fn check_environment() -> Result<(), String> {
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if !name.starts_with(PREFIX) {
            continue;
        }
        let known = settings().find(|(known, _)| variable(known) == name);
        let why = match known {
            Some((_, arg)) => check(&arg, &value),
            None => Err("there is no such setting".to_owned()),
        };
        why.map_err(|why| format!("environment variable {name}: {why}"))?;
    }
    Ok(())
}

/// The settings of a file.
fn read_file(path: &Path) -> Result<BTreeMap<String, Vec<String>>, (Option<usize>, io::Error)> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| (None, error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err((None, io::Error::other(format!("it exceeds {MOST_BYTES} bytes"))));
    }
    let parsed = parse(text.trim_start_matches('\u{feff}'));
    parsed.map_err(|(line, why)| (Some(line), io::Error::other(why)))
}

fn parse(text: &str) -> Result<BTreeMap<String, Vec<String>>, (usize, String)> {
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let table: BTreeMap<Spanned<String>, Spanned<Value>> =
        toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            (line_at(place), format!("invalid TOML: {}", error.message()))
        })?;
    let mut found = BTreeMap::new();
    for (key, value) in table {
        let (line, name) = (line_at(key.span().start), key.into_inner());
        let wrong = |why| (line, format!("{name}: {why}"));
        let arg = settings().find(|(known, _)| *known == name && name != "config");
        let Some((_, arg)) = arg else { return Err(wrong(unknown(&name))) };
        let values = values_of(value.into_inner()).map_err(wrong)?;
        values.iter().try_for_each(|value| check(&arg, value)).map_err(wrong)?;
        found.insert(name, values);
    }
    Ok(found)
}

fn unknown(name: &str) -> String {
    let names = settings().map(|(name, _)| name).filter(|name| name != "config");
    let near = names.map(|known| (strsim::osa_distance(&known, name), known)).min();
    match near.filter(|(distance, known)| *distance <= known.len() / 3) {
        Some((_, near)) => format!("unknown setting (did you mean '{near}'?)"),
        None => "unknown setting (chatloop-client --help lists them)".to_owned(),
    }
}

/// A value as the command line would give it.
fn values_of(value: Value) -> Result<Vec<String>, String> {
    Ok(match value {
        Value::String(text) => vec![text],
        Value::Integer(number) => vec![number.to_string()],
        Value::Float(number) => vec![number.to_string()],
        Value::Boolean(on) => vec![on.to_string()],
        Value::Array(values) => {
            let values = values.into_iter().map(values_of).collect::<Result<Vec<_>, _>>()?;
            values.concat()
        }
        other => return Err(format!("unexpected {}", other.type_str())),
    })
}

/// Checks one value with the parser of its flag.
fn check(arg: &Arg, value: &str) -> Result<(), String> {
    let id = arg.get_id().as_str().to_owned();
    let words = match id.as_str() {
        "host" => vec!["--".to_owned(), value.to_owned()],
        "port" => vec!["--".to_owned(), "host".to_owned(), value.to_owned()],
        _ => vec![format!("--{}={value}", id.replace('_', "-"))],
    };
    let command = Options::command().no_binary_name(true);
    // A switch takes no value on the command line, but does elsewhere.
    let command = match arg.get_action() {
        ArgAction::SetTrue => command.mut_arg(id, |arg| arg.action(ArgAction::Set)),
        _ => command,
    };
    let Err(error) = command.try_get_matches_from(words) else { return Ok(()) };
    if let Some(why) = std::error::Error::source(&error) {
        return Err(why.to_string());
    }
    Err(match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            format!("invalid value '{value}' ({help})")
        }
        _ => format!("unexpected '{value}'"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_names_of_the_flags() {
        let text =
            "nick = \"ann\"\njoin = [\"#a\", \"#b\"]\ntls = true\ntimeout = 1.5\nhost = \"h\"";
        let matches = command(&parse(text).unwrap()).try_get_matches_from(["chatloop-client"]);
        let options = Options::from_arg_matches(&matches.unwrap()).unwrap();
        assert_eq!((options.nick.as_deref(), options.tls), (Some("ann"), true));
        assert_eq!((options.join.len(), options.timeout.as_millis()), (2, 1500));
        assert_eq!(options.server().unwrap().0, "h");
    }

    #[test]
    fn an_error_names_its_line_and_what_is_right() {
        for (text, line, why) in [
            ("nick = \"a\"\nnik = \"b\"", 2, "nik: unknown setting (did you mean 'nick'?)"),
            ("timeout = \"soon\"", 1, "timeout: "),
            ("bell = \"loud\"", 1, "bell: invalid value 'loud' (When to ring"),
            ("config = \"x\"", 1, "config: unknown setting"),
            ("tls = 5", 1, "tls: invalid value '5'"),
            ("nick = ", 1, "invalid TOML"),
        ] {
            let (at, what) = parse(text).unwrap_err();
            assert!(at == line && what.starts_with(why), "{text}: {at}: {what}");
        }
    }
}
