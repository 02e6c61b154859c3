//! The capabilities, with their values, as a set of bits.

use super::settings;
use crate::chat::limits;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caps(u32);

macro_rules! capabilities {
    (@value) => { None };
    (@value $value:expr) => { Some($value) };
    ($($bit:literal $constant:ident $name:literal $changes:literal $(= $value:expr)?;)*) => {
        impl Caps {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Caps = Caps(1 << $bit);)*
            /// Those that change lines which many clients receive.
            const CHANGING_LINES: Caps = Caps($(if $changes { 1 << $bit } else { 0 })|*);
        }
        /// Name, bit, and the value for clients that know version 302.
        pub(super) const ALL: &[(&str, Caps, Option<Value>)] =
            &[$(($name, Caps::$constant, capabilities!(@value $($value)?))),*];
    };
}

/// The tokens of a value: a word, or a word with a number.
pub(super) type Value = &'static [(&'static str, Option<usize>)];

const METADATA_VALUE: Value = &[
    ("before-connect", None),
    ("max-subs", Some(settings::SUBSCRIPTIONS)),
    ("max-keys", Some(limits::METADATA_KEYS)),
    ("max-key-bytes", Some(limits::METADATA_KEY_LENGTH)),
    ("max-value-bytes", Some(limits::METADATA_VALUE_LENGTH)),
];
const MULTILINE_VALUE: Value =
    &[("max-bytes", Some(settings::MAX_BYTES)), ("max-lines", Some(settings::MAX_LINES))];

// Bit, constant, name, whether it changes shared lines, value.
//
// `draft/account-registration` has no value but the setting's `before-connect`: registering needs no
// address (no `email-required`), and takes the nick (no `custom-account-name`).
// `draft/chathistory` is defined without one; RPL_ISUPPORT has the limit.
capabilities! {
    0 ACCOUNT_NOTIFY "account-notify" true;
    1 ACCOUNT_TAG "account-tag" true;
    2 AWAY_NOTIFY "away-notify" true;
    3 BATCH "batch" false;
    4 CAP_NOTIFY "cap-notify" false;
    5 ECHO_MESSAGE "echo-message" false;
    6 EXTENDED_JOIN "extended-join" true;
    7 INVITE_NOTIFY "invite-notify" true;
    8 LABELED_RESPONSE "labeled-response" false;
    9 MESSAGE_TAGS "message-tags" true;
    10 MULTI_PREFIX "multi-prefix" false;
    11 SASL "sasl" false = &[];
    12 SERVER_TIME "server-time" true;
    13 SETNAME "setname" true;
    14 STANDARD_REPLIES "standard-replies" false;
    15 USERHOST_IN_NAMES "userhost-in-names" false;
    16 ACCOUNT_REGISTRATION "draft/account-registration" false;
    17 CHATHISTORY "draft/chathistory" false;
    18 EVENT_PLAYBACK "draft/event-playback" false;
    19 MESSAGE_REDACTION "draft/message-redaction" true;
    20 EXTENDED_MONITOR "extended-monitor" false;
    21 NO_IMPLICIT_NAMES "draft/no-implicit-names" false;
    22 METADATA_2 "draft/metadata-2" false = METADATA_VALUE;
    23 METADATA_3 "draft/metadata-3" false = METADATA_VALUE;
    24 READ_MARKER "draft/read-marker" false;
    25 MULTILINE "draft/multiline" true = MULTILINE_VALUE;
    26 CHANNEL_RENAME "draft/channel-rename" true;
    27 SEARCH "soju.im/search" false;
    28 NUMBER "chatloop/number" true;
}

impl Caps {
    pub const NONE: Caps = Caps(0);

    /// Whether one of `other` is among them.
    pub fn has(self, other: Caps) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn with(self, other: Caps) -> Caps {
        Caps(self.0 | other.0)
    }

    pub(super) fn without(self, other: Caps) -> Caps {
        Caps(self.0 & !other.0)
    }

    /// Whether messages of several lines come in batches.
    pub(super) fn multiline(self) -> bool {
        self.has(Caps::MULTILINE) && self.has(Caps::BATCH)
    }

    /// Whether the client is sent metadata.
    pub(super) fn metadata(self) -> bool {
        self.has(Caps::BATCH) && (self.has(Caps::METADATA_2) || self.has(Caps::METADATA_3))
    }

    pub(super) fn metadata_2(self) -> bool {
        self.has(Caps::METADATA_2)
    }

    /// Whether both versions of metadata are among them, which neither allows.
    pub(super) fn contradicts(self) -> bool {
        self.has(Caps::METADATA_2) && self.has(Caps::METADATA_3)
    }

    pub(super) fn find(name: &str) -> Option<Caps> {
        ALL.iter().find(|(known, ..)| *known == name).map(|(_, bit, _)| *bit)
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        ALL.iter().filter(move |(_, bit, _)| self.has(*bit)).map(|(name, ..)| *name)
    }
}

/// The capabilities that change lines which many clients receive: clients with the same ones share
/// the rendered bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RenderCaps(Caps);

impl RenderCaps {
    pub(super) fn new(caps: Caps) -> RenderCaps {
        let changing = Caps(caps.0 & Caps::CHANGING_LINES.0);
        // Multiline messages come in batches.
        RenderCaps(if caps.multiline() { changing } else { changing.without(Caps::MULTILINE) })
    }

    pub fn caps(self) -> Caps {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_capability() {
        let (_, irc) = include_str!("../../../docs/PROTOCOL.md").split_once("\n## IRC\n").unwrap();
        let (_, table) = irc.split_once("### IRC capabilities\n").unwrap();
        let (table, _) = table.split_once("\n### ").unwrap();
        for (name, ..) in ALL {
            assert!(table.contains(&format!("`{name}`")), "docs/PROTOCOL.md lacks {name}");
        }
    }
}
