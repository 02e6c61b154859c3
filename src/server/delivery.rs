//! How does one message reach ten thousand outboxes?
//!
//! All that a turn says to one room in a row is gathered in a *run* before any member is looked
//! at. When it is closed, it is rendered once for each format that a member has, into a shared
//! chunk, and each member gets a reference to the whole slice: one touch of its connection for a
//! hundred messages. Only those with a mark — who said something in it, came in the middle of it,
//! or were told something in private — get the parts that are theirs. Without runs a turn of a
//! hundred messages in a room of five hundred would touch connections fifty thousand times, and a
//! burst of a thousand joins half a million times.
//!
//! Invariants: each session is told everything in the order of the effects; a format that nobody
//! in the room has is not rendered; nothing is written to a socket here.

use super::connection::{Bounds, Connection};
use crate::chat::{Event, Name, SessionId, Stamp, Viewpoint};
use crate::reactor::{ChunkWriter, Segment, Slab, Token};
use crate::session::Format;
use std::collections::HashMap;
use std::ops::Range;

/// What a turn has said to one room so far.
#[derive(Default)]
struct Run {
    room: Option<Name>,
    events: Vec<(Stamp, Event)>,
    /// What a session is not to be told, as ranges of events, rising: its own doing, what was
    /// before it came, what it has got already. Most members are not in here at all.
    gaps: HashMap<SessionId, Vec<Range<usize>>>,
    /// Events that are nobody's words, as ranges, rising: newcomers do not hear of them.
    unsaid: Vec<Range<usize>>,
}

impl Run {
    fn add(&mut self, stamp: Stamp, event: Event) {
        if !matches!(event, Event::RoomMessage(_)) {
            extend(&mut self.unsaid, self.events.len()..self.events.len() + 1);
        }
        self.events.push((stamp, event));
    }

    fn leave_out(&mut self, session: SessionId, events: Range<usize>) {
        extend(self.gaps.entry(session).or_default(), events);
    }

    /// From here on `session` has had all of the run so far.
    fn mark_told(&mut self, session: SessionId) {
        let so_far = 0..self.events.len();
        if !so_far.is_empty() {
            self.gaps.insert(session, std::iter::once(so_far).collect());
        }
    }

    fn gaps_of(&self, session: SessionId) -> &[Range<usize>] {
        self.gaps.get(&session).map_or(&[], Vec::as_slice)
    }
}

/// Adds events to ranges of them. Leaving out twice is leaving out once.
fn extend(ranges: &mut Vec<Range<usize>>, events: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end >= events.start => last.end = last.end.max(events.end),
        _ => ranges.push(events),
    }
}

/// A run in one format.
#[derive(Default)]
struct Rendition {
    /// One slice, or a few where a chunk was full.
    pieces: Vec<Segment>,
    /// Where each event ends, as an offset into the run's bytes.
    ends: Vec<usize>,
}

impl Rendition {
    /// Brings it up to date with the run's events.
    fn catch_up(
        &mut self,
        events: &[(Stamp, Event)],
        format: Format,
        encoder: &mut ChunkWriter,
        line: &mut Vec<u8>,
    ) {
        for (stamp, event) in &events[self.ends.len()..] {
            line.clear();
            format.render(Some(*stamp), event, Viewpoint::Observer, line);
            let segment = encoder.append(line);
            self.ends.push(self.length() + segment.len());
            if !self.pieces.last_mut().is_some_and(|last| last.merge(&segment)) {
                self.pieces.push(segment);
            }
        }
    }

    fn length(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Where the event of this number begins.
    fn start_of(&self, event: usize) -> usize {
        event.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }

    /// Calls `push` with what is left outside of `gaps`.
    fn parts(&self, gaps: &[Range<usize>], mut push: impl FnMut(&Segment)) {
        let mut base = 0;
        for piece in &self.pieces {
            let within = |offset: usize| offset.saturating_sub(base).min(piece.len());
            let mut start = 0;
            for gap in gaps {
                let (gap_start, gap_end) =
                    (within(self.start_of(gap.start)), within(self.start_of(gap.end)));
                if gap_start < gap_end {
                    push(&piece.slice(start..gap_start));
                    start = gap_end;
                }
            }
            push(&piece.slice(start..piece.len()));
            base += piece.len();
        }
    }
}

/// Bytes in one format: the chunk being filled, the run being rendered.
struct Channel {
    format: Format,
    encoder: ChunkWriter,
    rendition: Rendition,
    /// Connections of this format. At none the channel may be given to another format.
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
    channels: Vec<Channel>,
    run: Run,
    /// Private lines have chunks of their own, so that the room's lines touch each other.
    private: ChunkWriter,
    /// The line being rendered; its memory is used again.
    line: Vec<u8>,
}

impl Delivery {
    /// A connection of this format has come; the number of the format's channel. There are as many
    /// channels as formats in use at the same time.
    pub(super) fn enter(&mut self, format: Format) -> usize {
        let known = self.channels.iter().position(|channel| channel.format == format);
        let unused = || self.channels.iter().position(|channel| channel.population == 0);
        let number = known.or_else(unused).unwrap_or(self.channels.len());
        if number == self.channels.len() {
            let (encoder, rendition) = (ChunkWriter::new(), Rendition::default());
            self.channels.push(Channel { format, encoder, rendition, population: 0 });
        }
        let channel = &mut self.channels[number];
        if channel.format != format {
            (channel.format, channel.rendition) = (format, Rendition::default());
        }
        channel.population += 1;
        number
    }

    /// A connection of this channel has gone, or has another format now.
    pub(super) fn leave(&mut self, channel: usize) {
        self.channels[channel].population -= 1;
    }

    /// The format of a channel.
    pub(super) fn format(&self, channel: usize) -> Format {
        self.channels[channel].format
    }

    /// Renders something that is not part of a run.
    pub(super) fn encode(&mut self, render: impl FnOnce(&mut Vec<u8>)) -> Segment {
        self.line.clear();
        render(&mut self.line);
        self.private.append(&self.line)
    }

    /// The room of the open run.
    pub(super) fn room(&self) -> Option<&Name> {
        self.run.room.as_ref()
    }

    /// Opens a run for a room. The one before has been closed.
    pub(super) fn open_run(&mut self, room: Name) {
        self.run.room = Some(room);
    }

    /// Adds `event` to the run.
    pub(super) fn add_to_run(&mut self, stamp: Stamp, event: Event) {
        self.run.add(stamp, event);
    }

    /// Whether anybody has said anything in the open run.
    pub(super) fn has_words(&self) -> bool {
        let unsaid: usize = self.run.unsaid.iter().map(ExactSizeIterator::len).sum();
        unsaid < self.run.events.len()
    }

    /// The event added last.
    pub(super) fn last_of_run(&self) -> Option<&Event> {
        self.run.events.last().map(|(_, event)| event)
    }

    /// The event added last, as the one who did it sees it; empty if there is nothing to see.
    pub(super) fn encode_last_of_run(&mut self, format: Format) -> Segment {
        self.line.clear();
        if let Some((stamp, event)) = self.run.events.last() {
            format.render(Some(*stamp), event, Viewpoint::Actor, &mut self.line);
        }
        self.private.append(&self.line)
    }

    /// The last event of the run is not for this one.
    pub(super) fn leave_out_last(&mut self, session: SessionId, connection: &mut Connection) {
        let count = self.run.events.len();
        self.run.leave_out(session, count.saturating_sub(1)..count);
        connection.has_gap = true;
    }

    /// What the run holds so far is not for this newcomer.
    pub(super) fn skip_to_here(&mut self, session: SessionId, connection: &mut Connection) {
        self.run.mark_told(session);
        connection.has_gap = true;
    }

    /// Gives one member its part of the run now: it is about to be told something in private, or
    /// to leave, and order matters.
    pub(super) fn catch_up(
        &mut self,
        session: SessionId,
        connection: &mut Connection,
        bounds: &Bounds,
        touched: &mut Touched,
    ) {
        if self.run.events.is_empty() {
            return;
        }
        let rendition = self.rendition(connection.channel);
        let token = Token::from_bits(session.0);
        let rendition = std::mem::take(rendition);
        rendition.parts(self.run.gaps_of(session), |part| {
            touched.queue(token, connection, part, bounds);
        });
        self.channels[connection.channel].rendition = rendition;
        self.run.mark_told(session);
        connection.has_gap = true;
    }

    /// Gives somebody who is nobody yet what has been said in the run so far, to be kept.
    pub(super) fn overhear(&mut self, connection: &mut Connection) {
        let rendition = std::mem::take(self.rendition(connection.channel));
        rendition.parts(&self.run.unsaid, |part| connection.put_aside(part));
        self.channels[connection.channel].rendition = rendition;
    }

    /// The run so far, rendered for a channel.
    fn rendition(&mut self, channel: usize) -> &mut Rendition {
        let Channel { format, encoder, rendition, .. } = &mut self.channels[channel];
        rendition.catch_up(&self.run.events, *format, encoder, &mut self.line);
        rendition
    }

    /// Hands the run out to the members of its room.
    pub(super) fn close_run(
        &mut self,
        members: impl Iterator<Item = SessionId>,
        connections: &mut Slab<Connection>,
        bounds: &Bounds,
        touched: &mut Touched,
    ) {
        if self.run.room.take().is_none() {
            return;
        }
        for session in members {
            let token = Token::from_bits(session.0);
            let Some(connection) = connections.get_mut(token) else { continue };
            if self.channels[connection.channel].rendition.ends.len() < self.run.events.len() {
                self.rendition(connection.channel);
            }
            let rendition = &self.channels[connection.channel].rendition;
            if std::mem::take(&mut connection.has_gap) {
                rendition.parts(self.run.gaps_of(session), |part| {
                    touched.queue(token, connection, part, bounds);
                });
            } else {
                for piece in &rendition.pieces {
                    touched.queue(token, connection, piece, bounds);
                }
            }
        }
        self.run.events.clear();
        self.run.gaps.clear();
        self.run.unsaid.clear();
        for Channel { rendition, .. } in &mut self.channels {
            rendition.pieces.clear();
            rendition.ends.clear();
        }
    }

    /// Bytes of all chunks so far: it grows where they cannot be written on again.
    pub(super) fn allocated(&self) -> u64 {
        let channels = self.channels.iter().map(|channel| channel.encoder.allocated());
        self.private.allocated() + channels.sum::<u64>()
    }

    /// The turn's writing is done: where nothing was left over, fill the same memory again.
    pub(super) fn rewind(&mut self) {
        self.private.rewind();
        for channel in &mut self.channels {
            channel.encoder.rewind();
        }
    }
}
