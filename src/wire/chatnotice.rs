//! What do the server's own words mean to a client? The few of them that change where its person
//! is or who they are.
//!
//! Everything else is for people to read. A sentence that a later server words differently is
//! simply not understood: a client then knows less, and shows the words all the same.

use super::chatline::{is_nick, is_room};

/// What words of the server mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the fields are what their names say
pub enum Notice<'a> {
    /// The first line of a connection: who the hearer is, and how many are online.
    Welcome { nick: &'a str, online: usize },
    /// The hearer has another nick.
    YouAre(&'a str),
    /// The hearer had that nick already.
    YouWere(&'a str),
    /// The hearer's wish for a nick failed because somebody has it.
    Taken(&'a str),
    /// Somebody has another nick.
    Renamed { before: &'a str, nick: &'a str },
    /// The hearer is in a room, with so many in it.
    Joined { room: &'a str, members: usize },
    /// The hearer is in that room already.
    Already(&'a str),
    /// The hearer is no longer in a room.
    Parted(&'a str),
    /// Somebody was put out of a room, perhaps the hearer.
    Kicked { nick: &'a str, room: &'a str },
    /// A room has another name.
    RoomRenamed { before: &'a str, room: &'a str },
    /// Words go to this room.
    Current(&'a str),
    /// Somebody came, to the server or into a room.
    Entered(&'a str),
    /// Somebody left the server.
    Left(&'a str),
    /// The hearer's nick is an account now.
    Registered(&'a str),
    /// The hearer acts for an account.
    LoggedIn(&'a str),
    /// The hearer acts for none.
    LoggedOut,
    /// The hearer's password is another one.
    PasswordChanged,
    /// Messages show their numbers from here on.
    NumbersOn,
    /// So many past lines of a room follow.
    PastOf { room: &'a str, count: usize },
    /// So many lines of people follow, one for each.
    PeopleIn { room: &'a str, count: usize },
    /// A line of `/help`: the command, and all of the line.
    Command { name: &'a str, line: &'a str },
    /// So many lines of rooms follow.
    Rooms(usize),
    /// Words for people.
    Other,
}

/// Understands the server's words, without the `* `.
pub fn notice(words: &str) -> Notice<'_> {
    about_hearer(words)
        .or_else(|| about_others(words))
        .or_else(|| headings(words))
        .unwrap_or(Notice::Other)
}

fn about_hearer(words: &str) -> Option<Notice<'_>> {
    if let Some(rest) = words.strip_prefix("connected as ") {
        let (nick, rest) = rest.split_once(", ")?;
        let (count, rest) = rest.split_once(' ')?;
        let known = rest.ends_with(" online; /help lists the commands, /quit leaves");
        let online = count.parse().ok()?;
        return (known && is_nick(nick)).then_some(Notice::Welcome { nick, online });
    }
    if let Some(rest) = words.strip_prefix("you are in ") {
        if let Some((room, rest)) = rest.split_once(" now, ").filter(|(room, _)| is_room(room)) {
            let members = rest.split(' ').next()?.parse().ok()?;
            return Some(Notice::Joined { room, members });
        }
        let (room, _) = rest.split_once(" already; ").filter(|(room, _)| is_room(room))?;
        return Some(Notice::Already(room));
    }
    if let Some(rest) = words.strip_prefix("you left ") {
        return first_word(rest).filter(|room| is_room(room)).map(Notice::Parted);
    }
    if let Some(rest) = words.strip_prefix("your words go to ") {
        let room = rest.split([' ', ';']).next().filter(|room| is_room(room));
        return room.map(Notice::Current);
    }
    if let Some(rest) = words.strip_prefix("you are called ") {
        let nick = rest.strip_suffix(" already").filter(|nick| is_nick(nick));
        return nick.map(Notice::YouWere);
    }
    if let Some(nick) = words.strip_prefix("user name already exists: somebody is called ") {
        return is_nick(nick).then_some(Notice::Taken(nick));
    }
    if let Some(nick) = words.strip_prefix("you are logged in as ") {
        return is_nick(nick).then_some(Notice::LoggedIn(nick));
    }
    if let Some((nick, _)) = words.split_once(" is registered and yours; ") {
        return is_nick(nick).then_some(Notice::Registered(nick));
    }
    match words {
        "you are logged out" => Some(Notice::LoggedOut),
        "your password is changed" => Some(Notice::PasswordChanged),
        "messages show their numbers" => Some(Notice::NumbersOn),
        _ => {
            let nick = words.strip_prefix("you are ")?.strip_suffix(" now")?;
            is_nick(nick).then_some(Notice::YouAre(nick))
        }
    }
}

fn about_others(words: &str) -> Option<Notice<'_>> {
    if let Some(rest) = words.strip_prefix("a new user ") {
        return stranger(rest.split_once(" entered, ")?.0).map(Notice::Entered);
    }
    if let Some(rest) = words.strip_prefix("the user ") {
        return stranger(rest.split_once(" left")?.0).map(Notice::Left);
    }
    let (nick, rest) = words.split_once(' ').filter(|(nick, _)| is_nick(nick))?;
    if let Some(room) = rest.strip_prefix("entered ") {
        return is_room(room).then_some(Notice::Entered(nick));
    }
    if let Some(rest) = rest.strip_prefix("has put ") {
        let (nick, room) = rest.split_once(" out of ")?;
        let room = first_word(room)?;
        return (is_nick(nick) && is_room(room)).then_some(Notice::Kicked { nick, room });
    }
    if let Some(rest) = rest.strip_prefix("has renamed ") {
        let (before, room) = rest.split_once(" to ")?;
        let room = first_word(room)?;
        return (is_room(before) && is_room(room)).then_some(Notice::RoomRenamed { before, room });
    }
    let after = rest.strip_prefix("is ")?.strip_suffix(" now").filter(|nick| is_nick(nick))?;
    Some(Notice::Renamed { before: nick, nick: after })
}

/// What says how many lines follow, and the lines of `/help`.
fn headings(words: &str) -> Option<Notice<'_>> {
    if let Some(rest) = words.strip_prefix('/') {
        let name = first_word(rest)?;
        let bare = name.bytes().all(|byte| byte.is_ascii_lowercase());
        return bare.then_some(Notice::Command { name, line: words });
    }
    let past = words.strip_prefix("from the past of ").or_else(|| words.strip_prefix("past of "));
    if let Some(past) = past {
        let (room, rest) = past.split_once(": ").filter(|(room, _)| is_room(room))?;
        let count = match rest.strip_suffix(", times are UTC") {
            Some(some) => some.split(' ').next()?.parse().ok()?,
            None if rest == "nothing" => 0,
            None => return None,
        };
        return Some(Notice::PastOf { room, count });
    }
    let (count, rest) = words.split_once(' ')?;
    let count = count.parse().ok()?;
    if let "room:" | "rooms:" = rest {
        return Some(Notice::Rooms(count));
    }
    let people = rest.strip_prefix("user in ").or_else(|| rest.strip_prefix("users in "))?;
    let room = people.strip_suffix(':').filter(|room| is_room(room))?;
    Some(Notice::PeopleIn { room, count })
}

fn first_word(text: &str) -> Option<&str> {
    text.split(' ').next().filter(|word| !word.is_empty())
}

/// `bob`, or `127.0.0.1:5 (guest1)` of somebody without a name of their own.
fn stranger(text: &str) -> Option<&str> {
    let nick = match text.split_once(" (") {
        Some((_, nick)) => nick.strip_suffix(')')?,
        None => text,
    };
    is_nick(nick).then_some(nick)
}

/// The people of a line behind [`Notice::PeopleIn`]: `@alice (away: lunch)`.
pub fn person(words: &str) -> Option<&str> {
    let word = first_word(words)?.trim_start_matches(['@', '+']);
    is_nick(word).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_changes_things_is_understood() {
        let welcome = "connected as guest1, 2 users online; /help lists the commands, /quit leaves";
        for (words, meaning) in [
            (welcome, Notice::Welcome { nick: "guest1", online: 2 }),
            ("you are alice now", Notice::YouAre("alice")),
            ("you are called alice already", Notice::YouWere("alice")),
            ("user name already exists: somebody is called alice", Notice::Taken("alice")),
            ("guest1 is bob now", Notice::Renamed { before: "guest1", nick: "bob" }),
            (
                "you are in #x now, 1 user there, you are its op",
                Notice::Joined { room: "#x", members: 1 },
            ),
            ("you are in #x already; /room #x switches", Notice::Already("#x")),
            ("you left #x (bye)", Notice::Parted("#x")),
            ("bob has put alice out of #x (why)", Notice::Kicked { nick: "alice", room: "#x" }),
            ("bob has renamed #a to #b", Notice::RoomRenamed { before: "#a", room: "#b" }),
            (
                "bob has renamed #a to #b (in #c to be clear)",
                Notice::RoomRenamed { before: "#a", room: "#b" },
            ),
            ("your words go to #x now", Notice::Current("#x")),
            ("your words go to #x; you are in #lobby, #x", Notice::Current("#x")),
            ("bob entered #x", Notice::Entered("bob")),
            ("a new user 127.0.0.1:5 (guest3) entered, 3 users online", Notice::Entered("guest3")),
            ("the user bob left (bye), 1 user online", Notice::Left("bob")),
            ("the user 127.0.0.1:5 (guest3) left, 1 user online", Notice::Left("guest3")),
            (
                "alice is registered and yours; next time: /login alice PASSWORD",
                Notice::Registered("alice"),
            ),
            ("you are logged in as alice", Notice::LoggedIn("alice")),
            ("you are logged out", Notice::LoggedOut),
            ("from the past of #x: nothing", Notice::PastOf { room: "#x", count: 0 }),
            ("past of #x: 1 message, times are UTC", Notice::PastOf { room: "#x", count: 1 }),
            ("past of #x: 20 messages, times are UTC", Notice::PastOf { room: "#x", count: 20 }),
            ("2 users in #x:", Notice::PeopleIn { room: "#x", count: 2 }),
            ("2 rooms:", Notice::Rooms(2)),
            (
                "/nick NAME                         take a name",
                Notice::Command {
                    name: "nick",
                    line: "/nick NAME                         take a name",
                },
            ),
            ("goodbye", Notice::Other),
            ("you are marked as away; /back ends that", Notice::Other),
            ("you are a server operator now", Notice::Other),
        ] {
            assert_eq!(notice(words), meaning, "{words}");
        }
        assert_eq!(person("@alice (away: lunch)"), Some("alice"));
        assert_eq!(person("127.0.0.1"), None);
    }

    proptest! {
        #[test]
        fn any_words_are_read_without_panic(words in "(you are |your words go to |from the past of |connected as |the user |/)?.{0,40}") {
            let _ = (notice(&words), person(&words));
        }
    }
}
