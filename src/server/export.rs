//! The export as an operator's terminal may show it: the same JSON, with an escape for every
//! character that a terminal would obey or hide.

use crate::chat::Name;
use crate::journal::{self, JournalError};
use crate::wire::clean::escape_json;
use chatloop_reactor::signals;
use std::io::{self, Write};
use std::path::Path;

/// Writes what a data directory holds, one line of JSON for each message; see
/// [`journal::export`]. Returns the number of messages.
pub fn export(
    directory: &Path,
    room: Option<&Name>,
    out: &mut impl Write,
) -> Result<u64, JournalError> {
    // A file at its limit (`ulimit -f`) is an error to report, and not the end by a signal.
    signals::ignore_write_signals().map_err(JournalError::Stream)?;
    journal::export(directory, room, &mut Escaped(out))
}

/// Takes JSON in pieces that are text each, as serde writes it.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(piece).map_err(io::Error::other)?;
        self.0.write_all(escape_json(text).as_bytes())?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exported_text_reads_the_same_and_obeys_no_terminal() {
        let mut out = Vec::new();
        let text = "é\u{9b}2J\u{202e}\u{1b}[0m";
        serde_json::to_writer(Escaped(&mut out), text).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(line, r#""é\u009b2J\u202e\u001b[0m""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
