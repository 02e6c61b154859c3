//! The transcript: what the operator sees of the chat on stdout. What stdout does not accept in
//! time is counted and reported, never waited for: see [`Outlet`].

use super::outlet::{self, Content, Full, Outlet};
use crate::chat::{Event, Viewpoint};
use crate::session::{Format, Theme};

/// Bytes of one turn's lines; more are left out.
const MOST_PER_TURN: usize = 64 * 1024;

/// The transcript of the chat.
pub(super) struct Transcript {
    outlet: Option<Outlet>,
    lines: Vec<u8>,
    left_out: u64,
}

impl Transcript {
    /// No transcript.
    pub(super) fn silent() -> Transcript {
        Transcript { outlet: None, lines: Vec::new(), left_out: 0 }
    }

    /// A transcript on stdout. There is none if no thread can be started.
    pub(super) fn on_stdout() -> Transcript {
        let outlet = Outlet::start(Content::Transcript, outlet::stdout).ok();
        Transcript { outlet, ..Transcript::silent() }
    }

    /// Adds what happened.
    pub(super) fn say(&mut self, event: &Event) {
        if self.outlet.is_none() {
            return;
        }
        if self.lines.len() > MOST_PER_TURN {
            self.left_out += 1;
            return;
        }
        Format::Plain(Theme::default()).render(None, event, Viewpoint::Observer, &mut self.lines);
    }

    /// Hands this turn's lines to the thread.
    pub(super) fn end_turn(&mut self) {
        let Some(outlet) = &self.outlet else { return };
        if self.lines.is_empty() {
            return;
        }
        if self.left_out > 0 {
            let note = Content::Transcript.note(self.left_out, "stdout is slow");
            self.lines.extend_from_slice(note.as_bytes());
        }
        match outlet.send(std::mem::take(&mut self.lines)) {
            Ok(()) => self.left_out = 0,
            Err(Full(lines)) => {
                self.left_out += memchr::memchr_iter(b'\n', &lines).count() as u64;
            }
        }
    }

    /// Waits a moment for the last lines to be written.
    pub(super) fn finish(&mut self) {
        if let Some(outlet) = self.outlet.take() {
            outlet.finish();
        }
    }
}
