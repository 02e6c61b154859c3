//! `chatloop-client [HOST] [PORT]`: arguments in, exit code out.

use chatloop::client::{Options, document, run, with_documents};
use clap::{CommandFactory, FromArgMatches};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = with_documents(Options::command(), "chatloop-client");
    let matches = command.clone().get_matches();
    if let Some(text) = document(&command, &matches) {
        return ExitCode::from(u8::from(std::io::stdout().write_all(&text).is_err()));
    }
    let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    ExitCode::from(run(&options).code())
}
