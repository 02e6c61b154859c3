//! Valid nicknames, channel names, user names and keys.
//!
//! These are the rules of the grammar: what a name must not contain so that a line with it can
//! still be parsed. Which names are taken, reserved or confusable is decided elsewhere. All lengths
//! are in bytes; each limit is the caller's, who announces it in ISUPPORT.
//!
//! Deliberately absent: repair. A name that is changed on its way in surprises everyone later.

/// Whether `name` is a traditional nickname: RFC 2812 §2.3.1, ASCII letters, digits, ``[]\`_^{|}``
/// and `-`, no leading digit or `-`.
pub fn is_nickname(name: &str, limit: usize) -> bool {
    let special = |byte: u8| matches!(byte, b'['..=b'`' | b'{'..=b'}');
    let first = |byte: u8| byte.is_ascii_alphabetic() || special(byte);
    name.len() <= limit
        && name.bytes().next().is_some_and(first)
        && name.bytes().all(|byte| first(byte) || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `name` can be the user part of `nick!user@host`: RFC 2812 §2.3.1, without `!`, so that
/// masks can be parsed, and without `*` or `?`, so that a ban on it matches no one else.
pub fn is_user_name(name: &str, limit: usize) -> bool {
    let forbidden =
        |letter: char| letter.is_control() || letter.is_whitespace() || "@!*?".contains(letter);
    !name.is_empty() && name.len() <= limit && !name.starts_with(':') && !name.contains(forbidden)
}

/// Whether `key` can be a channel key (mode `k`): a parameter that is not the last one, and a word
/// in JOIN's comma-separated list. RFC 2812 §2.3.1 allows at most 23 bytes.
pub fn is_channel_key(key: &str, limit: usize) -> bool {
    !key.is_empty()
        && key.len() <= limit
        && !key.starts_with(':')
        && !key.contains(|letter: char| letter.is_control() || letter == ' ' || letter == ',')
}

/// Whether `name` can be a server name: a host name with a dot, at most 63 bytes. Modern IRC
/// "Servers".
pub fn is_server_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 63 && name.contains('.') && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames() {
        for good in ["a", "Ada", "[ada]", "`_^{|}\\", "a-1", "ada9"] {
            assert!(is_nickname(good, 9), "{good}");
        }
        for bad in ["", "9ada", "-ada", "a b", "a,b", "a!b", "a@b", "a*", "#ada", ":ada", "ada~"] {
            assert!(!is_nickname(bad, 9), "{bad}");
        }
        assert!(is_nickname("123456789".replace('1', "a").as_str(), 9));
        assert!(!is_nickname("a23456789x", 9));
    }

    #[test]
    fn users_keys_servers() {
        assert!(["~al", "al.b", "é"].iter().all(|name| is_user_name(name, 9)));
        assert!(
            ["", "a b", "a@b", "a!b", "a\n", "*", ":a", "1234567890"]
                .iter()
                .all(|name| !is_user_name(name, 9))
        );
        assert!(["k", "a:b", "schlüssel"].iter().all(|key| is_channel_key(key, 23)));
        assert!(["", ":k", "a b", "a,b", "a\t"].iter().all(|key| !is_channel_key(key, 23)));
        assert!(!is_channel_key(&"k".repeat(24), 23));
        assert!(["irc.example.org", "a.b", "1.2"].iter().all(|name| is_server_name(name)));
        assert!(
            ["", "irc", "irc.", ".irc", "a..b", "-a.b", "a-.b", "a_b.c", "a b.c"]
                .iter()
                .all(|name| !is_server_name(name))
        );
        assert!(
            !is_server_name(&"a.".repeat(32)) && !is_server_name(&format!("{}b", "a.".repeat(32)))
        );
    }
}
