//! The state of a registration and of a login in progress.

use super::scram::Scram;
use crate::wire::sasl::Incoming;
use zeroize::Zeroizing;

/// An account and its password; an empty one for a login by certificate.
#[derive(Clone, Debug)]
pub struct Login {
    pub account: String,
    pub password: Zeroizing<String>,
}

/// The state of a registration.
#[derive(Debug, Default)]
pub(super) struct Registration {
    /// The server has sent something that IRC servers send.
    pub answered: bool,
    /// What it has objected to, in its own numeric.
    pub complaint: Option<String>,
    /// The requested nick, and the last one tried.
    pub wanted: String,
    pub nick: String,
    pub tries: u32,
    /// Pending requests.
    pub requests: usize,
    /// The list of capabilities is complete.
    pub listed: bool,
    pub sasl: Sasl,
}

/// The state of SASL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Sasl {
    #[default]
    Not,
    Begun,
    Over,
}

/// What the session knows of logins.
#[derive(Debug, Default)]
pub(super) struct Logins {
    /// The account to be logged in to, now and after a loss.
    pub current: Option<Login>,
    /// A registration of an account that was not answered yet.
    pub registering: Option<Login>,
    pub exchange: Option<Exchange>,
    /// The password that the person is asked for, and how many were wrong.
    pub asked: Option<Asked>,
    pub wrong: u32,
    /// The server has offered SCRAM, on this connection or an earlier one, and whether that is news.
    pub scram_seen: bool,
    pub scram_news: bool,
    /// Logins so far: each has a separate nonce.
    pub nonces: u64,
}

/// A password that a person is asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Account(String),
    Server,
}

/// A login in progress.
#[derive(Debug)]
pub(super) struct Exchange {
    pub login: Login,
    pub how: How,
    pub incoming: Incoming,
}

#[derive(Debug)]
pub(super) enum How {
    Plain,
    /// By the certificate of the connection.
    External,
    /// `None` until the server asks for the first message.
    Scram(Option<Box<Scram>>),
}
