//! A line editor that is fed keys, with readline's key bindings.
//!
//! | keys | do |
//! |---|---|
//! | Left Right, Ctrl-B Ctrl-F | one grapheme |
//! | Alt-B Alt-F, Ctrl or Alt with Left Right | one word |
//! | Ctrl-A Home, Ctrl-E End | start, end of the line |
//! | Backspace Ctrl-H, Delete Ctrl-D | delete before, at the cursor |
//! | Ctrl-K, Ctrl-U | kill to the end, to the start |
//! | Ctrl-W, Alt-Backspace, Alt-D | kill the space-separated word before, the word before, after |
//! | Ctrl-Y, Ctrl-T | put the last kill back, swap two graphemes |
//! | Up Down, Ctrl-P Ctrl-N | history |
//! | Enter Ctrl-J, Ctrl-C, Ctrl-D, Ctrl-Z, Ctrl-L, Tab, Ctrl-R | an [`Outcome`] for the caller |
//!
//! Invariants: the cursor is on a grapheme boundary; the line contains no control character but the
//! newlines and tabs of a paste that is being edited, and at most [`MAX_LINE`] bytes, so an insertion that
//! does not fit is rejected as a whole. Nothing in
//! here prints, and a paste of several lines is returned to the caller as a question, never as sent
//! lines.
//!
//! Deliberately absent: undo, a kill ring of more than one, vi mode.

use super::history::History;
use super::keys::{Code, Key};
use super::text;

/// Bytes of the edited line. A server's limit is lower as a rule, and the server names it.
pub const MAX_LINE: usize = 16 * 1024;

/// The result of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing to show anew.
    Unchanged,
    /// The line or the cursor moved.
    Changed,
    /// The key could do nothing here: ring the bell.
    Refused,
    /// Enter: the line, which is now empty. The caller decides whether to keep it with
    /// [`History::push`], because it may contain a password.
    Submitted(String),
    /// Ctrl-C on an empty line.
    Interrupted,
    /// Ctrl-C on a draft, which Ctrl-Y puts back.
    Cleared,
    /// Ctrl-D on an empty line.
    Ended,
    /// Ctrl-Z.
    Suspended,
    /// Ctrl-L.
    ClearScreen,
    /// Tab: the caller may [`insert`](Editor::insert) a completion of the word at the cursor.
    Complete,
    /// Ctrl-R: the caller may search [`Editor::history`].
    Search,
    /// Lines that wait for a yes; the line on the screen is untouched until then.
    Ask(Vec<String>),
}

/// The line, its cursor, and what was sent before.
#[derive(Debug, Default)]
pub struct Editor {
    line: String,
    /// A byte offset into `line`, on a grapheme boundary.
    cursor: usize,
    killed: String,
    /// The last key killed, so what the next one kills is added.
    killing: bool,
    /// The lines sent before.
    pub history: History,
}

impl Editor {
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Bytes of the line before the cursor; a grapheme boundary.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Replaces the bytes from `start` to the cursor by `text`, if it fits: a completion.
    pub fn complete(&mut self, start: usize, text: &str) -> Outcome {
        let start = start.min(self.cursor);
        if !self.line.is_char_boundary(start)
            || self.line.len() + text.len() > MAX_LINE + (self.cursor - start)
        {
            return Outcome::Refused;
        }
        let kept: String = text.chars().filter(|character| !character.is_control()).collect();
        self.line.replace_range(start..self.cursor, &kept);
        self.cursor = text::boundary_at_or_after(&self.line, start + kept.len());
        Outcome::Changed
    }

    /// Replaces the line and moves the cursor to its end. Control characters other than newlines and
    /// tabs are dropped, and so is everything over [`MAX_LINE`].
    pub fn set(&mut self, line: &str) {
        self.line.clear();
        self.line.extend(line.chars().filter(is_kept));
        self.line.truncate(self.line.floor_char_boundary(MAX_LINE));
        self.cursor = self.line.len();
    }

    /// Executes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        let killing = std::mem::take(&mut self.killing);
        match key {
            Key { code: Code::Char(letter), control: true, alt: false, .. } => {
                self.control(letter, killing)
            }
            Key { alt: true, control: false, .. } => self.alt(key.code, killing),
            _ => self.plain(key),
        }
    }

    fn plain(&mut self, key: Key) -> Outcome {
        let (line, cursor) = (&self.line, self.cursor);
        match key.code {
            Code::Char(_) if key.control => Outcome::Unchanged,
            Code::Char(character) => self.insert(character.encode_utf8(&mut [0; 4])),
            Code::Enter => self.submit(),
            Code::Tab if key.shift => Outcome::Unchanged,
            Code::Tab => Outcome::Complete,
            Code::Backspace => self.delete(text::grapheme_before(line, cursor), cursor),
            Code::Delete => self.delete(cursor, text::grapheme_after(line, cursor)),
            Code::Left if key.control => self.move_to(text::word_before(line, cursor)),
            Code::Right if key.control => self.move_to(text::word_after(line, cursor)),
            Code::Left => self.move_to(text::grapheme_before(line, cursor)),
            Code::Right => self.move_to(text::grapheme_after(line, cursor)),
            Code::Home => self.move_to(0),
            Code::End => self.move_to(line.len()),
            Code::Up => self.older(),
            Code::Down => self.newer(),
            Code::Insert | Code::PageUp | Code::PageDown | Code::Escape | Code::Function(_) => {
                Outcome::Unchanged
            }
        }
    }

    fn control(&mut self, letter: char, killing: bool) -> Outcome {
        let (line, cursor) = (&self.line, self.cursor);
        match letter {
            'a' => self.move_to(0),
            'b' => self.move_to(text::grapheme_before(line, cursor)),
            'c' if line.is_empty() => Outcome::Interrupted,
            'c' => {
                self.killed = std::mem::take(&mut self.line);
                self.clear();
                Outcome::Cleared
            }
            'd' if line.is_empty() => Outcome::Ended,
            'd' => self.delete(cursor, text::grapheme_after(line, cursor)),
            'e' => self.move_to(line.len()),
            'f' => self.move_to(text::grapheme_after(line, cursor)),
            'h' => self.delete(text::grapheme_before(line, cursor), cursor),
            'j' | 'm' => self.submit(),
            'k' => self.kill(line.len(), killing),
            'l' => Outcome::ClearScreen,
            'n' => self.newer(),
            'p' => self.older(),
            'r' => Outcome::Search,
            't' => self.transpose(),
            'u' => self.kill(0, killing),
            'w' => self.kill(text::blank_word_before(line, cursor), killing),
            'y' => self.insert(&self.killed.clone()),
            'z' => Outcome::Suspended,
            _ => Outcome::Unchanged,
        }
    }

    fn alt(&mut self, code: Code, killing: bool) -> Outcome {
        let (line, cursor) = (&self.line, self.cursor);
        match code {
            Code::Char('b' | 'B') | Code::Left => self.move_to(text::word_before(line, cursor)),
            Code::Char('f' | 'F') | Code::Right => self.move_to(text::word_after(line, cursor)),
            Code::Char('d' | 'D') | Code::Delete => {
                self.kill(text::word_after(line, cursor), killing)
            }
            Code::Backspace => self.kill(text::word_before(line, cursor), killing),
            _ => Outcome::Unchanged,
        }
    }

    /// Inserts `insertion` at the cursor, or rejects it if the line would exceed [`MAX_LINE`]. A
    /// tab becomes a space; other control characters are dropped.
    pub fn insert(&mut self, insertion: &str) -> Outcome {
        let spaced = insertion.chars().map(|it| if it == '\t' { ' ' } else { it });
        let insertion: String = spaced.filter(is_kept).collect();
        if insertion.is_empty() || self.line.len() + insertion.len() > MAX_LINE {
            return Outcome::Refused;
        }
        self.line.insert_str(self.cursor, &insertion);
        self.cursor = text::boundary_at_or_after(&self.line, self.cursor + insertion.len());
        Outcome::Changed
    }

    /// Handles a paste. A single line is inserted at the cursor, without its final newline. Several
    /// lines, or one that is too long to edit, are joined with the text before and after the cursor, as if they had been typed, and
    /// returned as a question; empty lines are dropped, because some servers take an empty line as
    /// a request to disconnect, unless the caller keeps them.
    pub fn paste(&mut self, pasted: &str, keeps_blank_lines: bool) -> Outcome {
        self.killing = false;
        let one_line = pasted.trim_end_matches('\n');
        if !one_line.contains('\n') && self.line.len() + one_line.len() <= MAX_LINE {
            return if one_line.is_empty() { Outcome::Unchanged } else { self.insert(one_line) };
        }
        let (before, after) = self.line.split_at(self.cursor);
        let whole = [before, pasted, after].concat();
        let lines = whole.split('\n').map(|line| line.chars().filter(is_kept).collect::<String>());
        let lines = lines.filter(|line| keeps_blank_lines || !line.trim().is_empty());
        let mut lines: Vec<String> = lines.collect();
        let is_blank = |line: &String| line.trim().is_empty();
        while lines.last().is_some_and(is_blank) {
            lines.pop();
        }
        lines.drain(..lines.iter().take_while(|line| is_blank(line)).count());
        Outcome::Ask(lines)
    }

    /// Empties the line without keeping it.
    pub fn clear(&mut self) {
        self.history.rest();
        self.line.clear();
        self.cursor = 0;
    }

    fn submit(&mut self) -> Outcome {
        let line = std::mem::take(&mut self.line);
        self.cursor = 0;
        self.history.rest();
        Outcome::Submitted(line)
    }

    fn older(&mut self) -> Outcome {
        let line = self.history.older(&self.line).map(str::to_owned);
        self.recall(line)
    }

    fn newer(&mut self) -> Outcome {
        let line = self.history.newer().map(str::to_owned);
        self.recall(line)
    }

    fn recall(&mut self, line: Option<String>) -> Outcome {
        let Some(line) = line else { return Outcome::Refused };
        self.set(&line);
        Outcome::Changed
    }

    fn move_to(&mut self, at: usize) -> Outcome {
        if at == self.cursor {
            return Outcome::Unchanged;
        }
        self.cursor = text::boundary_at_or_after(&self.line, at);
        Outcome::Changed
    }

    /// Deletes the bytes `start..end` and moves the cursor there.
    fn delete(&mut self, start: usize, end: usize) -> Outcome {
        if start == end {
            return Outcome::Refused;
        }
        self.line.replace_range(start..end, "");
        self.cursor = text::boundary_at_or_after(&self.line, start);
        Outcome::Changed
    }

    fn kill(&mut self, to: usize, killing: bool) -> Outcome {
        let (start, end) = (to.min(self.cursor), to.max(self.cursor));
        self.killing = killing || start < end;
        let taken = &self.line[start..end];
        if !killing && start < end {
            taken.clone_into(&mut self.killed);
        } else if to > self.cursor {
            self.killed.push_str(taken);
        } else {
            self.killed.insert_str(0, taken);
        }
        self.delete(start, end)
    }

    /// Swaps the graphemes around the cursor and advances; at the end, swaps the last two.
    fn transpose(&mut self) -> Outcome {
        let middle = match self.cursor == self.line.len() {
            true => text::grapheme_before(&self.line, self.cursor),
            false => self.cursor,
        };
        let start = text::grapheme_before(&self.line, middle);
        let end = text::grapheme_after(&self.line, middle);
        if start == middle || middle == end {
            return Outcome::Refused;
        }
        let swapped = [&self.line[middle..end], &self.line[start..middle]].concat();
        self.line.replace_range(start..end, &swapped);
        self.cursor = text::boundary_at_or_after(&self.line, end);
        Outcome::Changed
    }
}

/// Whether a character may stand in the line: newlines and tabs are those of a paste. One that cannot
/// be seen, or changes the direction of the row, would part the cursor from what it points at.
fn is_kept(character: &char) -> bool {
    match character {
        '\n' | '\t' => true,
        '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => false,
        _ => !character.is_control(),
    }
}

#[cfg(test)]
mod tests;
