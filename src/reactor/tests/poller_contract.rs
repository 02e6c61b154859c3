//! The contract of `poller`, checked on every backend that this system has.
//!
//! Each function below takes a backend, and `per_backend!` makes a named test of it for each, as in
//! `epoll::it_repeats_until_it_is_read`. Real sockets, no pauses: a wait without a timeout is one
//! that a report must end.

// The helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

#[macro_use]
#[path = "../../../tests/common/backends.rs"]
mod backends;

use chatloop_reactor::{Backend, Interest, Poller, Readiness, Signal, Signals, Slab, Token};
use chatloop_reactor::{descriptors, waker};
use nix::fcntl::{FcntlArg, fcntl};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ONE: Token = Token::fixed(1);
const TWO: Token = Token::fixed(2);

per_backend! {
    a_quiet_descriptor_is_not_readable_until_bytes_come
    an_empty_socket_is_writable_and_a_full_one_is_not
    it_repeats_until_it_is_read
    without_interest_it_is_known_and_silent
    modify_changes_interest_and_token
    what_is_removed_is_forgotten
    what_was_removed_can_be_added_again
    a_number_that_is_used_again_carries_the_new_token_only
    both_directions_are_one_event
    a_half_close_is_readable_and_no_hangup
    a_departed_peer_is_noticed_by_who_reads
    a_hangup_without_interest_says_nothing_else
    a_broken_write_side_is_noticed_by_who_writes
    files_are_always_ready
    an_always_ready_file_hides_no_one
    a_wait_is_never_too_short
    a_wait_replaces_what_was_found_before
    a_signal_ends_a_wait_and_is_no_error
    another_thread_can_end_a_wait
    a_stale_event_finds_no_one
    a_crowd_is_told_apart
}

fn poller(backend: Backend) -> Poller {
    let poller = Poller::new(backend).unwrap();
    assert_eq!(poller.backend(), backend);
    poller
}

fn pair() -> (UnixStream, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours, peer)
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, peer)
}

/// What is ready now.
fn ready(poller: &mut Poller) -> Vec<Readiness> {
    let mut events = Vec::new();
    poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    events
}

/// What is ready, as soon as something is.
fn awaited(poller: &mut Poller) -> Vec<Readiness> {
    let mut events = Vec::new();
    while events.is_empty() {
        poller.wait(&mut events, None).unwrap();
    }
    events
}

fn readable(token: Token) -> Readiness {
    Readiness { token, readable: true, writable: false, hangup: false }
}

fn writable(token: Token) -> Readiness {
    Readiness { token, readable: false, writable: true, hangup: false }
}

fn a_quiet_descriptor_is_not_readable_until_bytes_come(backend: Backend) {
    let (ours, mut peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::READ).unwrap();
    assert_eq!(ready(&mut poller), []);
    peer.write_all(b"x").unwrap();
    assert_eq!(awaited(&mut poller), [readable(ONE)]);
}

fn an_empty_socket_is_writable_and_a_full_one_is_not(backend: Backend) {
    let (mut ours, mut peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::WRITE).unwrap();
    assert_eq!(ready(&mut poller), [writable(ONE)]);
    while ours.write(&[0; 4096]).is_ok() {}
    assert_eq!(ready(&mut poller), []);
    peer.set_nonblocking(true).unwrap();
    while peer.read(&mut [0; 4096]).is_ok() {}
    assert_eq!(awaited(&mut poller), [writable(ONE)]);
}

fn it_repeats_until_it_is_read(backend: Backend) {
    let (mut ours, mut peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::READ).unwrap();
    peer.write_all(b"ab").unwrap();
    assert_eq!(awaited(&mut poller), [readable(ONE)]);
    for _ in 0..2 {
        assert_eq!(ready(&mut poller), [readable(ONE)], "again: it is level-triggered");
    }
    ours.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(ready(&mut poller), [readable(ONE)], "one byte is left");
    ours.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(ready(&mut poller), []);
}

fn without_interest_it_is_known_and_silent(backend: Backend) {
    let (ours, mut peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::NONE).unwrap();
    peer.write_all(b"x").unwrap();
    assert_eq!(ready(&mut poller), []);
    let again = poller.add(&ours, ONE, Interest::READ).unwrap_err();
    // kqueue, too: the number is known although no filter is registered.
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    poller.modify(&ours, ONE, Interest::READ).unwrap();
    assert_eq!(ready(&mut poller), [readable(ONE)]);
    poller.modify(&ours, ONE, Interest::NONE).unwrap();
    assert_eq!(ready(&mut poller), []);
}

fn modify_changes_interest_and_token(backend: Backend) {
    let (ours, mut peer) = pair();
    let mut poller = poller(backend);
    peer.write_all(b"x").unwrap();
    poller.add(&ours, ONE, Interest::READ).unwrap();
    poller.modify(&ours, ONE, Interest::WRITE).unwrap();
    assert_eq!(ready(&mut poller), [writable(ONE)]);
    poller.modify(&ours, TWO, Interest::WRITE).unwrap();
    assert_eq!(ready(&mut poller), [writable(TWO)], "the same interest under another token");
    poller.modify(&ours, ONE, Interest::READ).unwrap();
    assert_eq!(ready(&mut poller), [readable(ONE)]);
}

fn what_is_removed_is_forgotten(backend: Backend) {
    let (ours, mut peer) = pair();
    let (other, mut other_peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::BOTH).unwrap();
    poller.add(&other, TWO, Interest::READ).unwrap();
    peer.write_all(b"x").unwrap();
    other_peer.write_all(b"x").unwrap();
    poller.remove(&ours).unwrap();
    assert_eq!(ready(&mut poller), [readable(TWO)], "the other one stays");
    assert_eq!(poller.remove(&ours).unwrap_err().kind(), ErrorKind::NotFound);
    let modified = poller.modify(&ours, ONE, Interest::READ);
    assert_eq!(modified.unwrap_err().kind(), ErrorKind::NotFound);
}

fn what_was_removed_can_be_added_again(backend: Backend) {
    let (ours, mut peer) = pair();
    let mut poller = poller(backend);
    peer.write_all(b"x").unwrap();
    for token in [ONE, TWO, ONE] {
        poller.add(&ours, token, Interest::READ).unwrap();
        assert_eq!(ready(&mut poller), [readable(token)]);
        poller.remove(&ours).unwrap();
        assert_eq!(ready(&mut poller), []);
    }
}

fn a_number_that_is_used_again_carries_the_new_token_only(backend: Backend) {
    // Other tests open descriptors meanwhile, so the number is taken by `dup2` and not by luck.
    let (first, mut first_peer) = pair();
    let (second, mut second_peer) = pair();
    let mut poller = poller(backend);
    poller.add(&first, ONE, Interest::READ).unwrap();
    first_peer.write_all(b"x").unwrap();
    poller.remove(&first).unwrap();
    let mut number = OwnedFd::from(first);
    nix::unistd::dup2(&second, &mut number).unwrap(); // closes `first` and takes its number
    poller.add(&number, TWO, Interest::READ).unwrap();
    assert_eq!(ready(&mut poller), []);
    second_peer.write_all(b"x").unwrap();
    assert_eq!(awaited(&mut poller), [readable(TWO)]);
}

fn both_directions_are_one_event(backend: Backend) {
    let (ours, mut peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::BOTH).unwrap();
    peer.write_all(b"x").unwrap();
    let both = Readiness { token: ONE, readable: true, writable: true, hangup: false };
    assert_eq!(ready(&mut poller), [both]);
}

/// A server that took this for a hangup would drop what `printf 'hi\n' | nc -N` waits for.
fn a_half_close_is_readable_and_no_hangup(backend: Backend) {
    let (mut ours, mut peer) = tcp_pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::READ).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(awaited(&mut poller), [readable(ONE)]);
    assert_eq!(ours.read(&mut [0; 8]).unwrap(), 0);
    poller.modify(&ours, ONE, Interest::WRITE).unwrap();
    assert_eq!(ready(&mut poller), [writable(ONE)]);
    ours.write_all(b"still here").unwrap();
    peer.read_exact(&mut [0; 10]).unwrap();
}

fn a_departed_peer_is_noticed_by_who_reads(backend: Backend) {
    for reset in [false, true] {
        let (mut ours, peer) = tcp_pair();
        let mut poller = poller(backend);
        poller.add(&ours, ONE, Interest::READ).unwrap();
        if reset {
            let abortive = Some(Duration::ZERO);
            socket2::SockRef::from(&peer).set_linger(abortive).unwrap();
        }
        drop(peer);
        let events = awaited(&mut poller);
        assert_eq!(events.len(), 1);
        assert!(events[0].readable, "whether or not {backend} says hangup: {events:?}");
        let truth = ours.read(&mut [0; 8]).map_err(|error| error.kind());
        assert_eq!(truth, if reset { Err(ErrorKind::ConnectionReset) } else { Ok(0) });
    }
}

fn a_hangup_without_interest_says_nothing_else(backend: Backend) {
    let (ours, peer) = tcp_pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::NONE).unwrap();
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let events = ready(&mut poller);
    assert!(events.iter().all(|event| event.hangup && event.token == ONE), "{events:?}");
}

fn a_broken_write_side_is_noticed_by_who_writes(backend: Backend) {
    let (mut ours, peer) = pair();
    let mut poller = poller(backend);
    while ours.write(&[0; 4096]).is_ok() {}
    poller.add(&ours, ONE, Interest::WRITE).unwrap();
    assert_eq!(ready(&mut poller), []);
    drop(peer);
    let events = awaited(&mut poller);
    assert!(events[0].writable, "{events:?}");
    assert!(matches!(
        ours.write(b"x").unwrap_err().kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    ));
}

fn files_are_always_ready(backend: Backend) {
    // The test program itself is a regular file; it is read nowhere.
    for path in [std::env::current_exe().unwrap(), "/dev/null".into()] {
        let file = File::open(&path).unwrap();
        let mut poller = poller(backend);
        poller.add(&file, ONE, Interest::READ).unwrap();
        for _ in 0..2 {
            // Without a timeout: it must not be waited for.
            assert_eq!(awaited(&mut poller), [readable(ONE)], "{path:?}");
        }
        let again = poller.add(&file, ONE, Interest::READ).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists, "{path:?}");
        poller.modify(&file, TWO, Interest::WRITE).unwrap();
        assert_eq!(ready(&mut poller), [writable(TWO)], "{path:?}");
        poller.modify(&file, TWO, Interest::NONE).unwrap();
        assert_eq!(ready(&mut poller), [], "{path:?}");
        poller.remove(&file).unwrap();
        assert_eq!(poller.remove(&file).unwrap_err().kind(), ErrorKind::NotFound, "{path:?}");
    }
}

fn an_always_ready_file_hides_no_one(backend: Backend) {
    let file = File::open("/dev/null").unwrap();
    let (ours, mut peer) = pair();
    let mut poller = poller(backend);
    poller.add(&file, ONE, Interest::READ).unwrap();
    poller.add(&ours, TWO, Interest::READ).unwrap();
    assert_eq!(ready(&mut poller), [readable(ONE)]);
    peer.write_all(b"x").unwrap();
    let mut events = awaited(&mut poller);
    events.sort_by_key(|event| event.token);
    assert_eq!(events, [readable(ONE), readable(TWO)]);
}

fn a_wait_is_never_too_short(backend: Backend) {
    let (ours, _peer) = pair();
    let mut poller = poller(backend);
    poller.add(&ours, ONE, Interest::READ).unwrap();
    let mut events = Vec::new();
    for nanoseconds in [1, 999, 1_001, 400_000, 1_000_000, 1_000_001, 2_600_000] {
        let timeout = Duration::from_nanos(nanoseconds);
        let start = Instant::now();
        poller.wait(&mut events, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout, "{timeout:?} took {:?}", start.elapsed());
        assert_eq!(events, []);
    }
}

fn a_wait_replaces_what_was_found_before(backend: Backend) {
    let mut poller = poller(backend);
    let mut events = vec![readable(ONE); 3];
    poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert_eq!(events, []);
}

/// A thread's name for `pthread_kill`.
struct ThreadName(libc::pthread_t);

// SAFETY: a name is only handed on; the thread it names outlives every use (it is scoped).
unsafe impl Send for ThreadName {}

impl ThreadName {
    fn interrupt(&self) {
        // SAFETY: the thread is alive; SIGWINCH is either ignored or caught.
        unsafe { libc::pthread_kill(self.0, libc::SIGWINCH) };
    }
}

fn a_signal_ends_a_wait_and_is_no_error(backend: Backend) {
    // Caught, because an ignored signal interrupts nothing. Its pipe is not watched here.
    let _caught = Signals::new(&[Signal::WindowChange]).unwrap();
    let mut poller = poller(backend);
    let (ours, _peer) = pair();
    poller.add(&ours, ONE, Interest::READ).unwrap();
    let over = AtomicBool::new(false);
    // SAFETY: the call takes nothing and cannot fail.
    let this = ThreadName(unsafe { libc::pthread_self() });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let this = this;
            // One signal may come before the wait begins, so they come until it has ended.
            while !over.load(Ordering::Acquire) {
                this.interrupt();
                std::thread::yield_now();
            }
        });
        let mut events = vec![readable(TWO)];
        let result = poller.wait(&mut events, None);
        over.store(true, Ordering::Release);
        result.unwrap();
        assert_eq!(events, []);
    });
}

fn another_thread_can_end_a_wait(backend: Backend) {
    let (waker, receiver) = waker().unwrap();
    let mut poller = poller(backend);
    poller.add(&receiver, ONE, Interest::READ).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| waker.wake());
        assert_eq!(awaited(&mut poller), [readable(ONE)]);
    });
    receiver.drain();
    assert_eq!(ready(&mut poller), []);
}

/// Two are ready in one wait; the first one's handler ends the second one, whose slot and whose
/// number both go to a newcomer before its event is looked at.
fn a_stale_event_finds_no_one(backend: Backend) {
    let mut poller = poller(backend);
    let mut slab = Slab::new();
    let mut peers = Vec::new();
    for name in ["first", "second"] {
        let (ours, mut peer) = pair();
        peer.write_all(b"x").unwrap();
        let token = slab.insert((name, OwnedFd::from(ours)));
        poller.add(&slab.get(token).unwrap().1, token, Interest::READ).unwrap();
        peers.push((token, peer));
    }
    let events = awaited(&mut poller);
    assert_eq!(events.len(), 2);
    let stale = events[1].token;
    let (_, mut number) = slab.remove(stale).unwrap();
    poller.remove(&number).unwrap();
    let (newcomer, _newcomers_peer) = pair();
    nix::unistd::dup2(&newcomer, &mut number).unwrap();
    let token = slab.insert(("newcomer", number));
    poller.add(&slab.get(token).unwrap().1, token, Interest::READ).unwrap();
    assert_eq!(token.slot(), stale.slot(), "the slot is used again");
    assert!(slab.get(stale).is_none());
    assert_eq!(slab.get(token).unwrap().0, "newcomer");
    assert_eq!(ready(&mut poller), [readable(events[0].token)], "the newcomer has nothing yet");
}

/// Gives `fd` a number of at least `lowest`, so that the low ones stay free for `select` in the
/// tests that run beside this one.
fn moved_up(fd: OwnedFd, lowest: i32) -> OwnedFd {
    let number = fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(lowest)).unwrap();
    // SAFETY: fcntl has just given this number to us and to no one else.
    unsafe { OwnedFd::from_raw_fd(number) }
}

fn a_crowd_is_told_apart(backend: Backend) {
    const SELECTS_CROWD: usize = 100;
    const CROWD: usize = 1_500;
    let (count, lowest) = match backend.descriptor_ceiling() {
        Some(_) => (SELECTS_CROWD, 200),
        None => (CROWD, 1_100),
    };
    // Two backends may run this at the same time, and both ends of each pair are ours.
    let limit = descriptors::raise_limit().unwrap();
    assert!(limit >= 1_100 + 4 * CROWD, "the hard limit of descriptors here is {limit}");
    let mut poller = poller(backend);
    let mut slab = Slab::new();
    let mut peers = Vec::new();
    for _ in 0..count {
        let (ours, peer) = pair();
        let (ours, peer) = (moved_up(ours.into(), lowest), moved_up(peer.into(), lowest));
        let token = slab.insert(ours);
        poller.add(slab.get(token).unwrap(), token, Interest::READ).unwrap();
        peers.push((token, UnixStream::from(peer)));
    }
    assert_eq!(ready(&mut poller), []);
    // Every seventh speaks; more than fit into one wait of some backends are ready at once.
    let mut expected: Vec<Token> = Vec::new();
    for (token, peer) in peers.iter_mut().step_by(7) {
        peer.write_all(b"x").unwrap();
        expected.push(*token);
    }
    let everyone = drain(&mut poller, &slab);
    expected.sort_unstable();
    assert_eq!(everyone, expected);
    for (_, peer) in &mut peers {
        peer.write_all(b"x").unwrap();
    }
    assert_eq!(drain(&mut poller, &slab).len(), count, "each exactly once");
    // Take out every second one in the middle of the table: the rest must keep its tokens.
    let (gone, kept): (Vec<_>, Vec<_>) =
        peers.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
    for (_, (token, _)) in &gone {
        poller.remove(slab.get(*token).unwrap()).unwrap();
    }
    let mut all: Vec<UnixStream> =
        gone.into_iter().chain(kept).map(|(_, (_, peer))| peer).collect();
    for peer in &mut all {
        peer.write_all(b"x").unwrap();
    }
    assert_eq!(drain(&mut poller, &slab).len(), count / 2);
}

/// Waits and reads until nothing is ready; each token that was reported, sorted.
fn drain(poller: &mut Poller, slab: &Slab<OwnedFd>) -> Vec<Token> {
    let mut seen = Vec::new();
    loop {
        let events = ready(poller);
        if events.is_empty() {
            seen.sort_unstable();
            return seen;
        }
        for event in events {
            let fd = slab.get(event.token).unwrap();
            nix::unistd::read(fd, &mut [0; 8]).unwrap();
            seen.push(event.token);
        }
    }
}

#[test]
fn select_refuses_a_number_that_its_sets_do_not_hold() {
    assert!(descriptors::raise_limit().unwrap() > 1_500);
    let (ours, _peer) = pair();
    let high = moved_up(ours.into(), 1_500);
    assert!(high.as_raw_fd() >= 1_500);
    let mut poller = poller(Backend::Select);
    let refusal = poller.add(high.as_fd(), ONE, Interest::READ).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::InvalidInput);
    assert!(refusal.to_string().contains("FD_SETSIZE"), "{refusal}");
    assert!(refusal.to_string().contains("select"), "{refusal}");
    assert_eq!(ready(&mut poller), [], "and nothing was written past the sets");
    for backend in Backend::available().filter(|it| it.descriptor_ceiling().is_none()) {
        Poller::new(*backend).unwrap().add(high.as_fd(), ONE, Interest::READ).unwrap();
    }
}

#[cfg(not(all(target_os = "linux", feature = "kqueue-stand-in")))] // it has them all
#[test]
fn a_backend_of_another_system_is_refused_with_the_list_of_this_one() {
    let all = [Backend::Epoll, Backend::Kqueue, Backend::Poll, Backend::Select];
    let absent = all.iter().find(|backend| !Backend::available().any(|it| it == *backend)).unwrap();
    let refusal = Poller::new(*absent).err().unwrap();
    assert_eq!(refusal.kind(), ErrorKind::Unsupported);
    for backend in Backend::available() {
        assert!(refusal.to_string().contains(backend.name()), "{refusal}");
    }
}
