//! The attacks: one row for every command of either dialect, with its most expensive arguments.
//!
//! Each row has the command; what every attacker sends once; what every attacker sends from then on,
//! again and again; and, in a few rows, how many of the crowd send what once between the two.
//! `super::template` says what the braces mean. A test compares the names with the server's own
//! lists, so a new command without a row here fails.
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
    /// The command as it is typed: `WHO`, `/who`.
    pub name: &'static str,
    /// Sent once by every attacker, then by the first so many of the crowd.
    setup: &'static str,
    pub crowd: usize,
    crowd_setup: &'static str,
    attack: &'static str,
}

/// Commands from before the registration, so their attackers do not register.
const STRANGERS: [&str; 4] = ["AUTHENTICATE", "PASS", "USER", "WEBIRC"];

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

const fn attack(name: &'static str, setup: &'static str, attack: &'static str) -> Scenario {
    Scenario { name, setup, crowd: 0, crowd_setup: "", attack }
}

/// All attacks.
pub static ALL: &[Scenario] = &[
    attack("ADMIN", "", "ADMIN"),
    attack("ACCOUNT", "", "ACCOUNT LIST"),
    attack("AWAY", EVERYWHERE, "AWAY :{300*x}\nAWAY"),
    attack(
        "BATCH",
        "JOIN #big",
        "BATCH +b{i} draft/multiline #big\n\
        {8*@batch=b{i} PRIVMSG #big :{380*x}\n}BATCH -b{i}",
    ),
    attack("CAP", "", "CAP LS 302\nCAP REQ :-echo-message\nCAP REQ :echo-message"),
    // \0owner\0correct-horse: as many sessions of one account as the server allows, and a long past.
    attack(
        "CHATHISTORY",
        "AUTHENTICATE PLAIN\nAUTHENTICATE AG93bmVyAGNvcnJlY3QtaG9yc2U=\n\
        {60*PRIVMSG owner :x\n}",
        "CHATHISTORY BETWEEN {crowd} \
        timestamp=2039-01-01T00:00:00.000Z timestamp=2001-01-01T00:00:00.000Z 100",
    ),
    attack("ERROR", "", "ERROR :{400*x}"),
    attack("HELP", "", "HELP"),
    attack("HELPOP", "", "HELPOP"),
    attack("INFO", "", "INFO"),
    attack("INVITE", "JOIN #i{n}", "INVITE {crowd} #i{n}"),
    attack("ISON", "", "ISON{15* {crowd}}"),
    attack("JOIN", "JOIN #big", "PART #big\nJOIN #big"),
    attack("KICK", "", "JOIN #k{n}\nKICK #k{n} {me} :{300*x}"),
    attack("KILL", "", "KILL {crowd} :{300*x}"),
    attack("LINKS", "", "LINKS"),
    attack(
        "LIST",
        "JOIN #l{n}{19*,#l{n}.%}\nJOIN #l{n}.a{19*,#l{n}.a%}\n\
        JOIN #l{n}.b{19*,#l{n}.b%}\nJOIN #l{n}.c{19*,#l{n}.c%}\nJOIN #l{n}.d{19*,#l{n}.d%}",
        "LIST\nLIST *{60*a}b",
    ),
    attack("LUSERS", "", "LUSERS"),
    attack("MARKREAD", "", "MARKREAD {crowd} timestamp=2026-01-01T00:00:00.000Z"),
    attack("METADATA", "JOIN #big", "METADATA * SET x :{280*v}{i}\nMETADATA #big SYNC")
        .after_crowd(usize::MAX, "METADATA * SUB x"),
    attack(
        "MODE",
        "JOIN #mode{r}\n{90*MODE #mode{r} +b *{20*a}%*\n}",
        "MODE #mode{r} -bbbbbbbbbbbbb{13* *{20*a}%*}\nMODE #mode{r} +bbbbbbbbbbbbb{13* *{20*a}%*}",
    )
    .after_crowd(MEMBERS, "JOIN #mode0{9*,#mode%}"),
    attack("MONITOR", "", "MONITOR + {12*{crowd},}x\nMONITOR S\nMONITOR C"),
    attack("MOTD", "", "MOTD"),
    attack("NAMES", "JOIN #big", "NAMES #big{19*,#big}"),
    attack("NICK", EVERYWHERE, "NICK x{n}_{i}"),
    attack("NOTICE", "JOIN #big", "NOTICE #big :{380*x}"),
    attack("PART", "", "JOIN #big\nPART #big :{300*x}"),
    attack("PASS", "", "PASS {400*x}{i}"),
    attack("PING", "", "PING {400*x}"),
    attack("PONG", "", "PONG {400*x}"),
    attack("PRIVMSG", "JOIN #big", "@{200*+a%=;}+z PRIVMSG #big :{10*{crowd} }{80*x}"),
    attack("QUIT", "JOIN #big", "QUIT :{300*x}"),
    attack("REDACT", "JOIN #big", "REDACT #big {i}\nREDACT {crowd} {i}"),
    attack("REGISTER", "", "REGISTER * * password{i}\nQUIT"),
    attack("REHASH", "", "REHASH"),
    attack("RENAME", "JOIN #ren{n}", "RENAME #ren{n} #ren{n}-{i}"),
    attack("CHATLOOP", "JOIN #edit{n}\nPRIVMSG #edit{n} :hello", "CHATLOOP :edit 1 {300*x}{i}"),
    attack("SEARCH", "JOIN #s{r}\n{40*PRIVMSG #s{r} :{200*a }\n}", "SEARCH text=a.b.a.b"),
    attack("SETNAME", EVERYWHERE, "SETNAME :{140*a}{i}"),
    attack("STATS", "", "STATS u\nSTATS z"),
    attack("TAGMSG", "JOIN #big", "@+draft/reply=1;+draft/react={n}.{i}{40*x} TAGMSG #big"),
    attack("TIME", "", "TIME"),
    attack("TOPIC", "JOIN #top{r}\nMODE #top{r} -t", "TOPIC #top{r} :{370*x}{i}")
        .after_crowd(MEMBERS, "JOIN #top0{9*,#top%}"),
    attack("USER", "", "USER {18*a} 0 * :{400*x}"),
    attack("USERHOST", "", "USERHOST{5* {crowd}}"),
    attack("UPLOAD", "JOIN #big", "UPLOAD #big"),
    attack("FILES", "JOIN #big", "FILES #big"),
    attack("DELFILE", "", "DELFILE http://127.0.0.1/files/{n}{i}/x"),
    attack("NICKSERV", "", "NICKSERV HELP"),
    attack("NS", "", "NS HELP"),
    attack("CHANSERV", "", "CHANSERV HELP"),
    attack("CS", "", "CS REGISTER #x{n}"),
    attack("VERIFY", "", "VERIFY owner 123456"),
    attack("VERSION", "", "VERSION"),
    attack("WALLOPS", "", "WALLOPS :{380*x}"),
    attack("WEBIRC", "", "WEBIRC {99*x} gateway {99*x} 192.0.2.1"),
    attack("WHO", "", "WHO *{74*a}b"),
    attack("WHOIS", "", "WHOIS {crowd}"),
    attack("WHOWAS", "NICK w{n}", "WHOWAS {me}"),
    attack("/help", "", "/help"),
    attack("/quit", "", "/quit {300*x}"),
    attack("/nick", "{90*/join #r%\n}", "/nick x{n}_{i}"),
    attack("/who", "", "/who *"),
    attack("/whois", "", "/whois {crowd}"),
    attack("/rooms", "{90*/join #l{n}.%\n}", "/rooms"),
    attack("/join", "", "/join #big\n/part #big"),
    attack("/part", "/join #big", "/part #big {300*x}\n/join #big"),
    attack("/room", "{90*/join #l{n}.%\n}", "/room"),
    attack("/topic", "/join #topic{r}\n/unlock #topic{r} topic", "/topic #topic{r} {370*x}{i}")
        .after_crowd(MEMBERS, "{10*/join #topic%\n}"),
    attack("/invite", "/join #i{n}", "/invite {crowd} #i{n}"),
    attack("/away", "{90*/join #r%\n}", "/away {290*x}{i}"),
    attack("/back", "{90*/join #r%\n}", "/away\n/back"),
    attack("/ignore", "", "/ignore {crowd}"),
    attack("/unignore", "", "/ignore {crowd}\n/unignore {crowd}"),
    attack("/msg", "", "/msg {crowd} {900*x}"),
    attack("/reply", "/msg {me} x", "/reply {900*x}"),
    attack("/me", "/join #big", "/me {900*x}"),
    attack("/say", "/join #big", "/say {20*{crowd} }{400*x}"),
    attack("/re", "/join #re\nhello", "/re 1 {900*x}"),
    attack("/thread", "/join #re\nhello\n{20*/re 1 {200*x}\n}", "/thread 1"),
    attack("/react", "/join #big\nhello", "/react 1 :{n}.{i}{40*x}:"),
    attack("/unreact", "/join #un\nhello", "/react 1 :{n}.{i}{40*x}:\n/unreact 1 :{n}.{i}{40*x}:"),
    attack("/edit", "/join #edit{n}\nhello", "/edit 1 {900*x}{i}"),
    attack("/delete", "/join #del{n}", "{900*x}\n/delete {i}"),
    // A message with thousands of reactions behind it, and what shows it.
    attack(
        "/history",
        "/join #pile\nhello\n{60*/react 1 :{n}.%{40*x}:\n}",
        "/history #pile before 2 1",
    ),
    // Megabytes of one-letter words in rooms that everyone is in.
    attack("/search", "/join #s{r}\n{20*{2000*a }\n}{10*/join #s%\n}", "/search a.b.a.b"),
    attack("/register", "", "/register password{i}\n/quit"),
    attack("/logout", "", "/logout"),
    attack("/password", "/register password", "/password password password"),
    attack("/bell", "", "/bell all"),
    attack("/numbers", "", "/numbers on"),
    attack("/op", "/join #o{n}", "/op {me}\n/op {crowd}"),
    attack("/deop", "/join #o{n}", "/deop {crowd}"),
    attack("/voice", "/join #v{r}", "/voice {me}\n/devoice {me}")
        .after_crowd(MEMBERS, "{10*/join #v%\n}"),
    attack("/devoice", "/join #v{r}", "/voice {me}\n/devoice {me}"),
    attack("/kick", "", "/join #k{n}\n/kick #k{n} {me} {300*x}"),
    attack("/ban", "/join #ban{r}", "/ban #ban{r} *{22*a}{i}*")
        .after_crowd(MEMBERS, "{10*/join #ban%\n}"),
    attack(
        "/unban",
        "/join #unban{r}\n{80*/ban *{22*a}%*\n}",
        "/unban #unban{r} *{22*a}7*\n/ban #unban{r} *{22*a}7*",
    )
    .after_crowd(MEMBERS, "{10*/join #unban%\n}"),
    attack("/mute", "/join #mute{r}", "/mute #mute{r} *{22*a}{i}*")
        .after_crowd(MEMBERS, "{10*/join #mute%\n}"),
    attack(
        "/unmute",
        "/join #unmute{r}\n{80*/mute *{22*a}%*\n}",
        "/unmute #unmute{r} *{22*a}7*\n/mute #unmute{r} *{22*a}7*",
    )
    .after_crowd(MEMBERS, "{10*/join #unmute%\n}"),
    attack("/lock", "/join #lock{r}", "/lock #lock{r} limit 9{i}")
        .after_crowd(MEMBERS, "{10*/join #lock%\n}"),
    attack("/unlock", "/join #lock{r}", "/lock #lock{r} secret\n/unlock #lock{r} secret"),
    attack("/modes", "", "/modes #lobby"),
    attack("/keep", "", "/keep #lobby"),
    attack("/unkeep", "", "/unkeep #lobby"),
    attack("/kill", "", "/kill {crowd} {300*x}"),
    attack("/gban", "", "/gban 192.0.2.{i} 10m {300*x}"),
    attack("/ungban", "", "/ungban 192.0.2.{i}"),
    attack("/announce", "", "/announce {900*x}"),
    attack("/connections", "", "/connections"),
    attack("/stats", "", "/stats"),
    attack("/account", "", "/account list"),
    attack("/upload", "/join #big", "/upload #big"),
    attack("/files", "/join #big", "/files #big"),
    attack("/delfile", "", "/delfile http://127.0.0.1/files/{n}{i}/x"),
    attack("/rehash", "", "/rehash"),
    attack("/loop", "", "/loop"),
    attack("/cert", "", "/cert list"),
    attack("CERT", "", "CERT LIST"),
    attack("/trace", "", "/trace on"),
    // Wrong passwords (here \0owner\0wrong-password). They come last because the server then throttles
    // logins from the attackers' address, and other rows log in.
    attack(
        "AUTHENTICATE",
        "CAP REQ :sasl\nNICK {me}",
        "AUTHENTICATE PLAIN\nAUTHENTICATE AG93bmVyAHdyb25nLXBhc3N3b3Jk",
    ),
    attack("OPER", "", "OPER root wrong{i}"),
    attack("/login", "", "/login owner wrong{i}"),
    attack("/oper", "", "/oper root wrong{i}"),
];

/// The templates of one attack, ready to be written out.
pub struct Prepared {
    pub setup: Template,
    pub crowd_setup: Template,
    pub attack: Template,
}

impl Scenario {
    /// What so many of the crowd send once, behind the attackers.
    const fn after_crowd(mut self, crowd: usize, crowd_setup: &'static str) -> Scenario {
        (self.crowd, self.crowd_setup) = (crowd, crowd_setup);
        self
    }

    pub fn dialect(&self) -> Dialect {
        if self.name.starts_with('/') { Dialect::Plain } else { Dialect::Irc }
    }

    /// Whether an attacker registers first.
    pub fn registers(&self) -> bool {
        !STRANGERS.contains(&self.name)
    }

    /// Reads the templates.
    pub fn prepare(&self) -> Result<Prepared, String> {
        let read = |text| Template::new(text).map_err(|wrong| format!("{}: {wrong}", self.name));
        Ok(Prepared {
            setup: read(self.setup)?,
            crowd_setup: read(self.crowd_setup)?,
            attack: read(self.attack)?,
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
        for scenario in ALL {
            let prepared = scenario.prepare().unwrap();
            assert!(prepared.attack.lines > 0, "{}", scenario.name);
            for template in [&prepared.setup, &prepared.crowd_setup, &prepared.attack] {
                for line in lines(template) {
                    let text = match line.strip_prefix('@') {
                        Some(tagged) => tagged.split_once(' ').unwrap().1,
                        None => &line,
                    };
                    let longest = if scenario.dialect() == Dialect::Irc { 510 } else { 4_094 };
                    assert!(text.len() <= longest, "{}: {} bytes", scenario.name, text.len());
                    assert!(line.len() <= 4_600, "{}: {} bytes", scenario.name, line.len());
                    assert!(!line.trim().is_empty(), "{}: an empty line", scenario.name);
                }
            }
        }
    }

    #[test]
    fn an_attack_sends_the_command_that_it_is_named_after() {
        for scenario in ALL {
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
