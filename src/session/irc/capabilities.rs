//! Which capabilities are there, and how are they agreed on? IRCv3 capability-negotiation.

use super::{Context, metadata, multiline, sasl};
use crate::wire::irc::{Message, numeric};

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caps(u32);

macro_rules! capabilities {
    ($($bit:literal $constant:ident $name:literal $changes:literal;)*) => {
        impl Caps {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Caps = Caps(1 << $bit);)*
            /// Those that change how lines look that many hear.
            const CHANGING_LINES: Caps = Caps($(if $changes { 1 << $bit } else { 0 })|*);
        }
        const ALL: &[(&str, Caps)] = &[$(($name, Caps::$constant)),*];
    };
}

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
    11 SASL "sasl" false;
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
    22 METADATA_2 "draft/metadata-2" false;
    23 METADATA_3 "draft/metadata-3" false;
    24 READ_MARKER "draft/read-marker" false;
    25 MULTILINE "draft/multiline" true;
    26 CHANNEL_RENAME "draft/channel-rename" true;
}

impl Caps {
    /// None.
    pub const NONE: Caps = Caps(0);

    /// Whether one of `other` is among them.
    pub fn has(self, other: Caps) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn changing_lines(self) -> Caps {
        Caps(self.0 & Caps::CHANGING_LINES.0)
    }

    pub(super) fn without(self, other: Caps) -> Caps {
        Caps(self.0 & !other.0)
    }

    fn find(name: &str) -> Option<Caps> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit)
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        ALL.iter().filter(move |(_, bit)| self.has(*bit)).map(|(name, _)| *name)
    }
}

/// What follows a capability's name and `=` for clients that know version 302.
///
/// `draft/account-registration` has none of its keys: who registers has come in
/// (`before-connect`), gives no address (`email-required`), and takes their nick
/// (`custom-account-name`). `draft/chathistory` is defined without a value; how many messages an
/// answer has is in RPL_ISUPPORT.
fn value(cap: Caps) -> Option<&'static str> {
    match cap {
        Caps::SASL => Some(sasl::MECHANISMS),
        Caps::MULTILINE => Some(multiline::announced()),
        Caps::METADATA_2 | Caps::METADATA_3 => Some(metadata::announced()),
        _ => None,
    }
}

/// `CAP LS|LIST|REQ|END`.
pub(super) fn cap(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let subcommand = message.parameters.first().copied().unwrap_or_default();
    let argument = message.parameters.get(1).copied().unwrap_or_default();
    match subcommand.to_ascii_uppercase().as_str() {
        "LS" => ls(context, argument),
        "LIST" => {
            let names = context.session.caps.names().map(str::to_owned).collect();
            list(context, "LIST", names);
        }
        "REQ" => request(context, argument),
        "END" => {
            if let Some(door) = &mut context.session.door {
                door.negotiating = false;
                super::registration::come_in(context);
            }
        }
        _ => {
            let words = [if subcommand.is_empty() { "*" } else { subcommand }];
            context.reply().numeric(numeric::ERR_INVALIDCAPCMD, &words);
        }
    }
}

fn ls(context: &mut Context<'_, '_>, argument: &str) {
    let version = argument.parse().unwrap_or(301);
    context.session.version = context.session.version.max(version);
    if let Some(door) = &mut context.session.door {
        door.negotiating = true;
    }
    if context.session.version >= 302 {
        context.session.caps.0 |= Caps::CAP_NOTIFY.0;
    }
    let named = |(name, cap): &(&str, Caps)| match value(*cap).filter(|_| version >= 302) {
        Some(value) => format!("{name}={value}"),
        None => (*name).to_owned(),
    };
    list(context, "LS", ALL.iter().map(named).collect());
}

/// In as many lines as it takes for clients that know version 302, else in one.
fn list(context: &mut Context<'_, '_>, subcommand: &str, names: Vec<String>) {
    const ROOM: usize = 400;
    let several = context.session.version >= 302;
    let mut reply = context.reply();
    let nick = reply.nick.clone();
    let mut line = String::new();
    for name in names {
        if several && line.len() + name.len() > ROOM {
            reply.line("CAP", &[nick.as_str(), subcommand, "*"], Some(&line));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&name);
    }
    reply.line("CAP", &[nick.as_str(), subcommand], Some(&line));
}

/// All or nothing.
fn request(context: &mut Context<'_, '_>, wanted: &str) {
    if let Some(door) = &mut context.session.door {
        door.negotiating = true;
    }
    let mut caps = context.session.caps;
    let known = wanted.split_ascii_whitespace().all(|word| {
        let (name, on) = match word.strip_prefix('-') {
            Some(name) => (name, false),
            None => (word, true),
        };
        let bit = Caps::find(name);
        if let Some(Caps(bit)) = bit {
            caps.0 = if on { caps.0 | bit } else { caps.0 & !bit };
        }
        bit.is_some()
    });
    // Whoever knows version 302 is told of changes, asked for or not.
    if context.session.version >= 302 {
        caps.0 |= Caps::CAP_NOTIFY.0;
    }
    let known = known && !super::metadata::contradicts(caps);
    let answer = if known { "ACK" } else { "NAK" };
    let mut reply = context.reply();
    let nick = reply.nick.clone();
    reply.line("CAP", &[nick.as_str(), answer], Some(wanted));
    if known {
        context.session.caps = caps;
        context.session.keep_subscriptions_if_aware();
    }
}

/// The capabilities of these names.
#[cfg(test)]
pub(super) fn named(names: &str) -> Caps {
    let bits = names.split_whitespace().filter_map(Caps::find);
    bits.fold(Caps::NONE, |all, Caps(bit)| Caps(all.0 | bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_capability() {
        let (_, irc) = include_str!("../../../docs/PROTOCOL.md").split_once("\n## IRC\n").unwrap();
        let (_, table) = irc.split_once("### IRC capabilities\n").unwrap();
        let (table, _) = table.split_once("\n### ").unwrap();
        for (name, _) in ALL {
            assert!(table.contains(&format!("`{name}`")), "docs/PROTOCOL.md lacks {name}");
        }
    }
}
