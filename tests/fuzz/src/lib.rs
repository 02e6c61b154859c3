//! What is fuzzed: each target takes any bytes, and panics if something is not as it must be.
//!
//! The first inputs of each are in `corpus/`, and among them is every one that has found something. They are run as
//! tests; `scripts/fuzz.sh` draws new ones.

mod chat;
#[cfg(feature = "simulation")]
mod client;
mod http;
mod hub;
mod irc_lines;
mod lines;
#[cfg(feature = "simulation")]
mod memory;
mod outbox;
mod plain_commands;
mod scram;
#[cfg(feature = "simulation")]
mod server;
mod tls;
mod websocket;

/// One of them.
pub struct Target {
    pub name: &'static str,
    pub about: &'static str,
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, about: &'static str, run: fn(&[u8])) -> Target {
    Target { name, about, run }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("irc_lines", "the grammar of IRC, in pieces", irc_lines::run),
    target(
        "plain_commands",
        "lines that plain users type, and what all are shown",
        plain_commands::run,
    ),
    target("hub", "the whole hub by its records, from plain and IRC users and from JSON", hub::run),
    target("http", "requests, their bodies, and a proxy's header", http::run),
    target("websocket", "a browser's frames, and the frames it is sent", websocket::run),
    target("tls", "both ends of TLS, cut and changed on the way", tls::run),
    target("scram", "logins by SCRAM", scram::run),
    target("outbox", "three outboxes and sockets that take what they like", outbox::run),
    #[cfg(feature = "simulation")]
    target("client", "the client against a hostile server, and its screen", client::run),
    #[cfg(feature = "simulation")]
    target("server", "the whole server over a network in the process", server::run),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn corpus(target: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        files.map(|file| file.unwrap().path()).collect()
    }

    #[test]
    fn every_input_of_the_corpus_is_taken() {
        for target in TARGETS {
            let files = corpus(target.name);
            assert!(!files.is_empty(), "{} has no corpus", target.name);
            for file in files {
                println!("{}", file.display());
                (target.run)(&fs::read(&file).unwrap());
            }
        }
    }

    #[test]
    fn the_corpus_is_small_and_belongs_to_targets() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let mut bytes = 0;
        for folder in fs::read_dir(folder).unwrap() {
            let name = folder.unwrap().file_name().into_string().unwrap();
            let of_simulation = ["client", "server"].contains(&name.as_str());
            assert!(
                of_simulation || TARGETS.iter().any(|it| it.name == name),
                "{name} is no target"
            );
            bytes +=
                corpus(&name).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
        }
        assert!(bytes < 100_000, "{bytes} bytes");
    }

    #[test]
    #[cfg(feature = "simulation")]
    fn a_server_that_goes_on_for_ever_costs_the_client_no_more_memory() {
        for file in corpus("client") {
            println!("{}", file.display());
            client::run_for_long(&fs::read(&file).unwrap(), 2_000);
        }
    }
}
