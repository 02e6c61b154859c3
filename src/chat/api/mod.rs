//! The hub's interface: commands and records in; decisions, effects and replies out.
//!
//! | file | subject |
//! |---|---|
//! | `command` | what a user may ask for, and what the hub decides |
//! | `effect`, `hushed` | what follows from a record, for whom, and for those who ignore its author |
//! | `answer` | the lines of replies |
//! | `history`, `past`, `pages` | what the journal stores of an effect, what it answers, page by page |

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
