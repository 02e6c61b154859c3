//! Sources of settings: a flag, else the environment, else a file, else the default.
//!
//! Each setting is defined once, as a field of [`Config`] with its flag. The rest is derived:
//! `--max-line` is `CHATLOOP_MAX_LINE` in the environment and `max-line` in the file. A value from
//! the file becomes the flag's default before clap parses the command line, so every source goes
//! through the same parser and has the same limits, and clap itself can tell which one has won.

use super::Config;
use super::file::{self, Entry, WrongFile};
use crate::chat::Name;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The prefix of every variable.
const PREFIX: &str = "CHATLOOP_";

/// The source of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// It was not set.
    Default,
    /// The file, in this line.
    File(usize),
    /// A variable of the environment.
    Environment(String),
    /// A flag or an argument.
    CommandLine,
}

/// One effective setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its name, as a flag without the dashes.
    pub name: String,
    /// Its values as they were written: one, none, or several of a flag that may be repeated.
    pub values: Vec<String>,
    pub origin: Origin,
    /// Whether it is a flag without a value.
    pub switch: bool,
    /// Whether it may be repeated.
    pub many: bool,
    /// The description of its default.
    pub otherwise: String,
}

/// All settings, and how to reload them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The values.
    pub config: Config,
    /// The same with their origins, in the order of the help.
    pub list: Vec<Setting>,
    arguments: Vec<OsString>,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Task {
    /// Serve.
    Serve(Box<Settings>),
    /// Print the settings.
    Show(Box<Settings>),
    /// Make a password's hash.
    Hash,
    /// Write a journal, or one room of it, to stdout.
    Export(PathBuf, Option<Name>),
    /// Fill an empty journal from stdin.
    Import(PathBuf),
}

/// Why there are no settings.
#[derive(Debug)]
pub enum Wrong {
    /// The command line is wrong, or requested help.
    Arguments(Box<clap::Error>),
    /// The file.
    File(WrongFile),
    /// A variable: its name, and its error.
    Environment(String, String),
    /// Each value is right, but not with the others.
    Together(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Arguments(error) => error.fmt(f),
            Wrong::File(error) => error.fmt(f),
            Wrong::Environment(name, why) => write!(f, "environment variable {name}: {why}"),
            Wrong::Together(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Wrong {}

impl Task {
    /// Reads the command line, and what it and the environment refer to.
    ///
    /// # Errors
    /// What is wrong, with the place; or the text of `--help`.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, Wrong> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let matches = first_look(&arguments)?;
        match matches.subcommand_name() {
            Some("hash") => Ok(Task::Hash),
            Some("export") => export_task(&matches),
            Some("import") => Ok(Task::Import(data_of(&matches))),
            Some("config") => Settings::read(arguments).map(Box::new).map(Task::Show),
            _ => Settings::read(arguments).map(Box::new).map(Task::Serve),
        }
    }
}

impl Settings {
    fn read(arguments: Vec<OsString>) -> Result<Settings, Wrong> {
        let first = first_look(&arguments)?;
        let entries = match of_settings(&first).get_one::<PathBuf>("config").cloned() {
            Some(path) => file::read(&path).map_err(Wrong::File)?,
            None => Vec::new(),
        };
        let matches = matches(&arguments, &entries)?;
        let matches = of_settings(&matches);
        let config = Config::from_arg_matches(matches);
        let config = config.map_err(|error| Wrong::Arguments(Box::new(error)))?;
        config.check().map_err(Wrong::Together)?;
        let list = parameters().iter().map(|arg| setting(arg, matches, &entries)).collect();
        Ok(Settings { config, list, arguments })
    }

    /// Reads the same sources again. `None` without a file: nothing else can have changed.
    ///
    /// # Errors
    /// What is wrong, with the place.
    pub fn read_again(&self) -> Option<Result<Settings, Wrong>> {
        let path = self.config.config.as_ref()?;
        // A pipe would give nothing, or keep the loop waiting.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Some(Err(Wrong::File(WrongFile::not_again(path))));
        }
        Some(Settings::read(self.arguments.clone()))
    }
}

/// The room to export; all of them without one.
fn export_task(matches: &ArgMatches) -> Result<Task, Wrong> {
    let asked = matches.subcommand().and_then(|(_, given)| given.get_one::<String>("room"));
    let room = asked.map(|text| Name::room(text)).transpose().map_err(|_| {
        Wrong::Together(format!(
            "invalid room name '{}': room names begin with # (such as '#lobby')",
            asked.map_or("", |it| it)
        ))
    })?;
    Ok(Task::Export(data_of(matches), room))
}

/// The data directory of a subcommand, which requires one.
fn data_of(matches: &ArgMatches) -> PathBuf {
    let given = matches.subcommand().and_then(|(_, given)| given.get_one::<PathBuf>("data"));
    given.cloned().unwrap_or_default()
}

/// `--data DIR` of a task that does nothing without it.
fn data() -> Arg {
    let directory = clap::value_parser!(PathBuf);
    Arg::new("data")
        .long("data")
        .value_name("DIR")
        .value_parser(directory)
        .env(variable("data"))
        .hide_env(true)
        .required(true)
        .help("Data directory")
}

/// The whole command line's grammar. Further tasks are added here.
fn grammar(entries: &[Entry]) -> clap::Command {
    let about = "Print the effective settings as a TOML file, with the source of each";
    let show = <Config as clap::Args>::augment_args(clap::Command::new("config"));
    let show = show.about(about).long_about(about);
    let hash = clap::Command::new("hash")
        .about("Hash a password for --oper, read from the terminal or from stdin");
    let room = Arg::new("room")
        .value_name("ROOM")
        .help("Export one room only, such as '#lobby' [default: all]");
    let export = clap::Command::new("export")
        .about("Write the messages in a data directory to stdout as JSON lines")
        .arg(data())
        .arg(room);
    let import = clap::Command::new("import")
        .about("Import an export from stdin into an empty data directory (all or nothing)")
        .arg(data());
    with_sources(Config::command(), entries)
        .subcommand(with_sources(show, entries))
        .subcommands([hash, export, import])
        .args_conflicts_with_subcommands(true)
}

/// Adds to every argument its variable, and as its default the value in the file.
fn with_sources(command: clap::Command, entries: &[Entry]) -> clap::Command {
    command.mut_args(|arg| {
        let Some(name) = name_of(&arg) else { return arg };
        let arg = arg.env(variable(&name)).hide_env(true);
        match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => arg.default_values(entry.values.clone()),
            None => arg,
        }
    })
}

/// The command line without the file, which it names.
fn first_look(arguments: &[OsString]) -> Result<ArgMatches, Wrong> {
    let wrong_variable = check_environment();
    match matches(arguments, &[]) {
        // Help, or the like: it must be there for who has a wrong variable, too.
        Err(Wrong::Arguments(error)) if !error.use_stderr() => Err(Wrong::Arguments(error)),
        matches => wrong_variable.and(matches),
    }
}

fn matches(arguments: &[OsString], entries: &[Entry]) -> Result<ArgMatches, Wrong> {
    grammar(entries).try_get_matches_from(arguments).map_err(|mut error| {
        hide_password(&mut error);
        Wrong::Arguments(Box::new(error))
    })
}

/// A password may have been given in place of its hash.
fn hide_password(error: &mut clap::Error) {
    use clap::error::{ContextKind, ContextValue};
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if argument.is_some_and(|argument| argument.starts_with("--oper")) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("(not shown)".to_owned()));
    }
}

/// The matches that hold the settings: a task has its own.
fn of_settings(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| inner)
}

/// The name of a setting; `None` for `--help` and its kind.
fn name_of(arg: &Arg) -> Option<String> {
    let id = arg.get_id().as_str();
    (!matches!(id, "help" | "version")).then(|| id.replace('_', "-"))
}

fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_uppercase())
}

/// Everything that can be set.
pub(super) fn parameters() -> Vec<Arg> {
    let command = Config::command();
    command.get_arguments().filter(|arg| name_of(arg).is_some()).cloned().collect()
}

/// The parameter of this name, as far as a file may set it: not the file itself.
///
/// # Errors The name that was probably meant.
pub(super) fn parameter(name: &str) -> Result<Arg, Option<String>> {
    let found = parameters().into_iter().find(|arg| name_of(arg).is_some_and(|it| it == name));
    if let Some(arg) = found.filter(|_| name != "config") {
        return Ok(arg);
    }
    // clap suggests a flag for a mistyped one.
    let typed = format!("--{}", name.replace('_', "-"));
    let error = Config::command().try_get_matches_from(["chatloop-server", typed.as_str()]).err();
    let meant = error.as_ref().and_then(|error| error.get(clap::error::ContextKind::SuggestedArg));
    let meant = meant.map(|meant| meant.to_string().trim_start_matches('-').to_owned());
    // The underscore was all that was wrong.
    let dashed = typed.trim_start_matches('-').to_owned();
    let known = |name: &String| parameters().iter().any(|arg| name_of(arg).as_ref() == Some(name));
    Err(Some(dashed).filter(|it| it != "config" && known(it)).or(meant))
}

/// Whether it is a flag without a value.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Whether it may be repeated.
pub(super) fn is_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Whether `value` is valid for this parameter.
///
/// # Errors
/// What is wrong and what would be right, without the place. No value of `--oper` is in it.
pub(super) fn check(arg: &Arg, value: &str) -> Result<(), String> {
    let name = name_of(arg).unwrap_or_default();
    let (alone, words) = if arg.is_positional() {
        (arg.clone(), vec!["--".to_owned(), value.to_owned()])
    } else {
        // A switch takes no value on the command line; elsewhere it does.
        let alone = if is_switch(arg) { arg.clone().action(ArgAction::Set) } else { arg.clone() };
        (alone, vec![format!("--{name}={value}")])
    };
    let command = clap::Command::new("setting").no_binary_name(true).disable_help_flag(true);
    let Err(error) = command.arg(alone).try_get_matches_from(words) else { return Ok(()) };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    Err(format!("{} ({help})", reason(&error)))
}

/// clap's error in one line without the flag.
fn reason(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue};
    if let Some(inner) = std::error::Error::source(error) {
        return inner.to_string();
    }
    let value = error.get(ContextKind::InvalidValue).map(ToString::to_string).unwrap_or_default();
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(right)) => {
            format!("invalid value '{value}': expected one of {}", right.join(", "))
        }
        _ => format!("invalid value '{value}'"),
    }
}

/// Looks at each variable by itself, so that the message can name it.
fn check_environment() -> Result<(), Wrong> {
    for arg in parameters() {
        let variable = variable(&name_of(&arg).unwrap_or_default());
        let Some(value) = std::env::var_os(&variable) else { continue };
        let value = value.to_string_lossy();
        let wrong = |why| Wrong::Environment(variable.clone(), why);
        if is_many(&arg) {
            value.split(super::BETWEEN).try_for_each(|part| check(&arg, part)).map_err(wrong)?;
        } else {
            check(&arg, &value).map_err(wrong)?;
        }
    }
    Ok(())
}

fn setting(arg: &Arg, matches: &ArgMatches, entries: &[Entry]) -> Setting {
    let name = name_of(arg).unwrap_or_default();
    let id = arg.get_id().as_str();
    let raw = matches.get_raw(id).into_iter().flatten();
    let origin = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Origin::CommandLine,
        Some(ValueSource::EnvVariable) => Origin::Environment(variable(&name)),
        _ => match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => Origin::File(entry.line),
            None => Origin::Default,
        },
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let otherwise = help.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
    let mut values: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
    if is_switch(arg) {
        // A variable may have another spelling of it.
        values = vec![matches.get_flag(id).to_string()];
    }
    Setting {
        switch: is_switch(arg),
        many: is_many(arg),
        otherwise: otherwise.map(|(words, _)| words.to_owned()).unwrap_or_default(),
        name,
        values,
        origin,
    }
}
