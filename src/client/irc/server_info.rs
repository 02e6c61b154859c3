//! The features of a server: its capabilities and its RPL_ISUPPORT.
//!
//! Defaults are those of RFC 1459. Bounds: `MAX_OFFERED`, `MAX_TOKENS`,
//! `MAX_VALUE`.

use crate::wire::clean::clean;
use crate::wire::irc::{CaseMapping, MAX_BODY, ModeTable};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Capabilities kept of those that are offered.
const MAX_OFFERED: usize = 200;
/// Tokens of RPL_ISUPPORT kept.
const MAX_TOKENS: usize = 200;
/// Bytes of a value.
const MAX_VALUE: usize = 400;

/// The capability and the tag of the numbers that messages have in their room.
pub(super) const NUMBER: &str = "chatloop/number";

/// Capabilities of this client. `sasl` is requested with `--account` only. Left out:
/// userhost-in-names, which makes the names of a large room three times as long.
const USEFUL: &str = "account-notify account-tag away-notify batch cap-notify chatloop/number chghost \
    draft/account-registration draft/chathistory draft/message-redaction draft/multiline echo-message \
    extended-join invite-notify labeled-response message-tags multi-prefix server-time setname \
    soju.im/search standard-replies";

/// What one server has announced.
#[derive(Debug, Default)]
pub(super) struct ServerInfo {
    /// Its name, as in the source of its messages.
    pub name: String,
    /// It is a chatloop server.
    pub is_chatloop: bool,
    offered: BTreeMap<String, String>,
    enabled: Vec<String>,
    tokens: BTreeMap<String, String>,
    mapping: CaseMapping,
}

fn useful() -> impl Iterator<Item = &'static str> {
    USEFUL.split(' ')
}

impl ServerInfo {
    pub fn new() -> ServerInfo {
        ServerInfo { mapping: CaseMapping::Rfc1459, ..ServerInfo::default() }
    }

    /// `CAP LS` or `CAP NEW`: names, some with a value.
    pub fn offers(&mut self, list: &str) {
        for word in list.split_ascii_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if self.offered.len() < MAX_OFFERED && word.len() <= MAX_VALUE {
                self.offered.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// `CAP DEL`.
    pub fn withdraws(&mut self, list: &str) {
        for name in list.split_ascii_whitespace() {
            self.offered.remove(name);
            self.enabled.retain(|it| it != name);
        }
    }

    /// `CAP ACK`: these are enabled now, or with a `-` disabled.
    pub fn enables(&mut self, list: &str) {
        for word in list.split_ascii_whitespace() {
            match word.strip_prefix('-') {
                Some(name) => self.enabled.retain(|it| it != name),
                None if !self.has(word) && useful().any(|it| it == word) || word == "sasl" => {
                    self.enabled.push(word.to_owned());
                }
                None => {}
            }
        }
    }

    /// Useful capabilities that are offered and not enabled.
    pub fn wanted(&self, sasl: bool) -> Vec<&'static str> {
        let all = useful().chain(sasl.then_some("sasl"));
        all.filter(|name| self.offered.contains_key(*name) && !self.has(name)).collect()
    }

    /// Whether a capability is enabled.
    pub fn has(&self, name: &str) -> bool {
        self.enabled.iter().any(|it| it == name)
    }

    /// Whether login is supported.
    pub fn offers_sasl(&self) -> bool {
        self.offered.contains_key("sasl")
    }

    /// The value that a capability was offered with.
    pub fn value(&self, name: &str) -> &str {
        self.offered.get(name).map_or("", String::as_str)
    }

    /// What belongs to a key in the value of a capability, as in `sts=port=6697,duration=60`.
    pub fn part(&self, name: &str, key: &str) -> Option<&str> {
        let pairs = self.value(name).split(',').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// `max-bytes` and `max-lines` of draft/multiline, if that is enabled and can be used.
    pub fn multiline(&self) -> Option<(usize, usize)> {
        if !self.has("draft/multiline") || !self.has("batch") || !self.has("message-tags") {
            return None;
        }
        let limit = |key: &str| self.part("draft/multiline", key)?.parse().ok();
        Some((limit("max-bytes")?, limit("max-lines").unwrap_or(100)))
    }

    /// Tokens of RPL_ISUPPORT; one with a `-` removes another.
    pub fn supports(&mut self, tokens: &[&str]) {
        for token in tokens {
            if let Some(name) = token.strip_prefix('-') {
                self.tokens.remove(name);
                continue;
            }
            let (name, value) = token.split_once('=').unwrap_or((token, ""));
            if self.tokens.len() < MAX_TOKENS && token.len() <= MAX_VALUE {
                self.tokens.insert(name.to_owned(), value.to_owned());
            }
        }
        // An unknown mapping, such as `precis`, folds ASCII at least.
        let mapping = self.token("CASEMAPPING").unwrap_or("rfc1459");
        self.mapping = CaseMapping::from_name(mapping).unwrap_or(CaseMapping::Ascii);
    }

    fn token(&self, name: &str) -> Option<&str> {
        self.tokens.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.token(name)?.parse().ok()
    }

    /// The longest text of a kind (`TOPICLEN`), in bytes, if there is a limit.
    pub fn longest(&self, name: &str) -> Option<usize> {
        self.number(name).filter(|limit| *limit > 0)
    }

    /// The network's name, or the server's.
    pub fn network(&self) -> &str {
        self.token("NETWORK").filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// Bytes of a line without its tags. Never less than what every server takes.
    pub fn line_length(&self) -> usize {
        self.number("LINELEN").unwrap_or(MAX_BODY).clamp(MAX_BODY, 16 * 1024)
    }

    /// Whether history can be requested.
    pub fn keeps_history(&self) -> bool {
        self.has("draft/chathistory") && self.has("batch")
    }

    /// Messages per reply.
    pub fn history_page(&self, most: usize) -> usize {
        match self.number("CHATHISTORY") {
            Some(limit @ 1..) => limit.min(most),
            _ => most,
        }
    }

    /// Whether history requests can refer to messages by `timestamp` or `msgid`.
    pub fn refers_by(&self, kind: &str) -> bool {
        match self.token("MSGREFTYPES") {
            Some(types) => types.split(',').any(|it| it == kind),
            None => true,
        }
    }

    /// The folded form by which names are compared.
    pub fn fold<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.mapping.fold(name)
    }

    /// Whether two names are equal.
    pub fn same(&self, one: &str, other: &str) -> bool {
        self.mapping.same(one, other)
    }

    /// Whether a word is a room name here, and one that can be shown as it is. Rooms that begin with
    /// `+` (RFC 2811) are not supported: `+m` is a mode, and no network uses such rooms.
    pub fn is_room(&self, word: &str) -> bool {
        let kinds = self.token("CHANTYPES").unwrap_or("#&");
        word.len() > 1
            && word.starts_with(|first| kinds.contains(first) && first != '+')
            && !word.contains([' ', ',', '\u{7}'])
            && clean(word.as_bytes()) == word
    }

    /// The room of a target that may have a prefix in front: `@#ops` reaches its operators only.
    pub fn room_of<'t>(&self, target: &'t str) -> Option<&'t str> {
        if self.is_room(target) {
            return Some(target);
        }
        let marks = self.token("STATUSMSG").unwrap_or_default();
        let bare = target.trim_start_matches(|first| marks.contains(first));
        self.is_room(bare).then_some(bare)
    }

    /// The prefixes of members (`@+`), the highest first.
    pub fn prefixes(&self) -> &str {
        let prefix = self.token("PREFIX").unwrap_or("(ov)@+");
        prefix.split_once(')').map_or("", |(_, marks)| marks)
    }

    /// The prefix of a member mode: `@` for `o`.
    pub fn prefix_of(&self, letter: char) -> Option<char> {
        let prefix = self.token("PREFIX").unwrap_or("(ov)@+");
        let (letters, marks) = prefix.strip_prefix('(')?.split_once(')')?;
        letters.chars().zip(marks.chars()).find(|(it, _)| *it == letter).map(|(_, mark)| mark)
    }

    /// The prefix of a ban mask that only mutes: `m:`, if it is supported.
    pub fn mute_prefix(&self) -> Option<String> {
        let (prefix, letters) = self.token("EXTBAN")?.split_once(',')?;
        letters.contains('m').then(|| format!("{prefix}m:"))
    }

    /// The letters of modes.
    pub fn modes(&self) -> ModeTable<'_> {
        let modes = self.token("CHANMODES").unwrap_or("b,k,l,imnpst");
        ModeTable::from_isupport(modes, self.token("PREFIX").unwrap_or("(ov)@+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_one_of_1993() {
        let server = ServerInfo::new();
        assert!(server.same("[bob]", "{BOB}"));
        assert!(server.is_room("&local") && !server.is_room("+x") && !server.is_room("#"));
        assert_eq!((server.prefixes(), server.prefix_of('v')), ("@+", Some('+')));
        assert_eq!((server.line_length(), server.multiline()), (512, None));
        assert_eq!(server.room_of("@#ops"), None);
    }

    #[test]
    fn what_is_announced_counts() {
        let mut server = ServerInfo::new();
        server
            .offers("batch message-tags draft/multiline=max-bytes=4096,max-lines=24 sasl=PLAIN x");
        assert_eq!(server.wanted(false), ["batch", "draft/multiline", "message-tags"]);
        server.enables("batch message-tags draft/multiline x");
        assert_eq!(server.multiline(), Some((4096, 24)));
        assert!(!server.has("x"), "what was not asked for is not in force");
        assert_eq!(server.wanted(true), ["sasl"]);
        server.withdraws("draft/multiline");
        assert_eq!(server.multiline(), None);
        server.supports(&[
            "CASEMAPPING=ascii",
            "PREFIX=(qov)~@+",
            "CHANTYPES=#",
            "STATUSMSG=@+",
            "TOPICLEN=300",
        ]);
        assert!(!server.same("[bob]", "{bob}") && server.same("Bob", "bOB"));
        assert_eq!((server.prefix_of('q'), server.room_of("@#ops")), (Some('~'), Some("#ops")));
        assert_eq!(server.longest("TOPICLEN"), Some(300));
        server.supports(&["-TOPICLEN", "CASEMAPPING=precis"]);
        assert_eq!(server.longest("TOPICLEN"), None);
        for number in 0..1_000 {
            server.supports(&[&format!("T{number}")]);
            server.offers(&format!("c{number}"));
        }
        assert!(server.tokens.len() <= MAX_TOKENS && server.offered.len() <= MAX_OFFERED);
    }
}
