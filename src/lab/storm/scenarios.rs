//! The attacks: one row for every command of either dialect, with its most expensive arguments.
//!
//! Each row has four columns: the command; what every attacker sends once; how many of the crowd then
//! send what once; and what every attacker sends from then on, again and again. `super::template`
//! says what the braces mean. A test compares the names with the server's own lists, so a new
//! command without a row here fails.
//!
//! Rows that a stranger is denied (KILL, /gban) are here as well: a denial must be cheap too.
//! Limit: an attacker is no operator and has no account but one that the row makes or shares.

use super::template::Template;

/// How a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Irc,
    Plain,
}

/// One attack.
pub struct Scenario {
    pub dialect: Dialect,
    /// The command as it is typed: `WHO`, `/who`.
    pub name: &'static str,
    /// Whether an attacker registers first. Only IRC has commands from before that.
    pub registers: bool,
    /// Sent once by every attacker, then by the first so many of the crowd.
    pub setup: &'static str,
    pub crowd: usize,
    pub crowd_setup: &'static str,
    pub attack: &'static str,
}

/// The account of the crowd's first member, which attackers try to get into, and its password.
pub const OWNER: &str = "owner";
pub const OWNER_PASSWORD: &str = "correct-horse";

/// A room with the whole crowd in it.
pub const BIG: &str = "#big";

/// Of the crowd in each room of an attack on room modes.
const MEMBERS: usize = 230;

/// Membership in as many rooms as one user may be in, all of them shared with all other attackers,
/// and one with the crowd.
/// Twenty rooms a line, as the server's TARGMAX allows.
const EVERYWHERE: &str = "JOIN #big{19*,#r%}\nJOIN #ra{19*,#ra%}\nJOIN #rb{19*,#rb%}\n\
    JOIN #rc{19*,#rc%}\nJOIN #rd{19*,#rd%}";

macro_rules! rows {
    ($dialect:ident: $($name:literal $when:ident $setup:expr, $crowd:expr, $attack:expr;)*) => {
        &[$({
            let (crowd, crowd_setup): (usize, &str) = $crowd;
            Scenario {
                dialect: Dialect::$dialect,
                name: $name,
                registers: rows!($when),
                setup: $setup,
                crowd,
                crowd_setup,
                attack: $attack,
            }
        }),*]
    };
    (registered) => { true };
    (stranger) => { false };
}

const NO_ONE: (usize, &str) = (0, "");

static IRC: &[Scenario] = rows! { Irc:
    "ADMIN" registered "", NO_ONE, "ADMIN";
    "AWAY" registered EVERYWHERE, NO_ONE, "AWAY :{300*x}\nAWAY";
    "BATCH" registered "JOIN #big", NO_ONE, "BATCH +b{i} draft/multiline #big\n\
        {8*@batch=b{i} PRIVMSG #big :{380*x}\n}BATCH -b{i}";
    "CAP" registered "", NO_ONE, "CAP LS 302\nCAP REQ :-echo-message\nCAP REQ :echo-message";
    // \0owner\0correct-horse: as many sessions of one account as the server allows, and a long past.
    "CHATHISTORY" registered "AUTHENTICATE PLAIN\nAUTHENTICATE AG93bmVyAGNvcnJlY3QtaG9yc2U=\n\
        {60*PRIVMSG owner :x\n}", NO_ONE, "CHATHISTORY BETWEEN {crowd} \
        timestamp=2039-01-01T00:00:00.000Z timestamp=2001-01-01T00:00:00.000Z 100";
    "ERROR" registered "", NO_ONE, "ERROR :{400*x}";
    "HELP" registered "", NO_ONE, "HELP";
    "HELPOP" registered "", NO_ONE, "HELPOP";
    "INFO" registered "", NO_ONE, "INFO";
    "INVITE" registered "JOIN #i{n}", NO_ONE, "INVITE {crowd} #i{n}";
    "ISON" registered "", NO_ONE, "ISON{15* {crowd}}";
    "JOIN" registered "JOIN #big", NO_ONE, "PART #big\nJOIN #big";
    "KICK" registered "", NO_ONE, "JOIN #k{n}\nKICK #k{n} {me} :{300*x}";
    "KILL" registered "", NO_ONE, "KILL {crowd} :{300*x}";
    "LINKS" registered "", NO_ONE, "LINKS";
    "LIST" registered "JOIN #l{n}{19*,#l{n}.%}\nJOIN #l{n}.a{19*,#l{n}.a%}\n\
        JOIN #l{n}.b{19*,#l{n}.b%}\nJOIN #l{n}.c{19*,#l{n}.c%}\nJOIN #l{n}.d{19*,#l{n}.d%}", NO_ONE,
        "LIST\nLIST *{60*a}b";
    "LUSERS" registered "", NO_ONE, "LUSERS";
    "MARKREAD" registered "", NO_ONE, "MARKREAD {crowd} timestamp=2026-01-01T00:00:00.000Z";
    "METADATA" registered "JOIN #big", (usize::MAX, "METADATA * SUB x"),
        "METADATA * SET x :{280*v}{i}\nMETADATA #big SYNC";
    "MODE" registered "JOIN #mode{r}\n{90*MODE #mode{r} +b *{20*a}%*\n}",
        (MEMBERS, "JOIN #mode0{9*,#mode%}"),
        "MODE #mode{r} -bbbbbbbbbbbbb{13* *{20*a}%*}\nMODE #mode{r} +bbbbbbbbbbbbb{13* *{20*a}%*}";
    "MONITOR" registered "", NO_ONE, "MONITOR + {12*{crowd},}x\nMONITOR S\nMONITOR C";
    "MOTD" registered "", NO_ONE, "MOTD";
    "NAMES" registered "JOIN #big", NO_ONE, "NAMES #big{19*,#big}";
    "NICK" registered EVERYWHERE, NO_ONE, "NICK x{n}_{i}";
    "NOTICE" registered "JOIN #big", NO_ONE, "NOTICE #big :{380*x}";
    "PART" registered "", NO_ONE, "JOIN #big\nPART #big :{300*x}";
    "PASS" stranger "", NO_ONE, "PASS {400*x}{i}";
    "PING" registered "", NO_ONE, "PING {400*x}";
    "PONG" registered "", NO_ONE, "PONG {400*x}";
    "PRIVMSG" registered "JOIN #big", NO_ONE,
        "@{200*+a%=;}+z PRIVMSG #big :{10*{crowd} }{80*x}";
    "QUIT" registered "JOIN #big", NO_ONE, "QUIT :{300*x}";
    "REDACT" registered "JOIN #big", NO_ONE, "REDACT #big {i}\nREDACT {crowd} {i}";
    "REGISTER" registered "", NO_ONE, "REGISTER * * password{i}\nQUIT";
    "REHASH" registered "", NO_ONE, "REHASH";
    "RENAME" registered "JOIN #ren{n}", NO_ONE, "RENAME #ren{n} #ren{n}-{i}";
    "SETNAME" registered EVERYWHERE, NO_ONE, "SETNAME :{140*a}{i}";
    "STATS" registered "", NO_ONE, "STATS u\nSTATS z";
    "TAGMSG" registered "JOIN #big", NO_ONE,
        "@+draft/reply=1;+draft/react={n}.{i}{40*x} TAGMSG #big";
    "TIME" registered "", NO_ONE, "TIME";
    "TOPIC" registered "JOIN #top{r}\nMODE #top{r} -t", (MEMBERS, "JOIN #top0{9*,#top%}"),
        "TOPIC #top{r} :{370*x}{i}";
    "USER" stranger "", NO_ONE, "USER {18*a} 0 * :{400*x}";
    "USERHOST" registered "", NO_ONE, "USERHOST{5* {crowd}}";
    "VERIFY" registered "", NO_ONE, "VERIFY owner 123456";
    "VERSION" registered "", NO_ONE, "VERSION";
    "WALLOPS" registered "", NO_ONE, "WALLOPS :{380*x}";
    "WHO" registered "", NO_ONE, "WHO *{74*a}b";
    "WHOIS" registered "", NO_ONE, "WHOIS {crowd}";
    "WHOWAS" registered "NICK w{n}", NO_ONE, "WHOWAS {me}";
};

static PLAIN: &[Scenario] = rows! { Plain:
    "/help" registered "", NO_ONE, "/help";
    "/quit" registered "", NO_ONE, "/quit {300*x}";
    "/nick" registered "{90*/join #r%\n}", NO_ONE, "/nick x{n}_{i}";
    "/who" registered "", NO_ONE, "/who *";
    "/whois" registered "", NO_ONE, "/whois {crowd}";
    "/rooms" registered "{90*/join #l{n}.%\n}", NO_ONE, "/rooms";
    "/join" registered "", NO_ONE, "/join #big\n/part #big";
    "/part" registered "/join #big", NO_ONE, "/part #big {300*x}\n/join #big";
    "/room" registered "{90*/join #l{n}.%\n}", NO_ONE, "/room";
    "/topic" registered "/join #topic{r}\n/unlock #topic{r} topic",
        (MEMBERS, "{10*/join #topic%\n}"), "/topic #topic{r} {370*x}{i}";
    "/invite" registered "/join #i{n}", NO_ONE, "/invite {crowd} #i{n}";
    "/away" registered "{90*/join #r%\n}", NO_ONE, "/away {290*x}{i}";
    "/back" registered "{90*/join #r%\n}", NO_ONE, "/away\n/back";
    "/ignore" registered "", NO_ONE, "/ignore {crowd}";
    "/unignore" registered "", NO_ONE, "/ignore {crowd}\n/unignore {crowd}";
    "/msg" registered "", NO_ONE, "/msg {crowd} {900*x}";
    "/reply" registered "/msg {me} x", NO_ONE, "/reply {900*x}";
    "/me" registered "/join #big", NO_ONE, "/me {900*x}";
    "/say" registered "/join #big", NO_ONE, "/say {20*{crowd} }{400*x}";
    "/re" registered "/join #re\nhello", NO_ONE, "/re 1 {900*x}";
    "/thread" registered "/join #re\nhello\n{20*/re 1 {200*x}\n}", NO_ONE, "/thread 1";
    "/react" registered "/join #big\nhello", NO_ONE, "/react 1 :{n}.{i}{40*x}:";
    "/unreact" registered "/join #un\nhello", NO_ONE,
        "/react 1 :{n}.{i}{40*x}:\n/unreact 1 :{n}.{i}{40*x}:";
    "/edit" registered "/join #edit{n}\nhello", NO_ONE, "/edit 1 {900*x}{i}";
    "/delete" registered "/join #del{n}", NO_ONE, "{900*x}\n/delete {i}";
    // A message with thousands of reactions behind it, and what shows it.
    "/history" registered "/join #pile\nhello\n{60*/react 1 :{n}.%{40*x}:\n}", NO_ONE,
        "/history #pile before 2 1";
    // Megabytes of one-letter words in rooms that everyone is in.
    "/search" registered "/join #s{r}\n{20*{2000*a }\n}{10*/join #s%\n}", NO_ONE, "/search a.b.a.b";
    "/register" registered "", NO_ONE, "/register password{i}\n/quit";
    "/logout" registered "", NO_ONE, "/logout";
    "/password" registered "/register password", NO_ONE, "/password password password";
    "/bell" registered "", NO_ONE, "/bell all";
    "/numbers" registered "", NO_ONE, "/numbers on";
    "/op" registered "/join #o{n}", NO_ONE, "/op {me}\n/op {crowd}";
    "/deop" registered "/join #o{n}", NO_ONE, "/deop {crowd}";
    "/voice" registered "/join #v{r}", (MEMBERS, "{10*/join #v%\n}"),
        "/voice {me}\n/devoice {me}";
    "/devoice" registered "/join #v{r}", NO_ONE, "/voice {me}\n/devoice {me}";
    "/kick" registered "", NO_ONE, "/join #k{n}\n/kick #k{n} {me} {300*x}";
    "/ban" registered "/join #ban{r}", (MEMBERS, "{10*/join #ban%\n}"),
        "/ban #ban{r} *{22*a}{i}*";
    "/unban" registered "/join #unban{r}\n{80*/ban *{22*a}%*\n}",
        (MEMBERS, "{10*/join #unban%\n}"),
        "/unban #unban{r} *{22*a}7*\n/ban #unban{r} *{22*a}7*";
    "/mute" registered "/join #mute{r}", (MEMBERS, "{10*/join #mute%\n}"),
        "/mute #mute{r} *{22*a}{i}*";
    "/unmute" registered "/join #unmute{r}\n{80*/mute *{22*a}%*\n}",
        (MEMBERS, "{10*/join #unmute%\n}"),
        "/unmute #unmute{r} *{22*a}7*\n/mute #unmute{r} *{22*a}7*";
    "/lock" registered "/join #lock{r}", (MEMBERS, "{10*/join #lock%\n}"),
        "/lock #lock{r} limit 9{i}";
    "/unlock" registered "/join #lock{r}", NO_ONE, "/lock #lock{r} secret\n/unlock #lock{r} secret";
    "/modes" registered "", NO_ONE, "/modes #lobby";
    "/keep" registered "", NO_ONE, "/keep #lobby";
    "/unkeep" registered "", NO_ONE, "/unkeep #lobby";
    "/kill" registered "", NO_ONE, "/kill {crowd} {300*x}";
    "/gban" registered "", NO_ONE, "/gban 192.0.2.{i} 10m {300*x}";
    "/ungban" registered "", NO_ONE, "/ungban 192.0.2.{i}";
    "/announce" registered "", NO_ONE, "/announce {900*x}";
    "/connections" registered "", NO_ONE, "/connections";
    "/stats" registered "", NO_ONE, "/stats";
};

// Wrong passwords. They come last because the server then throttles logins from the attackers'
// address, and other rows log in.

static IRC_GUESSES: &[Scenario] = rows! { Irc:
    "AUTHENTICATE" stranger "CAP REQ :sasl\nNICK {me}", NO_ONE,
        // \0owner\0wrong-password
        "AUTHENTICATE PLAIN\nAUTHENTICATE AG93bmVyAHdyb25nLXBhc3N3b3Jk";
    "OPER" registered "", NO_ONE, "OPER root wrong{i}";
};

static PLAIN_GUESSES: &[Scenario] = rows! { Plain:
    "/login" registered "", NO_ONE, "/login owner wrong{i}";
    "/oper" registered "", NO_ONE, "/oper root wrong{i}";
};

/// All attacks.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    [IRC, PLAIN, IRC_GUESSES, PLAIN_GUESSES].into_iter().flatten()
}

/// The templates of one attack, ready to be written out.
pub struct Prepared {
    pub setup: Template,
    pub crowd_setup: Template,
    pub attack: Template,
}

impl Scenario {
    /// Reads the templates.
    pub fn prepare(&self) -> Result<Prepared, String> {
        Ok(Prepared {
            setup: Template::new(self.setup)?,
            crowd_setup: Template::new(self.crowd_setup)?,
            attack: Template::new(self.attack)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::template::Values;
    use super::*;

    /// Lines as they go out, with the longest values that the braces can stand for.
    fn lines(template: &Template) -> Vec<String> {
        let long = "n".repeat(30);
        let values = Values { number: 249, round: 999, me: &long, crowd: &long };
        let mut out = Vec::new();
        template.write(values, &mut out);
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_line_fits_the_limits_of_its_dialect() {
        for scenario in all() {
            let prepared = scenario.prepare().unwrap();
            assert!(prepared.attack.lines > 0, "{}", scenario.name);
            for template in [&prepared.setup, &prepared.crowd_setup, &prepared.attack] {
                for line in lines(template) {
                    let text = match line.strip_prefix('@') {
                        Some(tagged) => tagged.split_once(' ').unwrap().1,
                        None => &line,
                    };
                    let longest = if scenario.dialect == Dialect::Irc { 510 } else { 4_094 };
                    assert!(text.len() <= longest, "{}: {} bytes", scenario.name, text.len());
                    assert!(line.len() <= 4_600, "{}: {} bytes", scenario.name, line.len());
                    assert!(!line.trim().is_empty(), "{}: an empty line", scenario.name);
                }
            }
        }
    }

    #[test]
    fn an_attack_sends_the_command_that_it_is_named_after() {
        for scenario in all() {
            let sends = lines(&scenario.prepare().unwrap().attack).iter().any(|line| {
                let line = match line.strip_prefix('@') {
                    Some(tagged) => tagged.split_once(' ').unwrap().1,
                    None => line,
                };
                line.split(' ').next() == Some(scenario.name)
            });
            assert!(sends, "{}", scenario.name);
        }
    }
}
