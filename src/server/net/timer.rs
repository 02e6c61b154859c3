//! What the loop's timers are for.

use chatloop_reactor::Token;

/// The kinds of timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::server) enum TimerKind {
    /// The detection timeout: nothing has come that tells the protocol.
    Detection(Token),
    /// The time to register, or to give the password, is over.
    Registration(Token),
    /// Check the idle limit.
    Idle(Token),
    /// Check whether a half-closed peer is still there.
    Probe(Token),
    /// A peer has had its time to read the rest, or to close after our farewell.
    Close(Token),
    /// The flood limit lets another line pass.
    Flood(Token),
    /// Check whether an IRC client has left a batch open.
    Batch(Token),
    /// Check who takes nothing of what it is owed.
    Stall,
    /// Check whether memory is still short.
    Shortage,
    /// A burst may be over.
    Trim,
    /// Try to accept again after descriptors ran out.
    Accept,
    /// The graceful shutdown has lasted long enough.
    Shutdown,
    /// The console's escape-sequence timeout expired, or it is time to try to regain the terminal.
    Console,
}
