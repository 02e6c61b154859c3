//! Refusals as numerics, or as FAIL for the commands of IRCv3.

use super::{ReplyWriter, metadata};
use crate::chat::{Field, NickFault, Refusal};
use crate::session::refusal_text;
use crate::wire::irc::{Numeric, numeric};

/// A numeric, its words, and a text if it is not the usual one.
type Answer<'a> = (Numeric, Vec<&'a str>, Option<&'static str>);

fn usual<'a, const N: usize>(numeric: Numeric, words: [&'a str; N]) -> Option<Answer<'a>> {
    Some((numeric, words.to_vec(), None))
}

fn with_text<'a>(numeric: Numeric, words: &[&'a str], text: &'static str) -> Option<Answer<'a>> {
    Some((numeric, words.to_vec(), Some(text)))
}

/// Replies why `command`, which was about `subject`, was rejected.
pub(super) fn refuse(
    command: &str,
    subject: &[String],
    refusal: &Refusal,
    reply: &mut ReplyWriter<'_>,
) {
    // Nothing else tells a program that its message is lost.
    if let Refusal::Failed(why) = refusal {
        let command = if command.is_empty() { "*" } else { command };
        let subject: Vec<&str> = subject.iter().map(String::as_str).collect();
        return match command {
            "CHATHISTORY" => reply.fail(command, "MESSAGE_ERROR", &subject, why),
            _ => reply.fail(command, "TEMPORARILY_UNAVAILABLE", &[], why),
        };
    }
    // A notice never has a reply, lest two programs answer each other forever.
    if command == "NOTICE" || as_fail(command, subject, refusal, reply) {
        return;
    }
    let sends = matches!(command, "PRIVMSG" | "TAGMSG");
    let answer = match refusal {
        // It is no error if nothing had to change.
        Refusal::AlreadyIn(_)
        | Refusal::SameNick(_)
        | Refusal::NoSuchBan(_)
        | Refusal::NothingChanged(_) => return,
        Refusal::TryLater(seconds) if command != "AUTHENTICATE" => {
            let text = format!("Please wait {seconds} s and try again");
            return reply.numeric_text(numeric::RPL_TRYAGAIN, &[command], &text);
        }
        refusal if sends => cannot_send(refusal).or_else(|| about_rooms(refusal)),
        refusal => silenced(refusal).or_else(|| about_rooms(refusal)),
    };
    match answer.or_else(|| about_users(command, subject, refusal)) {
        Some((
            numeric @ (numeric::ERR_ERRONEUSNICKNAME | numeric::ERR_NOSUCHCHANNEL),
            words,
            None,
        )) if matches!(refusal, Refusal::BadNick(..) | Refusal::BadRoom(..)) => {
            // The usual text does not say what is wrong with the name.
            reply.numeric_text(numeric, &words, &refusal_text::of(refusal));
        }
        Some((numeric, words, None)) => reply.numeric(numeric, &words),
        Some((numeric, words, Some(text))) => reply.numeric_text(numeric, &words, text),
        None => {
            let command = if command.is_empty() { "*" } else { command };
            let text = refusal_text::of(refusal);
            reply.numeric_text(numeric::ERR_UNKNOWNERROR, &[command], &text);
        }
    }
}

fn cannot_send(refusal: &Refusal) -> Option<Answer<'_>> {
    let (room, text) = match refusal {
        Refusal::NotInRoom(room) => (room, "Cannot send to channel: you are not in it"),
        Refusal::Banned(room) => (room, "Cannot send to channel: you are banned"),
        _ => return silenced(refusal),
    };
    with_text(numeric::ERR_CANNOTSENDTOCHAN, &[room.as_str()], text)
}

fn silenced(refusal: &Refusal) -> Option<Answer<'_>> {
    let (room, text) = match refusal {
        Refusal::Moderated(room) => (room, "Cannot send to channel: it is moderated"),
        Refusal::Muted(room) => (room, "Cannot send to channel: you are muted"),
        Refusal::NoCtcp(room) => (room, "Cannot send to channel: it takes no CTCP"),
        _ => return None,
    };
    with_text(numeric::ERR_CANNOTSENDTOCHAN, &[room.as_str()], text)
}

fn about_rooms(refusal: &Refusal) -> Option<Answer<'_>> {
    let (numeric, room) = match refusal {
        Refusal::NoSuchRoom(room) => (numeric::ERR_NOSUCHCHANNEL, room.as_str()),
        Refusal::BadRoom(room, _) => (numeric::ERR_NOSUCHCHANNEL, &**room),
        Refusal::NotInRoom(room) => (numeric::ERR_NOTONCHANNEL, room.as_str()),
        Refusal::WrongKey(room) => (numeric::ERR_BADCHANNELKEY, room.as_str()),
        Refusal::RoomFull(room, _) => (numeric::ERR_CHANNELISFULL, room.as_str()),
        Refusal::InviteOnly(room) => (numeric::ERR_INVITEONLYCHAN, room.as_str()),
        Refusal::Banned(room) => (numeric::ERR_BANNEDFROMCHAN, room.as_str()),
        Refusal::NotOp(room) => (numeric::ERR_CHANOPRIVSNEEDED, room.as_str()),
        Refusal::TooManyRooms(_) => (numeric::ERR_TOOMANYCHANNELS, "*"),
        _ => return None,
    };
    usual(numeric, [room])
}

fn about_users<'r>(
    command: &str,
    subject: &'r [String],
    refusal: &'r Refusal,
) -> Option<Answer<'r>> {
    match refusal {
        Refusal::NoSuchNick(nick) => usual(numeric::ERR_NOSUCHNICK, [nick.as_str()]),
        Refusal::TheyAreNotIn(nick, room) => {
            usual(numeric::ERR_USERNOTINCHANNEL, [nick.as_str(), room.as_str()])
        }
        Refusal::TheyAreIn(nick, room) => {
            usual(numeric::ERR_USERONCHANNEL, [nick.as_str(), room.as_str()])
        }
        Refusal::BadNick(_, NickFault::Empty) => usual(numeric::ERR_NONICKNAMEGIVEN, []),
        // Valid, and always someone else's: a client tries another.
        Refusal::BadNick(nick, NickFault::Reserved) => usual(numeric::ERR_NICKNAMEINUSE, [nick]),
        Refusal::BadNick(nick, _) => usual(numeric::ERR_ERRONEUSNICKNAME, [nick]),
        Refusal::NickInUse(nick) => usual(numeric::ERR_NICKNAMEINUSE, [nick.as_str()]),
        Refusal::NickReserved(nick) => {
            let text = "Nickname is reserved for its account";
            with_text(numeric::ERR_NICKNAMEINUSE, &[nick.as_str()], text)
        }
        Refusal::SilencedNick(nick, room) => {
            usual(numeric::ERR_BANNICKCHANGE, [nick.as_str(), room.as_str()])
        }
        Refusal::NotOperator => usual(numeric::ERR_NOPRIVILEGES, []),
        Refusal::Missing(Field::Text) => usual(numeric::ERR_NOTEXTTOSEND, []),
        Refusal::TooManyBans(_) => match subject {
            [room, letter] => usual(numeric::ERR_BANLISTFULL, [room, letter]),
            _ => None,
        },
        Refusal::WrongPassword if command == "OPER" => usual(numeric::ERR_PASSWDMISMATCH, []),
        Refusal::WrongPassword | Refusal::TryLater(_) if command == "AUTHENTICATE" => {
            usual(numeric::ERR_SASLFAIL, [])
        }
        _ => None,
    }
}

/// Replies with FAIL, if the command is one of IRCv3's; whether it did.
fn as_fail(command: &str, about: &[String], why: &Refusal, reply: &mut ReplyWriter<'_>) -> bool {
    let nick = reply.nick.clone();
    let words: Vec<&str> = about.iter().map(String::as_str).collect();
    let (code, words): (&str, Vec<&str>) = match (command, why) {
        ("METADATA", _) => {
            metadata::refused(about, why, reply);
            return true;
        }
        ("REGISTER", Refusal::AccountExists(name) | Refusal::NickInUse(name)) => {
            ("ACCOUNT_EXISTS", vec![name.as_str()])
        }
        ("REGISTER", Refusal::LoggedIn(name)) => ("ALREADY_AUTHENTICATED", vec![name.as_str()]),
        ("REGISTER", Refusal::ShortPassword(_)) => ("WEAK_PASSWORD", vec![nick.as_str()]),
        ("REGISTER", Refusal::TooLong(..)) => ("UNACCEPTABLE_PASSWORD", vec![nick.as_str()]),
        ("REGISTER", Refusal::RegistrationClosed(_)) => ("DISALLOWED", vec![nick.as_str()]),
        ("REGISTER", _) => ("TEMPORARILY_UNAVAILABLE", vec![nick.as_str()]),
        ("REDACT", Refusal::NoSuchMessage(..)) => ("UNKNOWN_MSGID", words),
        ("REDACT", Refusal::NotYours(_)) => ("REDACT_FORBIDDEN", words),
        ("REDACT", Refusal::NoSuchRoom(name) | Refusal::NotInRoom(name)) => {
            ("INVALID_TARGET", vec![name.as_str()])
        }
        ("RENAME", Refusal::RoomExists(_)) => ("CHANNEL_NAME_IN_USE", words),
        ("RENAME", Refusal::LobbyStays | Refusal::BadRoom(..) | Refusal::RenamedRecently(..)) => {
            ("CANNOT_RENAME", words)
        }
        ("CHATHISTORY", _) => ("INVALID_TARGET", words),
        _ => return false,
    };
    reply.fail(command, code, &words, &refusal_text::of(why));
    true
}
