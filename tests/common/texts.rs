//! The server's texts, matched as loosely as the requirement allows: the one place to edit when a
//! text changes.

use std::net::SocketAddr;

/// Part of the ready line.
pub const READY: &str = "listening on ";

/// The address in the ready line.
pub fn address_in(ready: &str) -> SocketAddr {
    let place = ready.find(READY).unwrap() + READY.len();
    ready[place..].split_whitespace().next().unwrap().parse().unwrap()
}

/// The capacity in the ready line.
pub fn capacity_in(ready: &str) -> usize {
    let words: Vec<&str> = ready.split_whitespace().collect();
    let place = words.iter().position(|word| *word == "clients").unwrap();
    words[place - 1].parse().unwrap()
}

fn users(count: usize) -> String {
    format!("{count} {} online", if count == 1 { "user" } else { "users" })
}

pub fn is_some_welcome(line: &str) -> bool {
    line.contains("connected") && line.contains("online")
}

/// The nick that a new user gets.
pub fn nick_in_welcome(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("connected as ")?;
    rest.split(',').next()
}

pub fn is_welcome(line: &str, online: usize) -> bool {
    is_some_welcome(line) && line.contains(&format!(" {}", users(online))) && line.contains("/quit")
}

pub fn is_some_entry(line: &str) -> bool {
    line.starts_with("* ") && line.contains(" connected, ")
}

pub fn is_entry(line: &str, who: &str, online: usize) -> bool {
    is_some_entry(line) && line.contains(who) && line.contains(&format!(" {}", users(online)))
}

pub fn is_some_departure(line: &str) -> bool {
    line.starts_with("* ") && line.contains(" quit")
}

/// Left without an error.
pub fn is_departure(line: &str, who: &str, online: usize) -> bool {
    is_some_departure(line)
        && line.contains(who)
        && line.contains(&format!(" {}", users(online)))
        && line.contains(" quit, ")
}

/// Left because of an error.
pub fn is_failure(line: &str, who: &str, online: usize) -> bool {
    is_some_departure(line)
        && line.contains(who)
        && line.contains(&format!(" {}", users(online)))
        && line.contains(" quit (")
}

pub fn said(who: &str, text: &str) -> String {
    format!("[{who}]: {text}")
}

pub fn is_unknown_command(line: &str, name: &str) -> bool {
    line.starts_with("* ") && line.contains(&format!("/{name}")) && line.contains("/help")
}

pub fn is_input_end(line: &str) -> bool {
    line.starts_with("* ") && line.contains("input has ended")
}

/// The last line to a client that quits, exceeds a limit, or is connected when the server stops.
pub fn is_goodbye(line: &str) -> bool {
    line.starts_with("* ") && line.contains("goodbye")
}

/// A line that names a limit by its flag.
pub fn names_limit(line: &str, flag: &str) -> bool {
    line.starts_with("* ") && line.contains(flag)
}

/// The lines of the classic style, exactly as the course project's server writes them.
pub mod classic {
    pub fn entered(who: &str, online: &str) -> String {
        format!("\r\x1b[34;1ma new user {who} entered, {online} online\n\x1b[0m")
    }

    pub fn left(who: &str, online: &str) -> String {
        format!("\r\x1b[31;1mthe user {who} left, {online} online\n\x1b[0m")
    }

    pub fn failed(who: &str, online: &str) -> String {
        format!("\r\x1b[31;1mthe user {who} left (error), {online} online\n\x1b[0m")
    }

    pub fn said(who: &str, text: &str) -> String {
        format!("\r\x1b[35;1m[{who}]: {text}\n\x1b[0m")
    }
}
