//! Ban masks: `nick!user@host` with `*` and `?`, or an account; to ban or to mute.
//!
//! A mask is written as in IRC. Short forms are completed: `bob` is `bob!*@*`, `*@10.0.0.1` is
//! `*!*@10.0.0.1`. The host may be a network, `*!*@10.0.0.0/8`. Two prefixes, which can be combined,
//! correspond to extended bans: `a:` (or `account:`, as in a ban from the server) matches the account
//! instead, `m:` mutes without banning.

use super::glob::glob;
use super::identity::Identity;
use super::limits;
use super::origin::Origin;
use core::net::IpAddr;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One pattern for users.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Mask {
    /// Silences, but does not keep out.
    pub mutes: bool,
    /// Matches the account rather than `nick!user@host`.
    pub account: bool,
    pattern: Box<str>,
}

impl Mask {
    /// Parses and completes a mask. `None` if it is empty, too long or contains a space.
    pub fn parse(text: &str) -> Option<Mask> {
        let (mutes, text) = text.strip_prefix("m:").map_or((false, text), |rest| (true, rest));
        let of_account = text.strip_prefix("a:").or_else(|| text.strip_prefix("account:"));
        let (account, text) = of_account.map_or((false, text), |rest| (true, rest));
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == ',';
        if text.is_empty() || text.len() > limits::MASK_LENGTH || text.contains(wrong) {
            return None;
        }
        let pattern = match (text.contains('!'), text.contains('@')) {
            _ if account => text.to_owned(),
            (true, true) => text.to_owned(),
            (true, false) => format!("{text}@*"),
            (false, true) => format!("*!{text}"),
            // An address has a dot or a colon, a nick has neither.
            (false, false) if text.contains(['.', ':']) => format!("*!*@{text}"),
            (false, false) => format!("{text}!*@*"),
        };
        let mut pattern = pattern.to_ascii_lowercase();
        if let Some((who, host)) = pattern.rsplit_once('@').filter(|_| !account) {
            // An IPv6 address has many spellings, and a host is shown in one.
            if let Ok(address) = host.parse::<IpAddr>() {
                pattern = format!("{who}@{}", address.to_canonical());
            } else if let Ok(network) = host.parse::<IpNet>() {
                pattern = format!("{who}@{}", network.trunc());
            }
        }
        let pattern = pattern.into_boxed_str();
        Some(Mask { mutes, account, pattern })
    }

    /// The one account or nick that it is for, in lower case.
    pub fn named(&self) -> Option<&str> {
        let name =
            if self.account { Some(&*self.pattern) } else { self.pattern.strip_suffix("!*@*") };
        name.filter(|name| !name.contains(['*', '?']))
    }

    /// The length of the pattern.
    pub fn bytes(&self) -> usize {
        self.pattern.len()
    }

    /// Whether the mask matches this user.
    pub fn matches(&self, who: &Identity) -> bool {
        if self.account {
            return who.account.as_ref().is_some_and(|name| glob(&self.pattern, name.as_str()));
        }
        let prefix = who.prefix();
        match (self.pattern.rsplit_once('@'), prefix.rsplit_once('@')) {
            (Some((pattern, network)), Some((person, host))) if network.contains('/') => {
                Origin::ban_matches(network, host) && glob(pattern, person)
            }
            _ => glob(&self.pattern, &prefix),
        }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = |on, text| if on { text } else { "" };
        write!(f, "{}{}{}", prefix(self.mutes, "m:"), prefix(self.account, "a:"), self.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_completed() {
        let full = |text| Mask::parse(text).map(|mask| mask.to_string());
        assert_eq!(full("Bob").as_deref(), Some("bob!*@*"));
        assert_eq!(full("bob!x").as_deref(), Some("bob!x@*"));
        assert_eq!(full("*@10.0.*").as_deref(), Some("*!*@10.0.*"));
        assert_eq!(full("10.0.0.1").as_deref(), Some("*!*@10.0.0.1"));
        assert_eq!(full("2001:DB8:0:0::1").as_deref(), Some("*!*@2001:db8::1"));
        assert_eq!(full("x!*@0::1").as_deref(), Some("x!*@::1"));
        assert_eq!(full("*@::ffff:10.0.0.1").as_deref(), Some("*!*@10.0.0.1"));
        assert_eq!(full("m:a:bob").as_deref(), Some("m:a:bob"));
        assert_eq!(full("m:account:bob").as_deref(), Some("m:a:bob"));
        assert_eq!(full("10.1.2.3/8").as_deref(), Some("*!*@10.0.0.0/8"));
        assert_eq!(full("eve!*@2001:DB8::1/32").as_deref(), Some("eve!*@2001:db8::/32"));
        assert_eq!((full(""), full("a b"), full(&"x".repeat(200))), (None, None, None));
    }
}
