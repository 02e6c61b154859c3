//! The parameters of [`Config`] one by one: names, environment variables, and a check of one value.

use super::{Boot, Config};
use clap::{Arg, ArgAction, Args, CommandFactory};

/// The prefix of the environment variables.
pub(super) const PREFIX: &str = "CHATLOOP_";

/// The name of a setting; `None` for `--help` and its kind.
pub(super) fn name_of(arg: &Arg) -> Option<String> {
    let id = arg.get_id().as_str();
    (!matches!(id, "help" | "version" | "completions" | "man" | "example"))
        .then(|| id.replace('_', "-"))
}

pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_uppercase())
}

pub(super) fn parameters() -> Vec<Arg> {
    let command = Config::command();
    command.get_arguments().filter(|arg| name_of(arg).is_some()).cloned().collect()
}

/// Whether a setting takes effect only at the next start.
pub fn needs_restart(name: &str) -> bool {
    let boot = Boot::augment_args(clap::Command::new("boot"));
    boot.get_arguments().any(|arg| name_of(arg).as_deref() == Some(name))
}

/// The parameter of this name, if a file may set it: a file cannot name another file.
///
/// # Errors
/// The most similar name, if there is one.
pub(super) fn parameter(name: &str) -> Result<Arg, Option<String>> {
    let found = parameters().into_iter().find(|arg| name_of(arg).is_some_and(|it| it == name));
    if let Some(arg) = found.filter(|_| name != "config") {
        return Ok(arg);
    }
    // clap finds the most similar flag.
    let typed = format!("--{}", name.replace('_', "-"));
    let error = Config::command().try_get_matches_from(["chatloop-server", typed.as_str()]).err();
    let meant = error.as_ref().and_then(|error| error.get(clap::error::ContextKind::SuggestedArg));
    let meant = meant.map(|meant| meant.to_string().trim_start_matches('-').to_owned());
    // An underscore in place of a dash is the only mistake.
    let dashed = typed.trim_start_matches('-').to_owned();
    let known = |name: &String| parameters().iter().any(|arg| name_of(arg).as_ref() == Some(name));
    Err(Some(dashed).filter(|it| it != "config" && known(it)).or(meant))
}

/// A flag without a value.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// A flag that may be repeated.
pub(super) fn is_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Checks one value by itself, with the parser of its flag.
///
/// # Errors
/// What is wrong and what is expected, without the place. It contains no value of `--oper`.
pub(super) fn check(arg: &Arg, value: &str) -> Result<(), String> {
    let name = name_of(arg).unwrap_or_default();
    let (alone, words) = if arg.is_positional() {
        (arg.clone(), vec!["--".to_owned(), value.to_owned()])
    } else {
        // A switch takes no value on the command line, but does elsewhere.
        let alone = if is_switch(arg) { arg.clone().action(ArgAction::Set) } else { arg.clone() };
        (alone, vec![format!("--{name}={value}")])
    };
    let command = clap::Command::new("setting").no_binary_name(true).disable_help_flag(true);
    let Err(error) = command.arg(alone).try_get_matches_from(words) else { return Ok(()) };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    Err(format!("{} ({help})", reason(&error)))
}

/// clap's message in one line, without the flag.
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
