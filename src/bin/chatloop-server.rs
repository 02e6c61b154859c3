//! `chatloop-server`: arguments in, exit code out.

use chatloop::server::{Config, Ending, Log, Server};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let config = Config::parse();
    let log = match Log::start(&config) {
        Ok(log) => log,
        Err(_) => return ExitCode::FAILURE, // no thread: and nowhere to say so without waiting
    };
    let code = run(config, &log);
    log.finish();
    code
}

fn run(config: Config, log: &Log) -> ExitCode {
    let mut server = match Server::start(config) {
        Ok(server) => server,
        Err(error) => {
            log.say(&format!("chatloop-server: {error}"));
            return ExitCode::FAILURE;
        }
    };
    log.say(&server.ready_line());
    match server.run() {
        Ok(Ending::Orderly) => ExitCode::SUCCESS,
        Ok(Ending::Hasty) => ExitCode::from(130),
        Err(error) => {
            log.say(&format!("chatloop-server: the loop cannot go on: {error}"));
            ExitCode::FAILURE
        }
    }
}
