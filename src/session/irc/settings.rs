//! What the server is called, and what it announces about itself.

use crate::chat::{Moment, Secret, limits};

/// What IRC clients are told of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's name: a host name.
    pub name: String,
    /// The network's name: one word.
    pub network: String,
    /// What a client has to say with PASS before it may come in.
    pub password: Option<Secret>,
    /// The message of the day, line by line; `None` if there is none.
    pub motd: Option<Vec<String>>,
    /// When the server was started.
    pub started: Moment,
}

/// Channel modes by kind, as ISUPPORT announces them: lists, with an argument, with an argument
/// when set, without.
pub(super) const CHANNEL_MODES: [&str; 4] = ["beI", "k", "l", "imnst"];
/// The modes of members, and the prefixes that show them.
pub(super) const MEMBER_MODES: (&str, &str) = ("ov", "@+");
/// The letters of what somebody is by their own word.
pub(super) const USER_MODES: &str = "Biow";
/// Targets of one PRIVMSG, NOTICE or TAGMSG.
pub(super) const TARGETS: usize = 4;
/// Nicks that one client may watch for.
pub(super) const MONITORED: usize = 100;
/// Messages of one CHATHISTORY answer.
pub(super) const HISTORY: u32 = 100;
/// Longest user name, without the `~` in front.
pub(super) const USER_LENGTH: usize = 18;

/// The program and its version, as VERSION and the welcome name them.
pub(super) const VERSION: &str = concat!("chatloop-", env!("CARGO_PKG_VERSION"));

impl Settings {
    /// The tokens of RPL_ISUPPORT, in alphabetical order.
    pub(super) fn isupport(&self) -> Vec<String> {
        let (members, prefixes) = MEMBER_MODES;
        vec![
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
            "INVEX=I".to_owned(),
            format!("KEYLEN={}", limits::KEY_LENGTH),
            format!("KICKLEN={}", limits::REASON_LENGTH),
            format!("MAXLIST=beI:{}", limits::BANS_PER_ROOM),
            format!("MODES={}", limits::MODES_PER_COMMAND),
            format!("MONITOR={MONITORED}"),
            "MSGREFTYPES=msgid,timestamp".to_owned(),
            format!("NAMELEN={}", limits::REAL_NAME_LENGTH),
            format!("NETWORK={}", self.network),
            format!("NICKLEN={}", limits::NICK_LENGTH),
            format!("PREFIX=({members}){prefixes}"),
            "SAFELIST".to_owned(),
            format!("STATUSMSG={prefixes}"),
            format!(
                "TARGMAX=JOIN:,KICK:,LIST:1,MONITOR:,NAMES:,NOTICE:{TARGETS},PART:,PRIVMSG:{TARGETS},TAGMSG:{TARGETS},WHOIS:1"
            ),
            format!("TOPICLEN={}", limits::TOPIC_LENGTH),
            format!("USERLEN={}", USER_LENGTH + 1),
            "UTF8ONLY".to_owned(),
            "WHOX".to_owned(),
        ]
    }
}
