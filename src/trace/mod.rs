//! The trace of a loop, for those who watch it: events in a ring, and the ring's readers.
//!
//! | file | subject |
//! |---|---|
//! | `recorder` | [`Trace`]: the ring that a loop writes, and what is read of it between turns |
//! | `event` | what can happen, and the bytes that a page is sent of it |
//! | `pen` | the thread that makes turns of events and writes them |
//! | `probes` | the same events for bpftrace and its kind |
//! | `turn` | a turn as lines of text, and back |
//! | `chrome` | turns as JSON for Perfetto |

mod chrome;
mod event;
mod pen;
mod probes;
mod recorder;
mod turn;

pub use chrome::Chrome;
pub use event::{
    Event, NO_CLIENT, News, Note, Phase, REASONS, ROW, ReadOutcome, Row, RowKind, number, small,
};
pub use pen::TraceFormat;
pub use recorder::{Position, Trace, create};
pub use turn::{Entry, Parser, Turn};
