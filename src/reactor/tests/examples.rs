//! The examples against real peers: each trap that they claim to avoid, on every backend.
//!
//! Each test runs an example in its own process, this test program started once more: so that
//! a signal would really end it, its limit of descriptors is its own, and its CPU time can be read.

// The helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

#[macro_use]
#[path = "../../../tests/common/backends.rs"]
mod backends;
#[path = "../examples/echo.rs"]
mod echo;
#[path = "../examples/relay.rs"]
mod relay;

use chatloop_reactor::{Backend, Listener};
use std::env;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

per_backend! {
    echo_returns_every_byte_to_a_slow_reader_that_has_half_closed
    echo_serves_on_while_a_peer_never_reads
    echo_survives_peers_that_vanish
    echo_waits_for_descriptors_without_spinning
    relay_passes_lines_and_not_reads
    relay_lets_a_half_closed_peer_listen
    relay_drops_who_never_reads_and_no_one_else
    relay_drops_an_endless_line
    relay_survives_peers_that_vanish
    relay_waits_for_descriptors_without_spinning
}

const LIMIT: Duration = Duration::from_secs(20);

/// An example as a process; killed at the end of the test.
struct Example {
    child: Child,
    address: SocketAddr,
}

impl Example {
    fn start(name: &str, backend: Backend, descriptors: Option<libc::rlim_t>) -> Example {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "serve", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env("EXAMPLE", name).env("BACKEND", backend.name()).stdout(Stdio::piped());
        if let Some(limit) = descriptors {
            let set = move || {
                use nix::sys::resource::{Resource, setrlimit};
                setrlimit(Resource::RLIMIT_NOFILE, limit, limit).map_err(Into::into)
            };
            // SAFETY: setrlimit is a bare system call, which may be made between fork and exec.
            unsafe { command.pre_exec(set) };
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map(|line| line.unwrap())
            .find_map(|line| line.split_once("listening on ").map(|(_, it)| it.parse().unwrap()));
        Example { child, address: address.unwrap() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// A loop that spins uses all the CPU time it gets; one that waits, next to none.
    fn assert_idle(&self) {
        let before = self.cpu();
        std::thread::sleep(Duration::from_millis(800));
        let used = self.cpu() - before;
        assert!(used < Duration::from_millis(100), "it spins: {used:?} of CPU time");
    }

    /// CPU time used so far.
    #[cfg(target_os = "linux")]
    fn cpu(&self) -> Duration {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after = status.rsplit_once(')').unwrap().1;
        let ticks: u64 =
            after.split_whitespace().skip(11).take(2).map(|it| it.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10) // USER_HZ is 100 on every Linux
    }

    #[cfg(not(target_os = "linux"))]
    fn cpu(&self) -> Duration {
        Duration::ZERO
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let ended = self.child.try_wait().unwrap();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            assert!(ended.is_none(), "the example has ended: {ended:?}");
        }
    }
}

#[test]
#[ignore = "the process that the other tests start"]
fn serve() {
    let Ok(name) = env::var("EXAMPLE") else { return };
    let backend = env::var("BACKEND").unwrap().parse().unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 128).unwrap();
    println!("listening on {}", listener.local_address().unwrap());
    match &*name {
        "echo" => echo::serve(&listener, backend).unwrap(),
        _ => relay::serve(&listener, backend).unwrap(),
    }
}

fn expect(stream: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(bytes));
}

fn echoes(stream: &mut TcpStream) {
    stream.write_all(b"hello\n").unwrap();
    expect(stream, b"hello\n");
}

/// Closes with a reset, with bytes of ours unread.
fn vanish(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Writes until the other side has taken nothing for a while: its buffers and ours are full.
fn write_until_full(stream: &mut TcpStream) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut written = 0;
    loop {
        match stream.write(&[b'x'; 64 * 1024]) {
            Ok(count) => written += count,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
                return written;
            }
        }
        assert!(written < 64 * 1024 * 1024, "it takes everything and keeps it");
    }
}

fn echo_returns_every_byte_to_a_slow_reader_that_has_half_closed(backend: Backend) {
    let example = Example::start("echo", backend, None);
    let mut stream = example.connect();
    // A small buffer and a late start: the example must meet short writes.
    socket2::SockRef::from(&stream).set_recv_buffer_size(32 * 1024).unwrap();
    let sent: Vec<u8> = (0..6 * 1024 * 1024_u32).map(|number| (number / 7) as u8).collect();
    let mut sender = stream.try_clone().unwrap();
    let mut returned = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            sender.write_all(&sent).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        let mut buffer = vec![0; 300_000];
        std::thread::sleep(Duration::from_millis(200));
        loop {
            let count = stream.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            returned.extend_from_slice(&buffer[..count]);
        }
    });
    assert!(returned == sent, "{} of {} bytes came back", returned.len(), sent.len());
}

fn echo_serves_on_while_a_peer_never_reads(backend: Backend) {
    let example = Example::start("echo", backend, None);
    let mut stubborn = example.connect();
    let mut other = example.connect();
    write_until_full(&mut stubborn);
    echoes(&mut other);
    example.assert_idle();
    echoes(&mut other);
}

fn echo_survives_peers_that_vanish(backend: Backend) {
    let example = Example::start("echo", backend, None);
    for _ in 0..20 {
        let mut peer = example.connect();
        peer.write_all(&[b'x'; 100_000]).unwrap();
        vanish(peer);
    }
    echoes(&mut example.connect());
}

fn echo_waits_for_descriptors_without_spinning(backend: Backend) {
    waits_for_descriptors("echo", backend, |streams| streams.iter_mut().for_each(echoes));
}

/// Twice as many peers as descriptors: half of them wait, at no cost, until the others close.
fn waits_for_descriptors(name: &str, backend: Backend, check: fn(&mut [TcpStream])) {
    const DESCRIPTORS: usize = 24;
    let example = Example::start(name, backend, Some(DESCRIPTORS as libc::rlim_t));
    let mut streams: Vec<TcpStream> = (0..DESCRIPTORS * 2).map(|_| example.connect()).collect();
    check(&mut streams[..4]);
    example.assert_idle();
    check(&mut streams[..4]);
    let mut waiting = streams.split_off(DESCRIPTORS + 6);
    drop(streams);
    check(&mut waiting);
}

/// So many peers of a relay, each of which is accepted, because the ones before have received it; and
/// before them all one that only listens.
fn peers<const COUNT: usize>(example: &Example) -> [TcpStream; COUNT] {
    let mut streams = vec![example.connect()];
    for _ in 0..COUNT {
        let mut newcomer = example.connect();
        newcomer.write_all(b"here\n").unwrap();
        streams.iter_mut().for_each(|earlier| expect(earlier, b"here\n"));
        streams.push(newcomer);
    }
    streams.remove(0);
    streams.try_into().unwrap()
}

fn relay_passes_lines_and_not_reads(backend: Backend) {
    let example = Example::start("relay", backend, None);
    let [mut one, mut two, mut three] = peers(&example);
    one.write_all(b"half a").unwrap();
    two.write_all(b"two\nlines\nand the start of ").unwrap();
    expect(&mut three, b"two\nlines\n");
    one.write_all(b" line\n").unwrap();
    expect(&mut three, b"half a line\n");
    two.write_all(b"a third\n").unwrap();
    expect(&mut three, b"and the start of a third\n");
    expect(&mut one, b"two\nlines\nand the start of a third\n");
    expect(&mut two, b"half a line\n");
}

fn relay_lets_a_half_closed_peer_listen(backend: Backend) {
    let example = Example::start("relay", backend, None);
    let [mut one, mut two] = peers(&example);
    two.write_all(b"last\n").unwrap();
    two.shutdown(Shutdown::Write).unwrap();
    expect(&mut one, b"last\n");
    for _ in 0..3 {
        one.write_all(b"you still hear this\n").unwrap();
        expect(&mut two, b"you still hear this\n");
    }
}

fn relay_drops_who_never_reads_and_no_one_else(backend: Backend) {
    let example = Example::start("relay", backend, None);
    let [mut speaker, mut stubborn, mut reader] = peers(&example);
    let line = [vec![b'x'; 4_000], vec![b'\n']].concat();
    let count = 16 * 1024 * 1024 / line.len();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..count).for_each(|_| speaker.write_all(&line).unwrap()));
        (0..count).for_each(|_| expect(&mut reader, &line));
    });
    // It gets what the system had taken for it, and then the end, and not all that was said.
    let mut taken = 0;
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match stubborn.read(&mut buffer) {
            Ok(0) => break,
            Ok(bytes) => taken += bytes,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                break;
            }
        }
    }
    assert!(taken < count * line.len(), "{taken}");
    speaker.write_all(b"on we go\n").unwrap();
    expect(&mut reader, b"on we go\n");
}

fn relay_drops_an_endless_line(backend: Backend) {
    let example = Example::start("relay", backend, None);
    let [mut one, mut endless, mut other] = peers(&example);
    endless.write_all(&[b'x'; 4 * 1024]).unwrap();
    assert_eq!(endless.read(&mut [0; 16]).unwrap(), 0, "the end");
    one.write_all(b"hello\n").unwrap();
    expect(&mut other, b"hello\n");
}

fn relay_survives_peers_that_vanish(backend: Backend) {
    let example = Example::start("relay", backend, None);
    let [mut one, mut two] = peers(&example);
    for _ in 0..20 {
        let mut peer = example.connect();
        peer.write_all(b"boo\n").unwrap();
        expect(&mut one, b"boo\n");
        one.write_all(b"hello\n").unwrap();
        vanish(peer);
        expect(&mut two, b"boo\nhello\n");
    }
}

fn relay_waits_for_descriptors_without_spinning(backend: Backend) {
    waits_for_descriptors("relay", backend, |streams| {
        let [one, .., last] = streams else { panic!("two are needed") };
        // It is accepted before the last one, but perhaps only just: so it says it until that
        // receives it. The others receive it, too, and need not read.
        last.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let start = Instant::now();
        while last.read(&mut [0; 6]).is_err() {
            assert!(start.elapsed() < LIMIT);
            one.write_all(b"hello\n").unwrap();
        }
    });
}
