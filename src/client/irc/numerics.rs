//! The texts of numerics: RPL_ and ERR_ of the Modern IRC Client Protocol.
//!
//! A numeric that is not listed here is shown as the server's own text with its parameters. Long
//! answers (LIST, WHO, bans) are shown up to a bound.

use super::{IrcSession, Line, ROWS_SHOWN, catchup, messages};
use crate::wire::irc::{Numeric, format::stripped};
use crate::wire::plural::counted;
use jiff::Timestamp;

/// Lines of the message of the day that are shown at connect.
const MOTD_SHOWN: usize = 5;

impl IrcSession {
    pub(super) fn numeric(&mut self, numeric: Numeric, line: &Line<'_>) {
        let number = numeric.number();
        // The first parameter is the user's nick.
        let (me, words) = line.words.split_first().unwrap_or((&"*", &[]));
        let (message, text) = (line.message, words.last().copied().unwrap_or_default());
        match number {
            1 => {
                message.raw_source.unwrap_or_default().clone_into(&mut self.server.name);
                self.accepted(me);
            }
            // Names of the server, and counts of users.
            2 | 3 | 8 | 250..=255 | 265 | 266 | 396 => {
                if number == 396
                    && let [host, ..] = words
                {
                    self.hidden_behind(host);
                }
            }
            4 => {
                if words.get(1).is_some_and(|version| version.starts_with("chatloop-")) {
                    self.server.is_chatloop = true;
                    self.pace.wide = true;
                }
            }
            // RPL_TRYAGAIN: nothing was done.
            263 => self.refused_with(number, words, line.label.as_deref()),
            5 => self.server.supports(&words[..words.len().saturating_sub(1)]),
            372 | 375 | 376 | 422 => self.message_of_the_day(number, text),
            400..=599 | 691 | 696 | 902 | 904..=908 if numeric.is_error() || number >= 900 => {
                self.refused_with(number, words, line.label.as_deref());
            }
            _ => {
                if !self.answer_about_people(number, words)
                    && !self.answer_about_rooms(number, words, line)
                {
                    self.show_text(in_words(words));
                }
            }
        }
    }

    fn hidden_behind(&mut self, host: &str) {
        let user = self.address.as_ref().and_then(|address| address.split_once('@'));
        if let Some((user, _)) = user {
            self.address = Some(format!("{user}@{host}"));
        }
    }

    fn message_of_the_day(&mut self, number: u16, text: &str) {
        let (count, asked) = &mut self.motd;
        match number {
            372 => {
                *count += 1;
                if *asked || (*count <= MOTD_SHOWN && self.connect_options.person) {
                    let text = stripped(text.strip_prefix("- ").unwrap_or(text)).into_owned();
                    self.show_text(text);
                }
            }
            375 => *count = 0,
            _ => {
                let more = count.saturating_sub(MOTD_SHOWN);
                let (was_asked, welcomed) = (std::mem::take(asked), self.welcomed);
                if more > 0 && !was_asked && self.connect_options.person {
                    self.show_text(format!("… and {}; /motd shows all", counted(more, "line")));
                }
                if number == 422 && was_asked {
                    self.show_text(text);
                }
                if !welcomed {
                    self.end_of_welcome();
                }
            }
        }
    }

    /// An error reply.
    fn refused_with(&mut self, number: u16, words: &[&str], label: Option<&str>) {
        let text = words.last().copied().unwrap_or_default();
        let names = |room: &str| words.iter().any(|word| self.server.same(word, room));
        if let Some(place) = self.rooms.joining.iter().position(|it| names(&it.room))
            // Servers have numbers of their own for this; these are about something else.
            && !matches!(number, 401 | 404 | 441..=443 | 482)
        {
            let room = self.rooms.joining.remove(place).room;
            self.fail(match number {
                471 => format!("could not join {room}: it is full"),
                473 => format!("could not join {room}: it is invite-only"),
                474 => format!("could not join {room}: you are banned from it"),
                475 => format!("could not join {room}: it needs a key (try /join {room} KEY)"),
                _ => format!("could not join {room}: {text}"),
            });
            return self.check_rejoined();
        }
        if self.message_rejected(label, text) {
            return;
        }
        self.banned |= number == 465;
        if matches!(number, 902 | 904..=907) {
            return self.sasl_failed(number, text);
        }
        self.fail(match (number, words) {
            (401 | 406, [nick, ..]) => format!("no such nick: {nick}"),
            (403, [room, ..]) => format!("no such room: {room} (/join {room} creates it)"),
            (404, [room, ..]) => format!("not sent to {room}: {text}"),
            (421, [command, ..]) => format!("unknown command on this server: {command}"),
            (432, [nick, ..]) => format!("invalid nick {nick}: {text}"),
            (433 | 436 | 437, [nick, ..]) => format!("nick {nick} is not available: {text}"),
            (442, [room, ..]) => format!("you are not in {room} (try /join {room})"),
            (482, [room, ..]) => format!("you are not an operator of {room}"),
            _ => in_words(words),
        });
    }

    fn answer_about_people(&mut self, number: u16, words: &[&str]) -> bool {
        let text = words.last().copied().unwrap_or_default();
        let words = match (number, words) {
            (301, [nick, .., text]) => format!("{nick} is away: {}", stripped(text)),
            (305, _) => "you are no longer away".to_owned(),
            (306, _) => "you are marked as away (/back ends it)".to_owned(),
            (311 | 314, [nick, user, host, .., real]) => {
                let is = if number == 311 { "is" } else { "was" };
                format!("{nick} {is} {nick}!{user}@{host} ({})", stripped(real))
            }
            (312, [_, server, info]) => format!("on {server} ({info})"),
            (317, [_, idle, since, _]) => {
                format!("signed on {}, idle {}", moment(since), duration(idle))
            }
            (317, [_, idle, _]) => format!("idle {}", duration(idle)),
            (319, [_, rooms]) => format!("in {}", rooms.trim()),
            (330, [_, account, _]) => format!("logged in as {account}"),
            (307 | 313 | 320 | 335 | 338 | 378 | 379 | 671, [nick, ..]) => format!("{nick} {text}"),
            // Ends of answers that need none.
            (219 | 221 | 318 | 369, _) => return true,
            (352, [_, user, host, _, nick, flags, real]) => {
                let real = real.split_once(' ').map_or("", |(_, real)| real);
                let away = if flags.starts_with('G') { ", away" } else { "" };
                self.row(format!("{nick} is {nick}!{user}@{host} ({}){away}", stripped(real)));
                return true;
            }
            (341, [nick, room]) => format!("{nick} is invited to {room}"),
            (381, _) => "you are a server operator now".to_owned(),
            (900, _) if self.awaits_proof() => return true,
            (900, [_, account, ..]) => format!("you are logged in as {account}"),
            (901, _) => {
                self.logins.current = None;
                "you are logged out".to_owned()
            }
            (903, _) => {
                self.sasl_done();
                return true;
            }
            _ => return false,
        };
        self.show_text(words);
        true
    }

    fn answer_about_rooms(&mut self, number: u16, words: &[&str], line: &Line<'_>) -> bool {
        match (number, words) {
            (332, [room, topic]) => {
                let topic = self.keep_topic(room, topic);
                if !self.is_naming(room) {
                    self.show_text(format!("topic of {room}: {topic}"));
                }
            }
            (331, [room, ..]) => self.show_text(format!("{room} has no topic")),
            (333, [room, ..]) if self.is_naming(room) => {}
            (333, [_, who, since]) => {
                let who = who.split('!').next().unwrap_or_default();
                self.show_text(format!("set by {who}, {}", moment(since)));
            }
            (353, [_, room, list]) if self.is_naming(room) => self.names(room, list),
            (353, [_, room, list]) => self.row(format!("in {room}: {}", list.trim())),
            (366, [room, ..]) => {
                if !self.is_naming(room) {
                    self.end_rows();
                }
                self.named(room);
            }
            (315 | 323 | 347 | 349 | 368, [about, ..]) => {
                if !self.end_rows() {
                    self.show_text(match number {
                        315 => format!("no user matches {about}"),
                        323 => "no rooms found".to_owned(),
                        368 => format!("no bans in {about}"),
                        _ => format!("no exceptions in {about}"),
                    });
                }
            }
            (322, [room, count, topic]) => {
                if self.server.is_room(room) {
                    self.vocabulary.room(room);
                }
                let users = count
                    .parse()
                    .map_or_else(|_| (*count).to_owned(), |count| counted(count, "user"));
                let topic = stripped(topic);
                let topic = if topic.is_empty() { String::new() } else { format!(": {topic}") };
                self.row(format!("{room} {users}{topic}"));
            }
            (324, [room, modes @ ..]) => {
                self.show_text(format!("modes of {room}: {}", modes.join(" ")))
            }
            (329, [room, since]) => self.show_text(format!("{room} was created {}", moment(since))),
            (367, [room, mask, ..]) => self.row(format!("ban in {room}: {mask}")),
            (346, [room, mask, ..]) => self.row(format!("invite exception in {room}: {mask}")),
            (348, [room, mask, ..]) => self.row(format!("ban exception in {room}: {mask}")),
            (391, [.., text]) => {
                let now = messages::time(line.message.tags).or(self.newest).unwrap_or(self.now);
                let stamp = catchup::by_timestamp(now).replace("timestamp=", "");
                self.show_text(format!("the server's time is {text} ({stamp})"));
            }
            _ => return false,
        }
        true
    }

    /// Whether the names of a room are arriving, because it was joined or they were requested.
    fn is_naming(&mut self, room: &str) -> bool {
        self.rooms.get(&self.server, room).is_some_and(|room| room.naming)
    }

    /// The answer is complete; whether it had rows. It is the answer that counts, not the typed line: a
    /// script types all of its lines before the first answer.
    pub(super) fn end_rows(&mut self) -> bool {
        std::mem::replace(&mut self.rows_left, ROWS_SHOWN) < ROWS_SHOWN
    }

    /// Shows a row of an answer; instead of the last one, that there are more.
    fn row(&mut self, text: String) {
        match self.rows_left {
            0 => return,
            1 => self.show_text("… and more than is shown here"),
            _ => self.show_text(text),
        }
        self.rows_left -= 1;
    }
}

/// A reply without its own text here: its parameters, and its text.
fn in_words(words: &[&str]) -> String {
    match words {
        // What was typed is a command of the client.
        ["CHATLOOP" | "DELFILE" | "FILES" | "UPLOAD", text] => (*text).to_owned(),
        [about @ .., text] if !about.is_empty() => format!("{}: {text}", about.join(" ")),
        [text] => (*text).to_owned(),
        _ => "the server sent an empty reply".to_owned(),
    }
}

/// Seconds since 1970, as a moment in UTC.
fn moment(seconds: &str) -> String {
    let seconds = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Seconds, as `2h 5m` or `7s`.
fn duration(seconds: &str) -> String {
    let Ok(seconds) = seconds.parse::<u32>() else { return "?".to_owned() };
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h {minutes}m"),
    }
}
