//! The settings of a program one by one: names, variables, and a check of one value.

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command};

/// What settings a program has.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Its name.
    pub program: &'static str,
    /// Its arguments.
    pub grammar: fn() -> Command,
    /// The prefix of their variables.
    pub prefix: &'static str,
    /// Other variables that it reads.
    pub beside: &'static [&'static str],
    /// Beginnings of variables that other programs read.
    pub others: &'static [&'static str],
}

/// One line of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The setting.
    pub name: String,
    /// Its values, as a command line would give them.
    pub values: Vec<String>,
    /// The line, from 1.
    pub line: usize,
}

impl Schema {
    /// The variable of a setting.
    pub fn variable(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.replace('-', "_").to_uppercase())
    }

    /// The settings, in the order of the help.
    pub fn parameters(&self) -> Vec<Arg> {
        let command = (self.grammar)();
        let arguments = command.get_arguments().filter(|arg| name_of(arg).is_some());
        arguments.cloned().map(with_switch).collect()
    }

    /// The setting of this name, if a file may set it: a file cannot name another file.
    ///
    /// # Errors
    /// The most similar name, if there is one.
    pub(super) fn parameter(&self, name: &str) -> Result<Arg, Option<String>> {
        let mut nearest: Option<(usize, String)> = None;
        for arg in self.parameters() {
            let Some(known) = name_of(&arg).filter(|known| known != "config") else { continue };
            if known == name {
                return Ok(arg);
            }
            let distance = strsim::osa_distance(&known, &name.replace('_', "-"));
            let is_near = distance <= known.len() / 3;
            if is_near && nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
                nearest = Some((distance, known));
            }
        }
        Err(nearest.map(|(_, known)| known))
    }

    /// Gives every argument its variable, and the value of the file as its default.
    pub fn with_sources(&self, command: Command, entries: &[Entry]) -> Command {
        command.mut_args(|arg| {
            let Some(name) = name_of(&arg) else { return arg };
            let arg = with_switch(arg).env(self.variable(&name)).hide_env(true);
            match entries.iter().find(|entry| entry.name == name) {
                Some(entry) => arg.default_values(entry.values.clone()),
                None => arg,
            }
        })
    }
}

/// The name of a setting; `None` for `--help` and its kind.
pub fn name_of(arg: &Arg) -> Option<String> {
    let id = arg.get_id().as_str();
    (!matches!(id, "help" | "version" | "completions" | "man" | "example"))
        .then(|| id.replace('_', "-"))
}

/// A variable may say yes, on or 1 for a flag without a value.
fn with_switch(arg: Arg) -> Arg {
    if is_switch(&arg) { arg.value_parser(BoolishValueParser::new()) } else { arg }
}

/// A flag without a value.
pub fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// A flag that may be repeated.
pub fn is_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Checks one value by itself, with the parser of its flag.
///
/// # Errors
/// What is wrong and what is expected, without the place. What a parser does not repeat of the value,
/// a password say, is not in it.
pub(super) fn check(arg: &Arg, value: &str) -> Result<(), String> {
    // Alone: what it requires or excludes is checked for all of them together.
    let alone = Arg::new("value").long("value").value_parser(arg.get_value_parser().clone());
    let command = Command::new("setting").no_binary_name(true).disable_help_flag(true);
    let checked = command.arg(alone).try_get_matches_from([format!("--value={value}")]);
    let Err(error) = checked else { return Ok(()) };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    Err(format!("{} ({help})", reason(&error)))
}

/// The text of an error, without what Rust and clap say of a wrong number or switch.
pub fn in_words(text: &str) -> String {
    text.replace("invalid digit found in string", "expected a whole number")
        .replace("cannot parse integer from empty string", "expected a whole number")
        .replace("number too large to fit in target type", "the number is too large")
        .replace("number would be zero for non-zero type", "expected a number above 0")
        .replace("value was not a boolean", "expected true or false")
}

/// clap's message in one line, without the flag.
fn reason(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue};
    if let Some(inner) = std::error::Error::source(error) {
        return in_words(&inner.to_string());
    }
    let value = error.get(ContextKind::InvalidValue).map(ToString::to_string).unwrap_or_default();
    match error.get(ContextKind::ValidValue) {
        _ if value.is_empty() => "the value is empty".to_owned(),
        Some(ContextValue::Strings(right)) => {
            format!("invalid value '{value}': expected one of {}", right.join(", "))
        }
        _ => format!("invalid value '{value}'"),
    }
}
