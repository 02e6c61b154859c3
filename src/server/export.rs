//! The export as an operator's terminal may show it: the same JSON, with an escape for every
//! character that a terminal would obey or hide.

use crate::journal::{self, JournalError, Published, Selection};
use crate::wire::clean::escape_json;
use crate::wire::plural::counted;
use chatloop_reactor::signals;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// What is to be exported, and where to.
#[derive(Clone, Debug)]
pub struct Export {
    /// The data directory.
    pub data: PathBuf,
    /// All of it, as `import` reads it: see [`journal::export`].
    pub all: bool,
    /// Else this, as [`journal::publish`] writes it.
    pub selection: Selection,
    /// A file; stdout without one.
    pub file: Option<PathBuf>,
}

/// Exports, and tells in words what has been.
///
/// # Errors
/// What is wrong with the data directory, or with the file.
pub fn export(wanted: &Export) -> Result<String, JournalError> {
    // A file at its limit (`ulimit -f`) is an error to report, and not the end by a signal.
    signals::ignore_write_signals().map_err(JournalError::Stream)?;
    let Some(file) = &wanted.file else {
        return write(wanted, &mut BufWriter::new(io::stdout().lock()));
    };
    // An export that fails leaves an earlier one alone.
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let failed = |source| JournalError::Copy { path: file.clone(), source };
    let _ = std::fs::remove_file(&partial);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let mut out = BufWriter::new(opened.map_err(failed)?);
    let of_file = |error| match error {
        JournalError::Stream(source) => failed(source),
        other => other,
    };
    let told = write(wanted, &mut out)
        .map_err(of_file)
        .and_then(|told| out.get_ref().sync_all().map(|()| told).map_err(failed))
        .and_then(|told| std::fs::rename(&partial, file).map(|()| told).map_err(failed));
    if told.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    told
}

fn write(wanted: &Export, out: &mut impl Write) -> Result<String, JournalError> {
    let Export { data, all, selection, .. } = wanted;
    if *all {
        let messages = journal::export(data, selection.room.as_ref(), &mut Escaped(out))?;
        return Ok(written(messages));
    }
    let Published { messages, left_out } = journal::publish(data, selection, &mut Escaped(out))?;
    let mut told = written(messages);
    if left_out > 0 {
        told += &format!(
            "; rooms left out: {left_out}, because not everyone may enter them (name one, or --all)"
        );
    }
    Ok(told)
}

fn written(messages: u64) -> String {
    counted(messages as usize, "message") + " written"
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
