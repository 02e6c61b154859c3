//! Every limit of the chat, in one place.
//!
//! A limit is here because a peer could otherwise grow the quantity without bound. Lengths are
//! bytes of UTF-8 unless stated otherwise. Relations between limits that the code relies on are
//! checked at compile time.

/// Longest nick and account name. What large IRC networks allow.
pub const NICK_LENGTH: usize = 30;
/// Longest room name, `#` included (RFC 2812, section 1.3).
pub const ROOM_LENGTH: usize = 50;
/// Longest topic: fits one IRC line of 512 bytes together with the longest prefix and room name.
pub const TOPIC_LENGTH: usize = 390;
/// Longest reason of a part, kick or ban, and longest away message.
pub const REASON_LENGTH: usize = 300;
/// Longest room key.
pub const KEY_LENGTH: usize = 23;
/// Longest ban mask.
pub const MASK_LENGTH: usize = 150;
/// Longest text of one message. A session's line limit is lower unless it is configured up.
pub const TEXT_LENGTH: usize = 64 * 1024;
/// Longest reaction: a word or a joined emoji sequence.
pub const REACTION_LENGTH: usize = 64;
/// Longest real name that an IRC client may give.
pub const REAL_NAME_LENGTH: usize = 150;

/// Rooms that exist at one time.
pub const ROOMS: usize = 100_000;
/// Rooms one user may be in.
pub const ROOMS_PER_USER: usize = 100;
/// How long rooms wait for their members after a restart, in milliseconds.
pub const ROOMS_WAIT: i64 = 3_600_000;
/// Time between two new names of one room, in milliseconds.
pub const RENAME_PAUSE: i64 = 60_000;
/// Masks in one room's ban list.
pub const BANS_PER_ROOM: usize = 100;
/// Sessions, and the masks that have hit them, that a room remembers; the oldest gives way.
pub const HITS_PER_ROOM: usize = 256;
/// Accounts that regain op in one room when they join it.
pub const OPS_PER_ROOM: usize = 100;
/// Mode changes in one command.
pub const MODES_PER_COMMAND: usize = 20;
/// Messages of a room in memory: enough to execute `/re`, `/edit` and the like without querying the
/// journal. Older messages are on disk only.
pub const RECENT_PER_ROOM: usize = 64;
/// Private messages that their authors can take back.
pub const RECENT_PRIVATE: usize = 256;
/// Those of one sender, once there are so many.
pub const RECENT_PRIVATE_PER_USER: usize = 32;
/// Direct message partners remembered per account.
pub const PARTNERS_PER_ACCOUNT: usize = 50;
/// Distinct reactions, by user and text, to one message.
pub const REACTIONS_PER_MESSAGE: usize = 100;
/// Those of one nick among them.
pub const REACTIONS_PER_USER: usize = 20;
/// Users that one message can mention; further ones are not marked.
pub const MENTIONS_PER_MESSAGE: usize = 16;
/// Nicks one user may ignore.
pub const IGNORES_PER_USER: usize = 50;
/// Pending invitations per user; the oldest of the same operator is dropped, or else the oldest.
pub const INVITES_PER_USER: usize = 20;

/// Metadata keys per user or room.
pub const METADATA_KEYS: usize = 20;
/// Longest key of metadata.
pub const METADATA_KEY_LENGTH: usize = 50;
/// Longest value of metadata.
pub const METADATA_VALUE_LENGTH: usize = 300;
/// Read markers per account; the least recently moved one is dropped.
pub const READ_MARKERS: usize = 256;

/// Registered accounts.
pub const ACCOUNTS: usize = 1_000_000;
/// Sessions logged in to one account at a time.
pub const SESSIONS_PER_ACCOUNT: usize = 100;
/// Certificates that one account may know.
pub const CERTIFICATES_PER_ACCOUNT: usize = 10;
/// Private messages that wait for one account.
pub const MAIL_PER_ACCOUNT: u32 = 200;
/// Shortest password, in characters, unless a setting says otherwise.
pub const PASSWORD_LEAST: usize = 6;
/// Longest password: hashing is not a way to make the server read a book.
pub const PASSWORD_LENGTH: usize = 1024;
/// Names that stand in for those that no account has, where logins are counted: sixteen bits.
pub const STAND_INS: usize = 1 << 16;

/// How long a login with the password before the last change is no guess, in milliseconds.
pub const FORMER_PASSWORD: i64 = 3_600_000;
/// Origins that an account remembers as its owner's.
pub const ORIGINS_PER_ACCOUNT: usize = 8;

/// Uploaded files: a list of them is walked for every upload.
pub const FILES: usize = 10_000;
/// Those of one account, or of all guests of one origin: small ones would otherwise take all places
/// long before their quota of bytes is used up.
pub const FILES_PER_OWNER: usize = FILES / 8;
/// Longest name of a file.
pub const FILE_NAME_LENGTH: usize = 200;

/// Server-wide bans.
pub const SERVER_BANS: usize = 1_000;

/// Most messages in one history reply.
pub const HISTORY_LINES: u32 = 500;
/// Messages in the reply to a plain `/history`.
pub const HISTORY_DEFAULT: u32 = 20;
/// Words of one search.
pub const SEARCH_LENGTH: usize = 200;

const _: () = assert!(NICK_LENGTH < ROOM_LENGTH, "a nick fits wherever a room name fits");
const _: () = assert!(
    // ":nick!user@host TOPIC #room :topic\r\n", with ten bytes of user and a short host.
    NICK_LENGTH + 12 + ROOM_LENGTH + 10 + TOPIC_LENGTH <= 512,
    "a topic fits one IRC line"
);
const _: () = assert!(
    // ":server 761 nick #room key * :value\r\n", with a server's name of 63 bytes.
    63 + NICK_LENGTH + ROOM_LENGTH + METADATA_KEY_LENGTH + METADATA_VALUE_LENGTH + 15 <= 512,
    "metadata fit one IRC line"
);
const _: () = assert!(KEY_LENGTH < MASK_LENGTH && REASON_LENGTH <= TOPIC_LENGTH);
const _: () = assert!(NICK_LENGTH + 4 <= MASK_LENGTH, "every nick can be banned: nick!*@*");
const _: () = assert!(HISTORY_DEFAULT <= HISTORY_LINES);
const _: () = assert!(PASSWORD_LEAST < PASSWORD_LENGTH);
