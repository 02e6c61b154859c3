//! Refusals in English, for both dialects: what is wrong, then what to do.

use super::time;
use crate::chat::{Field, NickFault, Refusal, RoomFault, limits};

pub fn of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotHere => "you are no longer in the chat".to_owned(),
        Refusal::Failed(why) => why.to_string(),
        Refusal::NoSuchNick(nick) => format!("no such nick: {nick} (/who * lists everyone)"),
        Refusal::BadNick(nick, fault) => bad_nick(nick, *fault),
        Refusal::NickInUse(nick) => format!("nick already in use: {nick}"),
        Refusal::NickReserved(nick) => {
            format!("nick {nick} is registered (if it is yours, /login {nick} PASSWORD)")
        }
        Refusal::SilencedNick(_, room) => {
            format!(
                "you cannot change your nick while you are silenced in {room} (/part {room} first)"
            )
        }
        Refusal::SameNick(nick) => format!("you are already known as {nick}"),
        Refusal::NobodyToAnswer => {
            "no one has sent you a direct message yet (try /msg NICK TEXT)".to_owned()
        }
        Refusal::MailFull(name) => format!("{name} is offline and their mailbox is full"),
        Refusal::MailShare(name) => {
            format!("{name} is offline and has enough mail from your address")
        }
        Refusal::TooManyIgnored(limit) => format!("ignore list full: the limit is {limit} nicks"),
        Refusal::NotIgnored(nick) => {
            format!("you are not ignoring {nick} (/ignore lists ignored nicks)")
        }
        Refusal::BadMetadataKey(key) => {
            let most = limits::METADATA_KEY_LENGTH;
            format!("invalid key \"{}\": use at most {most} of a-z 0-9 _ . / -", short(key))
        }
        Refusal::TooMuchMetadata(limit) => format!("too many keys: the limit is {limit}"),
        Refusal::NoSuchFile => "no such file: give its URL (/files lists them)".to_owned(),
        Refusal::NotYourFile(name) => format!("{name} is not yours"),
        Refusal::NotYourMetadata(nick) => format!("the metadata of {nick} is not yours to change"),
        Refusal::Oneself => "you cannot do that to yourself".to_owned(),
        Refusal::TooLong(field, limit) => {
            format!("{} too long: the limit is {limit} bytes", named(*field))
        }
        Refusal::Missing(field) => format!("missing {}", named(*field)),
        Refusal::NoSuchMessage(room, 0) => format!("no such message in {room}"),
        Refusal::NoSuchMessage(room, number) => {
            format!("no message {number} in {room} (/history shows the numbers)")
        }
        Refusal::NotYours(number) => format!("message {number} is not yours"),
        Refusal::TooManyReactions(limit) => {
            let whose = if *limit == limits::REACTIONS_PER_USER { "of yours " } else { "" };
            format!("too many reactions {whose}to that message: the limit is {limit}")
        }
        other => about_rooms(other).unwrap_or_else(|| about_accounts(other)),
    }
}

fn about_rooms(refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::NoSuchRoom(room) => format!("no such room: {room} (/join {room} creates it)"),
        Refusal::NotInRoom(room) => format!("you are not in {room} (try /join {room})"),
        Refusal::AlreadyIn(room) => {
            format!("you are already in {room} (/room {room} switches to it)")
        }
        Refusal::TheyAreNotIn(nick, room) => {
            format!("{nick} is not in {room} (/who {room} lists its members)")
        }
        Refusal::TheyAreIn(nick, room) => format!("{nick} is already in {room}"),
        Refusal::BadRoom(room, fault) => bad_room(room, *fault),
        Refusal::WrongKey(room) => format!("{room} needs a key (try /join {room} KEY)"),
        Refusal::RoomFull(room, limit) => format!("{room} is full: the limit is {limit}"),
        Refusal::RoomExists(room) => format!("room {room} already exists"),
        Refusal::LobbyStays => "the lobby cannot be renamed".to_owned(),
        Refusal::InviteOnly(room) => {
            format!("{room} is invite-only (ask one of its operators for an invitation)")
        }
        Refusal::Banned(room) => format!("you are banned from {room}"),
        Refusal::Moderated(room) => {
            format!("{room} is moderated (ask one of its operators for voice)")
        }
        Refusal::NoCtcp(room) => format!("{room} takes no requests between clients (CTCP)"),
        Refusal::Muted(room) => format!("you are muted in {room}"),
        Refusal::NotOp(room) => {
            format!("only operators of {room} may do that (/who {room} marks them with @)")
        }
        Refusal::TooManyRooms(limit) => {
            format!("too many rooms: you are in {limit}, which is the limit (/part leaves one)")
        }
        Refusal::ServerFull => {
            format!("too many rooms on this server: the limit is {}", limits::ROOMS)
        }
        Refusal::TooManyRoomsOfOrigin(limit) => {
            format!("too many rooms from your address: the limit is {limit} (--origin-rooms)")
        }
        Refusal::TooMuchRoomText => {
            "no memory is left for more rooms, topics, masks and metadata (--room-memory)"
                .to_owned()
        }
        Refusal::BadAddress(address) => format!(
            "invalid address \"{}\": use 192.0.2.1, 192.0.2.*, 192.0.2.0/24 or account:NAME \
             (/connections shows addresses)",
            short(address)
        ),
        Refusal::BadMask(mask) => {
            let mask = short(mask);
            format!(
                "invalid mask \"{mask}\": use nick!user@host with * and ?, a nick or an address"
            )
        }
        Refusal::BadKey => {
            let most = limits::KEY_LENGTH;
            format!("invalid key: use one word of at most {most} bytes without commas")
        }
        Refusal::TooManyBans(limit) => format!("ban list full: the limit is {limit}"),
        Refusal::NoSuchBan(mask) => format!("{mask} is not on the list"),
        Refusal::TooManyModes(limit) => format!("too many changes at once: the limit is {limit}"),
        Refusal::NothingChanged(room) => format!("nothing to change in {room}"),
        _ => return None,
    })
}

fn about_accounts(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOperator => "only server operators may do that (see /help oper)".to_owned(),
        Refusal::WrongPassword => "wrong name or password".to_owned(),
        Refusal::VoidClaim => "the account has changed in the meantime; log in again".to_owned(),
        Refusal::TryLater(seconds) => format!("too many failed logins; try again in {seconds} s"),
        Refusal::RenamedRecently(room, seconds) => {
            format!("{room} was renamed a moment ago; try again in {seconds} s")
        }
        Refusal::TooManyRegistrations(seconds) => format!(
            "too many accounts registered from your address; try again in {seconds} s \
             (--register-limit)"
        ),
        Refusal::AccountRequired { registers } => {
            let how =
                if *registers { "; to register one: /register NAME PASSWORD, in nc" } else { "" };
            format!("this server requires an account: log in with SASL (--require-account){how}")
        }
        Refusal::NotLoggedIn => "you are not logged in (try /login NAME PASSWORD)".to_owned(),
        Refusal::LoggedIn(name) => format!("you are already logged in as {name} (/logout first)"),
        Refusal::AccountExists(name) => {
            format!("account {name} already exists (if it is yours, /login {name} PASSWORD)")
        }
        Refusal::NoSuchAccount(name) => format!("no such account: {name} (/account lists them)"),
        Refusal::RegistrationClosed(setting) => {
            format!("accounts cannot be registered here (--registration {setting})")
        }
        Refusal::NickFirst => "choose a nick first: /nick NAME".to_owned(),
        Refusal::ShortPassword(least) => {
            format!("password too short: use at least {least} characters")
        }
        Refusal::NoCertificate => {
            "your connection has shown no certificate (connect by TLS with one)".to_owned()
        }
        Refusal::NoSuchCertificate => "your account does not know this certificate".to_owned(),
        Refusal::CertificateInUse => "an account knows this certificate already".to_owned(),
        Refusal::TooManyCertificates(limit) => {
            format!("too many certificates of this account: the limit is {limit}")
        }
        Refusal::TooManyAccounts => {
            "this server accepts no more accounts (--max-accounts)".to_owned()
        }
        Refusal::TooMuchAccountData => {
            "the metadata and read markers of accounts have no more memory (--account-memory)"
                .to_owned()
        }
        Refusal::TooManySessions(limit) => {
            format!("too many sessions of this account: the limit is {limit}")
        }
        Refusal::ServerBanned { reason, until } => {
            let until = until.map(|until| format!(" until {} UTC", time::shown(until)));
            let reason = reason.as_ref().map(|reason| format!(" ({reason})"));
            let [until, reason] = [until, reason].map(Option::unwrap_or_default);
            format!("you are banned from this server{until}{reason}")
        }
        Refusal::Killed { by, reason, .. } => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})"));
            format!("you were killed by {}{}", by.nick, reason.unwrap_or_default())
        }
        // The functions above have answered all others.
        _ => "that is not possible".to_owned(),
    }
}

fn named(field: Field) -> &'static str {
    match field {
        Field::Text => "text",
        Field::Topic => "topic",
        Field::Reason => "reason",
        Field::Reaction => "reaction",
        Field::RealName => "real name",
        Field::Password => "password",
        Field::Search => "search text",
        Field::Metadata => "value",
    }
}

fn bad_nick(nick: &str, fault: NickFault) -> String {
    match fault {
        NickFault::Empty => "missing nick (usage: /nick NAME)".to_owned(),
        NickFault::TooLong => {
            format!("nick too long: the limit is {} characters", limits::NICK_LENGTH)
        }
        NickFault::Start(wrong) => {
            format!("nicks cannot begin with \"{wrong}\"; allowed: letters and []\\`_^{{|}}")
        }
        NickFault::Character(wrong) => {
            format!("nicks cannot contain \"{wrong}\"; allowed: letters, digits and -[]\\`_^{{|}}")
        }
        NickFault::Reserved => format!("nick {} is reserved (choose another one)", short(nick)),
    }
}

fn bad_room(room: &str, fault: RoomFault) -> String {
    match fault {
        RoomFault::NoHash => {
            let room = short(room);
            let hint = match room.trim_start_matches('#') {
                "" => String::new(),
                name => format!(" (try #{name})"),
            };
            format!("invalid room name \"{room}\": room names begin with #{hint}")
        }
        RoomFault::TooLong => {
            format!("room name too long: the limit is {} bytes", limits::ROOM_LENGTH)
        }
        RoomFault::Character(wrong) => {
            format!("room names cannot contain \"{}\"", wrong.escape_default())
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
