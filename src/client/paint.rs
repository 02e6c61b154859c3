//! Lines as a person sees them: colours, times, and a server's bytes made harmless.
//!
//! The bytes are untrusted. [`wire::clean`](crate::wire::clean) sanitises them; the only exception,
//! on a terminal with colours, is a short list of SGR parameters, because servers of the classic
//! style colour their lines. A colour cannot do harm: it moves nothing and triggers no reply, and
//! it is reset at the end of the line. Concealed, blinking and background colours are not in the
//! list. A leading `\r`, with which the classic server overwrites the prompt of its own client, is
//! dropped.

use super::display::{DisplayItem, Incoming};
use super::plain::bracketed;
use crate::wire::clean::clean;
use jiff::ZonedDateTime;
use jiff::civil::Date;

/// SGR parameters of what the client itself shows.
pub mod style {
    /// The prompt and the user's own lines.
    pub const YOU: &str = "1;33";
    /// Errors.
    pub const ERROR: &str = "1;31";
    /// Notes and times.
    pub const DIM: &str = "2";
    /// Mentions of the user, and direct messages.
    pub const MENTION: &str = "1;95";
}

/// Colours of names. Red is for errors, black and white are backgrounds.
const NAMES: [&str; 10] = ["32", "33", "34", "35", "36", "92", "93", "94", "95", "96"];

/// The room whose name is not written in front of its messages for a script: a chatloop server's
/// first one.
const LOBBY: &str = "#lobby";

/// Bytes of the first of two columns, which are ASCII.
const COLUMN: usize = 25;

/// Renders lines, and tracks the date.
#[derive(Debug)]
pub struct Painter {
    colours: bool,
    timestamps: bool,
    /// The day of the last line.
    day: Option<Date>,
    /// The time of the next one.
    pub now: ZonedDateTime,
    /// The room whose name is not written in front of its messages.
    pub here: Option<String>,
    /// Whether there is no room for two columns.
    pub narrow: bool,
}

impl Painter {
    /// A painter with or without colours and the time.
    pub fn new(colours: bool, timestamps: bool) -> Painter {
        let here = Some(LOBBY.to_owned());
        let now = ZonedDateTime::default();
        Painter { colours, timestamps, day: None, now, here, narrow: false }
    }

    /// `name` if there are colours, else no style.
    pub fn style(&self, name: &'static str) -> &'static str {
        if self.colours { name } else { "" }
    }

    /// A line saying which day it is, if that has changed since the last line (`None` at the
    /// first line).
    pub fn day_line(&mut self) -> Option<String> {
        let today = self.now.date();
        let before = self.day.replace(today);
        let changed = self.timestamps && before.is_some_and(|day| day != today);
        changed.then(|| self.now.strftime("--- %A, %-d %B %Y ---").to_string())
    }

    /// The time in front of a line; empty if timestamps are off.
    pub fn time(&self, out: &mut Vec<u8>) {
        self.time_of(&self.now, out);
    }

    fn time_of(&self, time: &ZonedDateTime, out: &mut Vec<u8>) {
        if self.timestamps {
            self.styled(&time.strftime("%H:%M").to_string(), style::DIM, out);
            out.push(b' ');
        }
    }

    /// Appends `text` in a style, if there are colours.
    pub fn styled(&self, text: &str, name: &'static str, out: &mut Vec<u8>) {
        crate::terminal::styled(text, self.style(name), out);
    }

    /// Appends a server's line, without newline. `false`, and nothing is appended, if the line
    /// held only escape sequences: a colour reset that followed the newline before it.
    pub fn line(&self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let parts = parts(line);
        let texts = || parts.iter().map(|(_, text)| *text);
        if texts().all(<[u8]>::is_empty) && !line.is_empty() {
            return false;
        }
        self.time(out);
        if !self.colours {
            texts().for_each(|text| out.extend_from_slice(clean(text).as_bytes()));
        } else if parts.iter().any(|(colour, _)| colour.is_some_and(is_harmless)) {
            coloured(&parts, out);
        } else {
            self.named(&clean(&texts().collect::<Vec<_>>().concat()), out);
        }
        true
    }

    /// The lines that show an item, without newlines; see [`message`](Painter::message). None for
    /// the bell, and for notices, which a console and a script show in different ways.
    pub fn item(&self, item: &DisplayItem, numbers: bool, indent: Option<&str>) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        match item {
            DisplayItem::Message(message) => return self.message(message, numbers, indent),
            DisplayItem::ServerText(text) => self.event(text, &mut out),
            DisplayItem::Row(term, meaning) if self.narrow || term.len() > COLUMN => {
                self.event(&format!("{term}: {meaning}"), &mut out);
            }
            DisplayItem::Row(term, meaning) => {
                self.event(&format!("{term:<COLUMN$} {meaning}"), &mut out);
            }
            DisplayItem::Event(event) => self.event(&event.shown, &mut out),
            DisplayItem::Line(line) if self.line(line, &mut out) => {}
            _ => return Vec::new(),
        }
        vec![out]
    }

    fn event(&self, text: &str, out: &mut Vec<u8>) {
        self.time(out);
        out.extend_from_slice(b"* ");
        out.extend_from_slice(text.as_bytes());
    }

    /// A message in IRC, without newlines: a line for each of its lines, those after the first
    /// prefixed with `indent` or with the prefix of the first. The server's time of the message is
    /// used if it has one, as local time.
    pub fn message(&self, message: &Incoming, numbers: bool, indent: Option<&str>) -> Vec<Vec<u8>> {
        let zone = self.now.time_zone();
        let time = message.time.map(|time| time.to_zoned_datetime(zone.clone()));
        let time = time.as_ref().unwrap_or(&self.now);
        let text = format!("{}{}", message.reply_prefix(), message.text);
        let line = |(row, text): (usize, &str)| {
            let mut out = Vec::new();
            if let Some(indent) = indent.filter(|_| row > 0) {
                if !text.is_empty() {
                    out.extend_from_slice(indent.as_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
                return out;
            }
            let number = message.number.map(|number| format!("{number} ")).unwrap_or_default();
            if message.past {
                let stamp = format!("- {number}{} ", time.strftime("%Y-%m-%d %H:%M"));
                self.styled(&stamp, style::DIM, &mut out);
            } else {
                self.time_of(time, &mut out);
                if message.mention {
                    self.styled("*", style::MENTION, &mut out);
                }
            }
            let is_here = |room: &String| {
                self.here.as_ref().is_some_and(|here| here.eq_ignore_ascii_case(room))
            };
            if let Some(room) = message.room.as_ref().filter(|room| !is_here(room)) {
                self.styled(&format!("{room} "), style::DIM, &mut out);
            }
            if numbers && !message.past {
                self.styled(&number, style::DIM, &mut out);
            }
            self.sender_and_text(message, text, &mut out);
            out
        };
        text.split('\n').enumerate().map(line).collect()
    }

    fn sender_and_text(&self, message: &Incoming, text: &str, out: &mut Vec<u8>) {
        let nick = &message.nick;
        let (head, tail) = message.kind.between().split_at(1);
        let now = message.own && !message.past;
        let name = match (&message.room, message.own) {
            (Some(_), true) if now => format!("[You{head}"),
            (Some(_), _) => format!("[{nick}{head}"),
            (None, true) => format!("[you -> {nick}{head}"),
            (None, false) => format!("[{nick} -> you{head}"),
        };
        let colour = if now && message.room.is_some() { style::YOU } else { colour_of(nick) };
        self.styled(&name, colour, out);
        out.extend_from_slice(tail.as_bytes());
        let loud = message.mention || (message.room.is_none() && !message.own);
        self.styled(text, if loud { style::MENTION } else { "" }, out);
    }

    /// Gives the name in brackets at the start of a line its colour, the same every time.
    fn named(&self, text: &str, out: &mut Vec<u8>) {
        let name = bracketed(text).unwrap_or_default();
        let end = if name.is_empty() { 0 } else { name.len() + 2 };
        self.styled(&text[..end], if end > 0 { colour_of(name) } else { "" }, out);
        out.extend_from_slice(&text.as_bytes()[end..]);
    }
}

/// The colour of a name: FNV-1a over the table, because it spreads short names well.
fn colour_of(name: &str) -> &'static str {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    NAMES[hash as usize % NAMES.len()]
}

/// The texts of a line between its SGR sequences, each with the parameters of the one before it.
type Parts<'a> = Vec<(Option<&'a [u8]>, &'a [u8])>;

fn parts(line: &[u8]) -> Parts<'_> {
    let mut parts = Vec::new();
    let (mut colour, mut start, mut at) = (None, 0, 0);
    while let Some(found) = memchr::memchr(0x1b, &line[at..]) {
        let escape = at + found;
        at = escape + 1;
        if let Some(parameters) = sgr(&line[escape..]) {
            parts.push((colour, &line[start..escape]));
            colour = Some(parameters);
            start = escape + parameters.len() + 3;
            at = start;
        }
    }
    parts.push((colour, &line[start..]));
    for (_, text) in &mut parts {
        *text = &text[text.iter().take_while(|byte| **byte == b'\r').count()..];
        if !text.is_empty() {
            break;
        }
    }
    parts
}

/// Appends a line with its harmless colours, all reset at its end.
fn coloured(parts: &Parts<'_>, out: &mut Vec<u8>) {
    let mut open = false;
    for (colour, text) in parts {
        if let Some(parameters) = colour.filter(|colour| is_harmless(colour)) {
            open = !matches!(parameters, [] | [b'0']);
            out.extend_from_slice(&[b"\x1b[", parameters, b"m"].concat());
        }
        out.extend_from_slice(clean(text).as_bytes());
    }
    if open {
        out.extend_from_slice(b"\x1b[0m");
    }
}

/// The parameters of the SGR sequence that `bytes` begin with: `ESC [ digits ; ... m`.
fn sgr(bytes: &[u8]) -> Option<&[u8]> {
    let body = bytes.strip_prefix(b"\x1b[")?;
    let end = body.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
    (body[end] == b'm').then_some(&body[..end])
}

/// Reset, bold, dim, italic, underline and their ends; the sixteen foreground colours.
fn is_harmless(parameters: &[u8]) -> bool {
    parameters.split(|byte| *byte == b';').all(|parameter| {
        let number = std::str::from_utf8(parameter).unwrap_or("?");
        let number = if number.is_empty() { Ok(0) } else { number.parse::<u16>() };
        matches!(number, Ok(0..=4 | 22..=24 | 30..=37 | 39 | 90..=97))
    })
}

#[cfg(test)]
mod tests;
