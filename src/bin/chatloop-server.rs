//! `chatloop-server`: arguments in, exit code out.

#[path = "shared/usage.rs"]
mod usage;

use chatloop::server::config::{Invalid, Settings, Task};
use chatloop::server::{Ending, JournalError, Log, Server};
use chatloop::server::{backup, export, import, password, restore, set_password};
use std::fmt::Display;
use std::io::ErrorKind;
use std::process::ExitCode;
use usage::{print_error, print_text, print_usage};

const NAME: &str = "chatloop-server";

fn main() -> ExitCode {
    match Task::read(std::env::args_os()) {
        Ok(Task::Serve(settings)) => serve(*settings),
        Ok(Task::Show(settings)) => print(settings.to_string().as_bytes()),
        Ok(Task::Text(text)) => print(&text),
        Ok(Task::Hash) => hash(),
        Ok(Task::Password(directory, name, add)) => done(set_password(&directory, &name, add)),
        Ok(Task::Export(wanted)) => told(export(&wanted)),
        Ok(Task::Backup(data, to)) => {
            told(backup(&data, &to).map(|()| format!("backup written to '{}'", to.display())))
        }
        Ok(Task::Restore(from, data)) => done(restore(&from, &data)),
        Ok(Task::Import(directory)) => {
            let read = import(&directory, &mut std::io::stdin().lock());
            told(read.map(|messages| format!("{messages} messages imported")))
        }
        Err(Invalid::Arguments(error)) => ExitCode::from(print_usage(NAME, &error)),
        Err(error) => {
            print_error(NAME, error);
            ExitCode::from(2)
        }
    }
}

fn serve(settings: Settings) -> ExitCode {
    let log = match Log::start(&settings.config) {
        Ok(log) => log,
        Err(error) => return failed(format_args!("no log: {error}")),
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

fn print(text: &[u8]) -> ExitCode {
    ExitCode::from(print_text(NAME, text, 0))
}

/// Tells how a task went, on stderr: stdout is for what it makes.
fn told(outcome: Result<String, JournalError>) -> ExitCode {
    match outcome {
        Ok(text) => succeeded(&text),
        Err(JournalError::Stream(why)) if why.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

fn done(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(text) => succeeded(&text),
        Err(error) => failed(error),
    }
}

fn succeeded(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::SUCCESS
}

fn failed(why: impl Display) -> ExitCode {
    print_error(NAME, why);
    ExitCode::FAILURE
}

fn hash() -> ExitCode {
    match password::ask_and_hash() {
        Ok(hash) => print(format!("{}\n", hash.as_phc()).as_bytes()),
        Err(error) => failed(error),
    }
}
