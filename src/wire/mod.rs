//! wire: to come.

pub mod irc;
