//! `chatloop-lab`: load tests for chat servers, and traces of their loops. Arguments in, exit code out.

#[path = "shared/usage.rs"]
mod usage;

use chatloop::lab::{document, storm, swarm, trace, with_documents};
#[cfg(feature = "simulation")]
use chatloop::simulation;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io;
use std::process::ExitCode;
use usage::{print_error, print_text, print_usage};

const NAME: &str = "chatloop-lab";

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
    let grammar = || with_documents(Arguments::command(), NAME).subcommand_required(false);
    let matches = match grammar().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return ExitCode::from(print_usage(NAME, &error)),
    };
    if let Some(text) = document(grammar, &matches) {
        return ExitCode::from(print_text(NAME, text, 0));
    }
    let outcome = match Arguments::from_arg_matches(&matches).map(|arguments| arguments.tool) {
        Ok(Tool::Swarm(options)) => run_swarm(&options),
        Ok(Tool::Storm(options)) => run_storm(&options),
        Ok(Tool::Trace(options)) => run_trace(&options),
        #[cfg(feature = "simulation")]
        Ok(Tool::Simulate(options)) => run_simulation(&options),
        #[cfg(not(feature = "simulation"))]
        Ok(Tool::Simulate { .. }) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this build has no simulation; build one with: cargo build --features simulation",
        )),
        Err(error) => Ok(print_usage(NAME, &error)),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        print_error(NAME, &error);
        if error.kind() == io::ErrorKind::InvalidInput { 2 } else { 3 }
    }))
}

fn run_swarm(options: &swarm::Options) -> io::Result<u8> {
    let report = swarm::run(options)?;
    let text = if options.json { report.to_json() } else { report.to_string() };
    // A closed pipe is not the server's fault: the exit code is that of the report.
    Ok(print_text(NAME, format!("{text}\n"), report.exit_code()))
}

fn run_storm(options: &storm::Options) -> io::Result<u8> {
    let style = options.style();
    if options.list {
        let names: String = storm::names().map(|name| format!("{name}\n")).collect();
        return Ok(print_text(NAME, names, 0));
    }
    let mut failed = 0;
    let mut print = |line: String| failed |= print_text(NAME, line + "\n", 0);
    if let Some(heading) = style.heading()
        && options.skip == 0
    {
        print(heading);
    }
    let mut all_pass = true;
    // A whole table takes minutes, so each row is printed as soon as it is measured.
    storm::run(options, |row| {
        all_pass &= row.passes();
        print(style.row(row));
    })?;
    Ok(failed | u8::from(!all_pass))
}

#[cfg(feature = "simulation")]
fn run_simulation(options: &simulation::Options) -> io::Result<u8> {
    Ok(match simulation::run(options) {
        Ok((seeds, sum)) => print_text(NAME, format!("{seeds} seeds, no failure: {sum}\n"), 0),
        Err(failure) => print_text(NAME, format!("{failure}\n"), 1),
    })
}

fn run_trace(options: &trace::Options) -> io::Result<u8> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match trace::run(options, &mut out) {
        Ok(()) => Ok(0),
        // `chatloop-lab trace FILE | head`
        Err(trace::Failure::Output(_, error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(trace::Failure::Input(error)) => Err(error),
        Err(error) => {
            print_error(NAME, error);
            Ok(1)
        }
    }
}
