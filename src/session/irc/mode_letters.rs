//! Mode changes as IRC writes them: letters, with a sign where it changes, and arguments.

use crate::chat::ModeChange;
use std::borrow::Cow;

/// Letters with their signs, `+ov-l`.
#[derive(Default)]
pub(super) struct ModeString {
    letters: String,
    last: Option<bool>,
}

impl ModeString {
    pub(super) fn push(&mut self, on: bool, letter: char) {
        if self.last.replace(on) != Some(on) {
            self.letters.push(if on { '+' } else { '-' });
        }
        self.letters.push(letter);
    }

    pub(super) fn as_str(&self) -> &str {
        &self.letters
    }
}

/// Whether a change sets or unsets its mode, the mode's letter, and the argument.
pub fn mode_parts(change: &ModeChange) -> (bool, char, Option<Cow<'_, str>>) {
    match change {
        ModeChange::Flag(flag, on) => (*on, flag.letter(), None),
        ModeChange::Key(key) => (key.is_some(), 'k', Some(key.as_deref().unwrap_or("*").into())),
        ModeChange::Limit(limit) => {
            (limit.is_some(), 'l', limit.map(|limit| limit.to_string().into()))
        }
        ModeChange::Ban(mask, on) => (*on, 'b', Some(mask.into())),
        ModeChange::Except(mask, on) => (*on, 'e', Some(mask.into())),
        ModeChange::Invitable(mask, on) => (*on, 'I', Some(mask.into())),
        ModeChange::Op(nick, on) => (*on, 'o', Some(nick.as_str().into())),
        ModeChange::Voice(nick, on) => (*on, 'v', Some(nick.as_str().into())),
    }
}

/// Changes as one MODE line has them: the letters, then their arguments.
pub(super) fn parameters(changes: &[ModeChange]) -> (String, Vec<Cow<'_, str>>) {
    let mut letters = ModeString::default();
    let mut arguments = Vec::new();
    for change in changes {
        let (on, letter, argument) = mode_parts(change);
        letters.push(on, letter);
        arguments.extend(argument);
    }
    (letters.letters, arguments)
}
