//! `chatloop-server`: arguments in, exit code out.

use chatloop::server::config::{Invalid, Settings, Task};
use chatloop::server::{Ending, JournalError, Log, Server, export, import, password, set_password};
use std::io::{BufWriter, ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Task::read(std::env::args_os()) {
        Ok(Task::Serve(settings)) => serve(*settings),
        Ok(Task::Show(settings)) => print(&settings.to_string()),
        Ok(Task::Hash) => hash(),
        Ok(Task::Password(directory, name, add)) => match set_password(&directory, &name, add) {
            Ok(done) => {
                eprintln!("{done}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("chatloop-server: {error}");
                ExitCode::FAILURE
            }
        },
        Ok(Task::Export(directory, room)) => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            let written = export(&directory, room.as_ref(), &mut out);
            told(written.map(|messages| format!("{messages} messages written")))
        }
        Ok(Task::Import(directory)) => {
            let read = import(&directory, &mut std::io::stdin().lock());
            told(read.map(|imported| format!("{} messages imported", imported.messages)))
        }
        // clap knows its colours and its exit code, and that help is not an error.
        Err(Invalid::Arguments(error)) => match error.print() {
            Err(failed) if !error.use_stderr() => not_written(&failed),
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        },
        Err(error) => {
            eprintln!("chatloop-server: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(settings: Settings) -> ExitCode {
    let log = match Log::start(&settings.config) {
        Ok(log) => log,
        Err(_) => return ExitCode::FAILURE, // no thread: and nowhere to say so without waiting
    };
    let code = run(settings, &log);
    log.finish();
    code
}

fn run(settings: Settings, log: &Log) -> ExitCode {
    let mut server = match Server::start(settings) {
        Ok(server) => server,
        Err(error) => {
            log.say(&format!("chatloop-server: {error}"));
            return ExitCode::FAILURE;
        }
    };
    log.say(&server.ready_line());
    log.settle();
    let ending = server.run();
    // Restores the terminal before the error is printed.
    drop(server);
    match ending {
        Ok(Ending::Orderly) => ExitCode::SUCCESS,
        Ok(Ending::Hasty) => ExitCode::from(130),
        // The log has said why.
        Ok(Ending::Unsaved) => ExitCode::FAILURE,
        Err(error) => {
            log.say(&format!("chatloop-server: fatal error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes to stdout. A reader that has seen enough is no error.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => not_written(&error),
    }
}

fn not_written(error: &std::io::Error) -> ExitCode {
    if error.kind() == ErrorKind::BrokenPipe {
        return ExitCode::SUCCESS;
    }
    eprintln!("chatloop-server: could not write to standard output: {error}");
    ExitCode::FAILURE
}

/// Tells how a task went, on stderr: stdout is for what it makes.
fn told(outcome: Result<String, JournalError>) -> ExitCode {
    let (text, code) = match outcome {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(JournalError::Stream(error)) if error.kind() == ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(error) => (format!("chatloop-server: {error}"), ExitCode::FAILURE),
    };
    eprintln!("{text}");
    code
}

fn hash() -> ExitCode {
    match password::ask_and_hash() {
        Ok(hash) => print(&format!("{}\n", hash.as_phc())),
        Err(error) => {
            eprintln!("chatloop-server: {error}");
            ExitCode::FAILURE
        }
    }
}
