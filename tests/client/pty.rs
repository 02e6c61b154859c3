//! The client on a pseudo-terminal, with a screen that shows what a person would see.

use crate::line_server::TIMEOUT;
use crate::session::at_its_own_terminal;
use crate::start::Start;
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

pub struct Terminal {
    pub child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    slave: OwnedFd,
    before: Termios,
    pub screen: vt100::Parser,
    /// Every byte that was written to the terminal.
    pub bytes: Vec<u8>,
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

impl Terminal {
    /// Starts the client with `--plain`.
    pub fn start_plain(
        server: SocketAddr,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Terminal {
        Terminal::start_with(server, &[&["--plain"], arguments].concat(), environment)
    }

    /// Starts the client on a terminal of 24 by 80, without times in front of lines.
    pub fn start_with(
        server: SocketAddr,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Terminal {
        let OpenptyResult { master, slave } = openpty(Some(&size(24, 80)), None).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let side = || Stdio::from(slave.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-client"));
        command.args([server.ip().to_string(), server.port().to_string()]);
        command.arg("--timestamps=never").args(arguments);
        command
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .env_remove("CHATLOOP_PASSWORD");
        command.envs(environment.iter().copied());
        command.stdin(side()).stdout(side()).stderr(side());
        at_its_own_terminal(&mut command);
        let child = command.start();
        let (sender, output) = channel();
        let mut reader = File::from(master.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(cells(24), cells(80), 0);
        let keyboard = File::from(master);
        Terminal { child, keyboard, output, slave, before, screen, bytes: Vec::new() }
    }

    pub fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen is as wanted.
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        while !wanted(self.screen.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.bytes.extend_from_slice(&bytes);
                }
                Err(error) => panic!("no {what} ({error}):\n{}", self.contents()),
            }
        }
    }

    pub fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// The rows that show something, without blanks at their ends.
    pub fn rows(&self) -> Vec<String> {
        self.contents().lines().map(|row| row.trim_end().to_owned()).collect()
    }

    pub fn resize(&mut self, columns: u16) {
        // SAFETY: TIOCSWINSZ reads one winsize, which lives here.
        let result =
            unsafe { libc::ioctl(self.keyboard.as_raw_fd(), libc::TIOCSWINSZ, &size(24, columns)) };
        assert_eq!(result, 0);
        self.screen.screen_mut().set_size(cells(24), cells(columns));
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits until what is typed is not shown.
    pub fn wait_until_nothing_is_echoed(&self) {
        let deadline = Instant::now() + TIMEOUT;
        while tcgetattr(&self.slave).unwrap().local_flags.contains(LocalFlags::ECHO) {
            assert!(Instant::now() < deadline, "it echoes");
            std::thread::yield_now();
        }
    }

    pub fn is_as_before(&self) -> bool {
        tcgetattr(&self.slave).unwrap() == self.before
    }

    /// Waits for the end and checks that the terminal is whole again.
    pub fn end(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        assert!(self.is_as_before(), "the terminal is not as it was");
        // What was written last may still be on its way through the reader's thread.
        let paste_off = |bytes: &[u8]| bytes.windows(8).any(|window| window == b"\x1b[?2004l");
        while !paste_off(&self.bytes) {
            match self.output.recv_timeout(TIMEOUT) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.bytes.extend_from_slice(&bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("bracketed paste was left on")
                }
            }
        }
        let text = String::from_utf8_lossy(&self.bytes);
        assert!(!text.contains("^C"), "no ^C on the screen");
        assert!(!text.contains("\x1b[?1049h"), "no alternate screen");
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
