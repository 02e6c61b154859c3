//! `chatloop-client [HOST] [PORT]`: arguments in, exit code out.

#[path = "shared/usage.rs"]
mod usage;

use chatloop::client::{Exit, Invalid, mistyped_variables, read, run};
use std::process::ExitCode;
use usage::{print_error, print_text, print_usage};

const NAME: &str = "chatloop-client";

fn main() -> ExitCode {
    ExitCode::from(match read(std::env::args_os()) {
        Ok(options) => {
            mistyped_variables().iter().for_each(|text| print_error(NAME, text));
            run(&options).code()
        }
        Err(Invalid::Document(text)) => print_text(NAME, text, 0),
        Err(Invalid::Arguments(error)) => print_usage(NAME, &error),
        Err(Invalid::File(error)) => wrong(&error.to_string()),
        Err(Invalid::Environment(name, why)) => {
            wrong(&format!("environment variable {name}: {why}"))
        }
    })
}

fn wrong(why: &str) -> u8 {
    print_error(NAME, why);
    Exit::Arguments.code()
}
