//! Values that a session and its runner hand each other: units of input, steps of a login, replays.

use super::detect::Detect;
use crate::chat::{Challenge, Claim};

/// What the bytes at the front of an inbox amount to.
pub struct Frame<'a> {
    /// Bytes that are done with once the frame has been taken.
    pub used: usize,
    /// Whether it may be decided while messages of the same peer wait for the journal.
    pub pipelined: bool,
    /// What is to be taken; `None` as long as more bytes are needed.
    pub body: Option<Body<'a>>,
}

/// One unit of a peer's input.
pub enum Body<'a> {
    /// The first bytes tell the protocol.
    Opening(Detect),
    /// A line without its end.
    Line(&'a [u8]),
    /// Nothing from the peer: an answer goes on with its next page.
    More,
    /// A WebSocket frame with its header, or what cannot be one.
    WebSocketFrame(&'a [u8]),
    /// A piece of the body of a request.
    RequestBody(&'a [u8]),
    /// A line over the limit, with the label that it bore.
    TooLong(Option<String>),
}

/// What came of a step of SASL.
pub enum ProofAnswer<'a> {
    /// What the client has to prove.
    Challenge(&'a Challenge),
    /// The client has proved this account; the server's own proof.
    Signed(&'a Claim, &'a str),
    /// The proof of a client that has not registered yet: the account, if it was right.
    Proved(Option<Claim>),
    /// The client has an account now, which it has registered before anything else.
    Registered(Claim),
    /// Nothing comes of it.
    Failed,
}

/// What a peer has to give before it is admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Needs {
    /// The server's password.
    pub password: bool,
    /// The password of an account.
    pub account: bool,
    /// Not one that it has: it may register.
    pub registers: bool,
}

/// What came of the server's password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordAnswer {
    Right,
    Wrong,
    /// It was not looked at: the peer's origin has guessed too often, and waits this many seconds.
    TooEarly(u64),
}

/// Which messages a peer wants to be shown when it enters a room or logs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replay {
    /// None: it asks for them itself.
    None,
    /// Before everything else from here on.
    First,
    /// Whenever they come: they bear their time.
    Anytime,
}
