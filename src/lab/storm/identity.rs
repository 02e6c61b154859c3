//! The names, capabilities and addresses of those who take part in a storm.

use super::scenarios::{Dialect, OWNER};
use std::net::IpAddr;

/// Capabilities, asked for one by one: a server that lacks one denies the whole line.
const CAPABILITIES: &str = "message-tags batch echo-message server-time draft/multiline \
    draft/metadata-2 draft/chathistory labeled-response away-notify account-notify extended-join \
    multi-prefix userhost-in-names invite-notify setname draft/channel-rename";

/// What the server says when it has carried out everything that was sent before: both dialects
/// repeat it, one in a PONG and one as an unknown command.
pub const READY: &str = "storm-ready";

/// What a client says first. `caps` are bits: which capabilities it asks for.
pub fn introduction(dialect: Dialect, nick: &str, caps: usize) -> String {
    match dialect {
        Dialect::Plain => format!("/nick {nick}\n"),
        Dialect::Irc => {
            let names = CAPABILITIES.split(' ').enumerate();
            let asked = names.filter(|(bit, _)| caps >> bit & 1 == 1);
            let caps: String = asked.map(|(_, name)| format!("CAP REQ :{name}\n")).collect();
            // Long names: what a mask is compared with is the attackers' choice.
            let (user, real_name) = ("a".repeat(18), "a".repeat(149));
            format!("{caps}NICK {nick}\nUSER {user} 0 * :{real_name}\nCAP END\n")
        }
    }
}

pub fn join(dialect: Dialect, room: &str) -> String {
    match dialect {
        Dialect::Irc => format!("JOIN {room}\n"),
        Dialect::Plain => format!("/join {room}\n"),
    }
}

/// A line that the server answers with [`READY`].
pub fn question(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Irc => "PING storm-ready\n",
        Dialect::Plain => "/storm-ready\n",
    }
}

pub fn crowd_dialect(number: usize) -> Dialect {
    if number % 4 == 3 { Dialect::Plain } else { Dialect::Irc }
}

/// Three kinds of client: an old one, one of today and one that asks for everything.
pub fn crowd_caps(number: usize) -> usize {
    [0, 0b1111, usize::MAX, 0][number % 4]
}

pub fn crowd_nick(number: usize) -> String {
    if number == 0 { OWNER.to_owned() } else { padded(format!("c{number}")) }
}

/// As long as a nick may be.
pub fn padded(start: String) -> String {
    format!("{start:a<30}")
}

/// Everything that is common, and another choice of the rest for each attacker: a server that
/// renders a message once for each set of capabilities has the most to render.
pub fn attacker_caps(number: usize) -> usize {
    0x7f | number << 7
}

/// The address so many places behind `first`.
pub fn nth_address(first: IpAddr, places: usize) -> IpAddr {
    match first {
        IpAddr::V4(first) => {
            IpAddr::from(u32::from(first).wrapping_add(places as u32).to_be_bytes())
        }
        IpAddr::V6(first) => IpAddr::from((u128::from(first) + places as u128).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicks_are_different_and_as_long_as_allowed() {
        assert_eq!(crowd_nick(0), OWNER);
        assert_eq!(crowd_nick(17).len(), 30);
        assert!((0..2_000).all(|number| crowd_nick(number) != crowd_nick(number + 1)));
    }

    #[test]
    fn each_attacker_has_its_own_set_of_capabilities() {
        let sets: std::collections::HashSet<String> = (0..250)
            .map(|number| introduction(Dialect::Irc, "eve", attacker_caps(number)))
            .collect();
        assert_eq!(sets.len(), 250);
        assert!(sets.iter().all(|set| set.starts_with("CAP REQ :message-tags\nCAP REQ :batch\n")));
    }

    #[test]
    fn addresses_are_counted_on_from_the_first() {
        let first: IpAddr = "127.0.1.250".parse().unwrap();
        assert_eq!(nth_address(first, 0), first);
        assert_eq!(nth_address(first, 10).to_string(), "127.0.2.4");
        assert_eq!(nth_address("::1".parse().unwrap(), 1).to_string(), "::2");
    }
}
