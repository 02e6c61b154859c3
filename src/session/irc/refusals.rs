//! Why something cannot be done, as numerics.

use super::reply::ReplyWriter;
use crate::chat::{Field, NickFault, Refusal};
use crate::wire::irc::{Numeric, numeric};

/// A numeric, its words, its text.
type Answer<'a> = (Numeric, Vec<&'a str>, &'static str);

/// Says why `command` cannot be carried out; `subject` is what it was about.
pub(super) fn refuse(
    command: &str,
    subject: &[String],
    refusal: &Refusal,
    reply: &mut ReplyWriter<'_>,
) {
    // Nothing answers a notice, lest two programs talk for ever.
    if command == "NOTICE" || in_standard_form(command, subject, refusal, reply) {
        return;
    }
    let speaks = matches!(command, "PRIVMSG" | "TAGMSG");
    let answer = match refusal {
        // To join twice, to be called what one is called, to lift what is not there or to set what is
        // there is no fault.
        Refusal::AlreadyIn(_)
        | Refusal::SameNick(_)
        | Refusal::NoSuchBan(_)
        | Refusal::NothingChanged(_) => return,
        Refusal::TryLater(seconds) if command != "AUTHENTICATE" => {
            let text = format!("Please wait {seconds} s and try again");
            return reply.numeric_text(numeric::RPL_TRYAGAIN, &[command], &text);
        }
        refusal if speaks => while_speaking(refusal).or_else(|| about_rooms(refusal)),
        refusal => about_rooms(refusal),
    };
    match answer.or_else(|| about_people(command, refusal)) {
        Some((numeric, words, text)) => reply.numeric_text(numeric, &words, text),
        None => {
            let command = if command.is_empty() { "*" } else { command };
            let text = crate::session::refusal_text::of(refusal);
            reply.numeric_text(numeric::ERR_UNKNOWNERROR, &[command], &text);
        }
    }
}

fn while_speaking(refusal: &Refusal) -> Option<Answer<'_>> {
    let (room, text) = match refusal {
        Refusal::NotInRoom(room) => (room, "Cannot send to channel: you are not in it"),
        Refusal::Banned(room) => (room, "Cannot send to channel: you are banned"),
        Refusal::Moderated(room) => (room, "Cannot send to channel: it is moderated"),
        Refusal::Muted(room) => (room, "Cannot send to channel: you are muted"),
        _ => return None,
    };
    Some((numeric::ERR_CANNOTSENDTOCHAN, vec![room.as_str()], text))
}

fn about_rooms(refusal: &Refusal) -> Option<Answer<'_>> {
    let (numeric, room, text) = match refusal {
        Refusal::NoSuchRoom(room) => (numeric::ERR_NOSUCHCHANNEL, room.as_str(), "No such channel"),
        Refusal::BadRoom(room, _) => (numeric::ERR_NOSUCHCHANNEL, &**room, "No such channel"),
        Refusal::NotInRoom(room) => {
            (numeric::ERR_NOTONCHANNEL, room.as_str(), "You're not on that channel")
        }
        Refusal::WrongKey(room) => {
            (numeric::ERR_BADCHANNELKEY, room.as_str(), "Cannot join channel (+k)")
        }
        Refusal::RoomFull(room, _) => {
            (numeric::ERR_CHANNELISFULL, room.as_str(), "Cannot join channel (+l)")
        }
        Refusal::InviteOnly(room) => {
            (numeric::ERR_INVITEONLYCHAN, room.as_str(), "Cannot join channel (+i)")
        }
        Refusal::Banned(room) => {
            (numeric::ERR_BANNEDFROMCHAN, room.as_str(), "Cannot join channel (+b)")
        }
        Refusal::NotOp(room) => {
            (numeric::ERR_CHANOPRIVSNEEDED, room.as_str(), "You're not channel operator")
        }
        Refusal::TooManyRooms(_) => {
            (numeric::ERR_TOOMANYCHANNELS, "*", "You have joined too many channels")
        }
        _ => return None,
    };
    Some((numeric, vec![room], text))
}

fn about_people<'r>(command: &str, refusal: &'r Refusal) -> Option<Answer<'r>> {
    Some(match refusal {
        Refusal::NoSuchNick(nick) => (numeric::ERR_NOSUCHNICK, vec![nick.as_str()], "No such nick"),
        Refusal::TheyAreNotIn(nick, room) => {
            let words = vec![nick.as_str(), room.as_str()];
            (numeric::ERR_USERNOTINCHANNEL, words, "They aren't on that channel")
        }
        Refusal::TheyAreIn(nick, room) => {
            let words = vec![nick.as_str(), room.as_str()];
            (numeric::ERR_USERONCHANNEL, words, "is already on channel")
        }
        Refusal::BadNick(_, NickFault::Empty) => {
            (numeric::ERR_NONICKNAMEGIVEN, vec![], "No nickname given")
        }
        Refusal::BadNick(nick, _) => {
            (numeric::ERR_ERRONEUSNICKNAME, vec![nick], "Erroneous nickname")
        }
        Refusal::NickInUse(nick) => {
            (numeric::ERR_NICKNAMEINUSE, vec![nick.as_str()], "Nickname is already in use")
        }
        Refusal::NickReserved(nick) => {
            (numeric::ERR_NICKNAMEINUSE, vec![nick.as_str()], "Nickname is reserved by its account")
        }
        Refusal::NotOperator => {
            let text = "Permission denied: you are not a server operator";
            (numeric::ERR_NOPRIVILEGES, vec![], text)
        }
        Refusal::Missing(Field::Text) => (numeric::ERR_NOTEXTTOSEND, vec![], "No text to send"),
        Refusal::BadMask(mask) => {
            (numeric::ERR_INVALIDMODEPARAM, vec!["*", "b", mask], "is not a mask")
        }
        Refusal::TooManyBans(_) => {
            (numeric::ERR_BANLISTFULL, vec!["*", "b"], "Channel list is full")
        }
        Refusal::WrongPassword if command == "OPER" => {
            (numeric::ERR_PASSWDMISMATCH, vec![], "Password incorrect")
        }
        Refusal::WrongPassword | Refusal::TryLater(_) if command == "AUTHENTICATE" => {
            (numeric::ERR_SASLFAIL, vec![], "SASL authentication failed")
        }
        _ => return None,
    })
}

/// Commands of IRCv3 are refused with FAIL; whether that was done.
fn in_standard_form(
    command: &str,
    subject: &[String],
    refusal: &Refusal,
    reply: &mut ReplyWriter<'_>,
) -> bool {
    let text = crate::session::refusal_text::of(refusal);
    let (whole, subject) = (subject, subject.iter().map(String::as_str).collect::<Vec<&str>>());
    let nick = reply.nick.clone();
    match (command, refusal) {
        ("REGISTER", Refusal::AccountExists(name)) => {
            reply.fail("REGISTER", "ACCOUNT_EXISTS", &[name.as_str()], &text);
        }
        ("REGISTER", Refusal::ShortPassword(_)) => {
            reply.fail("REGISTER", "WEAK_PASSWORD", &[nick.as_str()], &text);
        }
        ("REGISTER", Refusal::TooLong(..)) => {
            reply.fail("REGISTER", "UNACCEPTABLE_PASSWORD", &[nick.as_str()], &text);
        }
        ("REGISTER", Refusal::LoggedIn(name)) => {
            reply.fail("REGISTER", "ALREADY_AUTHENTICATED", &[name.as_str()], &text);
        }
        ("REGISTER", _) => {
            reply.fail("REGISTER", "TEMPORARILY_UNAVAILABLE", &[nick.as_str()], &text);
        }
        ("REDACT", Refusal::NoSuchMessage(..)) => {
            reply.fail("REDACT", "UNKNOWN_MSGID", &subject, &text);
        }
        ("REDACT", Refusal::NotYours(_)) => {
            reply.fail("REDACT", "REDACT_FORBIDDEN", &subject, &text);
        }
        ("REDACT", Refusal::NoSuchRoom(name) | Refusal::NotInRoom(name)) => {
            reply.fail("REDACT", "INVALID_TARGET", &[name.as_str()], &text);
        }
        ("RENAME", Refusal::RoomExists(_)) => {
            reply.fail("RENAME", "CHANNEL_NAME_IN_USE", &subject, &text);
        }
        ("RENAME", Refusal::LobbyStays | Refusal::BadRoom(..) | Refusal::TryLater(_)) => {
            reply.fail("RENAME", "CANNOT_RENAME", &subject, &text);
        }
        ("METADATA", _) => super::metadata::refused(whole, refusal, reply),
        ("CHATHISTORY", _) => {
            reply.fail("CHATHISTORY", "INVALID_TARGET", &subject, &text);
        }
        _ => return false,
    }
    true
}
