//! The operator's console and `hash`, on a pseudo-terminal: what a person sees and types.

use crate::common::session::at_its_own_terminal;
use crate::common::{Client, PATIENCE, no_fork, texts};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const ROWS: u16 = 40;
const COLUMNS: u16 = 100;

/// The server at its own terminal.
struct AtTerminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    slave: OwnedFd,
    before: Termios,
    screen: vt100::Parser,
}

/// Both ends of a new terminal: the window's and the program's.
fn terminal() -> (File, OwnedFd) {
    let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    let _no_fork = no_fork();
    let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
    // Another test's program must not hold this terminal open.
    for end in [&master, &slave] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    }
    (File::from(master), slave)
}

/// The server in its own session, whose terminal this is.
fn spawn_at(slave: &OwnedFd, arguments: &[&str]) -> Child {
    let side = || Stdio::from(slave.try_clone().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-server"));
    command.args(arguments).env("TERM", "xterm-256color").env_remove("NO_COLOR");
    command.env_remove("RUST_LOG").stdin(side()).stdout(side()).stderr(side());
    at_its_own_terminal(&mut command);
    let _forking = no_fork();
    command.spawn().unwrap()
}

impl AtTerminal {
    fn start(arguments: &[&str]) -> AtTerminal {
        let (master, slave) = terminal();
        let before = tcgetattr(&slave).unwrap();
        let child = spawn_at(&slave, arguments);
        let (sender, output) = channel();
        let mut reader = master.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let cells = |count| NonZeroU16::new(count).unwrap();
        let screen = vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0);
        AtTerminal { child, keyboard: master, output, slave, before, screen }
    }

    /// A server with these flags whose console is open.
    fn serve(flags: &[&str]) -> (AtTerminal, SocketAddr) {
        let mut terminal = AtTerminal::start(&[&["127.0.0.1", "0"], flags].concat());
        terminal.wait_for(texts::READY);
        terminal.wait_for("[server]:");
        let contents = terminal.contents();
        let ready = contents.lines().find(|line| line.contains(texts::READY)).unwrap();
        (terminal, texts::address_in(ready))
    }

    fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// The row the cursor is in.
    fn row(&self) -> String {
        let (row, _) = self.screen.screen().cursor_position();
        self.screen.screen().rows(0, COLUMNS).nth(row.into()).unwrap()
    }

    fn wait(&mut self, what: &str, wanted: impl Fn(&AtTerminal) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self) {
            // A change of the terminal's modes writes nothing, so look for it now and then, too.
            match self.output.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) if Instant::now() >= deadline || error != RecvTimeoutError::Timeout => {
                    panic!("no {what} ({error}):\n{}", self.contents())
                }
                Err(_) => {}
            }
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(text, |terminal| terminal.contents().contains(text));
    }

    fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn modes(&self) -> Termios {
        tcgetattr(&self.slave).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Waits for the end, after which the terminal must be as it was.
    fn ended(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        assert!(self.modes() == self.before, "the terminal is not as it was");
        status
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that has been welcomed.
fn join(address: SocketAddr) -> Client {
    let mut client = Client::connect(address);
    assert!(texts::is_some_welcome(&client.line()));
    client
}

#[test]
fn both_sides_talk_at_once_and_the_half_typed_line_stays() {
    let (mut terminal, address) = AtTerminal::serve(&[]);
    let mut ann = join(address);
    terminal.type_keys("good mor");
    terminal.wait("half a line", |terminal| terminal.row() == "[server]: good mor");
    ann.send("anybody there?\n");
    terminal.wait_for("[guest1]: anybody there?");
    terminal.wait("the half line", |terminal| terminal.row() == "[server]: good mor");
    let screen = terminal.screen.screen();
    let said = (0..ROWS)
        .find(|row| screen.rows(0, COLUMNS).nth((*row).into()).unwrap().starts_with("[guest1]"));
    let colour = screen.cell(said.unwrap(), 0).unwrap().fgcolor();
    assert_eq!(colour, vt100::Color::Idx(6), "what others say is cyan");
    terminal.type_keys("ning\r");
    assert_eq!(ann.line(), texts::said("server", "good morning"));
    terminal.wait_for("[server]: good morning");
    assert!(terminal.contents().matches("good mor").count() == 1, "{}", terminal.contents());
    // The log is shown there, too, above the row.
    terminal.type_keys("next");
    terminal.signal(Signal::SIGHUP);
    terminal.wait_for("settings stay as they are");
    terminal.wait("the half line", |terminal| terminal.row() == "[server]: next");
}

#[test]
fn the_operators_commands_work_there_and_are_audited() {
    let (mut terminal, address) = AtTerminal::serve(&[]);
    let mut ann = join(address);
    let mut bob = join(address);
    ann.line();
    terminal.type_keys("/announce tea is ready\r");
    assert!(ann.line().contains("tea is ready"));
    terminal.wait_for("audit: server (console): announce: tea is ready");
    terminal.type_keys("/join #ops\r");
    terminal.wait("the room in the prompt", |terminal| terminal.row().contains("#ops"));
    terminal.type_keys("/kill guest2 flood\r");
    assert!(bob.rest().contains("flood"));
    terminal.wait_for(&format!("kill guest2 ({}) (flood)", bob.address()));
    terminal.type_keys("/history 2\r/no-such-command\r");
    terminal.wait_for("/no-such-command");
}

#[test]
fn ctrl_d_closes_the_console_and_not_the_server() {
    let (mut terminal, address) = AtTerminal::serve(&[]);
    let mut ann = join(address);
    terminal.type_keys("\u{4}");
    terminal.wait_for("the console is closed");
    assert!(terminal.modes() == terminal.before);
    assert!(texts::is_departure(&ann.line(), "server", 1));
    // The transcript takes its place.
    ann.send("still here\n");
    terminal.wait_for("[guest1]: still here");
    terminal.type_keys("\u{3}"); // now a signal again
    assert!(texts::is_goodbye(&ann.line()));
    drop(ann);
    assert_eq!(terminal.ended().code(), Some(0));
}

#[test]
fn ctrl_c_clears_a_half_typed_line_and_then_stops_the_server_in_order() {
    for draft in ["", "half a line"] {
        let (mut terminal, address) = AtTerminal::serve(&[]);
        let mut ann = join(address);
        if !draft.is_empty() {
            terminal.type_keys(draft);
            terminal.wait("half a line", |terminal| terminal.row().ends_with(draft));
            terminal.type_keys("\u{3}");
            terminal.wait("the row again", |terminal| terminal.row().trim_end() == "[server]:");
        }
        terminal.type_keys("\u{3}");
        assert!(texts::is_goodbye(ann.rest().lines().last().unwrap()));
        assert_eq!(terminal.ended().code(), Some(0));
        terminal.wait_for("stopped after");
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let (mut terminal, address) = AtTerminal::serve(&[]);
    terminal.type_keys("half");
    terminal.wait("half a line", |terminal| terminal.row() == "[server]: half");
    // As a shell's Ctrl-Z does; a session without a shell ignores the key.
    terminal.signal(Signal::SIGTSTP);
    let stopped = waitpid(terminal.pid(), Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert!(matches!(stopped, WaitStatus::Stopped(..)), "{stopped:?}");
    assert!(terminal.modes() == terminal.before);
    terminal.signal(Signal::SIGCONT);
    terminal.wait("the row again", |terminal| terminal.row() == "[server]: half");
    terminal.wait_for("[server]: half");
    let mut ann = join(address);
    terminal.type_keys(" and whole\r");
    assert_eq!(ann.chat_line(), texts::said("server", "half and whole"));
}

fn read_until_prompt(master: &mut File) -> String {
    let mut shown = Vec::new();
    while !shown.windows(10).any(|window| window == b"[server]: ") {
        let mut buffer = [0; 4096];
        let count = master.read(&mut buffer).unwrap();
        shown.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// Both ends of a terminal are closed, as when its window is.
#[test]
fn a_terminal_that_goes_away_ends_the_server_in_order() {
    let (mut master, slave) = terminal();
    let mut child = spawn_at(&slave, &["127.0.0.1", "0"]);
    let shown = read_until_prompt(&mut master);
    let ready = shown.lines().find(|line| line.contains(texts::READY)).unwrap();
    let mut ann = join(texts::address_in(ready));
    drop((master, slave));
    assert!(texts::is_goodbye(ann.rest().lines().last().unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A window whose other end has stopped taking anything.
#[test]
fn a_terminal_that_takes_nothing_stops_nobody() {
    let (mut master, slave) = terminal();
    let before = tcgetattr(&slave).unwrap();
    let mut child = spawn_at(&slave, &["127.0.0.1", "0"]);
    let shown = read_until_prompt(&mut master);
    let ready = shown.lines().find(|line| line.contains(texts::READY)).unwrap();
    let address = texts::address_in(ready);
    let (mut ann, mut bob) = (join(address), join(address));
    let text = "~".repeat(2_000);
    for _ in 0..1_500 {
        bob.send(format!("{text}\n"));
        assert_eq!(ann.chat_line(), texts::said("guest2", &text));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert!(texts::is_goodbye(ann.rest().lines().last().unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(tcgetattr(&slave).unwrap() == before, "the terminal is not as it was");
}

#[test]
fn without_a_console_the_terminal_is_left_alone() {
    for flag in ["--no-console", "--quiet"] {
        let mut terminal = AtTerminal::start(&["127.0.0.1", "0", flag]);
        terminal.wait_for(texts::READY);
        let contents = terminal.contents();
        let mut ann = join(texts::address_in(contents.lines().next().unwrap()));
        ann.send("/who\n");
        ann.line();
        assert!(terminal.modes() == terminal.before, "{flag}");
        terminal.type_keys("\u{3}");
        assert_eq!(terminal.ended().code(), Some(0));
    }
}

#[test]
fn hash_asks_twice_without_echo() {
    let mut terminal = AtTerminal::start(&["hash"]);
    for prompt in ["Password:", "Repeat password:"] {
        terminal.wait_for(prompt);
        // The echo ends a moment after the prompt, and nothing is written then.
        let deadline = Instant::now() + PATIENCE;
        while terminal.modes().local_flags.contains(LocalFlags::ECHO) {
            assert!(Instant::now() < deadline, "echo stays on");
            std::thread::yield_now();
        }
        terminal.type_keys("correct-horse\n");
    }
    terminal.wait_for("$argon2id$");
    assert_eq!(terminal.ended().code(), Some(0));
    assert!(!terminal.contents().contains("horse"), "{}", terminal.contents());
}

#[test]
fn in_step_mode_an_empty_line_is_a_turn_and_a_number_as_many() {
    let mut terminal =
        AtTerminal::start(&["127.0.0.1", "0", "--step", "--greeting-delay=0", "--log=info"]);
    terminal.wait_for("each turn waits for Enter");
    terminal.wait_for(texts::READY);
    let contents = terminal.contents();
    let ready = contents.lines().find(|line| line.contains(texts::READY)).unwrap();
    let mut ann = Client::connect(texts::address_in(ready));
    let welcome = loop {
        terminal.type_keys("\r");
        if let Some(line) = ann.line_within(Duration::from_millis(50)) {
            break line;
        }
    };
    assert!(texts::is_some_welcome(&welcome));
    ann.send("hello\n");
    terminal.type_keys("20\r");
    terminal.wait_for("[guest1]: hello");
    // A request to stop is not kept waiting.
    terminal.signal(Signal::SIGTERM);
    assert!(terminal.ended().success());
}
