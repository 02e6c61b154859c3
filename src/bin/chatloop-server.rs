//! `chatloop-server`: arguments in, exit code out.

use chatloop::server::config::{Settings, Task, Wrong};
use chatloop::server::{Ending, Server, logging, password};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Task::read(std::env::args_os()) {
        Ok(Task::Serve(settings)) => serve(*settings),
        Ok(Task::Show(settings)) => {
            print!("{settings}");
            ExitCode::SUCCESS
        }
        Ok(Task::Hash) => hash(),
        // It knows its colours, its exit code, and that help is no error.
        Err(Wrong::Arguments(error)) => error.exit(),
        Err(wrong) => {
            eprintln!("chatloop-server: {wrong}");
            ExitCode::from(2)
        }
    }
}

fn serve(settings: Settings) -> ExitCode {
    logging::start(settings.config.log);
    let mut server = match Server::start(settings) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("chatloop-server: {error}");
            return ExitCode::FAILURE;
        }
    };
    eprintln!("{}", server.ready_line());
    match server.run() {
        Ok(Ending::Orderly) => ExitCode::SUCCESS,
        Ok(Ending::Hasty) => ExitCode::from(130),
        Err(error) => {
            // The terminal is whole again before anything is printed.
            drop(server);
            eprintln!("chatloop-server: the loop cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hash() -> ExitCode {
    match password::ask_and_hash() {
        Ok(hash) => {
            println!("{}", hash.as_phc());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("chatloop-server: {error}");
            ExitCode::FAILURE
        }
    }
}
