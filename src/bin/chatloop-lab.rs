//! `chatloop-lab`: load tests for chat servers. Arguments in, exit code out.

use chatloop::lab::{storm, swarm};
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
    Storm(Box<storm::Options>),
}

fn main() -> ExitCode {
    match Arguments::parse().tool {
        Tool::Swarm(options) => run_swarm(&options),
        Tool::Storm(options) => run_storm(&options),
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

fn run_storm(options: &storm::Options) -> ExitCode {
    let mut out = std::io::stdout();
    if options.list {
        storm::names().for_each(|name| drop(writeln!(out, "{name}")));
        return ExitCode::SUCCESS;
    }
    // A full table takes minutes, so a person sees each row when it is there.
    let report = storm::run(options, |row| eprintln!("{row}"));
    match report {
        Ok(report) => {
            let text = match () {
                () if options.json => report.to_json(),
                () if options.markdown => report.to_markdown(),
                () => report.to_string(),
            };
            let _ = writeln!(out, "{text}");
            ExitCode::from(report.exit_code())
        }
        Err(error) => {
            eprintln!("chatloop-lab: {error}");
            let invalid = error.kind() == std::io::ErrorKind::InvalidInput;
            ExitCode::from(if invalid { 2 } else { 3 })
        }
    }
}
