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

/// Changes as one MODE line has them: the letters, then their arguments.
pub(super) fn parameters(changes: &[ModeChange]) -> (String, Vec<Cow<'_, str>>) {
    let mut letters = ModeString::default();
    let mut arguments = Vec::new();
    for change in changes {
        let (on, letter, argument) = change.parts();
        letters.push(on, letter);
        // Clients expect a parameter of `-k`, and it need not be the key.
        arguments.extend(argument.or((letter == 'k').then_some("*".into())));
    }
    (letters.letters, arguments)
}
