//! Why something cannot be done, in one line that says what to do instead.

use super::time;
use crate::chat::{Field, NickFault, Refusal, RoomFault, limits};

/// What is wrong, then what to do.
pub fn of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotHere => "you are not in the chat (any more)".to_owned(),
        Refusal::NoSuchNick(nick) => format!("nobody is called {nick}; /who * lists everyone"),
        Refusal::BadNick(nick, fault) => bad_nick(nick, *fault),
        Refusal::NickInUse(nick) => format!("user name already exists: somebody is called {nick}"),
        Refusal::NickReserved(nick) => {
            format!("{nick} is somebody's account; if it is yours: /login {nick} PASSWORD")
        }
        Refusal::SameNick(nick) => format!("you are called {nick} already"),
        Refusal::NobodyToAnswer => {
            "nobody has written to you yet; /msg NICK TEXT begins".to_owned()
        }
        Refusal::MailFull(name) => format!("{name} is not here, and their mail is full"),
        Refusal::TooManyIgnored(limit) => format!("you ignore {limit} already, which is the limit"),
        Refusal::NotIgnored(nick) => format!("you do not ignore {nick}; /ignore lists them"),
        Refusal::BadMetadataKey(key) => {
            let key = short(key);
            format!(
                "\"{key}\" is no key: it has at most {} of a-z 0-9 _ . / -",
                limits::METADATA_KEY_LENGTH
            )
        }
        Refusal::TooMuchMetadata(limit) => {
            format!("there are {limit} keys already, which is the limit")
        }
        Refusal::NotYourMetadata(nick) => format!("what is said of {nick} is theirs to change"),
        Refusal::Oneself => "you cannot do that to yourself".to_owned(),
        Refusal::TooLong(field, limit) => {
            format!("{} is too long: {limit} bytes are the limit", named(*field))
        }
        Refusal::Missing(field) => format!("{} is missing", named(*field)),
        Refusal::NoSuchMessage(room, 0) => format!("there is no such message in {room}"),
        Refusal::NoSuchMessage(room, number) => {
            format!("there is no message {number} in {room}; /history shows the numbers")
        }
        Refusal::NotYours(number) => format!("message {number} is not yours"),
        Refusal::TooManyReactions(limit) => {
            format!("that message has {limit} reactions already, which is the limit")
        }
        other => room_refusal(other).unwrap_or_else(|| account_refusal(other)),
    }
}

fn room_refusal(refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::NoSuchRoom(room) => format!("there is no room {room}; /join {room} opens one"),
        Refusal::NotInRoom(room) => format!("you are not in {room}; /join {room} enters it"),
        Refusal::AlreadyIn(room) => format!("you are in {room} already; /room {room} switches"),
        Refusal::TheyAreNotIn(nick, room) => {
            format!("{nick} is not in {room}; /who {room} lists who is")
        }
        Refusal::TheyAreIn(nick, room) => format!("{nick} is in {room} already"),
        Refusal::BadRoom(room, fault) => bad_room(room, *fault),
        Refusal::WrongKey(room) => format!("{room} has a key; /join {room} KEY enters with it"),
        Refusal::RoomFull(room, limit) => format!("{room} is full: {limit} may be in it"),
        Refusal::RoomExists(room) => format!("there is a room {room} already"),
        Refusal::LobbyStays => "the lobby keeps its name".to_owned(),
        Refusal::InviteOnly(room) => format!("{room} is for invited people; ask one of its ops"),
        Refusal::Banned(room) => format!("you are banned from {room}"),
        Refusal::Moderated(room) => format!("{room} is moderated; its ops can give you voice"),
        Refusal::Muted(room) => format!("you are muted in {room}"),
        Refusal::NotOp(room) => {
            format!("only the ops of {room} may do that; /who {room} marks them with @")
        }
        Refusal::TooManyRooms(limit) => {
            format!("you are in {limit} rooms, which is the limit; /part leaves one")
        }
        Refusal::ServerFull => {
            format!("the server holds {} rooms, which is its limit", limits::ROOMS)
        }
        Refusal::BadMask(mask) => {
            let mask = short(mask);
            format!(
                "\"{mask}\" is no mask; form: nick!user@host with * and ?, or a nick, or an address"
            )
        }
        Refusal::BadKey => {
            format!("a key is one word of at most {} bytes without commas", limits::KEY_LENGTH)
        }
        Refusal::TooManyBans(limit) => format!("the ban list is full: {limit} are the limit"),
        Refusal::NoSuchBan(mask) => format!("{mask} is not on the list"),
        Refusal::TooManyModes(limit) => format!("too many changes at once: {limit} are the limit"),
        Refusal::NothingChanged(room) => format!("that is so already in {room}"),
        _ => return None,
    })
}

fn account_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOperator => {
            "only server operators may do that; /oper NAME PASSWORD makes you one".to_owned()
        }
        Refusal::WrongPassword => "name or password are wrong".to_owned(),
        Refusal::TryLater(seconds) => {
            format!("too many failed logins; try again in {seconds} s")
        }
        Refusal::NotLoggedIn => "you are not logged in; /login NAME PASSWORD does it".to_owned(),
        Refusal::LoggedIn(name) => format!("you are logged in as {name}; /logout first"),
        Refusal::AccountExists(name) => {
            format!("{name} is registered already; if it is yours: /login {name} PASSWORD")
        }
        Refusal::NickFirst => "take a name first; form: /nick NAME".to_owned(),
        Refusal::ShortPassword(least) => {
            format!("that password is too short: {least} characters at least")
        }
        Refusal::TooManyAccounts => "the server takes no more accounts".to_owned(),
        Refusal::TooManySessions(limit) => {
            format!("that account is logged in {limit} times, which is the limit")
        }
        Refusal::ServerBanned { reason, until } => {
            let until = until.map(|until| format!(" until {} UTC", time::shown(until)));
            let reason = reason.as_ref().map(|reason| format!(": {reason}"));
            format!(
                "you are banned from this server{}{}",
                until.unwrap_or_default(),
                reason.unwrap_or_default()
            )
        }
        Refusal::Killed { by, reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}"));
            format!("{by} has ended your session{}", reason.unwrap_or_default())
        }
        // All others have been answered before.
        _ => "that cannot be done".to_owned(),
    }
}

fn named(field: Field) -> &'static str {
    match field {
        Field::Text => "the text",
        Field::Topic => "the topic",
        Field::Reason => "the reason",
        Field::Reaction => "the reaction",
        Field::RealName => "the real name",
        Field::Password => "the password",
        Field::Search => "what to search",
        Field::Metadata => "the value",
    }
}

fn bad_nick(nick: &str, fault: NickFault) -> String {
    let nick = short(nick);
    match fault {
        NickFault::Empty => "the name is missing; form: /nick NAME".to_owned(),
        NickFault::TooLong => {
            format!("{nick} is too long: a name has at most {} characters", limits::NICK_LENGTH)
        }
        NickFault::Start(wrong) => {
            format!(
                "a name cannot begin with \"{wrong}\"; it begins with a letter or one of []\\`_^{{|}}"
            )
        }
        NickFault::Character(wrong) => {
            format!("a name cannot have a \"{wrong}\"; letters, digits and -[]\\`_^{{|}} it can")
        }
        NickFault::Reserved => format!("{nick} is a name that the server gives; take another one"),
    }
}

fn bad_room(room: &str, fault: RoomFault) -> String {
    let room = short(room);
    match fault {
        RoomFault::NoHash => format!("\"{room}\" is no room; a room's name begins with #: #{room}")
            .replace("##", "#"),
        RoomFault::TooLong => {
            format!("{room} is too long: a room's name has at most {} bytes", limits::ROOM_LENGTH)
        }
        RoomFault::Character(wrong) => {
            format!("a room's name cannot have a \"{}\"", wrong.escape_default())
        }
    }
}

/// As much of a user's input as an error should repeat.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}…")
}
