//! The dialect of IRC clients: the Modern IRC Client Protocol, and capabilities of IRCv3.
//!
//! Lines become actions and replies. Events become lines in two ways: those that many clients
//! receive are rendered once for each [`RenderCaps`] and shared ([`render()`]); those for one client,
//! because they answer or name it, are written by [`Context::tell`].
//!
//! | file | subject |
//! |---|---|
//! | `commands` | the table of commands |
//! | `registration`, `capabilities` (`caps`) | registration, CAP |
//! | `sasl` (`exchange`, `scram`), `account` | login and account registration |
//! | `channel`, `modes` (`mode_letters`), `lookup` | channels |
//! | `messages`, `multiline` (`batch`, `pieces`) | sending messages |
//! | `history`, `read_marker` | CHATHISTORY, MARKREAD |
//! | `people` (`monitor`, `whowas`), `about` (`counts`, `settings`), `operator`, `services` | users, the server |
//! | `files` | uploads |
//! | `metadata`, `subscriptions`, `metadata_sync`, `metadata_lines` | METADATA |
//! | `vendor` | CHATLOOP, SEARCH |
//! | `replies`, `refusals`, `label`, `pages` | what one client is told |
//! | `render`, `reply`, `fields` | how lines are written |
//! | `session`, `view` | one client and a command in progress, what it may see |
//!
//! An import points to a file further down in one direction only: commands, then what each does,
//! then the session and the lines.
//!
//! Deliberately absent: links to other servers, services of their own (accounts are the chat's), and
//! channel modes that no one here needs.

mod about;
mod account;
mod batch;
mod capabilities;
mod caps;
mod channel;
mod commands;
mod counts;
mod exchange;
mod fields;
mod files;
mod history;
mod label;
mod lookup;
mod messages;
mod metadata;
mod metadata_lines;
mod metadata_sync;
mod mode_letters;
mod modes;
mod monitor;
mod multiline;
mod operator;
mod pages;
mod people;
mod pieces;
mod read_marker;
mod refusals;
mod registration;
mod render;
mod replies;
mod reply;
mod sasl;
mod scram;
mod services;
mod session;
mod settings;
mod subscriptions;
#[cfg(test)]
mod tests;
mod vendor;
mod view;
mod whowas;

pub(in crate::session::irc) use caps::Caps;
pub use caps::RenderCaps;
#[cfg(test)]
pub use commands::command_names;
pub use counts::UserCounts;
pub use monitor::MonitorList;
pub use render::render;
pub(in crate::session) use reply::Replies;
pub use session::{Context, Session};
pub use settings::Settings;
pub use view::View;
pub use whowas::Whowas;

use crate::wire::irc::{Message, ParseError, numeric};
pub(in crate::session::irc) use reply::{Lines, ReplyWriter};

impl Context<'_, '_> {
    /// Takes one line without its end. The replies end with its session's `finish`.
    pub fn take(&mut self, line: &[u8]) {
        match Message::parse(line) {
            Ok(message) => {
                self.taken(false, message.tags.get("label").as_deref());
                if multiline::takes(self.session, &message) {
                    multiline::line(self, &message);
                } else {
                    commands::run(self, &message);
                }
            }
            Err(ParseError::NotUtf8 { tags, command }) => {
                self.taken(false, tags.get("label").as_deref());
                let command = command.unwrap_or("*").to_ascii_uppercase();
                let text = "Not sent: the line is not valid UTF-8";
                self.reply().fail(&command, "INVALID_UTF8", &[], text);
            }
            Err(ParseError::ForbiddenByte) => {
                self.taken(false, None);
                let text = "Not sent: the line holds a NUL";
                self.reply().fail("*", "INVALID_LINE", &[], text);
            }
            Err(ParseError::Empty | ParseError::NoCommand) => self.taken(false, None),
        }
    }

    /// A line was too long.
    pub fn too_long(&mut self, label: Option<&str>) {
        self.taken(true, label);
        self.numeric(numeric::ERR_INPUTTOOLONG, &[]);
    }
}
