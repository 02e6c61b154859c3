//! What goes into the hub and what comes out: commands, decisions, effects, replies.

mod answer;
mod command;
mod effect;
mod history;
mod hushed;

pub use answer::{AccountLine, Listing, Page, Person, RoomLine, ServerBanLine, Whois};
pub use command::{
    Challenge, Command, Decision, Outcome, Pick, Purpose, ScramProof, SendMessage, Tagging, Work,
};
pub use effect::{
    AccountChange, AccountStep, DirectMessage, Effect, Event, Holder, Past, RoomMessage,
};
pub use history::HistoryUpdate;
