//! Numerics: number, name, parameters and default text, as RFC 1459, RFC 2812, Modern IRC and IRCv3
//! have them.
//!
//! Where two servers use one number for two purposes, the table follows Modern IRC. In the
//! parameters, `<x>` is a word and `[ ]` is optional; the recipient's nick, which always comes
//! first, is omitted. After `=` is the text that ends the line, unless it varies (`:text`).
//!
//! Invariant: the rows ascend by number, and every number and name occurs once.

use std::fmt;

/// The command of a reply: three digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numeric(u16);

impl Numeric {
    /// Exactly three digits.
    pub fn parse(command: &str) -> Option<Numeric> {
        let digits = command.len() == 3 && command.bytes().all(|byte| byte.is_ascii_digit());
        if digits { command.parse().ok().map(Numeric) } else { None }
    }

    /// Below 1,000.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether it reports an error: 400 to 599, and higher numbers whose name starts with `ERR_`.
    pub fn is_error(self) -> bool {
        match self.name() {
            Some(name) => name.starts_with("ERR_"),
            None => (400..600).contains(&self.0),
        }
    }

    /// `RPL_…` or `ERR_…`, if the table has it.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|(_, name, _)| *name)
    }

    /// The text that ends the line, unless it varies.
    pub fn text(self) -> Option<&'static str> {
        self.row().and_then(|(.., text)| *text)
    }

    fn row(self) -> Option<&'static Row> {
        let place = TABLE.binary_search_by_key(&self, |(numeric, ..)| *numeric).ok()?;
        TABLE.get(place)
    }
}

/// Number, name, text.
type Row = (Numeric, &'static str, Option<&'static str>);

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
    (@text) => { None };
    (@text $text:literal) => { Some($text) };
    ($($number:literal $name:ident $shape:literal $(= $text:literal)?)*) => {
        $(
            #[doc = concat!("`", $shape, "`")]
            pub const $name: Numeric = Numeric($number);
        )*
        const TABLE: &[Row] =
            &[$(($name, stringify!($name), numerics!(@text $($text)?))),*];
    };
}

numerics! {
    // Welcome: after registration, in this order.
    1 RPL_WELCOME ":text with the nick"
    2 RPL_YOURHOST ":text with server and version"
    3 RPL_CREATED ":text with the time of the start"
    4 RPL_MYINFO "<server> <version> <user modes> <channel modes> [<those with an argument>]"
    5 RPL_ISUPPORT "<token>...; at most 13 tokens" = "are supported by this server"

    // STATS, user modes, LUSERS, ADMIN.
    219 RPL_ENDOFSTATS "<letter>" = "End of /STATS report"
    221 RPL_UMODEIS "<user modes>"
    242 RPL_STATSUPTIME ":text with days, hours, minutes, seconds"
    249 RPL_STATSDEBUG ":text"
    251 RPL_LUSERCLIENT ":text with users, invisible, servers"
    252 RPL_LUSEROP "<operators>" = "operators online"
    253 RPL_LUSERUNKNOWN "<connections not registered>" = "unregistered connections"
    254 RPL_LUSERCHANNELS "<channels>" = "channels formed"
    255 RPL_LUSERME ":text with clients and servers of this server"
    263 RPL_TRYAGAIN "<command> :text"
    265 RPL_LOCALUSERS "[<users> <most>] :text"
    266 RPL_GLOBALUSERS "[<users> <most>] :text"

    // Replies of commands on users and channels.
    301 RPL_AWAY "<nick> :message"
    302 RPL_USERHOST ":[<nick>[*]=<+|-><user@host> ...]"
    303 RPL_ISON ":[<nick> ...]"
    305 RPL_UNAWAY "" = "You are no longer marked as being away"
    306 RPL_NOWAWAY "" = "You have been marked as being away"
    311 RPL_WHOISUSER "<nick> <user> <host> * :realname"
    312 RPL_WHOISSERVER "<nick> <server> :server info"
    313 RPL_WHOISOPERATOR "<nick>" = "is a server operator"
    314 RPL_WHOWASUSER "<nick> <user> <host> * :realname"
    315 RPL_ENDOFWHO "<mask>" = "End of /WHO list"
    317 RPL_WHOISIDLE "<nick> <seconds> [<signed on, seconds since 1970>]" = "seconds idle, signon time"
    318 RPL_ENDOFWHOIS "<nick>" = "End of /WHOIS list"
    319 RPL_WHOISCHANNELS "<nick> :[prefix]<channel> ..."
    321 RPL_LISTSTART "Channel" = "Users  Name"
    322 RPL_LIST "<channel> <members> :topic"
    323 RPL_LISTEND "" = "End of /LIST"
    324 RPL_CHANNELMODEIS "<channel> <modes> [<argument> ...]"
    329 RPL_CHANNELCREATED "<channel> <seconds since 1970>"
    330 RPL_WHOISACCOUNT "<nick> <account>" = "is logged in as"
    331 RPL_NOTOPIC "<channel>" = "No topic is set"
    332 RPL_TOPIC "<channel> :topic"
    333 RPL_TOPICTIME "<channel> <who> <seconds since 1970>"
    335 RPL_WHOISBOT "<nick>" = "is a bot"
    336 RPL_INVITELIST "<channel>"
    337 RPL_ENDOFINVITELIST "" = "End of /INVITE list"
    341 RPL_INVITING "<nick> <channel>"
    346 RPL_INVEXLIST "<channel> <mask> [<who> <seconds since 1970>]"
    347 RPL_ENDOFINVEXLIST "<channel>" = "End of channel invite exception list"
    348 RPL_EXCEPTLIST "<channel> <mask> [<who> <seconds since 1970>]"
    349 RPL_ENDOFEXCEPTLIST "<channel>" = "End of channel exception list"
    351 RPL_VERSION "<version> <server> :comments"
    352 RPL_WHOREPLY "<channel|*> <user> <host> <server> <nick> <H|G>[*][prefix] :<hops> realname"
    353 RPL_NAMREPLY "<=|*|@> <channel> :[prefix]<nick> ..."
    354 RPL_WHOSPCRPL "[<field> ...], those that WHOX asked for"
    365 RPL_ENDOFLINKS "<mask>" = "End of /LINKS list"
    366 RPL_ENDOFNAMES "<channel>" = "End of /NAMES list"
    367 RPL_BANLIST "<channel> <mask> [<who> <seconds since 1970>]"
    368 RPL_ENDOFBANLIST "<channel>" = "End of channel ban list"
    369 RPL_ENDOFWHOWAS "<nick>" = "End of /WHOWAS"
    371 RPL_INFO ":text"
    372 RPL_MOTD ":line of the message of the day"
    374 RPL_ENDOFINFO "" = "End of /INFO list"
    375 RPL_MOTDSTART ":text"
    376 RPL_ENDOFMOTD "" = "End of /MOTD command"
    378 RPL_WHOISHOST "<nick> :text with user@host and address"
    379 RPL_WHOISMODES "<nick> :text with the modes"
    381 RPL_YOUREOPER "" = "You are now an IRC operator"
    382 RPL_REHASHING "<file>" = "Rehashing"
    391 RPL_TIME "<server> [<seconds since 1970> [<offset>]] :time in words"

    // Errors.
    400 ERR_UNKNOWNERROR "<command> [<subcommand> ...] :text"
    401 ERR_NOSUCHNICK "<nick>" = "No such nick"
    402 ERR_NOSUCHSERVER "<server>" = "No such server"
    403 ERR_NOSUCHCHANNEL "<channel>" = "No such channel"
    404 ERR_CANNOTSENDTOCHAN "<channel> :text"
    405 ERR_TOOMANYCHANNELS "<channel>" = "You have joined too many channels"
    406 ERR_WASNOSUCHNICK "<nick>" = "There was no such nickname"
    407 ERR_TOOMANYTARGETS "<target>" = "Too many targets"
    409 ERR_NOORIGIN "" = "No origin specified"
    410 ERR_INVALIDCAPCMD "<subcommand>" = "Invalid CAP command"
    411 ERR_NORECIPIENT ":text with the command"
    412 ERR_NOTEXTTOSEND "" = "No text to send"
    417 ERR_INPUTTOOLONG "" = "Input line was too long"
    421 ERR_UNKNOWNCOMMAND "<command>" = "Unknown command"
    422 ERR_NOMOTD "" = "There is no message of the day"
    423 ERR_NOADMININFO "<server>" = "No administrative info available"
    431 ERR_NONICKNAMEGIVEN "" = "No nickname given"
    432 ERR_ERRONEUSNICKNAME "<nick>" = "Erroneous nickname"
    433 ERR_NICKNAMEINUSE "<nick>" = "Nickname is already in use"
    437 ERR_BANNICKCHANGE "<nick> <channel>" = "Cannot change nickname while silenced on channel"
    441 ERR_USERNOTINCHANNEL "<nick> <channel>" = "They aren't on that channel"
    442 ERR_NOTONCHANNEL "<channel>" = "You're not on that channel"
    443 ERR_USERONCHANNEL "<nick> <channel>" = "is already on channel"
    451 ERR_NOTREGISTERED "<command>" = "You have not registered"
    461 ERR_NEEDMOREPARAMS "<command>" = "Not enough parameters"
    462 ERR_ALREADYREGISTERED "" = "You may not reregister"
    464 ERR_PASSWDMISMATCH "" = "Password incorrect"
    468 ERR_INVALIDUSERNAME "" = "Your username is not valid"
    471 ERR_CHANNELISFULL "<channel>" = "Cannot join channel (+l)"
    472 ERR_UNKNOWNMODE "<letter>" = "is not a known channel mode"
    473 ERR_INVITEONLYCHAN "<channel>" = "Cannot join channel (+i)"
    474 ERR_BANNEDFROMCHAN "<channel>" = "Cannot join channel (+b)"
    475 ERR_BADCHANNELKEY "<channel>" = "Cannot join channel (+k)"
    478 ERR_BANLISTFULL "<channel> <letter>" = "Channel list is full"
    481 ERR_NOPRIVILEGES "" = "Permission denied: you are not a server operator"
    482 ERR_CHANOPRIVSNEEDED "<channel>" = "You're not a channel operator"
    501 ERR_UMODEUNKNOWNFLAG "" = "Unknown MODE flag"
    502 ERR_USERSDONTMATCH "" = "Cannot see or change modes of other users"
    524 ERR_HELPNOTFOUND "<subject>" = "No help available on this topic"

    // Newer ones: TLS, HELP, MONITOR, metadata, accounts and SASL.
    696 ERR_INVALIDMODEPARAM "<channel|nick> <letter> <argument> :text"
    704 RPL_HELPSTART "<subject> :first line"
    705 RPL_HELPTXT "<subject> :line"
    706 RPL_ENDOFHELP "<subject>" = "End of /HELP"
    730 RPL_MONONLINE ":<nick!user@host>[,...]"
    731 RPL_MONOFFLINE ":<nick>[,...]"
    732 RPL_MONLIST ":<nick>[,...]"
    733 RPL_ENDOFMONLIST "" = "End of MONITOR list"
    734 ERR_MONLISTFULL "<limit> <nicks>" = "Monitor list is full"
    760 RPL_WHOISKEYVALUE "<target> <key> <visibility> :value"
    761 RPL_KEYVALUE "<target> <key> <visibility> :value"
    766 RPL_KEYNOTSET "<target> <key>" = "Key not set"
    770 RPL_METADATASUBOK "<key> ..."
    771 RPL_METADATAUNSUBOK "<key> ..."
    772 RPL_METADATASUBS "<key> ..."
    774 RPL_METADATASYNCLATER "<target> [<seconds>]"
    900 RPL_LOGGEDIN "<nick!user@host> <account> :text"
    901 RPL_LOGGEDOUT "<nick!user@host>" = "You are now logged out"
    903 RPL_SASLSUCCESS "" = "SASL authentication successful"
    904 ERR_SASLFAIL "" = "SASL authentication failed"
    905 ERR_SASLTOOLONG "" = "SASL message too long"
    906 ERR_SASLABORTED "" = "SASL authentication aborted"
    907 ERR_SASLALREADY "" = "You have already authenticated using SASL"
    908 RPL_SASLMECHS "<mechanism>[,...]" = "are available SASL mechanisms"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_ascends_and_names_are_unique() {
        assert!(TABLE.windows(2).all(|rows| rows[0].0 < rows[1].0));
        let names: HashSet<&str> = TABLE.iter().map(|(_, name, _)| *name).collect();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|(numeric, ..)| numeric.number() < 1000));
    }

    #[test]
    fn a_numeric_is_three_digits_both_ways() {
        assert_eq!(RPL_WELCOME.to_string(), "001");
        assert_eq!(format!("{ERR_INPUTTOOLONG:?}"), "417 ERR_INPUTTOOLONG");
        for (numeric, name, _) in TABLE {
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
