//! Names and texts from outside that no command has checked: could one have made them?
//!
//! An import is such a source. What is wrong is said in words, and never repeats a control character.

use super::limits;
use super::name::{Name, NickFault};
use std::fmt::Display;

/// What is wrong, if anything is.
pub type Checked = Result<(), String>;

/// What has to hold; `what` is wrong otherwise.
pub fn ensure(holds: bool, what: impl Display) -> Checked {
    if holds { Ok(()) } else { Err(what.to_string()) }
}

/// A nick that a user has, or had: chosen, or given by the server.
pub fn nick(nick: &Name) -> Checked {
    let valid = matches!(Name::nick(nick.as_str()), Ok(_) | Err(NickFault::Reserved));
    ensure(valid, format_args!("invalid nick {:?}", nick.as_str()))
}

/// A name that an account has.
pub fn account(name: &Name) -> Checked {
    let valid = Name::nick(name.as_str()).is_ok();
    ensure(valid, format_args!("invalid account name {:?}", name.as_str()))
}

pub fn room(name: &Name) -> Checked {
    let valid = Name::room(name.as_str()).is_ok();
    ensure(valid, format_args!("invalid room name {:?}", name.as_str()))
}

/// The name that a room had until another took it in a rename: its history is kept under the name and a
/// number (`#rust 7`), which no one can type.
pub fn name_of_retired_room(name: &Name) -> Option<Name> {
    let (before, number) = name.as_str().rsplit_once(' ')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Name::new(before))
}

/// A text of one line.
pub fn line(what: &str, text: &str, longest: usize) -> Checked {
    ensure(!text.contains('\n'), format_args!("a {what} of several lines: {text:?}"))?;
    lines(what, text, longest)
}

/// A text of several lines.
pub fn lines(what: &str, text: &str, longest: usize) -> Checked {
    ensure(
        !text.contains(['\0', '\r']),
        format_args!("a control character in a {what}: {text:?}"),
    )?;
    ensure(text.len() <= longest, format_args!("a {what} of more than {longest} bytes"))
}

/// A user name, an address, a key: one word without a control character.
pub fn word(what: &str, text: &str) -> Checked {
    let wrong = |c: char| c.is_control() || c.is_whitespace();
    let fits = text.len() <= limits::MASK_LENGTH;
    ensure(fits && !text.contains(wrong), format_args!("an invalid {what}: {text:?}"))
}

/// What a user reacts with.
pub fn reaction(text: &str) -> Checked {
    ensure(!text.is_empty(), "an empty reaction")?;
    line("reaction", text, limits::REACTION_LENGTH)
}
