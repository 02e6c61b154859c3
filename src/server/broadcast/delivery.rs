//! Shared rendering: one message into ten thousand outboxes.
//!
//! Consecutive events of one turn for one room are gathered in a *run* before any member is looked
//! at. When the run is closed, it is rendered once for each format that a member has, into a shared
//! chunk, and each member gets a reference to the whole slice: one touch of its connection for a
//! hundred messages. Only members with a gap (they sent something in it, entered in the middle of
//! it, or were told something in private) get the parts that are theirs. Without runs a turn of a
//! hundred messages in a room of five hundred would touch connections fifty thousand times, and a
//! burst of a thousand joins half a million times.
//!
//! Invariants: each session is told everything in the order of the effects; a format that no member
//! has is not rendered; nothing is written to a socket here.

use crate::chat::work::{self, BYTE, TOLD};
use crate::chat::{Event, Name, SessionId, SessionMap, Stamp, Viewpoint};
use crate::server::connection::Connection;
use crate::server::net::{Net, Peer};
use crate::session::Format;
use crate::trace;
use chatloop_reactor::{ChunkWriter, Segment, Token};
use std::ops::Range;

/// What a turn has said to one room so far.
#[derive(Default)]
struct Run {
    room: Option<Name>,
    events: Vec<(Stamp, Event)>,
    /// What a session is not to be told, as ranges of events, rising: its own events, those from
    /// before it entered, those it has got already. Most members are not in here at all.
    gaps: SessionMap<Vec<Range<usize>>>,
    /// Events that are no messages, as ranges, rising: the early buffers do not get them.
    not_messages: Vec<Range<usize>>,
}

impl Run {
    fn add(&mut self, stamp: Stamp, event: Event) {
        if !matches!(event, Event::RoomMessage(_)) {
            extend(&mut self.not_messages, self.events.len()..self.events.len() + 1);
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
            work::charge(BYTE.times(line.len()));
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

/// One format in use: the chunk being filled, the run being rendered.
struct FormatLane {
    format: Format,
    writer: ChunkWriter,
    rendition: Rendition,
    /// Connections of this format. At none the lane may be given to another format.
    subscribers: usize,
}

/// Renders events and hands out the slices.
#[derive(Default)]
pub(super) struct Delivery {
    lanes: Vec<FormatLane>,
    run: Run,
    /// Private lines have chunks of their own, so that the room's lines touch each other.
    private: ChunkWriter,
    /// The line being rendered; its memory is used again.
    line: Vec<u8>,
}

impl Delivery {
    /// A connection of this format has come; the number of the format's lane. There are as many
    /// lanes as formats in use at the same time.
    pub(super) fn enter(&mut self, format: Format) -> u16 {
        let known = self.lanes.iter().position(|lane| lane.format == format);
        let unused = || self.lanes.iter().position(|lane| lane.subscribers == 0);
        let number = known.or_else(unused).unwrap_or(self.lanes.len());
        if number == self.lanes.len() {
            let (writer, rendition) = (ChunkWriter::new(), Rendition::default());
            self.lanes.push(FormatLane { format, writer, rendition, subscribers: 0 });
        }
        let lane = &mut self.lanes[number];
        if lane.format != format {
            (lane.format, lane.rendition) = (format, Rendition::default());
        }
        lane.subscribers += 1;
        // Formats are themes and sets of a few capabilities: far fewer than that.
        number as u16
    }

    /// A connection of this lane has gone, or has another format now.
    pub(super) fn leave(&mut self, lane: u16) {
        self.lanes[usize::from(lane)].subscribers -= 1;
    }

    /// Whether a peer still wants its lines as its lane has them.
    pub(super) fn has_right_lane(&self, peer: &Peer<'_>) -> bool {
        self.lanes[usize::from(peer.connection.lane)].format == peer.connection.format()
    }

    /// A line or an event may have changed how a peer wants its lines.
    pub(super) fn update_lane(&mut self, in_room: bool, peer: &mut Peer<'_>) {
        if !self.has_right_lane(peer) {
            self.catch_up(in_room, peer);
            self.leave(peer.connection.lane);
            peer.connection.lane = self.enter(peer.connection.format());
        }
    }

    /// Keeps bytes that are not part of a run.
    pub(super) fn encode(&mut self, bytes: &[u8]) -> Segment {
        work::charge(BYTE.times(bytes.len()));
        self.private.append(bytes)
    }

    /// The room of the open run.
    pub(super) fn room(&self) -> Option<&Name> {
        self.run.room.as_ref()
    }

    /// Opens a run for a room. The one before has been closed.
    pub(super) fn open_run(&mut self, room: Name) {
        self.run.room = Some(room);
    }

    /// How many events the open run has.
    pub(super) fn run_length(&self) -> usize {
        self.run.events.len()
    }

    /// Adds `event` to the run.
    pub(super) fn add_to_run(&mut self, stamp: Stamp, event: Event) {
        self.run.add(stamp, event);
    }

    /// Whether the open run has a message.
    pub(super) fn has_messages(&self) -> bool {
        let others: usize = self.run.not_messages.iter().map(ExactSizeIterator::len).sum();
        others < self.run.events.len()
    }

    /// The event added last.
    pub(super) fn last_of_run(&self) -> Option<&Event> {
        self.run.events.last().map(|(_, event)| event)
    }

    /// The last event of the run is not for this one.
    pub(super) fn leave_out_last(&mut self, peer: &mut Peer<'_>) {
        let count = self.run.events.len();
        self.run.leave_out(session_of(peer), count.saturating_sub(1)..count);
        peer.connection.has_gap = true;
    }

    /// What the run holds so far is not for this connection: it enters the room now.
    pub(super) fn skip_to_here(&mut self, peer: &mut Peer<'_>) {
        self.run.mark_told(session_of(peer));
        peer.connection.has_gap = true;
    }

    /// Gives a connection its part of the run now, if it is in that room: it is about to be told
    /// something in private, or to leave, and order matters.
    pub(super) fn catch_up(&mut self, in_room: bool, peer: &mut Peer<'_>) {
        if !in_room || self.run.events.is_empty() {
            return;
        }
        let (lane, session) = (peer.connection.lane, session_of(peer));
        let rendition = std::mem::take(self.rendition(lane));
        rendition.parts(self.run.gaps_of(session), |part| peer.queue(part));
        self.lanes[usize::from(lane)].rendition = rendition;
        self.run.mark_told(session);
        peer.connection.has_gap = true;
    }

    /// Puts the messages of the run so far into a connection's early buffer.
    pub(super) fn buffer_early(&mut self, connection: &mut Connection) {
        let rendition = std::mem::take(self.rendition(connection.lane));
        rendition.parts(&self.run.not_messages, |part| connection.buffer_early(part));
        self.lanes[usize::from(connection.lane)].rendition = rendition;
    }

    /// The run so far, rendered for a lane.
    fn rendition(&mut self, lane: u16) -> &mut Rendition {
        let FormatLane { format, writer, rendition, .. } = &mut self.lanes[usize::from(lane)];
        rendition.catch_up(&self.run.events, *format, writer, &mut self.line);
        rendition
    }

    /// Hands the run out to the members of its room.
    pub(super) fn close_run(&mut self, members: impl Iterator<Item = SessionId>, net: &mut Net) {
        if self.run.room.take().is_none() {
            return;
        }
        let (mut clients, mut left_out, mut spared) = (0, 0, 0);
        for session in members {
            let Some(mut peer) = net.peer(Token::from_bits(session.0)) else { continue };
            clients += 1;
            let lane = usize::from(peer.connection.lane);
            if self.lanes[lane].rendition.ends.len() < self.run.events.len() {
                self.rendition(peer.connection.lane);
            }
            let rendition = &self.lanes[lane].rendition;
            if std::mem::take(&mut peer.connection.has_gap) {
                let gaps = self.run.gaps_of(session);
                left_out += gaps.iter().map(ExactSizeIterator::len).sum::<usize>();
                let mut is_told = false;
                rendition.parts(gaps, |part| {
                    is_told |= !part.is_empty();
                    peer.queue_charged(part);
                });
                spared += u32::from(!is_told);
            } else {
                for piece in &rendition.pieces {
                    peer.queue_charged(piece);
                }
            }
        }
        work::charge(TOLD.times(clients as usize));
        let all = self.run.events.len() * clients as usize;
        net.delivered(all.saturating_sub(left_out) as u64);
        net.trace().note(|| {
            let pieces = || self.lanes.iter().flat_map(|lane| &lane.rendition.pieces);
            trace::Event::Run {
                events: trace::small(self.run.events.len()),
                clients: clients - spared,
                bytes: trace::small(pieces().map(Segment::len).sum()),
                chunk: pieces().next().map_or(0, |piece| piece.chunk() as u16),
            }
        });
        self.run.events.clear();
        self.run.gaps.clear();
        self.run.not_messages.clear();
        for FormatLane { rendition, .. } in &mut self.lanes {
            rendition.pieces.clear();
            rendition.ends.clear();
        }
    }

    /// Bytes of all chunks so far: it grows where they cannot be written on again.
    pub(super) fn allocated(&self) -> u64 {
        let lanes = self.lanes.iter().map(|lane| lane.writer.allocated());
        self.private.allocated() + lanes.sum::<u64>()
    }

    /// Gives back the memory of a burst, between two turns' runs.
    pub(super) fn release_memory(&mut self) {
        debug_assert!(self.run.room.is_none(), "an open run would be lost");
        (self.run, self.line) = (Run::default(), Vec::new());
        self.private.release_memory();
        for lane in &mut self.lanes {
            lane.rendition = Rendition::default();
            lane.writer.release_memory();
        }
    }

    /// The turn's writing is done: where nothing was left over, fill the same memory again.
    pub(super) fn rewind(&mut self) {
        self.private.rewind();
        for lane in &mut self.lanes {
            lane.writer.rewind();
        }
    }
}

fn session_of(peer: &Peer<'_>) -> SessionId {
    SessionId(peer.token.to_bits())
}
