//! Valid nicks and room names, and when two of them are the same.
//!
//! Names are case-insensitive for ASCII only (IRC's `CASEMAPPING=ascii`). Rejected: the older
//! `rfc1459` mapping, in which `[]\` are the capitals of `{}|` as on Swedish keyboards, because it
//! surprises everyone else; and full Unicode folding, because its tables change between versions,
//! and a name must mean the same on every machine that replays the records.
//!
//! Invariant: equal names hash alike, and [`Caseless`] finds a [`Name`] without allocating.

use super::limits;
use super::require::require;
use indexmap::Equivalent;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

/// A nick, an account or a room, as its owner spelled it. Equal to any spelling that differs only
/// in the case of ASCII letters. Cloning shares the text.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(Arc<str>);

/// Why a nick is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NickFault {
    /// Nothing there.
    Empty,
    /// More than [`limits::NICK_LENGTH`] bytes.
    TooLong,
    /// A nick begins with a letter or one of ``[]\`_^{|}``.
    Start(char),
    /// A character that no nick may hold.
    Character(char),
    /// `guest1` and the like are given to those who have no name; `server` and `console` speak for the
    /// server; `you` and `me` mean the reader; `NickServ` and its kind are told passwords. So does what
    /// looks like one of them.
    Reserved,
}

/// Why a room name is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoomFault {
    /// It does not begin with `#`, or nothing follows it.
    NoHash,
    /// More than [`limits::ROOM_LENGTH`] bytes.
    TooLong,
    /// A space, a comma, a control character or one that cannot be seen.
    Character(char),
}

impl Name {
    /// Any text as a name, unchecked: for names that the server itself makes up.
    pub fn new(text: &str) -> Name {
        Name(text.into())
    }

    /// The room everyone starts in.
    pub fn lobby() -> Name {
        // One text for all: every session holds it.
        static LOBBY: LazyLock<Name> = LazyLock::new(|| Name::new("#lobby"));
        LOBBY.clone()
    }

    /// Checks a nick (RFC 2812, section 2.3.1, but longer).
    pub fn nick(text: &str) -> Result<Name, NickFault> {
        let mut characters = text.chars();
        let first = characters.next().ok_or(NickFault::Empty)?;
        require(is_nick_character(first) && !first.is_ascii_digit() && first != '-', || {
            NickFault::Start(first)
        })?;
        if let Some(wrong) = characters.find(|c| !is_nick_character(*c)) {
            return Err(NickFault::Character(wrong));
        }
        require(text.len() <= limits::NICK_LENGTH, || NickFault::TooLong)?;
        require(!is_reserved(text), || NickFault::Reserved)?;
        Ok(Name::new(text))
    }

    /// Checks a room name.
    pub fn room(text: &str) -> Result<Name, RoomFault> {
        require(text.starts_with('#') && text.len() > 1, || RoomFault::NoHash)?;
        let wrong = |&c: &char| c.is_whitespace() || c.is_control() || c == ',' || is_invisible(c);
        if let Some(wrong) = text.chars().find(wrong) {
            return Err(RoomFault::Character(wrong));
        }
        require(text.len() <= limits::ROOM_LENGTH, || RoomFault::TooLong)?;
        Ok(Name::new(text))
    }

    /// The name of the `number`th guest.
    pub(in crate::chat) fn guest(number: u32) -> Name {
        Name(format!("guest{number}").into())
    }

    /// As its owner spelled it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// In lower case, as the key of an index outside the hub.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// Whether a nick is one of the server's own, or to be mistaken for one: what is no letter and no
/// digit is passed over, and letters and digits that look alike are the same.
fn is_reserved(nick: &str) -> bool {
    let alike = |byte: u8| match byte.to_ascii_lowercase() {
        b'0' => b'o',
        b'1' | b'i' => b'l',
        byte => byte,
    };
    let seen: Vec<u8> = nick.bytes().filter(u8::is_ascii_alphanumeric).map(alike).collect();
    let number = |rest: &[u8]| {
        !rest.is_empty() && rest.iter().all(|byte| byte.is_ascii_digit() || b"ol".contains(byte))
    };
    matches!(&*seen, b"server" | b"console" | b"you" | b"me")
        || (seen.len() > 4 && seen.ends_with(b"serv"))
        || seen.strip_prefix(b"guest").is_some_and(number)
}

/// Whether a character may be in a nick, behind its first one.
pub(in crate::chat) const fn is_nick_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '['..='`' | '{'..='}' | '-')
}

/// Unicode's Default_Ignorable_Code_Point and its line ends: two names that look alike are one name.
/// Joiners are among them: some scripts need them in a text, none in a name.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The N of `guestN`.
pub fn guest_number(nick: &str) -> Option<u32> {
    let digits = nick.get(5..).filter(|_| nick[..5].eq_ignore_ascii_case("guest"))?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

/// A borrowed spelling, to look up a [`Name`].
pub struct Caseless<'a>(pub &'a str);

impl Hash for Caseless<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A valid name is one piece. The byte behind it is in no text: two names do not hash like
        // two others that are written alike.
        let mut folded = [0; limits::ROOM_LENGTH + 1];
        for piece in self.0.as_bytes().chunks(limits::ROOM_LENGTH) {
            for (folded, byte) in folded.iter_mut().zip(piece) {
                *folded = byte.to_ascii_lowercase();
            }
            folded[piece.len()] = 0xff;
            state.write(&folded[..=piece.len()]);
        }
    }
}

impl Equivalent<Name> for Caseless<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        // Nearly always it is spelled alike, and that is seen sooner.
        *self.0 == *name.0 || self.0.eq_ignore_ascii_case(&name.0)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Caseless(&self.0).hash(state);
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        let folded = |name: &'_ Name| name.0.to_ascii_lowercase();
        folded(self).cmp(&folded(other))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indexmap::IndexMap;

    #[test]
    fn nicks_follow_the_rules_of_irc() {
        for good in ["a", "Alice", "[away]", "a-1", "`x`", "{|}^_\\"] {
            assert_eq!(Name::nick(good).unwrap().as_str(), good);
        }
        let longest = "a".repeat(limits::NICK_LENGTH);
        assert!(Name::nick(&longest).is_ok());
        assert_eq!(Name::nick(&format!("{longest}a")), Err(NickFault::TooLong));
        assert_eq!(Name::nick(""), Err(NickFault::Empty));
        assert_eq!(Name::nick("1a"), Err(NickFault::Start('1')));
        assert_eq!(Name::nick("#a"), Err(NickFault::Start('#')));
        assert_eq!(Name::nick("a b"), Err(NickFault::Character(' ')));
        assert_eq!(Name::nick("josé"), Err(NickFault::Character('é')));
        assert_eq!(Name::nick("Guest12"), Err(NickFault::Reserved));
        for like_ours in ["SERVER", "console", "c0nsole", "_server_", "guest-1", "Guest_0l"] {
            assert_eq!(Name::nick(like_ours), Err(NickFault::Reserved), "{like_ours}");
        }
        for other in
            ["guest", "guests", "guestbook", "servers", "consoles", "observer", "my-guest1x"]
        {
            assert!(Name::nick(other).is_ok(), "{other}");
        }
    }

    #[test]
    fn room_names_are_wide_but_one_word() {
        assert!(Name::room("#größe").is_ok());
        assert_eq!(Name::room("lobby"), Err(RoomFault::NoHash));
        assert_eq!(Name::room("#"), Err(RoomFault::NoHash));
        assert_eq!(Name::room("#a b"), Err(RoomFault::Character(' ')));
        assert_eq!(Name::room("#a,b"), Err(RoomFault::Character(',')));
        assert_eq!(Name::room("#a\u{7}"), Err(RoomFault::Character('\u{7}')));
        assert_eq!(Name::room(&format!("#{}", "x".repeat(50))), Err(RoomFault::TooLong));
    }

    #[test]
    fn any_spelling_finds_the_name_but_brackets_are_not_braces() {
        let map = IndexMap::from([(Name::new("#Lobby"), 1)]);
        assert_eq!(map.get(&Caseless("#LOBBY")), Some(&1));
        assert_eq!(map.get(&Name::new("#lobby")), Some(&1));
        assert_ne!(Name::new("[a]"), Name::new("{a}"));
        assert_eq!(guest_number("größe"), None);
    }
}
