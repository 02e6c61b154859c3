//! `chatloop-server`: arguments in, exit code out.

use chatloop::server::{Config, Ending, Server};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let config = Config::parse();
    start_log(&config);
    let mut server = match Server::start(config) {
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
            eprintln!("chatloop-server: the loop cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start_log(config: &Config) {
    let mut log = env_logger::Builder::new();
    log.filter_level(log::LevelFilter::Info).parse_default_env();
    if let Some(level) = config.log {
        log.filter_level(level.filter());
    }
    log.format_target(false).init();
}
