//! Why something cannot be done, as numerics.

use super::pen::Pen;
use crate::chat::{Field, NickFault, Refusal};
use crate::wire::irc::{Numeric, numeric};

/// Says why `command` cannot be carried out.
pub(super) fn refuse(command: &str, subject: &[String], refusal: &Refusal, pen: &mut Pen<'_>) {
    // Nothing answers a notice, lest two programs talk for ever.
    if command == "NOTICE" {
        return;
    }
    if in_standard_form(command, subject, refusal, pen) {
        return;
    }
    let mut say = |numeric: Numeric, words: &[&str], text: &str| pen.numeric(numeric, words, text);
    let speaks = matches!(command, "PRIVMSG" | "TAGMSG");
    match refusal {
        Refusal::NoSuchNick(nick) => say(numeric::ERR_NOSUCHNICK, &[nick.as_str()], "No such nick"),
        Refusal::NoSuchRoom(room) if matches!(command, "INVITE" | "PART" | "TOPIC") || !speaks => {
            say(numeric::ERR_NOSUCHCHANNEL, &[room.as_str()], "No such channel");
        }
        Refusal::NoSuchRoom(room) => {
            say(numeric::ERR_NOSUCHCHANNEL, &[room.as_str()], "No such channel");
        }
        Refusal::NotInRoom(room) if speaks => {
            let text = "Cannot send to channel: you are not in it";
            say(numeric::ERR_CANNOTSENDTOCHAN, &[room.as_str()], text);
        }
        Refusal::NotInRoom(room) => {
            say(numeric::ERR_NOTONCHANNEL, &[room.as_str()], "You're not on that channel");
        }
        Refusal::Banned(room) if speaks => {
            let text = "Cannot send to channel: you are banned";
            say(numeric::ERR_CANNOTSENDTOCHAN, &[room.as_str()], text);
        }
        Refusal::Moderated(room) => {
            let text = "Cannot send to channel: it is moderated";
            say(numeric::ERR_CANNOTSENDTOCHAN, &[room.as_str()], text);
        }
        Refusal::Muted(room) => {
            let text = "Cannot send to channel: you are muted";
            say(numeric::ERR_CANNOTSENDTOCHAN, &[room.as_str()], text);
        }
        // To join twice is no fault; and nothing happens.
        Refusal::AlreadyIn(_) | Refusal::SameNick(_) => {}
        Refusal::TheyAreNotIn(nick, room) => {
            let text = "They aren't on that channel";
            say(numeric::ERR_USERNOTINCHANNEL, &[nick.as_str(), room.as_str()], text);
        }
        Refusal::TheyAreIn(nick, room) => {
            let text = "is already on channel";
            say(numeric::ERR_USERONCHANNEL, &[nick.as_str(), room.as_str()], text);
        }
        Refusal::BadNick(nick, NickFault::Empty) => {
            let _ = nick;
            say(numeric::ERR_NONICKNAMEGIVEN, &[], "No nickname given");
        }
        Refusal::BadNick(nick, _) => {
            say(numeric::ERR_ERRONEUSNICKNAME, &[nick], "Erroneous nickname");
        }
        Refusal::NickInUse(nick) => {
            say(numeric::ERR_NICKNAMEINUSE, &[nick.as_str()], "Nickname is already in use");
        }
        Refusal::NickReserved(nick) => {
            let text = "Nickname is reserved by its account";
            say(numeric::ERR_NICKNAMEINUSE, &[nick.as_str()], text);
        }
        Refusal::BadRoom(room, _) => say(numeric::ERR_NOSUCHCHANNEL, &[room], "No such channel"),
        Refusal::WrongKey(room) => {
            say(numeric::ERR_BADCHANNELKEY, &[room.as_str()], "Cannot join channel (+k)");
        }
        Refusal::RoomFull(room, _) => {
            say(numeric::ERR_CHANNELISFULL, &[room.as_str()], "Cannot join channel (+l)");
        }
        Refusal::InviteOnly(room) => {
            say(numeric::ERR_INVITEONLYCHAN, &[room.as_str()], "Cannot join channel (+i)");
        }
        Refusal::Banned(room) => {
            say(numeric::ERR_BANNEDFROMCHAN, &[room.as_str()], "Cannot join channel (+b)");
        }
        Refusal::NotOp(room) => {
            say(numeric::ERR_CHANOPRIVSNEEDED, &[room.as_str()], "You're not channel operator");
        }
        Refusal::NotOperator => {
            say(numeric::ERR_NOPRIVILEGES, &[], "Permission denied: you are not a server operator");
        }
        Refusal::TooManyRooms(_) => {
            say(numeric::ERR_TOOMANYCHANNELS, &["*"], "You have joined too many channels");
        }
        Refusal::Missing(Field::Text) => say(numeric::ERR_NOTEXTTOSEND, &[], "No text to send"),
        Refusal::BadMask(mask) => {
            say(numeric::ERR_INVALIDMODEPARAM, &["*", "b", mask], "is not a mask");
        }
        Refusal::TooManyBans(_) => {
            say(numeric::ERR_BANLISTFULL, &["*", "b"], "Channel list is full");
        }
        Refusal::NoSuchBan(_) => {}
        Refusal::WrongPassword if command == "OPER" => {
            say(numeric::ERR_PASSWDMISMATCH, &[], "Password incorrect");
        }
        Refusal::WrongPassword | Refusal::TryLater(_) if command == "AUTHENTICATE" => {
            say(numeric::ERR_SASLFAIL, &[], "SASL authentication failed");
        }
        Refusal::TryLater(seconds) => {
            let text = format!("Please wait {seconds} s and try again");
            say(numeric::RPL_TRYAGAIN, &[command], &text);
        }
        other => {
            let command = if command.is_empty() { "*" } else { command };
            let text = crate::session::plain::refusal(other);
            say(numeric::ERR_UNKNOWNERROR, &[command], &text);
        }
    }
}

/// Commands of IRCv3 are refused with FAIL; whether that was done.
fn in_standard_form(
    command: &str,
    subject: &[String],
    refusal: &Refusal,
    pen: &mut Pen<'_>,
) -> bool {
    let text = crate::session::plain::refusal(refusal);
    let subject: Vec<&str> = subject.iter().map(String::as_str).collect();
    match (command, refusal) {
        ("REGISTER", Refusal::AccountExists(name)) => {
            pen.fail("REGISTER", "ACCOUNT_EXISTS", &[name.as_str()], &text);
        }
        ("REGISTER", Refusal::ShortPassword(_) | Refusal::TooLong(..)) => {
            pen.fail("REGISTER", "WEAK_PASSWORD", &["*"], &text);
        }
        ("REGISTER", Refusal::LoggedIn(name)) => {
            pen.fail("REGISTER", "ALREADY_AUTHENTICATED", &[name.as_str()], &text);
        }
        ("REGISTER", _) => {
            pen.fail("REGISTER", "TEMPORARILY_UNAVAILABLE", &["*"], &text);
        }
        ("REDACT", Refusal::NoSuchMessage(..)) => {
            pen.fail("REDACT", "UNKNOWN_MSGID", &subject, &text);
        }
        ("REDACT", Refusal::NotYours(_)) => {
            pen.fail("REDACT", "REDACT_FORBIDDEN", &subject, &text);
        }
        ("REDACT", Refusal::NoSuchRoom(name) | Refusal::NotInRoom(name)) => {
            pen.fail("REDACT", "INVALID_TARGET", &[name.as_str()], &text);
        }
        ("CHATHISTORY", _) => {
            pen.fail("CHATHISTORY", "INVALID_TARGET", &subject, &text);
        }
        _ => return false,
    }
    true
}
