//! IRC clients on real sockets, and a server that waits for them to send first.

use crate::common::{Client, Server};

/// A detection timeout longer than any test, so that only what a client sends decides its protocol.
pub const PATIENT: &str = "--greeting-delay=60000";

/// What the server puts in front of a line that is its.
const SOURCE: &str = ":irc.example.org ";

/// A server that waits for what a client sends.
#[cfg(any(feature = "tls", feature = "web"))]
pub fn patient(flags: &[&str]) -> Server {
    Server::start(&[&[PATIENT], flags].concat())
}

pub fn server(flags: &[&str]) -> Server {
    Server::start(&[&[PATIENT, "--name=irc.example.org", "--network=Test"], flags].concat())
}

/// The next line, without its CR.
pub fn line(client: &mut Client) -> String {
    let line = client.line();
    line.strip_suffix('\r').unwrap_or_else(|| panic!("{line:?} has no CR")).to_owned()
}

/// The next line, without its CR and without the server's name.
pub fn line_bare(client: &mut Client) -> String {
    line(client).replacen(SOURCE, "", 1)
}

/// Sends lines and returns the answers: everything before the answer to a PING.
pub fn ask(client: &mut Client, lines: &str) -> Vec<String> {
    client
        .send(format!("{}\r\nPING :fence\r\n", lines.replace("\r\n", "\n").replace('\n', "\r\n")));
    let mut answers = Vec::new();
    loop {
        let line = line(client);
        if line == format!("{SOURCE}PONG irc.example.org :fence") {
            return answers;
        }
        answers.push(line);
    }
}

/// As [`ask`], without the server's name in the answers.
pub fn ask_bare(client: &mut Client, lines: &str) -> Vec<String> {
    ask(client, lines).into_iter().map(|line| line.replacen(SOURCE, "", 1)).collect()
}

/// A registered client with these capabilities.
pub fn irc(server: &Server, nick: &str, capabilities: &str) -> Client {
    let mut client = Client::connect(server.address);
    let negotiation = match capabilities {
        "" => String::new(),
        capabilities => format!("CAP REQ :{capabilities}\nCAP END\n"),
    };
    let welcome = ask(&mut client, &format!("{negotiation}NICK {nick}\nUSER {nick} 0 * :{nick}"));
    assert!(welcome.iter().any(|line| line.contains(&format!(" 001 {nick} "))), "{welcome:?}");
    client
}
