//! `chatloop-lab`: load tests for chat servers. Arguments in, exit code out.

use chatloop::lab::swarm;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// Load tests for chat servers
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Subcommand)]
enum Tool {
    Swarm(Box<swarm::Options>),
}

fn main() -> ExitCode {
    match Arguments::parse().tool {
        Tool::Swarm(options) => run_swarm(&options),
    }
}

fn run_swarm(options: &swarm::Options) -> ExitCode {
    let report = match swarm::run(options) {
        Ok(report) => report,
        Err(trouble) => {
            eprintln!("chatloop-lab: {trouble}");
            return ExitCode::from(trouble.exit_code());
        }
    };
    let text = if options.json { report.to_json() } else { report.to_string() };
    // A reader who has left is no fault of the server: the exit code is what was found.
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::from(report.exit_code())
}
