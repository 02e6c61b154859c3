//! The hub's interface: commands and records in; decisions, effects and replies out.

mod answer;
mod command;
mod effect;
mod history;
mod hushed;
mod pages;
mod past;

pub use answer::{AccountLine, Listing, Page, Person, RoomLine, ServerBanLine, Whois};
pub use command::{
    Challenge, Command, Decision, Outcome, Pick, Purpose, ScramProof, SendMessage, Tagging, Work,
};
pub use effect::{AccountChange, AccountStep, DirectMessage, Effect, Event, Holder, RoomMessage};
pub use history::HistoryUpdate;
pub use pages::Rest;
pub use past::Past;
