//! The poller's tokens of the client's descriptors.

use chatloop_reactor::Token;

/// The signals' pipe.
pub(super) const SIGNALS: Token = Token::fixed(0);
/// The connection, being made or made.
pub(super) const SOCKET: Token = Token::fixed(1);
/// Standard input.
pub(super) const INPUT: Token = Token::fixed(2);
/// Standard output of a script.
pub(super) const OUTPUT: Token = Token::fixed(3);
