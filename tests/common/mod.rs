//! A real server in a separate process, and clients on real sockets.
//!
//! No step sleeps: each waits for what must come next, for up to [`PATIENCE`], so success is quick and
//! failure certain. The server's texts are in [`texts`], so that a changed text needs one edit.

// Each test program uses a different part of this.
#![allow(dead_code)]

#[macro_use]
mod backends;
pub mod scratch;
pub mod session;
pub mod texts;

use chatloop_reactor::{Backend, descriptors};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The timeout of every step.
pub const PATIENCE: Duration = Duration::from_secs(20);

const PROGRAM: &str = env!("CARGO_BIN_EXE_chatloop-server");

/// Held while a program starts, and while a test opens descriptors that a program must not inherit.
pub fn no_fork() -> MutexGuard<'static, ()> {
    static FORKING: Mutex<()> = Mutex::new(());
    FORKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lines of a stream, collected by a thread as they come.
#[derive(Clone, Default)]
pub struct Lines {
    shared: Arc<(Mutex<Collected>, Condvar)>,
}

#[derive(Default)]
struct Collected {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn collect(stream: impl Read + Send + 'static) -> Lines {
        let lines = Lines::default();
        let ours = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                ours.shared.0.lock().unwrap().lines.push(line);
                ours.shared.1.notify_all();
            }
            ours.shared.0.lock().unwrap().ended = true;
            ours.shared.1.notify_all();
        });
        lines
    }

    /// Waits until `count` lines contain `words`.
    pub fn wait_for_several(&self, count: usize, words: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut collected = self.shared.0.lock().unwrap();
        loop {
            let matching = || collected.lines.iter().filter(|line| line.contains(words));
            if matching().count() >= count {
                return matching().cloned().collect();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let lines = &collected.lines;
            assert!(!collected.ended && !left.is_zero(), "no {count} of '{words}' in {lines:#?}");
            collected = self.shared.1.wait_timeout(collected, left).unwrap().0;
        }
    }

    /// Waits for a line that contains `words`.
    pub fn wait_for(&self, words: &str) -> String {
        self.wait_for_several(1, words).remove(0)
    }

    /// The lines so far.
    pub fn so_far(&self) -> Vec<String> {
        self.shared.0.lock().unwrap().lines.clone()
    }

    /// All lines, when the stream has ended.
    pub fn all(&self) -> Vec<String> {
        let mut collected = self.shared.0.lock().unwrap();
        while !collected.ended {
            let (guard, result) = self.shared.1.wait_timeout(collected, PATIENCE).unwrap();
            assert!(!result.timed_out() || guard.ended, "the stream does not end");
            collected = guard;
        }
        collected.lines.clone()
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// What it has written to stderr.
    pub log: Lines,
    /// What it has written to stdout, unless a test has taken the pipe.
    pub transcript: Lines,
}

impl Server {
    /// Starts one with these flags; an operator's choice of backend is `auto`.
    pub fn start(flags: &[&str]) -> Server {
        Server::start_on_host("127.0.0.1", flags)
    }

    /// Starts one that listens on `host`.
    pub fn start_on_host(host: &str, flags: &[&str]) -> Server {
        let (mut server, stdout) = Server::spawn(host, 0, flags);
        server.transcript = Lines::collect(stdout);
        server
    }

    /// Starts one on `backend`.
    pub fn on(backend: Backend, flags: &[&str]) -> Server {
        let server = Server::start(&[&["--backend", backend.name()], flags].concat());
        server.log.wait_for(backend.name());
        server
    }

    /// Starts one whose stdout is a pipe that the test reads or does not read.
    pub fn with_stdout(flags: &[&str]) -> (Server, ChildStdout) {
        Server::spawn("127.0.0.1", 0, flags)
    }

    /// Starts one from a shell, which runs it as `"$0" "$@"`.
    pub fn by_shell(script: &str, flags: &[&str]) -> Server {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(PROGRAM);
        Server::spawn_by(shell, "127.0.0.1", 0, flags).0
    }

    fn spawn(host: &str, port: u16, flags: &[&str]) -> (Server, ChildStdout) {
        Server::spawn_by(Command::new(PROGRAM), host, port, flags)
    }

    fn spawn_by(
        mut program: Command,
        host: &str,
        port: u16,
        flags: &[&str],
    ) -> (Server, ChildStdout) {
        // The test's own clients need descriptors, too.
        descriptors::raise_limit().unwrap();
        // Plain clients are greeted at once, unless a test is about the delay or about IRC.
        let is_greeting = |flag: &&str| flag.starts_with("--greeting-delay");
        let greeting = (!flags.iter().any(is_greeting)).then_some("--greeting-delay=0");
        let forking = no_fork();
        let mut child = program
            .args([host, &port.to_string()])
            .args(flags)
            .args(greeting)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(forking);
        let log = Lines::collect(child.stderr.take().unwrap());
        let ready = log.wait_for(texts::READY);
        let address = texts::address_in(&ready);
        let stdout = child.stdout.take().unwrap();
        (Server { child, address, log, transcript: Lines::default() }, stdout)
    }

    /// Starts another server on the address of this one, which has exited.
    pub fn start_again(&self, flags: &[&str]) -> Server {
        let (mut server, stdout) =
            Server::spawn(&self.address.ip().to_string(), self.address.port(), flags);
        server.transcript = Lines::collect(stdout);
        server
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for it to exit.
    pub fn ended(&mut self) -> ExitStatus {
        // stderr ends with the process; then there is nothing left to wait for.
        self.log.all();
        self.child.wait().unwrap()
    }

    /// Shuts it down, gracefully.
    pub fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        assert!(self.ended().success());
    }

    /// A client that has been welcomed. The other clients receive a line about it.
    pub fn join(&self) -> Client {
        let mut client = Client::connect(self.address);
        let welcome = client.line();
        assert!(texts::is_some_welcome(&welcome), "{welcome:?}");
        client
    }

    /// `count` clients without unread lines.
    pub fn room(&self, count: usize) -> Vec<Client> {
        let mut room: Vec<Client> = (0..count).map(|_| self.join()).collect();
        for (place, client) in room.iter_mut().enumerate() {
            for _ in place + 1..count {
                let line = client.line();
                assert!(texts::is_some_entry(&line), "{line:?}");
            }
        }
        room
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One client: a blocking socket whose reads give up after [`PATIENCE`].
pub struct Client {
    socket: BufReader<TcpStream>,
    address: SocketAddr,
    /// Known from the welcome on.
    nick: Option<String>,
}

impl Client {
    pub fn connect(server: SocketAddr) -> Client {
        Client::new(TcpStream::connect(server).unwrap())
    }

    /// A client with a receive buffer of a few kilobytes.
    pub fn connect_narrow(server: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::new(socket.into())
    }

    /// A client at another address of this machine.
    #[cfg(target_os = "linux")]
    pub fn connect_from(source: [u8; 4], server: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::new(socket.into())
    }

    fn new(socket: TcpStream) -> Client {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let address = socket.local_addr().unwrap();
        Client { socket: BufReader::new(socket), address, nick: None }
    }

    /// Its own address and port, as the server's log names it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The name that others see: its nick, or its address until it has one.
    pub fn name(&self) -> String {
        self.nick.clone().unwrap_or_else(|| self.address.to_string())
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Another handle of the socket, to write from another thread.
    pub fn writer(&self) -> TcpStream {
        self.socket.get_ref().try_clone().unwrap()
    }

    /// The next line, without its newline.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        let result = self.socket.read_until(b'\n', &mut line);
        let end = line.pop();
        assert!(end == Some(b'\n'), "{result:?} after {:?}", String::from_utf8_lossy(&line));
        let line = String::from_utf8(line).unwrap();
        if let Some(nick) = texts::nick_in_welcome(&line) {
            self.nick = Some(nick.to_owned());
        }
        line
    }

    /// The next line, if it begins to come soon.
    pub fn line_within(&mut self, time: Duration) -> Option<String> {
        self.socket.get_ref().set_read_timeout(Some(time)).unwrap();
        let begun = self.socket.fill_buf().is_ok();
        self.socket.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        begun.then(|| self.line())
    }

    pub fn lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    /// Reads on to a line that contains `words`: that line.
    pub fn until(&mut self, words: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Sends a line, and reads on to one that contains `words`: that line.
    pub fn ask(&mut self, line: &str, words: &str) -> String {
        self.send(format!("{line}\n"));
        self.until(words)
    }

    /// The next line that is not about a user joining or leaving.
    pub fn chat_line(&mut self) -> String {
        loop {
            let line = self.line();
            if !texts::is_some_entry(&line) && !texts::is_some_departure(&line) {
                return line;
            }
        }
    }

    pub fn exactly(&mut self, bytes: &str) {
        let mut got = vec![0; bytes.len()];
        self.socket.read_exact(&mut got).unwrap();
        assert_eq!(String::from_utf8_lossy(&got), bytes);
    }

    /// The rest of the stream, which the server must close without a reset.
    pub fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        self.socket.read_to_end(&mut rest).unwrap();
        String::from_utf8(rest).unwrap()
    }

    /// Reads until the connection is closed or reset.
    pub fn until_over(&mut self) -> usize {
        let mut all = Vec::new();
        match self.socket.read_to_end(&mut all) {
            Ok(_) => all.len(),
            Err(error) => {
                let late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!late, "the connection is not over");
                all.len()
            }
        }
    }

    /// Asserts that every line from the server has been read: the reply to an unknown command comes next.
    pub fn assert_nothing_waits(&mut self) {
        self.send("/fence\n");
        let line = self.line();
        assert!(texts::is_unknown_command(&line, "fence"), "{line:?} waited");
    }

    /// Closes the sending side; the receiving side stays open.
    pub fn half_close(&mut self) {
        self.socket.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// Resets the connection, as after a crash.
    pub fn reset(self) {
        SockRef::from(self.socket.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// What a program that has ended has written to stderr.
pub fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The value of `name` in a list of "key: value unit" lines under /proc.
#[cfg(target_os = "linux")]
fn process_status(pid: Pid, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Resident memory in bytes.
#[cfg(target_os = "linux")]
pub fn resident_memory(server: &Server) -> u64 {
    process_status(server.pid(), "VmRSS:") * 1024
}

/// How often the event loop's thread has gone to sleep.
#[cfg(target_os = "linux")]
pub fn sleeps(server: &Server) -> u64 {
    process_status(server.pid(), "voluntary_ctxt_switches:")
}

/// Waits until the loop's thread sleeps.
#[cfg(target_os = "linux")]
pub fn wait_until_asleep(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/proc/{}/stat", server.pid());
    // The state follows the name in parentheses.
    while !std::fs::read_to_string(&path).unwrap().rsplit(") ").next().unwrap().starts_with('S') {
        assert!(Instant::now() < deadline, "the loop does not become idle");
        std::thread::yield_now();
    }
}

/// CPU time used so far, in ticks (usually a hundredth of a second).
#[cfg(target_os = "linux")]
pub fn ticks(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split_whitespace().collect();
    // Fields 14 and 15; `fields` starts at the third.
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
