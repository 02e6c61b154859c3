//! The grammar of IRC: bytes to lines, lines to messages, and back to bytes.
//!
//! | file | subject |
//! |---|---|
//! | `message` | which tags, source, command and parameters does a line have? |
//! | `tags` | message tags and the escaping of their values |
//! | `render` | how is a message written, so that it is always one well-formed line? |
//! | `source` | who sent it: server, or nick, user and host? |
//! | `casemap` | are two names the same name? |
//! | `name` | may this be a nickname, a channel, a user name, a key? |
//! | `mode` | mode strings and the changes they request |
//! | `numeric` | which number has which name? |
//! | `format` | removal of formatting characters |
//!
//! The grammar follows the Modern IRC Client Protocol, RFC 1459 and RFC 2812 where that is silent,
//! and IRCv3's message-tags for everything before the source.
//!
//! Invariants: nothing here panics, for any bytes; nothing recurses; the parser copies nothing; the
//! renderer writes one line that the parser reads back.
//!
//! Absent: what a command *means*. A parser that knew commands would have to be changed for each
//! new one; the table of commands is in the session.

mod casemap;
pub mod format;
mod message;
pub mod mode;
pub mod name;
pub mod numeric;
pub mod render;
mod source;
pub mod tags;

pub use casemap::CaseMapping;
pub use message::{MAX_PARAMETERS, Message, ParseError, from_command};
pub use mode::{ModeKind, ModeTable, Sign};
pub use numeric::Numeric;
pub use render::{Fit, LineWriter};
pub use source::Source;
pub use tags::{Tag, Tags};

/// Bytes of a line after its tags, including the line end (CR LF). RFC 1459 §2.3.
pub const MAX_BODY: usize = 512;

/// Bytes of a whole tag section, including `@` and the final space. IRCv3 message-tags.
pub const MAX_TAG_SECTION: usize = 8191;

/// Bytes of tags a client may send, without the `@` and the space. IRCv3 message-tags.
pub const MAX_CLIENT_TAG_DATA: usize = 4094;

/// Bytes of tags a server may add to those of the client. IRCv3 message-tags.
pub const MAX_SERVER_TAG_DATA: usize = 4094;

/// The maximum length of a line, in two parts that do not share their space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the tag section, `@` and the space after it included.
    pub tags: usize,
    /// Bytes of the rest, including two for the line end, whichever is used. At least 2.
    pub body: usize,
}

impl Limits {
    /// What a server accepts from a client.
    pub const FROM_CLIENT: Limits = Limits { tags: MAX_CLIENT_TAG_DATA + 2, body: MAX_BODY };
    /// What a client accepts from a server.
    pub const FROM_SERVER: Limits = Limits { tags: MAX_TAG_SECTION, body: MAX_BODY };
}

// A client's full share, a server's full share, the `;` between them, `@` and the space make the
// whole section, so no tag has to be dropped while both keep to their share.
const _: () = assert!(MAX_CLIENT_TAG_DATA + 1 + MAX_SERVER_TAG_DATA + 2 == MAX_TAG_SECTION);
