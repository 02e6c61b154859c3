//! The real chatloop-server, killed when dropped.

use crate::start::Start;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

pub struct RealServer {
    child: Child,
    pub address: SocketAddr,
    /// The line that says that it is ready.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "it holds the fingerprint"))]
    pub ready: String,
}

impl RealServer {
    /// Starts one at a port, 0 for any.
    pub fn start(port: u16, flags: &[&str]) -> RealServer {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
            .args(["127.0.0.1", &port.to_string(), "-q"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .start();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it listens");
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let address = line.split("listening on ").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap().parse().unwrap();
        RealServer { child, address, ready: line.trim_end().to_owned() }
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
