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
    // A closed standard output is not the server's fault: the exit code is that of the report.
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::from(report.exit_code())
}

fn run_storm(options: &storm::Options) -> ExitCode {
    let mut out = std::io::stdout();
    let style = options.style();
    if options.list {
        storm::names().for_each(|name| drop(writeln!(out, "{name}")));
        return ExitCode::SUCCESS;
    }
    if let Some(heading) = style.heading()
        && options.skip == 0
    {
        let _ = writeln!(out, "{heading}");
    }
    let mut all_pass = true;
    // A whole table takes minutes, so each row is printed as soon as it is measured.
    let outcome = storm::run(options, |row| {
        all_pass &= row.passes();
        let _ = writeln!(out, "{}", style.row(row));
    });
    match outcome {
        Ok(()) => ExitCode::from(u8::from(!all_pass)),
        Err(error) => {
            eprintln!("chatloop-lab: {error}");
            let invalid = error.kind() == std::io::ErrorKind::InvalidInput;
            ExitCode::from(if invalid { 2 } else { 3 })
        }
    }
}
