//! Decoding of a terminal's bytes into keys.
//!
//! A terminal sends text as UTF-8, control keys as bytes below 32, and the rest as escape sequences
//! (ECMA-48 5.4, xterm's "ctlseqs", and the `CSI u` form of newer terminals). The [`Decoder`] is
//! fed bytes in any pieces and returns the same keys however they are split.
//!
//! One thing the bytes alone cannot tell: whether ESC is a key or the start of an incomplete
//! sequence. The decoder has no clock; [`Decoder::timeout`] says how long to wait for more, after
//! which the caller calls [`Decoder::flush`].
//!
//! A bracketed paste arrives as one [`Input::Paste`], of at most [`MAX_PASTE`] bytes.
//!
//! Rejected: the parser of `termina`, whose interface has the right shape, but which stores pastes
//! and OSC strings without a limit and waits for the end of an OSC without a timeout, so that Alt-]
//! disables the keyboard; and `vte`, a fine parser for the other direction, which does not report
//! Alt-Backspace or an Alt with a non-ASCII letter and reads Alt-P as the start of a string.
//! Absent: mouse reports and terminal replies, which are not requested and dropped if received.

use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of one bracketed paste that are kept. A longer one is rejected as a whole: half of what
/// the user wanted to send is worse than nothing.
pub const MAX_PASTE: usize = 4 * 1024 * 1024;

/// Bytes of one escape sequence that are kept; the rest of a longer one is dropped.
const MAX_SEQUENCE: usize = 32;

/// How long an ESC may stand alone. As a key it does little here, so the marker of a paste
/// that a slow line cuts behind it matters more than a fast Escape.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a sequence may pause once it has begun with more than ESC: few keys are typed like that,
/// and the marker of a paste that a slow line has cut in two must not turn its lines into typed ones.
const BEGUN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a paste may pause before it counts as complete. If its end marker is lost, the keyboard
/// must not remain inside the paste; but on a line that stalls, what follows would be typed keys.
const PASTE_TIMEOUT: Duration = Duration::from_secs(10);

const PASTE_END: &[u8] = b"\x1b[201~";

/// A key without its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names are those on the keys
pub enum Code {
    /// A printable character, or the letter of a control key in lower case.
    Char(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Insert,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    Escape,
    /// F1 is 1.
    Function(u8),
}

/// A key and what was held with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The key itself.
    pub code: Code,
    /// Held with Alt, or typed after ESC.
    pub alt: bool,
    /// Held with Ctrl.
    pub control: bool,
    /// Held with Shift, if the terminal reports it; a capital letter is an ordinary character.
    pub shift: bool,
}

impl Key {
    /// The key alone.
    pub const fn plain(code: Code) -> Key {
        Key { code, alt: false, control: false, shift: false }
    }

    /// Ctrl and a character.
    pub const fn control(character: char) -> Key {
        Key { control: true, ..Key::plain(Code::Char(character)) }
    }

    /// Alt and a character.
    pub const fn alt(character: char) -> Key {
        Key { alt: true, ..Key::plain(Code::Char(character)) }
    }
}

/// Input from the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Pasted text; lines end with `\n`, whatever the terminal sent.
    Paste(String),
    /// A paste was longer than [`MAX_PASTE`] bytes and was discarded.
    PasteTooLong,
}

/// The decoder's position in a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Ground,
    /// Inside a UTF-8 character; its bytes so far are held.
    Character,
    /// After ESC.
    Escape,
    /// After `ESC O`: the alternative form of the cursor keys, and F1 to F4.
    SingleShift,
    /// After `ESC [`; the bytes so far are held.
    Sequence,
    /// After `ESC [ [`: the function keys of the Linux console.
    LinuxFunction,
    /// After `ESC ]`, `ESC P`, ...: a string from the terminal, dropped up to its end.
    TerminalString(u8),
    /// Between the brackets of a paste.
    Paste,
}

/// Bytes in, keys out.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// Bytes of the unfinished character, sequence or paste.
    held: Vec<u8>,
    /// A second ESC preceded it: Alt with a key that is itself a sequence.
    alt: bool,
    /// The paste is too long: its bytes are only kept to find its end.
    overflowed: bool,
    /// Decoded, and not taken yet.
    inputs: VecDeque<Input>,
}

impl Decoder {
    /// Decodes `bytes`.
    pub fn feed(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.byte(*byte));
    }

    /// What was decoded, in its order.
    pub fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// How long to wait for more bytes before [`flush`](Decoder::flush); `None` if no incomplete
    /// sequence is pending. Call it after every feed and count from there.
    pub fn timeout(&self) -> Option<Duration> {
        match self.state {
            State::Ground | State::Character => None,
            State::Paste => Some(PASTE_TIMEOUT),
            State::Sequence => Some(BEGUN_TIMEOUT),
            _ => Some(SEQUENCE_TIMEOUT),
        }
    }

    /// The timeout has expired: decodes what is pending as it is.
    pub fn flush(&mut self) {
        let alt = self.alt;
        let lone = match self.state {
            State::Ground | State::Character => return,
            State::Escape => Some(Key { alt, ..Key::plain(Code::Escape) }),
            State::SingleShift => Some(Key::alt('O')),
            State::Sequence if self.held.is_empty() => Some(Key::alt('[')),
            State::TerminalString(introducer) if self.held.is_empty() => {
                Some(Key::alt(char::from(introducer)))
            }
            State::Sequence | State::LinuxFunction | State::TerminalString(_) => None,
            State::Paste => return self.end_paste(),
        };
        self.rest();
        self.inputs.extend(lone.map(Input::Key));
    }

    fn rest(&mut self) {
        self.state = State::Ground;
        self.held.clear();
        self.alt = false;
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.ground(byte),
            State::Character => self.character(byte),
            State::Escape => self.escape(byte),
            State::SingleShift => self.single_shift(byte),
            State::Sequence => self.sequence(byte),
            State::LinuxFunction => self.linux_function(byte),
            State::TerminalString(_) => self.terminal_string(byte),
            State::Paste => self.paste(byte),
        }
    }

    fn emit(&mut self, key: Key) {
        let alt = key.alt || self.alt;
        self.rest();
        self.inputs.push_back(Input::Key(Key { alt, ..key }));
    }

    fn ground(&mut self, byte: u8) {
        match byte {
            0x1b => self.state = State::Escape,
            0x80.. => {
                self.held.push(byte);
                self.state = State::Character;
                self.complete_character();
            }
            _ => self.emit(ascii(byte)),
        }
    }

    fn character(&mut self, byte: u8) {
        if byte & 0xc0 == 0x80 {
            self.held.push(byte);
            self.complete_character();
        } else {
            // The character was cut off; what cut it off has its own meaning.
            self.emit(Key::plain(Code::Char(char::REPLACEMENT_CHARACTER)));
            self.byte(byte);
        }
    }

    fn complete_character(&mut self) {
        let character = match std::str::from_utf8(&self.held) {
            Ok(text) => text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER),
            Err(error) if error.error_len().is_none() => return,
            Err(_) => char::REPLACEMENT_CHARACTER,
        };
        // C1 controls are not text; a terminal has no key for them.
        if character.is_control() {
            self.rest();
        } else {
            self.emit(Key::plain(Code::Char(character)));
        }
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            // rxvt's Alt-Up is ESC and the sequence of Up; a third ESC is a repeated key.
            0x1b if self.alt => self.emit(Key::plain(Code::Escape)),
            0x1b => self.alt = true,
            b'[' => self.state = State::Sequence,
            b'O' => self.state = State::SingleShift,
            b']' | b'P' | b'X' | b'^' | b'_' => self.state = State::TerminalString(byte),
            _ => {
                self.alt = true;
                self.state = State::Ground;
                self.ground(byte);
            }
        }
    }

    fn single_shift(&mut self, byte: u8) {
        match (cursor_key(byte), byte) {
            (Some(code), _) => self.emit(Key::plain(code)),
            (None, b'M') => self.emit(Key::plain(Code::Enter)),
            (None, 0x20..=0x7e) => self.rest(),
            _ => self.interrupted(byte),
        }
    }

    fn linux_function(&mut self, byte: u8) {
        match byte {
            b'A'..=b'E' => self.emit(Key::plain(Code::Function(byte - b'A' + 1))),
            0x20..=0x7e => self.rest(),
            _ => self.interrupted(byte),
        }
    }

    /// A byte that cannot belong to the sequence: drop the sequence, keep the byte's own meaning.
    /// So Ctrl-C works at any moment.
    fn interrupted(&mut self, byte: u8) {
        self.rest();
        self.ground(byte);
    }

    /// ECMA-48 5.4: parameter bytes 0x30 to 0x3F, intermediate bytes 0x20 to 0x2F, one final
    /// byte 0x40 to 0x7E.
    fn sequence(&mut self, byte: u8) {
        match byte {
            b'[' if self.held.is_empty() => self.state = State::LinuxFunction,
            0x20..=0x3f => {
                if self.held.len() < MAX_SEQUENCE {
                    self.held.push(byte);
                }
            }
            b'~' if self.held == b"200" => {
                self.rest();
                self.state = State::Paste;
            }
            0x40..=0x7e => match sequence_key(&self.held, byte) {
                Some(key) => self.emit(key),
                None => self.rest(),
            },
            _ => self.interrupted(byte),
        }
    }

    fn terminal_string(&mut self, byte: u8) {
        match byte {
            // BEL ends it, ESC \ too: the backslash after this ESC is dropped with it.
            0x07 => self.rest(),
            0x1b if !self.held.is_empty() => {
                self.rest();
                self.state = State::TerminalString(b'\\');
                self.held.push(byte);
            }
            b'\\' if self.state == State::TerminalString(b'\\') => self.rest(),
            _ if self.state == State::TerminalString(b'\\') => {
                self.rest();
                self.escape(byte);
            }
            0x00..=0x1f => self.interrupted(byte),
            _ if self.held.len() < MAX_SEQUENCE => self.held.push(byte),
            _ => {}
        }
    }

    fn paste(&mut self, byte: u8) {
        self.held.push(byte);
        if self.held.ends_with(PASTE_END) {
            self.held.truncate(self.held.len() - PASTE_END.len());
            self.end_paste();
        } else if self.held.len() > MAX_PASTE + PASTE_END.len() {
            // Keep only what may be the start of the end marker.
            self.overflowed = true;
            let surplus = self.held.len() - PASTE_END.len();
            self.held.drain(..surplus);
            self.held.shrink_to_fit();
        }
    }

    fn end_paste(&mut self) {
        if self.overflowed || self.held.len() > MAX_PASTE {
            self.inputs.push_back(Input::PasteTooLong);
        } else {
            let text = String::from_utf8_lossy(&self.held);
            self.inputs.push_back(Input::Paste(text.replace("\r\n", "\n").replace('\r', "\n")));
        }
        self.overflowed = false;
        self.rest();
        self.held.shrink_to(MAX_SEQUENCE);
    }
}

/// The key of one byte below 0x80.
fn ascii(byte: u8) -> Key {
    match byte {
        b'\r' => Key::plain(Code::Enter),
        b'\t' => Key::plain(Code::Tab),
        0x7f => Key::plain(Code::Backspace),
        0x00 => Key::control(' '),
        0x01..=0x1a => Key::control(char::from(byte - 1 + b'a')),
        0x1b..=0x1f => Key::control(char::from(byte + 0x40)),
        _ => Key::plain(Code::Char(char::from(byte))),
    }
}

/// The key of a final byte, in `CSI x` and `SS3 x` alike.
fn cursor_key(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'P'..=b'S' => Code::Function(last - b'P' + 1),
        _ => return None,
    })
}

/// The key of `CSI number ~`.
fn numbered_key(number: u32) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::Function((number - 10) as u8),
        17..=21 => Code::Function((number - 11) as u8),
        23 | 24 => Code::Function((number - 12) as u8),
        _ => return None,
    })
}

/// The key of a character code, in `CSI code u` and `CSI 27 ; modifiers ; code ~`.
fn coded_key(code: u32) -> Option<Code> {
    Some(match code {
        9 => Code::Tab,
        13 => Code::Enter,
        27 => Code::Escape,
        8 | 127 => Code::Backspace,
        // Private use: the Kitty protocol's numbers for keys without a character.
        0xe000..=0xf8ff => return None,
        _ => Code::Char(char::from_u32(code).filter(|character| !character.is_control())?),
    })
}

/// The key of `CSI parameters last`; `None` if it is not a known key.
fn sequence_key(parameters: &[u8], last: u8) -> Option<Key> {
    let text = std::str::from_utf8(parameters).ok()?;
    let mut numbers = text.split(';').map(|parameter| {
        let first = parameter.split(':').next().unwrap_or_default();
        if first.is_empty() { Some(1) } else { first.parse::<u32>().ok() }
    });
    let first = numbers.next()??;
    let modifiers = numbers.next().unwrap_or(Some(1))?;
    let code = match last {
        b'~' if first == 27 => coded_key(numbers.next()??)?,
        b'~' => numbered_key(first)?,
        b'u' => coded_key(first)?,
        b'Z' => return Some(Key { shift: true, ..Key::plain(Code::Tab) }),
        _ => cursor_key(last)?,
    };
    // xterm: 1 + a sum of Shift 1, Alt 2, Ctrl 4 (and more that nothing here tells apart).
    let held = modifiers.saturating_sub(1);
    let (shift, alt, control) = (held & 1 != 0, held & 2 != 0, held & 4 != 0);
    Some(Key { code, alt, control, shift })
}

#[cfg(test)]
mod tests;
