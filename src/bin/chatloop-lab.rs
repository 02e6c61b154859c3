//! `chatloop-lab`: load tests for chat servers, and traces of their loops. Arguments in, exit code out.

use chatloop::lab::{storm, swarm, trace};
#[cfg(feature = "simulation")]
use chatloop::simulation;
use clap::{Parser, Subcommand};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Load tests for chat servers, and traces of their loops
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
    Trace(Box<trace::Options>),
    #[cfg(feature = "simulation")]
    Simulate(Box<simulation::Options>),
    /// Run the whole server under one seed; only in a build with the feature "simulation"
    #[cfg(not(feature = "simulation"))]
    #[command(hide = true)]
    Simulate {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        _arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().tool {
        Tool::Swarm(options) => run_swarm(&options),
        Tool::Storm(options) => run_storm(&options),
        Tool::Trace(options) => run_trace(&options),
        #[cfg(feature = "simulation")]
        Tool::Simulate(options) => run_simulation(&options),
        #[cfg(not(feature = "simulation"))]
        Tool::Simulate { .. } => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this build has no simulation; build one with: cargo build --features simulation",
        )),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("chatloop-lab: {error}");
        if error.kind() == io::ErrorKind::InvalidInput { 2 } else { 3 }
    }))
}

fn run_swarm(options: &swarm::Options) -> io::Result<u8> {
    let report = swarm::run(options)?;
    let text = if options.json { report.to_json() } else { report.to_string() };
    Ok(print(&text, report.exit_code()))
}

/// Writes a line to stdout. A closed one is not the server's fault, and the exit code is that of the
/// report; a report that is lost to a full disk is an error.
fn print(text: &str, code: u8) -> u8 {
    let mut out = io::stdout();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("chatloop-lab: could not write to standard output: {error}");
            1
        }
        _ => code,
    }
}

fn run_storm(options: &storm::Options) -> io::Result<u8> {
    let mut out = io::stdout();
    let style = options.style();
    if options.list {
        storm::names().for_each(|name| drop(writeln!(out, "{name}")));
        return Ok(0);
    }
    if let Some(heading) = style.heading()
        && options.skip == 0
    {
        let _ = writeln!(out, "{heading}");
    }
    let mut all_pass = true;
    // A whole table takes minutes, so each row is printed as soon as it is measured.
    storm::run(options, |row| {
        all_pass &= row.passes();
        let _ = writeln!(out, "{}", style.row(row));
    })?;
    Ok(u8::from(!all_pass))
}

#[cfg(feature = "simulation")]
fn run_simulation(options: &simulation::Options) -> io::Result<u8> {
    Ok(match simulation::run(options) {
        Ok((seeds, sum)) => print(&format!("{seeds} seeds, no failure: {sum}"), 0),
        Err(failure) => print(&failure.to_string(), 1),
    })
}

fn run_trace(options: &trace::Options) -> io::Result<u8> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = trace::run(options, &mut out).and_then(|()| out.flush());
    match result {
        // `chatloop-lab trace FILE | head`
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        result => result.map(|()| 0),
    }
}
