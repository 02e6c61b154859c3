//! The sources of settings: a flag, else the environment, else the file, else the default
//! ([`settings`](crate::settings)); and what the command line asks for beside them.

use super::Config;
use super::example::example;
use super::parameters::{SCHEMA, needs_restart};
use super::subcommands::Subcommand;
use crate::chat::Name;
use crate::journal::Selection;
use crate::server::Export;
use crate::settings::{
    Entry, InvalidFile, check_again, document, is_many, is_switch, name_of, with_documents,
};
use crate::wire::address::{Address, DEFAULT_HOST, DEFAULT_PORT};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Subcommand as _};
use std::ffi::OsString;
use std::path::PathBuf;
use thiserror::Error;

/// The source of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    Default,
    /// The file, with the line.
    File(usize),
    /// An environment variable.
    Environment(String),
    CommandLine,
}

impl Source {
    fn rank(&self) -> u8 {
        match self {
            Source::Default => 0,
            Source::File(_) => 1,
            Source::Environment(_) => 2,
            Source::CommandLine => 3,
        }
    }
}

/// One effective setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The flag without the dashes.
    pub name: String,
    /// As they were written: none, one, or several of a flag that may be repeated.
    pub values: Vec<String>,
    pub source: Source,
    /// A flag without a value.
    pub switch: bool,
    /// A flag that may be repeated.
    pub many: bool,
    /// The default in words, where it is not one value.
    pub otherwise: String,
}

/// All settings, and how to reload them.
#[derive(Clone, Debug)]
pub struct Settings {
    pub config: Config,
    /// The same values with their sources, in the order of the help.
    pub list: Vec<Setting>,
    arguments: Vec<OsString>,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Task {
    Serve(Box<Settings>),
    /// Print the settings.
    Show(Box<Settings>),
    /// Print a text: completions, the manual, an example.
    Text(Vec<u8>),
    /// Hash a password.
    Hash,
    /// Give an account a password, or make it: data directory, name, whether it is new.
    Password(PathBuf, String, bool),
    /// Write what a data directory holds.
    Export(Export),
    /// Copy a data directory to a new one.
    Backup(PathBuf, PathBuf),
    /// Copy a backup to an empty data directory.
    Restore(PathBuf, PathBuf),
    /// Fill an empty data directory from stdin.
    Import(PathBuf),
}

/// An error in the settings.
#[derive(Error, Debug)]
pub enum Invalid {
    /// In the command line, or it asked for help.
    #[error("{0}")]
    Arguments(Box<clap::Error>),
    #[error("{0}")]
    File(InvalidFile),
    /// In an environment variable: its name, and the error.
    #[error("environment variable {0}: {1}")]
    Environment(String, String),
    /// Each value is valid, but they are not valid together.
    #[error("{0}")]
    Together(String),
}

impl Task {
    /// Reads the command line, the environment and the file.
    ///
    /// # Errors
    /// The first error, with its place; or the text of `--help`.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, Invalid> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let matches = first_look(&arguments)?;
        if let Some(text) = document(|| grammar(&[]), &matches) {
            return Ok(Task::Text(text));
        }
        match matches.subcommand_name() {
            Some("config") if of_settings(&matches).get_flag("example") => {
                Ok(Task::Text(example().into_bytes()))
            }
            Some("config") => Settings::read(arguments, false).map(Box::new).map(Task::Show),
            Some(_) => {
                let asked = Subcommand::from_arg_matches(&matches);
                task_of(asked.map_err(|error| Invalid::Arguments(Box::new(error)))?)
            }
            None => match mistyped_subcommand(&matches) {
                Some(error) => Err(Invalid::Together(error)),
                None => Settings::read(arguments, false).map(Box::new).map(Task::Serve),
            },
        }
    }
}

impl Settings {
    fn read(arguments: Vec<OsString>, again: bool) -> Result<Settings, Invalid> {
        let first = first_look(&arguments)?;
        let entries = match of_settings(&first).get_one::<PathBuf>("config").cloned() {
            Some(path) => SCHEMA.read(&path).map_err(Invalid::File)?,
            None => Vec::new(),
        };
        let matches = matches(&arguments, &entries)?;
        let matches = of_settings(&matches);
        let config = Config::from_arg_matches(matches);
        let mut config = config.map_err(|error| Invalid::Arguments(Box::new(error)))?;
        let parameters = SCHEMA.parameters();
        let list = parameters.iter().map(|arg| setting(arg, matches, &entries));
        let mut list: Vec<Setting> = list.collect();
        split_address(&mut config, &mut list).map_err(Invalid::Together)?;
        if again {
            config.check_files(|_| true).map_err(Invalid::Together)?;
        }
        config.read_secrets().map_err(Invalid::Together)?;
        config.check().map_err(Invalid::Together)?;
        Ok(Settings { config, list, arguments })
    }

    /// Reads the same sources again. `None` without a file: nothing else can have changed.
    pub fn read_again(&self) -> Option<Result<Settings, Invalid>> {
        let path = self.config.boot.config.as_ref()?;
        if let Err(why) = check_again(path) {
            return Some(Err(Invalid::File(InvalidFile::unreadable_again(path, why))));
        }
        Some(Settings::read(self.arguments.clone(), true))
    }

    /// Keeps the settings that need a restart as they were.
    pub fn keep_boot(&mut self, before: &Settings) {
        self.config.boot = before.config.boot.clone();
        for (now, before) in self.list.iter_mut().zip(&before.list) {
            if needs_restart(&before.name) {
                now.clone_from(before);
            }
        }
    }
}

/// Moves a port that is part of the host, as in `7000` or `localhost:7000`, to the setting `port`.
fn split_address(config: &mut Config, list: &mut [Setting]) -> Result<(), String> {
    let address: Address = config.boot.host.parse()?;
    if address.tls {
        return Err(format!("'{address}': the + is for clients; a server speaks TLS with --tls"));
    }
    // The order of the help.
    let [host, port, ..] = list else { return Ok(()) };
    if let Some(number) = address.port {
        // A port from a weaker source gives way.
        if port.source.rank() >= host.source.rank() {
            address.with_port(Some(config.boot.port))?;
        }
        config.boot.port = number;
        port.values = vec![number.to_string()];
        port.source = host.source.clone();
    }
    if address.host.is_none() {
        host.source = Source::Default;
    }
    config.boot.host = address.host.unwrap_or_else(|| DEFAULT_HOST.to_owned());
    host.values = vec![config.boot.host.clone()];
    let is_given = host.source != Source::Default || port.source != Source::Default;
    if is_given && !config.boot.listen.is_empty() {
        let (host, port) = (config.boot.host.clone(), config.boot.port);
        config.boot.listen.insert(0, Address { host: Some(host), port: Some(port), tls: false });
    }
    Ok(())
}

/// An error if the command line is one word that looks like a subcommand with a mistake in it.
fn mistyped_subcommand(matches: &ArgMatches) -> Option<String> {
    let given = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
    if matches.subcommand_name().is_some() || !given("host") || given("port") {
        return None;
    }
    let word = matches.get_one::<String>("host")?;
    let grammar = grammar(&[]);
    let name = grammar
        .get_subcommands()
        .map(clap::Command::get_name)
        .find(|name| strsim::damerau_levenshtein(word, name) <= name.len() / 3)?;
    Some(format!(
        "unknown command '{word}': did you mean '{name}'? (to listen on a host of that name, give the \
         port too: {word}:{DEFAULT_PORT})"
    ))
}

fn task_of(subcommand: Subcommand) -> Result<Task, Invalid> {
    Ok(match subcommand {
        Subcommand::Hash => Task::Hash,
        Subcommand::Passwd { name, data, add } => Task::Password(data.data, name, add),
        Subcommand::Export { data, output, private, accounts, all, room } => {
            let room = room.as_deref().map(room_called).transpose()?;
            let selection = Selection { room, private, accounts };
            Task::Export(Export { data: data.data, all, selection, file: output })
        }
        Subcommand::Import(data) => Task::Import(data.data),
        Subcommand::Backup { dir, data } => Task::Backup(data.data, dir),
        Subcommand::Restore { dir, data } => Task::Restore(dir, data.data),
    })
}

fn room_called(name: &str) -> Result<Name, Invalid> {
    Name::room(name).map_err(|_| {
        Invalid::Together(format!(
            "invalid room name '{name}': room names begin with # (such as '#lobby')"
        ))
    })
}

/// The grammar of the whole command line, subcommands included.
fn grammar(entries: &[Entry]) -> clap::Command {
    let about = "Print the effective settings as a TOML file, with the source of each";
    let show = <Config as clap::Args>::augment_args(clap::Command::new("config"));
    let example = Arg::new("example")
        .long("example")
        .action(ArgAction::SetTrue)
        .help("Print a commented example of a configuration file instead");
    let show = show.about(about).long_about(about).arg(example);
    let serve = with_documents(SCHEMA.with_sources(Config::command(), entries), SCHEMA.program);
    Subcommand::augment_subcommands(serve.subcommand(SCHEMA.with_sources(show, entries)))
        .args_conflicts_with_subcommands(true)
}

/// Parses the command line without the file, to find the name of the file.
fn first_look(arguments: &[OsString]) -> Result<ArgMatches, Invalid> {
    let checked = SCHEMA.check_environment();
    let invalid_variable = checked.map_err(|(name, why)| Invalid::Environment(name, why));
    match matches(arguments, &[]) {
        // --help and --version work even if a variable is invalid.
        Err(Invalid::Arguments(error)) if !error.use_stderr() => Err(Invalid::Arguments(error)),
        matches => invalid_variable.and(matches),
    }
}

fn matches(arguments: &[OsString], entries: &[Entry]) -> Result<ArgMatches, Invalid> {
    let mut grammar = grammar(entries);
    grammar.try_get_matches_from_mut(arguments).map_err(|mut error| {
        hide_password(&mut error);
        Invalid::Arguments(Box::new(word_too_many(&mut grammar, &error).unwrap_or(error)))
    })
}

/// The error of a third word behind host and port, which clap takes for a subcommand.
fn word_too_many(grammar: &mut clap::Command, error: &clap::Error) -> Option<clap::Error> {
    let word = error.get(ContextKind::InvalidSubcommand)?.to_string();
    let is_one = grammar.find_subcommand(&word).is_some();
    (error.kind() == ErrorKind::ArgumentConflict && !is_one)
        .then(|| grammar.error(ErrorKind::UnknownArgument, format!("unexpected argument '{word}'")))
}

/// The invalid value may be a password.
fn hide_password(error: &mut clap::Error) {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if argument.is_some_and(|argument| argument.starts_with("--oper")) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("(not shown)".to_owned()));
    }
}

/// The matches that hold the settings: those of the subcommand, if there is one.
fn of_settings(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| inner)
}

fn setting(arg: &Arg, matches: &ArgMatches, entries: &[Entry]) -> Setting {
    let name = name_of(arg).unwrap_or_default();
    let id = arg.get_id().as_str();
    let raw = matches.get_raw(id).into_iter().flatten();
    let source = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Source::CommandLine,
        Some(ValueSource::EnvVariable) => Source::Environment(SCHEMA.variable(&name)),
        _ => match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => Source::File(entry.line),
            None => Source::Default,
        },
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let otherwise = help.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
    let mut values: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
    if is_switch(arg) {
        // A variable may have another word for true.
        values = vec![matches.get_flag(id).to_string()];
    }
    Setting {
        switch: is_switch(arg),
        many: is_many(arg),
        otherwise: otherwise.map(|(words, _)| words.to_owned()).unwrap_or_default(),
        name,
        values,
        source,
    }
}
