//! The purposes of the loop's timers.

use chatloop_reactor::Token;

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::server) enum TimerKind {
    /// Something about one connection.
    Peer(Token, PeerTimer),
    /// Check who takes nothing of what it is owed.
    Stall,
    /// Check whether memory is still short.
    Shortage,
    /// A burst may be over.
    Trim,
    /// Try to accept again after descriptors ran out.
    Accept,
    /// Delete files that are too old.
    #[cfg(feature = "web")]
    Files,
    /// Log how many clients were rejected.
    Rejections,
    /// Look for registered rooms in which no one has been for long.
    Unused,
    /// The graceful shutdown has lasted long enough.
    Shutdown,
    /// The console's escape-sequence timeout expired, or it is time to try to regain the terminal.
    Console,
}

impl TimerKind {
    /// For those who watch.
    #[cfg(feature = "web")]
    pub(in crate::server) fn name(self) -> &'static str {
        match self {
            TimerKind::Peer(_, timer) => timer.name(),
            TimerKind::Stall => "stalled clients",
            TimerKind::Shortage => "whether memory is short",
            TimerKind::Trim => "memory may go back",
            TimerKind::Accept => "accept again",
            TimerKind::Rejections => "log the rejections",
            TimerKind::Files => "files that are due",
            TimerKind::Unused => "rooms and accounts that no one uses",
            TimerKind::Shutdown => "the shutdown is over",
            TimerKind::Console => "the console",
        }
    }
}

/// What a timer of a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::server) enum PeerTimer {
    /// The detection timeout: nothing has come that tells the protocol.
    Detection,
    /// The time for a TLS handshake is over.
    Handshake,
    /// Check whether a peer that has sent nothing and has ended its input is there.
    Acknowledgement,
    /// The time to register, or to give the password, is over.
    Registration,
    /// Check the idle limit.
    Idle,
    /// Check whether a half-closed peer is still there.
    Probe,
    /// A peer has had its time to read the rest, or to close after our farewell.
    Close,
    /// The flood limit lets another line pass.
    Flood,
    /// Check whether the client of a WebSocket is still there.
    Ping,
    /// Check whether an IRC client has left a batch open.
    Batch,
    /// Check how far an upload or download has come.
    #[cfg(feature = "web")]
    Transfer,
}

impl PeerTimer {
    #[cfg(feature = "web")]
    fn name(self) -> &'static str {
        match self {
            PeerTimer::Detection => "protocol detection",
            PeerTimer::Handshake => "TLS handshake",
            PeerTimer::Acknowledgement => "is it there?",
            PeerTimer::Registration => "registration",
            PeerTimer::Idle => "idle limit",
            PeerTimer::Probe => "is it still there?",
            PeerTimer::Close => "close",
            PeerTimer::Flood => "flood limit",
            PeerTimer::Ping => "ping",
            PeerTimer::Batch => "open batch",
            PeerTimer::Transfer => "is the transfer fast enough?",
        }
    }

    /// The timer of this connection.
    pub(in crate::server) fn of(self, token: Token) -> TimerKind {
        TimerKind::Peer(token, self)
    }
}
