//! What a chat *is*: who is there, what was said, and who is to hear of it.
//!
//! Pure: no sockets, no files, no threads, no clock. A change is written down as a
//! [`Record`](record::Record) first; the [`Hub`] then applies it and answers with
//! [`Effect`](effect::Effect)s. [`Hub::apply`] is the only place where state changes, and the same
//! records give the same state and the same effects on every machine.
//!
//! Absent: every text that a person reads. The hub says *what* happened; a session finds the
//! words for it in its peer's dialect.

pub mod effect;
pub mod hub;
pub mod record;

pub use effect::{Audience, Effect, Event};
pub use hub::Hub;
pub use record::{Change, Departure, Moment, Record, RecordId, SessionId};
