//! A network inside the process: what the sockets and pollers of a thread are while a simulation runs.
//!
//! A server that is tested over a real network meets what the kernel happens to do that day. Here a
//! seed decides it: how much of what was sent has arrived, which of two ready sockets is reported first,
//! whether a socket takes three bytes or three thousand. The same seed gives the same run, so what
//! was found once is found again.
//!
//! On a thread that has [entered](Network::enter) a network, [`Listener::bind`](super::Listener::bind)
//! listens in it, and a poller watches it. It never waits, since the time is the simulation's to
//! move: with nothing ready and nothing due, the wait fails with `WouldBlock`. What is not of the
//! network, such as a waker, is watched as ever.
//! A connection is two bounded queues of bytes; what its peer has sent arrives when the simulation
//! [delivers](Network::deliver) it. Each end has its own descriptor that nothing is ever sent
//! over: it is what a poller knows it by.
//!
//! Limits: one thread; TCP in order and complete, as TCP is; no connections to the outside.

mod network;
mod selector;
mod socket;

pub use network::{Entered, Network, Peer};
pub(crate) use selector::Simulated;
pub use socket::{TcpListener, TcpStream};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, Backend, Interest, Listener, Poller, Received, Token};
    use std::io::{ErrorKind, Write as _};
    use std::time::Duration;

    #[test]
    fn bytes_arrive_when_they_are_delivered_and_ends_are_seen() {
        let network = Network::new(1);
        let _entered = network.enter();
        let listener = Listener::bind("127.0.0.1:7777".parse().unwrap(), 16).unwrap();
        let mut poller = Poller::new(Backend::best()).unwrap();
        poller.add(&listener, Token::fixed(0), Interest::READ).unwrap();
        let peer = network.connect("192.0.2.1:1".parse().unwrap(), 3).unwrap();
        let mut accepted = Vec::new();
        let end = listener.accept_each(9, |transport, address| accepted.push((transport, address)));
        assert!(matches!(end, Accepted::All));
        let (mut transport, address) = accepted.pop().unwrap();
        assert_eq!(address, "192.0.2.1:1".parse().unwrap());
        poller.add(&transport, Token::fixed(1), Interest::READ).unwrap();
        let mut ready = Vec::new();
        assert_eq!(peer.send(b"hello"), 5);
        let asleep = poller.wait(&mut ready, None).unwrap_err();
        assert_eq!(asleep.kind(), ErrorKind::WouldBlock, "it travels");
        poller.wait(&mut ready, Some(Duration::ZERO)).unwrap();
        assert!(ready.is_empty());
        while network.deliver() {}
        poller.wait(&mut ready, None).unwrap();
        assert_eq!((ready.len(), ready[0].token), (1, Token::fixed(1)));
        let mut buffer = [0; 16];
        assert!(matches!(transport.read(&mut buffer), Received::Bytes(5)));
        assert_eq!(transport.write(b"world").unwrap(), 3, "there is room for three");
        assert_eq!(transport.write(b"ld").unwrap_err().kind(), ErrorKind::WouldBlock);
        while network.deliver() {}
        assert_eq!(peer.receive(9), b"wor");
        peer.shut_down();
        while network.deliver() {}
        assert!(matches!(transport.read(&mut buffer), Received::Ended));
        poller.remove(&transport).unwrap();
        drop(transport);
        while network.deliver() {}
        assert!(peer.is_over());
    }
}
