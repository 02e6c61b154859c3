//! `chatloop-client [HOST] [PORT]`: arguments in, exit code out.

use chatloop::client::{Options, run};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(run(&Options::parse()).code())
}
