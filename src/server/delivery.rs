//! How does one message reach ten thousand outboxes?
//!
//! Rendered once per format into a shared chunk; and all that a turn says to the room is gathered
//! in a *run* before any member is looked at. A run is one slice per format. When it is closed,
//! each member gets a reference to the whole slice: one touch of its connection for a hundred
//! messages. Only those with a mark — who said something in it, came in the middle of it, or were
//! told something in private — get the pieces that are theirs. Without runs a turn of a hundred
//! messages in a room of five hundred would touch connections fifty thousand times, and a burst of
//! a thousand joins half a million times.
//!
//! Invariants: each session is told everything in the order of the effects; nothing is written to
//! a socket here.

use super::connection::{Bounds, Connection};
use crate::chat::{Event, SessionId};
use crate::reactor::{Encoder, Segment, Slab, Token};
use crate::session::Format;
use std::collections::HashMap;
use std::ops::Range;

/// What a turn has said to the room so far, in one format.
#[derive(Default)]
struct Run {
    /// One slice, or a few where a chunk was full.
    pieces: Vec<Segment>,
    length: usize,
    /// What a session is not to be told, as offsets into the run, rising: its own lines, what was
    /// before it came, what it has got already. Most members are not in here at all.
    gaps: HashMap<SessionId, Vec<Range<usize>>>,
}

impl Run {
    fn add(&mut self, segment: Segment, except: Option<SessionId>) {
        let start = self.length;
        self.length += segment.len();
        if let Some(session) = except {
            self.gaps.entry(session).or_default().push(start..self.length);
        }
        if !self.pieces.last_mut().is_some_and(|last| last.merge(&segment)) {
            self.pieces.push(segment);
        }
    }

    /// Calls `push` with the parts of the run that are for `session`.
    fn parts_for(&self, session: SessionId, mut push: impl FnMut(&Segment)) {
        let gaps = self.gaps.get(&session).map_or(&[][..], Vec::as_slice);
        let mut base = 0;
        for piece in &self.pieces {
            let mut start = 0;
            for gap in gaps {
                let gap_start = gap.start.saturating_sub(base).min(piece.len());
                let gap_end = gap.end.saturating_sub(base).min(piece.len());
                if gap_start < gap_end {
                    push(&piece.slice(start..gap_start));
                    start = gap_end;
                }
            }
            push(&piece.slice(start..piece.len()));
            base += piece.len();
        }
    }

    /// From here on `session` has had all of the run so far.
    fn mark_told(&mut self, session: SessionId) {
        if self.length > 0 {
            self.gaps.insert(session, std::iter::once(0..self.length).collect());
        }
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.gaps.clear();
        self.length = 0;
    }
}

/// Bytes in one format: the chunk being filled, the run being gathered.
#[derive(Default)]
struct Channel {
    encoder: Encoder,
    run: Run,
    /// Connections of this format: nothing is rendered for nobody.
    population: usize,
}

/// Those whom a delivery has concerned.
#[derive(Default)]
pub(super) struct Touched {
    /// Have something to be written, each once.
    pub(super) to_flush: Vec<Token>,
    /// Have more than the hard limit allows.
    pub(super) overrun: Vec<Token>,
}

impl Touched {
    /// Queues `segment` for one connection.
    pub(super) fn queue(
        &mut self,
        token: Token,
        connection: &mut Connection,
        segment: &Segment,
        bounds: &Bounds,
    ) {
        if !connection.queue(segment, bounds) {
            self.overrun.push(token);
        }
        self.flush_later(token, connection);
    }

    /// Has the connection looked at when the turn's flush comes.
    pub(super) fn flush_later(&mut self, token: Token, connection: &mut Connection) {
        if !std::mem::replace(&mut connection.in_flush_list, true) {
            self.to_flush.push(token);
        }
    }
}

/// Renders events and hands out the slices.
#[derive(Default)]
pub(super) struct Delivery {
    channels: [Channel; Format::COUNT],
    /// Private lines have chunks of their own, so that the room's lines touch each other.
    private: Encoder,
    /// The line being rendered; its memory is used again.
    line: Vec<u8>,
}

impl Delivery {
    /// A connection of this format has come.
    pub(super) fn enter(&mut self, format: Format) {
        self.channels[format.index()].population += 1;
    }

    /// A connection of this format has gone.
    pub(super) fn leave(&mut self, format: Format) {
        self.channels[format.index()].population -= 1;
    }

    /// Renders something for one connection alone, or for all but not as part of the run.
    pub(super) fn encode(&mut self, render: impl FnOnce(&mut Vec<u8>)) -> Segment {
        self.line.clear();
        render(&mut self.line);
        self.private.append(&self.line)
    }

    /// Adds `event` to the room's run. `except` is not to be told.
    pub(super) fn add_to_run(
        &mut self,
        event: &Event,
        except: Option<&mut Connection>,
        id: SessionId,
    ) {
        let its_format = except.map(|connection| {
            connection.has_gap = true;
            connection.format
        });
        for format in Format::ALL {
            let channel = &mut self.channels[format.index()];
            if channel.population == 0 {
                continue;
            }
            self.line.clear();
            format.render(event, &mut self.line);
            let segment = channel.encoder.append(&self.line);
            channel.run.add(segment, (its_format == Some(format)).then_some(id));
        }
    }

    /// Gives one member its part of the open run now: it is about to be told something in private,
    /// or to leave, and order matters.
    pub(super) fn catch_up(
        &mut self,
        session: SessionId,
        connection: &mut Connection,
        bounds: &Bounds,
        touched: &mut Touched,
    ) {
        let run = &mut self.channels[connection.format.index()].run;
        let token = Token::from_bits(session.0);
        run.parts_for(session, |part| touched.queue(token, connection, part, bounds));
        run.mark_told(session);
        connection.has_gap = true;
    }

    /// What the run holds so far is not for this newcomer.
    pub(super) fn skip_to_here(&mut self, session: SessionId, connection: &mut Connection) {
        self.channels[connection.format.index()].run.mark_told(session);
        connection.has_gap = true;
    }

    /// Hands the run out to the members.
    pub(super) fn close_run(
        &mut self,
        members: impl Iterator<Item = SessionId>,
        connections: &mut Slab<Connection>,
        bounds: &Bounds,
        touched: &mut Touched,
    ) {
        if self.channels.iter().all(|channel| channel.run.length == 0) {
            return;
        }
        for session in members {
            let token = Token::from_bits(session.0);
            let Some(connection) = connections.get_mut(token) else { continue };
            let run = &self.channels[connection.format.index()].run;
            if std::mem::take(&mut connection.has_gap) {
                run.parts_for(session, |part| touched.queue(token, connection, part, bounds));
            } else {
                for piece in &run.pieces {
                    touched.queue(token, connection, piece, bounds);
                }
            }
        }
        for channel in &mut self.channels {
            channel.run.clear();
        }
    }

    /// The turn's writing is done: where nothing was left over, fill the same memory again.
    pub(super) fn rewind(&mut self) {
        self.private.rewind();
        for channel in &mut self.channels {
            channel.encoder.rewind();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(run: &Run, session: u64) -> String {
        let mut bytes = Vec::new();
        run.parts_for(SessionId(session), |part| bytes.extend(part.bytes()));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_speaker_gets_the_parts_around_its_own_lines() {
        let mut encoder = Encoder::with_chunk_size(12);
        let mut run = Run::default();
        for (number, speaker) in [None, Some(1), Some(2), Some(1), None, Some(1)].iter().enumerate()
        {
            let segment = encoder.append(format!("<{number}>").as_bytes());
            run.add(segment, speaker.map(SessionId));
        }
        assert_eq!(run.pieces.len(), 2, "four lines fill a chunk");
        assert_eq!(told(&run, 1), "<0><2><4>");
        assert_eq!(told(&run, 2), "<0><1><3><4><5>");
        assert_eq!(told(&run, 3), "<0><1><2><3><4><5>");
    }

    #[test]
    fn who_has_had_the_run_so_far_gets_the_rest_only() {
        let mut encoder = Encoder::with_chunk_size(12);
        let mut run = Run::default();
        for number in 0..8 {
            if number == 5 {
                run.mark_told(SessionId(1));
            }
            let segment = encoder.append(format!("<{number}>").as_bytes());
            run.add(segment, (number == 6).then_some(SessionId(1)));
        }
        assert_eq!(told(&run, 1), "<5><7>");
        assert_eq!(told(&run, 2), "<0><1><2><3><4><5><6><7>");
    }
}
