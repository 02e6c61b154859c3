//! The transcript: what the operator sees of the chat on stdout. What stdout does not accept in
//! time is counted and reported, never waited for: see [`Outlet`].

use super::config::{Config, When};
use super::outlet::{self, Content, Full, Outlet};
use crate::chat::{Event, Identity, ModeChange, Moment, Name, Viewpoint};
use crate::session::{Format, Theme, plain, shown_to_the_second};
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes of one turn's lines; more are left out.
const MOST_PER_TURN: usize = 64 * 1024;

/// The event without the keys of rooms: a transcript is read by more people than the members.
fn without_keys(event: &Event) -> Cow<'_, Event> {
    let is_key = |change: &ModeChange| matches!(change, ModeChange::Key(Some(_)));
    match event {
        Event::ModesSet { who, room, changes } if changes.iter().any(is_key) => {
            let hidden = |change: &ModeChange| match change {
                ModeChange::Key(Some(_)) => ModeChange::Key(Some("(not shown)".into())),
                change => change.clone(),
            };
            Cow::Owned(Event::ModesSet {
                who: Arc::clone(who),
                room: room.clone(),
                changes: changes.iter().map(hidden).collect(),
            })
        }
        event => Cow::Borrowed(event),
    }
}

fn joined(who: &Identity, room: &Name, lines: &mut Vec<u8>) {
    let text = format!("{} ({}) joined {room}", who.nick, who.label);
    plain::render_notice(Theme::default(), &text, lines);
}

/// Whether the transcript is wanted. In the log of a service manager it would be what everyone says
/// beside what an operator looks for: there only if it is asked for.
pub(super) fn is_wanted(config: &Config) -> bool {
    match config.transcript {
        _ if config.quiet => false,
        When::Auto => !is_managers_log(),
        When::On => true,
        When::Off => false,
    }
}

/// Whether stdout is the journal of systemd, which says of itself which file it is.
fn is_managers_log() -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let found = std::fs::metadata("/dev/stdout");
    found.is_ok_and(|found| stream == format!("{}:{}", found.dev(), found.ino()))
}

/// The transcript of the chat; none at first.
#[derive(Default)]
pub(super) struct Transcript {
    outlet: Option<Outlet>,
    lines: Vec<u8>,
    left_out: u64,
    /// The last second, and how it is shown.
    clock: Option<(i64, String)>,
}

impl Transcript {
    /// A transcript on stdout. There is none if no thread can be started.
    pub(super) fn on_stdout() -> Transcript {
        let outlet = Outlet::start(Content::Transcript, outlet::stdout).ok();
        Transcript { outlet, ..Transcript::default() }
    }

    /// Adds what happened, each line with its time.
    pub(super) fn say(&mut self, event: &Event, time: Moment) {
        if self.outlet.is_none() {
            return;
        }
        if self.lines.len() > MOST_PER_TURN {
            self.left_out += 1;
            return;
        }
        let mut lines = Vec::new();
        match event {
            // One form for all who join, whatever they speak, and from where.
            Event::Entered { who, .. } => joined(who, &Name::lobby(), &mut lines),
            Event::Joined { who, room, .. } => joined(who, room, &mut lines),
            event => {
                let event = &without_keys(event);
                Format::Plain(Theme::default()).render(
                    None,
                    event,
                    Viewpoint::Observer,
                    &mut lines,
                );
            }
        }
        let second = time.0.div_euclid(1000);
        if self.clock.as_ref().is_none_or(|(shown, _)| *shown != second) {
            self.clock = Some((second, format!("{} ", shown_to_the_second(time))));
        }
        let time = self.clock.as_ref().map_or("", |(_, text)| text);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.lines.extend_from_slice(time.as_bytes());
            self.lines.extend_from_slice(line);
        }
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
            Err(Full(lines)) => self.left_out += outlet::lines(&lines),
        }
    }

    /// Waits a moment for the last lines to be written.
    pub(super) fn finish(&mut self) {
        if let Some(outlet) = self.outlet.take() {
            outlet.finish();
        }
    }
}
