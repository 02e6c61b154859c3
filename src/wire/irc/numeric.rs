//! Which number has which name? One table: the number, the name that RFC 1459, RFC 2812, Modern
//! IRC and IRCv3 give it, and the parameters that follow the recipient's nick.
//!
//! Where two servers use one number for two things, the table has the meaning that Modern IRC
//! gives it, and says nothing of the other. In the shapes `<x>` is a word, `:text` is for people,
//! and `[ ]` may be missing.
//!
//! Invariant: the rows ascend by number, and every number and every name occurs once.
//!
//! Deliberately absent: the texts. They belong to those who answer.

use std::fmt;

/// What a server answers with: three digits in place of a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numeric(u16);

impl Numeric {
    /// The numeric that `command` is: exactly three digits.
    pub fn parse(command: &str) -> Option<Numeric> {
        let digits = command.len() == 3 && command.bytes().all(|byte| byte.is_ascii_digit());
        if digits { command.parse().ok().map(Numeric) } else { None }
    }

    /// Its number, below 1,000.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether it says that a command failed: 400 to 599, and those beyond that are called `ERR`.
    pub fn is_error(self) -> bool {
        match self.name() {
            Some(name) => name.starts_with("ERR_"),
            None => (400..600).contains(&self.0),
        }
    }

    /// Its name, or `None` if the table does not have it.
    pub fn name(self) -> Option<&'static str> {
        let place = TABLE.binary_search_by_key(&self, |(numeric, _)| *numeric).ok()?;
        TABLE.get(place).map(|(_, name)| *name)
    }

    /// Every numeric of the table with its name, ascending.
    pub fn all() -> &'static [(Numeric, &'static str)] {
        TABLE
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl fmt::Debug for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        self.name().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

macro_rules! numerics {
    ($($number:literal $name:ident $shape:literal)*) => {
        $(
            #[doc = concat!("`", $shape, "`")]
            pub const $name: Numeric = Numeric($number);
        )*
        const TABLE: &[(Numeric, &str)] = &[$(($name, stringify!($name))),*];
    };
}

numerics! {
    // Welcome: after registration, in this order.
    1 RPL_WELCOME ":text with the nick"
    2 RPL_YOURHOST ":text with server and version"
    3 RPL_CREATED ":text with the time of the start"
    4 RPL_MYINFO "<server> <version> <user modes> <channel modes> [<those with an argument>]"
    5 RPL_ISUPPORT "<token>... :text; at most 13 tokens"

    // STATS, user modes, LUSERS, ADMIN.
    211 RPL_STATSLINKINFO "<name> <queued> <messages> <KiB> <messages> <KiB> <seconds open>"
    212 RPL_STATSCOMMANDS "<command> <count> [<bytes> <remote count>]"
    219 RPL_ENDOFSTATS "<letter> :text"
    221 RPL_UMODEIS "<user modes>"
    242 RPL_STATSUPTIME ":text with days, hours, minutes, seconds"
    243 RPL_STATSOLINE "O <host mask> * <name>"
    251 RPL_LUSERCLIENT ":text with users, invisible, servers"
    252 RPL_LUSEROP "<operators> :text"
    253 RPL_LUSERUNKNOWN "<connections not registered> :text"
    254 RPL_LUSERCHANNELS "<channels> :text"
    255 RPL_LUSERME ":text with clients and servers of this server"
    256 RPL_ADMINME "[<server>] :text"
    257 RPL_ADMINLOC1 ":text"
    258 RPL_ADMINLOC2 ":text"
    259 RPL_ADMINEMAIL ":address"
    263 RPL_TRYAGAIN "<command> :text"
    265 RPL_LOCALUSERS "[<users> <most>] :text"
    266 RPL_GLOBALUSERS "[<users> <most>] :text"
    276 RPL_WHOISCERTFP "<nick> :text with the fingerprint"

    // Replies of commands on users and channels.
    301 RPL_AWAY "<nick> :message"
    302 RPL_USERHOST ":[<nick>[*]=<+|-><user@host> ...]"
    303 RPL_ISON ":[<nick> ...]"
    305 RPL_UNAWAY ":text"
    306 RPL_NOWAWAY ":text"
    307 RPL_WHOISREGNICK "<nick> :text"
    311 RPL_WHOISUSER "<nick> <user> <host> * :realname"
    312 RPL_WHOISSERVER "<nick> <server> :server info"
    313 RPL_WHOISOPERATOR "<nick> :text"
    314 RPL_WHOWASUSER "<nick> <user> <host> * :realname"
    315 RPL_ENDOFWHO "<mask> :text"
    317 RPL_WHOISIDLE "<nick> <seconds> [<signed on, seconds since 1970>] :text"
    318 RPL_ENDOFWHOIS "<nick> :text"
    319 RPL_WHOISCHANNELS "<nick> :[prefix]<channel> ..."
    320 RPL_WHOISSPECIAL "<nick> :text"
    321 RPL_LISTSTART "Channel :Users  Name"
    322 RPL_LIST "<channel> <members> :topic"
    323 RPL_LISTEND ":text"
    324 RPL_CHANNELMODEIS "<channel> <modes> [<argument> ...]"
    329 RPL_CHANNELCREATED "<channel> <seconds since 1970>"
    330 RPL_WHOISACCOUNT "<nick> <account> :text"
    331 RPL_NOTOPIC "<channel> :text"
    332 RPL_TOPIC "<channel> :topic"
    333 RPL_TOPICTIME "<channel> <who> <seconds since 1970>"
    335 RPL_WHOISBOT "<nick> :text"
    336 RPL_INVITELIST "<channel>"
    337 RPL_ENDOFINVITELIST ":text"
    338 RPL_WHOISACTUALLY "<nick> [<user@host>] [<address>] :text"
    341 RPL_INVITING "<nick> <channel>"
    346 RPL_INVEXLIST "<channel> <mask> [<who> <seconds since 1970>]"
    347 RPL_ENDOFINVEXLIST "<channel> :text"
    348 RPL_EXCEPTLIST "<channel> <mask> [<who> <seconds since 1970>]"
    349 RPL_ENDOFEXCEPTLIST "<channel> :text"
    351 RPL_VERSION "<version> <server> :comments"
    352 RPL_WHOREPLY "<channel|*> <user> <host> <server> <nick> <H|G>[*][prefix] :<hops> realname"
    353 RPL_NAMREPLY "<=|*|@> <channel> :[prefix]<nick> ..."
    354 RPL_WHOSPCRPL "[<field> ...], those that WHOX asked for"
    364 RPL_LINKS "<server> <uplink> :<hops> server info"
    365 RPL_ENDOFLINKS "<mask> :text"
    366 RPL_ENDOFNAMES "<channel> :text"
    367 RPL_BANLIST "<channel> <mask> [<who> <seconds since 1970>]"
    368 RPL_ENDOFBANLIST "<channel> :text"
    369 RPL_ENDOFWHOWAS "<nick> :text"
    371 RPL_INFO ":text"
    372 RPL_MOTD ":line of the message of the day"
    374 RPL_ENDOFINFO ":text"
    375 RPL_MOTDSTART ":text"
    376 RPL_ENDOFMOTD ":text"
    378 RPL_WHOISHOST "<nick> :text with user@host and address"
    379 RPL_WHOISMODES "<nick> :text with the modes"
    381 RPL_YOUREOPER ":text"
    382 RPL_REHASHING "<file> :text"
    391 RPL_TIME "<server> [<seconds since 1970> [<offset>]] :time in words"
    396 RPL_VISIBLEHOST "<host> :text"

    // Errors.
    400 ERR_UNKNOWNERROR "<command> [<subcommand> ...] :text"
    401 ERR_NOSUCHNICK "<nick> :text"
    402 ERR_NOSUCHSERVER "<server> :text"
    403 ERR_NOSUCHCHANNEL "<channel> :text"
    404 ERR_CANNOTSENDTOCHAN "<channel> :text"
    405 ERR_TOOMANYCHANNELS "<channel> :text"
    406 ERR_WASNOSUCHNICK "<nick> :text"
    407 ERR_TOOMANYTARGETS "<target> :text"
    409 ERR_NOORIGIN ":text"
    410 ERR_INVALIDCAPCMD "<subcommand> :text"
    411 ERR_NORECIPIENT ":text with the command"
    412 ERR_NOTEXTTOSEND ":text"
    415 ERR_BADMASK "<mask> :text"
    417 ERR_INPUTTOOLONG ":text"
    421 ERR_UNKNOWNCOMMAND "<command> :text"
    422 ERR_NOMOTD ":text"
    423 ERR_NOADMININFO "<server> :text"
    431 ERR_NONICKNAMEGIVEN ":text"
    432 ERR_ERRONEUSNICKNAME "<nick> :text"
    433 ERR_NICKNAMEINUSE "<nick> :text"
    436 ERR_NICKCOLLISION "<nick> :text"
    437 ERR_UNAVAILRESOURCE "<nick|channel> :text"
    441 ERR_USERNOTINCHANNEL "<nick> <channel> :text"
    442 ERR_NOTONCHANNEL "<channel> :text"
    443 ERR_USERONCHANNEL "<nick> <channel> :text"
    451 ERR_NOTREGISTERED ":text"
    461 ERR_NEEDMOREPARAMS "<command> :text"
    462 ERR_ALREADYREGISTERED ":text"
    464 ERR_PASSWDMISMATCH ":text"
    465 ERR_YOUREBANNEDCREEP ":text"
    467 ERR_KEYSET "<channel> :text"
    468 ERR_INVALIDUSERNAME ":text"
    471 ERR_CHANNELISFULL "<channel> :text"
    472 ERR_UNKNOWNMODE "<letter> :text"
    473 ERR_INVITEONLYCHAN "<channel> :text"
    474 ERR_BANNEDFROMCHAN "<channel> :text"
    475 ERR_BADCHANNELKEY "<channel> :text"
    476 ERR_BADCHANMASK "<channel> :text"
    477 ERR_NEEDREGGEDNICK "<channel> :text"
    478 ERR_BANLISTFULL "<channel> <letter> :text"
    481 ERR_NOPRIVILEGES ":text"
    482 ERR_CHANOPRIVSNEEDED "<channel> :text"
    483 ERR_CANTKILLSERVER ":text"
    491 ERR_NOOPERHOST ":text"
    501 ERR_UMODEUNKNOWNFLAG ":text"
    502 ERR_USERSDONTMATCH ":text"
    524 ERR_HELPNOTFOUND "<subject> :text"
    525 ERR_INVALIDKEY "<channel> :text"

    // Newer ones: TLS, HELP, MONITOR, metadata, accounts and SASL.
    671 RPL_WHOISSECURE "<nick> :text"
    696 ERR_INVALIDMODEPARAM "<channel|nick> <letter> <argument> :text"
    704 RPL_HELPSTART "<subject> :first line"
    705 RPL_HELPTXT "<subject> :line"
    706 RPL_ENDOFHELP "<subject> :last line"
    723 ERR_NOPRIVS "<privilege> :text"
    730 RPL_MONONLINE ":<nick!user@host>[,...]"
    731 RPL_MONOFFLINE ":<nick>[,...]"
    732 RPL_MONLIST ":<nick>[,...]"
    733 RPL_ENDOFMONLIST ":text"
    734 ERR_MONLISTFULL "<limit> <nicks> :text"
    760 RPL_WHOISKEYVALUE "<target> <key> <visibility> :value"
    761 RPL_KEYVALUE "<target> <key> <visibility> :value"
    766 RPL_KEYNOTSET "<target> <key> :text"
    770 RPL_METADATASUBOK "<key> ..."
    771 RPL_METADATAUNSUBOK "<key> ..."
    772 RPL_METADATASUBS "<key> ..."
    774 RPL_METADATASYNCLATER "<target> [<seconds>]"
    900 RPL_LOGGEDIN "<nick!user@host> <account> :text"
    901 RPL_LOGGEDOUT "<nick!user@host> :text"
    902 ERR_NICKLOCKED ":text"
    903 RPL_SASLSUCCESS ":text"
    904 ERR_SASLFAIL ":text"
    905 ERR_SASLTOOLONG ":text"
    906 ERR_SASLABORTED ":text"
    907 ERR_SASLALREADY ":text"
    908 RPL_SASLMECHS "<mechanism>[,...] :text"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_ascends_and_names_are_unique() {
        assert!(TABLE.windows(2).all(|rows| rows[0].0 < rows[1].0));
        let names: HashSet<&str> = TABLE.iter().map(|(_, name)| *name).collect();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|(numeric, _)| numeric.number() < 1000));
    }

    #[test]
    fn a_numeric_is_three_digits_both_ways() {
        assert_eq!(RPL_WELCOME.to_string(), "001");
        assert_eq!(format!("{ERR_INPUTTOOLONG:?}"), "417 ERR_INPUTTOOLONG");
        for (numeric, name) in TABLE {
            assert_eq!(Numeric::parse(&numeric.to_string()), Some(*numeric));
            assert_eq!(numeric.name(), Some(*name));
            assert_eq!(numeric.is_error(), name.starts_with("ERR_"));
        }
        for word in ["1", "0001", "+01", "PING", "", "٠٠١"] {
            assert_eq!(Numeric::parse(word), None, "{word}");
        }
        let unknown = Numeric::parse("599").expect("three digits");
        assert!(unknown.name().is_none() && unknown.is_error());
    }
}
