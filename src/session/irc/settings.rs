//! The server's names and limits as IRC clients see them, and RPL_ISUPPORT.

use crate::chat::{Moment, limits};
use crate::session::frame::Needs;
use crate::session::http;
use crate::wire::irc::{MAX_BODY, MAX_PARAMETERS};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A host name.
    pub name: String,
    /// One word.
    pub network: String,
    /// Whether PASS must give the server's password before a client can register.
    pub has_password: bool,
    /// Whether clients must log in to an account before they can register.
    pub requires_account: bool,
    /// Whether clients may register accounts before that.
    pub registers_early: bool,
    /// Whether clients may come by TLS.
    pub tls: bool,
    /// That they are to use nothing else, in the words of the capability `sts`.
    pub sts: Option<String>,
    /// The message of the day, line by line.
    pub motd: Option<Vec<String>>,
    pub started: Moment,
    /// Where files are uploaded to.
    pub filehost: Option<String>,
    /// What requests may ask for on the same port.
    pub web: http::Settings,
}

impl Settings {
    pub fn needs(&self) -> Needs {
        Needs {
            password: self.has_password,
            account: self.requires_account,
            registers: self.registers_early,
        }
    }
}

/// Channel modes by kind, as ISUPPORT announces them: lists, with an argument, with an argument
/// when set, without.
pub(super) const CHANNEL_MODES: [&str; 4] = ["beI", "k", "l", "Cimnst"];
/// The modes of members, and the prefixes that show them.
pub(super) const MEMBER_MODES: (&str, &str) = ("ov", "@+");
/// User modes.
pub(super) const USER_MODES: &str = "Biow";
/// Targets of one PRIVMSG, NOTICE or TAGMSG.
pub(super) const TARGETS: usize = 4;
/// Channels or nicks of one JOIN, PART, NAMES, LIST or KICK.
pub(super) const AT_ONCE: usize = 20;
/// Nicks that one client may monitor.
pub(super) const MONITORED: usize = 100;
/// Messages of one CHATHISTORY answer.
pub(super) const HISTORY: u32 = 100;
/// Longest message of several lines, in bytes with the newlines: as long as a plain client's line.
pub(super) const MAX_BYTES: usize = 4096;
/// Most lines of one message.
pub(super) const MAX_LINES: usize = 100;
/// Keys of metadata that one client may subscribe to.
pub(super) const SUBSCRIPTIONS: usize = 50;
/// SASL mechanisms, as CAP LS and RPL_SASLMECHS list them.
const MECHANISMS: &str = "PLAIN,SCRAM-SHA-256";
/// The same where clients may have certificates.
const MECHANISMS_WITH_TLS: &str = "PLAIN,SCRAM-SHA-256,EXTERNAL";
/// Longest user name, without the `~` in front.
pub(super) const USER_LENGTH: usize = 18;

/// Modes with an argument that one MODE may change: a line has no more parameters.
const MODES: usize = MAX_PARAMETERS - 2;
const _: () = assert!(MODES <= limits::MODES_PER_COMMAND);
/// Longest host: an IPv6 address and, for one of the local network, the number of the interface.
pub(super) const HOST_LENGTH: usize = 39 + 1 + 10;

/// The program and its version, as VERSION and the welcome name them.
pub(super) const VERSION: &str = concat!("chatloop-", env!("CARGO_PKG_VERSION"));

impl Settings {
    pub(super) fn mechanisms(&self) -> &'static str {
        if self.tls { MECHANISMS_WITH_TLS } else { MECHANISMS }
    }

    /// The tokens of RPL_ISUPPORT, in alphabetical order.
    ///
    /// Deliberately absent, because nothing here is behind them: CALLERID, CPRIVMSG, CNOTICE, KNOCK,
    /// SILENCE (`/ignore` is the plain clients'), WATCH (MONITOR is there), NAMESX and UHNAMES
    /// (capabilities are), CLIENTTAGDENY (no tag is held back), and what is obsolete.
    pub(super) fn isupport(&self) -> Vec<String> {
        let (members, prefixes) = MEMBER_MODES;
        let mut tokens = vec![
            "ACCOUNTEXTBAN=a".to_owned(),
            format!("AWAYLEN={}", limits::REASON_LENGTH),
            "BOT=B".to_owned(),
            "CASEMAPPING=ascii".to_owned(),
            format!("CHANLIMIT=#:{}", limits::ROOMS_PER_USER),
            format!("CHANMODES={}", CHANNEL_MODES.join(",")),
            format!("CHANNELLEN={}", limits::ROOM_LENGTH),
            "CHANTYPES=#".to_owned(),
            format!("CHATHISTORY={HISTORY}"),
            "ELIST=CMNTU".to_owned(),
            "EXCEPTS=e".to_owned(),
            "EXTBAN=,am".to_owned(),
            format!("HOSTLEN={HOST_LENGTH}"),
            "INVEX=I".to_owned(),
            format!("KEYLEN={}", limits::KEY_LENGTH),
            format!("KICKLEN={}", limits::REASON_LENGTH),
            format!("LINELEN={MAX_BODY}"),
            format!("MAXLIST={}", max_list()),
            format!("MAXTARGETS={TARGETS}"),
            format!("MODES={MODES}"),
            format!("MONITOR={MONITORED}"),
            "MSGREFTYPES=msgid,timestamp".to_owned(),
            format!("NAMELEN={}", limits::REAL_NAME_LENGTH),
            format!("NETWORK={}", self.network),
            format!("NICKLEN={}", limits::NICK_LENGTH),
            format!("PREFIX=({members}){prefixes}"),
            "SAFELIST".to_owned(),
            format!("STATUSMSG={prefixes}"),
            format!("TARGMAX={}", target_maxima()),
            format!("TOPICLEN={}", limits::TOPIC_LENGTH),
            format!("USERLEN={}", USER_LENGTH + 1),
            "UTF8ONLY".to_owned(),
            "WHOX".to_owned(),
        ];
        tokens.extend(self.filehost.as_ref().map(|url| format!("soju.im/FILEHOST={url}")));
        tokens
    }
}

/// Each list of masks has a separate limit.
fn max_list() -> String {
    let [lists, ..] = CHANNEL_MODES;
    let bound = |letter| format!("{letter}:{}", limits::BANS_PER_ROOM);
    lists.chars().map(bound).collect::<Vec<_>>().join(",")
}

/// How many targets a command may have; MONITOR as many as a line holds.
fn target_maxima() -> String {
    let bounds = [
        ("JOIN", AT_ONCE),
        ("KICK", AT_ONCE),
        ("LIST", AT_ONCE),
        ("NAMES", AT_ONCE),
        ("NOTICE", TARGETS),
        ("PART", AT_ONCE),
        ("PRIVMSG", TARGETS),
        ("TAGMSG", TARGETS),
        ("WHOIS", 1),
        ("WHOWAS", 1),
    ];
    let bounds = bounds.map(|(command, bound)| format!("{command}:{bound}"));
    bounds.join(",") + ",MONITOR:"
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Settings {
        /// What tests need no more of than that it is there.
        pub(in crate::session::irc) fn example() -> Settings {
            Settings {
                name: "irc.example.org".into(),
                network: "Test".into(),
                filehost: Some("https://irc.example.org/upload".into()),
                ..Settings::default()
            }
        }
    }

    #[test]
    fn tokens_are_in_order_and_each_is_there_once() {
        let settings = Settings::example();
        let tokens = settings.isupport();
        let name = |token: &String| token.split('=').next().unwrap().to_owned();
        let names: Vec<String> = tokens.iter().map(name).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let own = names.iter().map(|name| name.strip_prefix("soju.im/").unwrap_or(name));
        assert!(own.clone().all(|name| name.bytes().all(fits)), "{names:?}");
        assert!(tokens.iter().all(|token| !token.contains(' ')));
        assert!(tokens.contains(&"MAXLIST=b:100,e:100,I:100".to_owned()), "{tokens:?}");
    }
}
