//! What does one line of a chatloop server say? The plain dialect, read from the other side.
//!
//! | begins with | is |
//! |---|---|
//! | `[nick]: `, `[nick] `, `[nick] (notice): ` | said in the lobby; an action; a notice |
//! | `#room `, then as above | said elsewhere |
//! | a number and a blank in front of the `[` | after `/numbers on` |
//! | `*` in front of all that | it mentions the hearer |
//! | `[nick -> you]`, `[you -> nick]` | said to one person alone |
//! | `- `, number, date, time, then as above | past; times are UTC |
//! | `* ` | the server's own words |
//!
//! A BEL in front of a line rings. Anything else is [`ChatLine::Raw`]: other servers speak lines,
//! too, and a line that is half understood would be shown half. So is a line that
//! [`clean`](super::clean) would change; what is understood is harmless on a terminal.
//!
//! Limit: `re 17 <nick> …: ` in front of an answer is left in the text. Anybody can type it, so
//! it proves nothing.

use super::clean::clean;

/// The room whose name is not written in front of its lines.
pub const LOBBY: &str = "#lobby";

/// One line, understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChatLine<'a> {
    /// Somebody says something now.
    Said(Said<'a>),
    /// Somebody said something then.
    Past(Stamp<'a>, Said<'a>),
    /// The server's own words, without the `* `.
    Server(&'a str),
    /// Not understood.
    Raw(&'a [u8]),
}

/// What somebody said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Said<'a> {
    /// To whom.
    pub place: Place<'a>,
    /// The message's number in its room, if the line shows it.
    pub number: Option<u64>,
    /// Who says it; in [`Place::To`], to whom this hearer said it.
    pub nick: &'a str,
    /// How.
    pub kind: Kind,
    /// What.
    pub text: &'a str,
    /// It mentions the hearer; always `false` for the past.
    pub mention: bool,
    /// The server rings.
    pub rings: bool,
}

/// Where something is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// In a room.
    Room(&'a str),
    /// To the hearer alone.
    From,
    /// By the hearer, to somebody alone.
    To,
}

/// How something is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// In words.
    Message,
    /// By doing: `/me`.
    Action,
    /// By a program.
    Notice,
}

impl Kind {
    /// What stands between the nick and the text.
    pub fn between(self) -> &'static str {
        match self {
            Kind::Message => "]: ",
            Kind::Action => "] ",
            Kind::Notice => "] (notice): ",
        }
    }
}

/// When something was said, in UTC and to the minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp<'a> {
    /// `2026-01-31`.
    pub date: &'a str,
    /// `12:30`.
    pub time: &'a str,
}

/// Understands one line, without its end.
pub fn parse(line: &[u8]) -> ChatLine<'_> {
    understood(line).unwrap_or(ChatLine::Raw(line))
}

fn understood(line: &[u8]) -> Option<ChatLine<'_>> {
    let (rings, line) = match line {
        [0x07, rest @ ..] => (true, rest),
        _ => (false, line),
    };
    let text = std::str::from_utf8(line).ok().filter(|text| *clean(line) == **text)?;
    if let Some(words) = text.strip_prefix("* ") {
        return (!rings).then_some(ChatLine::Server(words));
    }
    if let Some(past) = text.strip_prefix("- ") {
        let (number, past) = number(past);
        let (date, past) = past.split_once(' ')?;
        let (time, past) = past.split_once(' ')?;
        let shaped = fits(date, "0000-00-00") && fits(time, "00:00");
        let said = said(past)?;
        let fits = shaped && !rings && said.number.is_none();
        return fits.then_some(ChatLine::Past(Stamp { date, time }, Said { number, ..said }));
    }
    let (mention, text) = match text.strip_prefix('*') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    Some(ChatLine::Said(Said { mention, rings, ..said(text)? }))
}

/// `[#room ][number ]` and what a speaker's bracket begins.
fn said(text: &str) -> Option<Said<'_>> {
    let (room, text) = match text.starts_with('#') {
        true => text.split_once(' ').filter(|(room, _)| is_room(room))?,
        false => (LOBBY, text),
    };
    let (number, text) = number(text);
    let (head, rest) = text.strip_prefix('[')?.split_once(' ')?;
    let bare = Said {
        place: Place::Room(room),
        number,
        nick: head,
        kind: Kind::Message,
        text: rest,
        mention: false,
        rings: false,
    };
    if let Some(private) = rest.strip_prefix("-> ")
        && is_nick(head)
    {
        let (to, rest) = private.split_once(' ')?;
        let (to, kind, text) = spoken(to, rest)?;
        let place = if to == "you" { Place::From } else { Place::To };
        let nick = if place == Place::From { head } else { to };
        let fits = (place == Place::From || head == "you") && number.is_none() && room == LOBBY;
        return fits.then_some(Said { place, nick, kind, text, ..bare });
    }
    let (nick, kind, text) = spoken(head, rest)?;
    Some(Said { nick, kind, text, ..bare })
}

/// A nick with its closing bracket, and what follows. No nick holds a blank or a colon, but it
/// may hold brackets, so only the last one closes.
fn spoken<'a>(head: &'a str, rest: &'a str) -> Option<(&'a str, Kind, &'a str)> {
    let (nick, kind, text) = if let Some(nick) = head.strip_suffix("]:") {
        (nick, Kind::Message, rest)
    } else {
        let nick = head.strip_suffix(']')?;
        match rest.strip_prefix("(notice): ") {
            Some(text) => (nick, Kind::Notice, text),
            None => (nick, Kind::Action, rest),
        }
    };
    is_nick(nick).then_some((nick, kind, text))
}

/// The number in front, if there is one, and the rest.
fn number(text: &str) -> (Option<u64>, &str) {
    let parsed = text.split_once(' ').and_then(|(word, rest)| {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.parse().ok()).flatten().map(|number| (Some(number), rest))
    });
    parsed.unwrap_or((None, text))
}

/// Whether `text` has the shape of `pattern`, in which every `0` stands for a digit.
fn fits(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

/// Whether a word can be a room.
pub fn is_room(word: &str) -> bool {
    word.len() > 1
        && word.starts_with('#')
        && !word.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',')
}

/// Whether a word can be a nick: ``-[]\`_^{|}``, letters and digits, no digit or `-` in front.
pub fn is_nick(word: &str) -> bool {
    let special = |byte: u8| byte.is_ascii_alphabetic() || b"[]\\`_^{|}".contains(&byte);
    let mut bytes = word.bytes();
    bytes.next().is_some_and(special)
        && bytes.all(|byte| special(byte) || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(said: &Said<'_>, stamp: Option<Stamp<'_>>) -> String {
        let mut line = String::new();
        let number = said.number.map(|number| format!("{number} ")).unwrap_or_default();
        if said.rings {
            line.push('\x07');
        }
        if said.mention {
            line.push('*');
        }
        if let Some(stamp) = stamp {
            line += &format!("- {number}{} {} ", stamp.date, stamp.time);
        }
        if let Place::Room(room) = said.place
            && room != LOBBY
        {
            line += &format!("{room} ");
        }
        if stamp.is_none() {
            line += &number;
        }
        line += &match said.place {
            Place::Room(_) => format!("[{}", said.nick),
            Place::From => format!("[{} -> you", said.nick),
            Place::To => format!("[you -> {}", said.nick),
        };
        line + said.kind.between() + said.text
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            room in "#[a-z#-]{1,9}", nick in "[a-z\\[\\]`_^{|}][a-z0-9\\[\\]-]{0,9}",
            text in "[ -~é–]{0,40}", number in proptest::option::of(0u64..),
            (place, kind, mention, rings, past) in (0usize..4, 0usize..3, any::<bool>(), any::<bool>(), any::<bool>()),
        ) {
            prop_assume!(nick != "you");
            let kind = [Kind::Message, Kind::Action, Kind::Notice][kind];
            prop_assume!(kind != Kind::Action || !text.starts_with("(notice): "));
            // An action that begins like an arrow cannot be told from a private line's head.
            prop_assume!(!text.starts_with("-> "));
            let place =
                [Place::Room(LOBBY), Place::Room(&room), Place::From, Place::To][place];
            let in_room = matches!(place, Place::Room(_));
            let number = number.filter(|_| in_room);
            let said = Said {
                place, number, nick: &nick, kind, text: &text,
                mention: mention && in_room && !past, rings: rings && !past,
            };
            let stamp = past.then_some(Stamp { date: "2026-01-31", time: "12:30" });
            let line = written(&said, stamp);
            let expected = match stamp {
                Some(stamp) => ChatLine::Past(stamp, said),
                None => ChatLine::Said(said),
            };
            prop_assert_eq!(parse(line.as_bytes()), expected, "{}", line);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn near_misses_are_read_without_panic(line in "[\\x07*#\\- 0-9:\\[\\]>ab]{0,20}") {
            if let ChatLine::Said(said) | ChatLine::Past(_, said) = parse(line.as_bytes()) {
                prop_assert!(is_nick(said.nick));
            }
        }
    }

    #[test]
    fn lines_of_other_servers_are_raw() {
        for line in [
            "",
            "hello",
            "[alice]:hi",
            "[alice",
            "[al ice]: hi",
            "[1]: hi",
            "*",
            "*hello",
            "# [alice]: hi",
            "- hello",
            "- 2026-01-31 [alice]: hi",
            "- 2026-01-31 12:30 hello",
            "[alice -> bob]: hi",
            "<alice> hi",
            "[127.0.0.1:5]: hi",
            "\x07",
            "[alice]: \x1b[31mred",
        ] {
            assert_eq!(parse(line.as_bytes()), ChatLine::Raw(line.as_bytes()), "{line:?}");
        }
        assert_eq!(parse(b"* caf\xe9"), ChatLine::Raw(b"* caf\xe9"));
    }
}
