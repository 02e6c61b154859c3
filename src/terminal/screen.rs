//! The edited line on the screen, and messages printed above it.
//!
//! The prompt and the line take one row, the last one printed, and never its last column: nothing
//! wraps, so one `\r` always returns to its start, at every width down to one column. A line that
//! is too long for the row scrolls horizontally with the cursor, and a prompt that is too long loses its
//! front. Messages are printed as ordinary text above it, wrapped at their spaces, so they stay in the
//! terminal's scrollback. Rejected: to leave the wrapping to the terminal, which would give a copied
//! message back in one line but breaks words in two on the screen.
//!
//! Every method appends to a buffer of the caller, who emits it with one write: the terminal
//! never shows half a redraw.
//!
//! The one thing to guess is a window that shrinks. Most terminals then wrap the row into several,
//! and the cursor is not in the first; [`Screen::resize`] moves up by as many rows as that takes. A
//! terminal that truncates the row instead (xterm) loses the rows above it. The opposite guess
//! would leave parts of old prompts in every other terminal.

use super::text;
use super::wrap::wrapped;
use std::borrow::Cow;
use std::io::Write;

/// Columns taken when the terminal does not know its own: the VT100's.
const DEFAULT_COLUMNS: usize = 80;

/// Columns that the prompt leaves to the line: a longer prompt loses its front.
const ROOM_FOR_LINE: usize = 8;

/// Columns that are worth showing of a prompt that does not fit: its last word, more or less.
const ROOM_FOR_PROMPT: usize = 8;

/// The content of the row: a prompt, the line, and the cursor.
#[derive(Clone, Copy, Debug)]
pub struct Face<'a> {
    /// The prompt's text, without escapes.
    pub prompt: &'a str,
    /// SGR parameters of the prompt ("1;33"); empty for none.
    pub style: &'a str,
    /// The line; no control characters.
    pub line: &'a str,
    /// Bytes of `line` before the cursor; a grapheme boundary.
    pub cursor: usize,
}

/// The row at the bottom, as it was last painted.
#[derive(Debug)]
pub struct Screen {
    columns: usize,
    /// Columns painted in the row, and the column of the cursor; `None` while hidden.
    painted: Option<(usize, usize)>,
}

impl Screen {
    /// A screen `columns` wide (0: unknown), with nothing in its row and the cursor at its start.
    pub fn new(columns: usize) -> Screen {
        Screen { columns: or_default(columns), painted: None }
    }

    /// Columns of the screen; those painted and that of the cursor.
    #[cfg(test)]
    pub fn geometry(&self) -> (usize, Option<(usize, usize)>) {
        (self.columns, self.painted)
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn is_hidden(&self) -> bool {
        self.painted.is_none()
    }

    /// Takes the row away; the cursor is at its start then.
    pub fn hide(&mut self, out: &mut Vec<u8>) {
        if self.painted.take().is_some() {
            out.extend_from_slice(b"\r\x1b[K");
        }
    }

    /// Paints the row over its previous content.
    pub fn show(&mut self, face: &Face<'_>, out: &mut Vec<u8>) {
        let usable = self.columns - 1;
        let prompt = shortened(face.prompt, usable.saturating_sub(ROOM_FOR_LINE));
        let prompt_columns = text::columns(&prompt);
        let (visible, before) = window(face.line, face.cursor, usable - prompt_columns);
        let cursor = prompt_columns + before;
        let painted = prompt_columns + text::columns(visible);

        out.push(b'\r');
        if !prompt.is_empty() {
            styled(&prompt, face.style, out);
        }
        out.extend_from_slice(visible.as_bytes());
        out.extend_from_slice(b"\x1b[K");
        if cursor < painted {
            out.push(b'\r');
            if cursor > 0 {
                let _ = write!(out, "\x1b[{cursor}C"); // a Vec takes all of it
            }
        }
        self.painted = Some((painted, cursor));
    }

    /// Prints `message` and leaves the row hidden: for many messages in one turn.
    pub fn print(&mut self, message: &[u8], out: &mut Vec<u8>) {
        self.hide(out);
        wrapped(message, self.columns, out);
        // Both, because the terminal's output processing may be off.
        out.extend_from_slice(b"\r\n");
    }

    /// Clears the screen and paints the row at its top.
    pub fn clear(&mut self, face: &Face<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[H\x1b[2J");
        self.painted = None;
        self.show(face, out);
    }

    /// The window is `columns` wide now (0: unknown).
    pub fn resize(&mut self, columns: usize, face: &Face<'_>, out: &mut Vec<u8>) {
        self.columns = or_default(columns);
        if let Some((painted, cursor)) = self.painted
            && painted > self.columns
        {
            let rows_up = cursor / self.columns;
            if rows_up > 0 {
                let _ = write!(out, "\x1b[{rows_up}A"); // a Vec takes all of it
            }
            out.extend_from_slice(b"\r\x1b[J");
        }
        self.show(face, out);
    }

    /// Another program, such as a shell, has written to the terminal: the row is where the cursor
    /// is, and its content is unknown.
    pub fn forget(&mut self) {
        self.painted = None;
    }
}

fn or_default(columns: usize) -> usize {
    if columns == 0 { DEFAULT_COLUMNS } else { columns }
}

/// Appends `text` in an SGR style, which is reset after it; plain if the style is empty.
pub fn styled(text: &str, style: &str, out: &mut Vec<u8>) {
    if style.is_empty() {
        out.extend_from_slice(text.as_bytes());
    } else {
        let _ = write!(out, "\x1b[{style}m{text}\x1b[0m"); // a Vec takes all of it
    }
}

/// A prompt that is too wide keeps its end, where the question and the room are.
fn shortened(prompt: &str, room: usize) -> Cow<'_, str> {
    if text::columns(prompt) <= room {
        return Cow::Borrowed(prompt);
    }
    if room < ROOM_FOR_PROMPT {
        return Cow::Borrowed("");
    }
    let (end, _) = window(prompt, prompt.len(), room - 1);
    Cow::Owned(format!("…{end}"))
}

/// The part of `line` that fits into `room` columns and contains the cursor, and the columns in
/// front of the cursor. As much as possible is in front, so that the text just typed at the end is
/// visible.
fn window(line: &str, cursor: usize, room: usize) -> (&str, usize) {
    let (before, after) = line.split_at(cursor);
    let mut start = cursor;
    let mut used = 0;
    for (grapheme, columns) in text::graphemes(before).rev() {
        if used + columns > room {
            break;
        }
        used += columns;
        start -= grapheme.len();
    }
    let end = cursor + text::fitting(after, room - used).len();
    (&line[start..end], used)
}

#[cfg(test)]
mod tests;
