//! Every command of either dialect reports what it costs, and more where there is more to do.
//!
//! Each is sent in a small chat and in one twelve times as large. What is charged is deterministic, so
//! a command whose work grows and whose charge does not is found here, and so is a new command that
//! is not listed.

use super::{Bench, Client};
use crate::chat::work::{Cost, LINE, ROW};
use crate::session::{irc, plain};

/// Of users, rooms, bans and messages.
const FEW: usize = 4;
const MANY: usize = 12 * FEW;

/// How the cost of a command depends on the size of the chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Growth {
    /// It is the same.
    Flat,
    /// Each user, room, ban or message more is charged for.
    Grows,
}
use Growth::{Flat, Grows};

/// What an IRC operator sends.
const IRC: &[(&str, Growth)] = &[
    ("ACCOUNT LIST", Flat),
    ("ADMIN", Flat),
    ("AUTHENTICATE PLAIN", Flat),
    ("AWAY :tea", Grows),
    ("BATCH +1 draft/multiline #big\r\n@batch=1 PRIVMSG #big :x\r\nBATCH -1", Grows),
    ("CAP LS 302", Flat),
    ("CERT LIST", Flat),
    ("CHANSERV HELP", Flat),
    ("CHATHISTORY LATEST #big * 100", Grows),
    ("CHATLOOP search word", Grows),
    ("CS HELP", Flat),
    ("DELFILE http://localhost/files/x/y", Flat),
    ("ERROR :x", Flat),
    ("FILES #big", Flat),
    ("HELP", Flat),
    ("HELPOP", Flat),
    ("INFO", Flat),
    ("INVITE u1 #own", Flat),
    ("ISON u1 u2", Flat),
    ("JOIN #big2", Grows),
    ("KICK #big u1 :x", Grows),
    ("KILL u2 :x", Grows),
    ("LINKS", Flat),
    ("LIST", Grows),
    ("LUSERS", Grows),
    ("MARKREAD #big timestamp=2026-01-01T00:00:00.000Z", Flat),
    ("METADATA #big SYNC", Grows),
    ("MODE #big b", Grows),
    ("MODE #big +b *spam*", Grows),
    ("MONITOR + u3", Flat),
    ("MOTD", Flat),
    ("NAMES #big", Grows),
    ("NICK other", Grows),
    ("NICKSERV HELP", Flat),
    ("NOTICE #big :x", Grows),
    ("NS HELP", Flat),
    ("OPER root wrong", Flat),
    ("PART #big2", Grows),
    ("PASS x", Flat),
    ("PING x", Flat),
    ("PONG x", Flat),
    ("PRIVMSG #big :x", Grows),
    ("REDACT #big 1", Flat),
    ("REGISTER * * short", Flat),
    ("REHASH x", Flat),
    ("RENAME #big #bigger", Grows),
    ("SEARCH text=word", Grows),
    ("SETNAME :x", Grows),
    ("STATS u", Flat),
    ("TAGMSG #bigger", Flat),
    ("TIME", Flat),
    ("TOPIC #bigger :x", Grows),
    ("UPLOAD", Flat),
    ("USER a 0 * :a", Flat),
    ("USERHOST u3", Flat),
    ("VERIFY x 1", Flat),
    ("VERSION", Flat),
    ("WALLOPS :x", Grows),
    ("WEBIRC a b c 192.0.2.1", Flat),
    ("WHO *", Grows),
    ("WHO *a*b*c*d", Grows),
    ("WHOIS u3", Flat),
    ("WHOWAS u2", Grows),
    ("QUIT :x", Grows),
];

/// What the owner of `#big` sends in plain text.
const PLAIN: &[(&str, Growth)] = &[
    ("/account list", Flat),
    ("/announce x", Grows),
    ("/away x", Grows),
    ("/back", Grows),
    ("/ban *spam*", Grows),
    ("/ban", Grows),
    ("/bell all", Flat),
    ("/cert list", Flat),
    ("/connections", Grows),
    ("/delete 1", Grows),
    ("/delfile http://localhost/files/x/y", Flat),
    ("/op u3", Grows),
    ("/deop u3", Grows),
    ("/voice u3", Grows),
    ("/devoice u3", Grows),
    ("/edit 2 x", Grows),
    ("/files", Flat),
    ("/gban 192.0.2.1 10m x", Grows),
    ("/help", Flat),
    ("/history 500", Grows),
    ("/ignore u1", Flat),
    ("/invite u1 #own", Flat),
    ("/join #big2\r\n/room #big", Grows),
    ("/keep #big", Flat),
    ("/kick #big u1 x", Grows),
    ("/kill u2 x", Grows),
    ("/lock #big secret", Grows),
    ("/login root wrong", Flat),
    ("/logout", Flat),
    ("/loop", Flat),
    ("/me x", Grows),
    ("/modes", Flat),
    ("/msg u3 x", Flat),
    ("/mute *!*@10.*", Grows),
    ("/nick other", Grows),
    ("/numbers on", Flat),
    ("/oper root wrong", Flat),
    ("/part #big2\r\n/room #big", Grows),
    ("/password old-one new-one", Flat),
    ("/re 2 x", Grows),
    ("/react 2 +1", Grows),
    ("/register short", Flat),
    ("/rehash x", Flat),
    ("/reply x", Flat),
    ("/room", Flat),
    ("/rooms", Grows),
    ("/say x", Grows),
    ("/search word", Grows),
    ("/stats", Flat),
    ("/thread 2", Flat),
    ("/topic x", Grows),
    ("/trace on", Flat),
    ("/unban *spam*", Grows),
    ("/ungban 192.0.2.1", Flat),
    ("/unignore u1", Flat),
    ("/unkeep #big", Flat),
    ("/unlock #big secret", Grows),
    ("/unmute *!*@10.*", Grows),
    ("/unreact 2 +1", Grows),
    ("/upload", Flat),
    ("/who #big", Grows),
    ("/who *", Grows),
    ("/whois u3", Flat),
    ("/quit x", Grows),
];

/// A chat of this size.
struct Chat {
    bench: Bench,
    /// An operator, who has written the messages.
    owner: Client,
    /// They are only there.
    crowd: Vec<Client>,
}

impl Chat {
    fn new(size: usize) -> Chat {
        let mut bench = Bench::new(&["--oper=root:correct-horse", "--history-on-join=0"]);
        let mut owner = bench.join("owner");
        owner.send("/oper root correct-horse\n");
        owner.send("/join #big\n");
        for number in 0..size {
            owner.send(&format!("/ban mask{number}!*@*\nword {number}\n"));
        }
        owner.send("/fence\n");
        bench.wait_for(&mut owner, "/fence");
        let mut crowd: Vec<Client> = (0..size).map(|it| bench.join(&format!("u{it}"))).collect();
        for (number, client) in crowd.iter_mut().enumerate() {
            client.send(&format!("/join #big2\n/join #r{number}\n/join #big\n/fence\n"));
            bench.wait_for(client, "/fence");
        }
        Chat { bench, owner, crowd }
    }

    fn charged(&mut self) -> Cost {
        self.bench.server.exchange().net().numbers().charged
    }

    /// Turns until nothing is left to do. Loopback delivers at once.
    fn rest(&mut self, client: &mut Client) {
        let mut quiet = 0;
        while quiet < 5 {
            client.receive();
            let nothing_came = std::mem::take(&mut client.received).is_empty();
            quiet = if self.bench.turn() == 0 && nothing_came { quiet + 1 } else { 0 };
        }
    }

    /// What each of these lines of a client costs.
    fn costs(&mut self, client: &mut Client, lines: &[(&str, Growth)]) -> Vec<u64> {
        let mut costs = Vec::new();
        for (line, _) in lines {
            for other in self.crowd.iter_mut().chain([&mut self.owner]) {
                other.receive();
                other.received.clear();
            }
            self.rest(client);
            let before = self.charged();
            client.send(&format!("{line}\r\n"));
            self.rest(client);
            costs.push(self.charged().0 - before.0);
        }
        costs
    }
}

/// What the lines of either dialect cost in a chat of this size.
fn measure(size: usize) -> [Vec<u64>; 2] {
    let mut chat = Chat::new(size);
    let mut irc = chat.bench.connect();
    irc.send(
        "CAP REQ :batch message-tags draft/chathistory draft/multiline draft/metadata-2 \
         soju.im/search sasl\r\nNICK ira\r\nUSER u 0 * :u\r\nCAP END\r\n\
         OPER root correct-horse\r\nJOIN #own\r\nJOIN #big\r\nMETADATA * SUB x\r\n",
    );
    chat.bench.wait_for(&mut irc, " 366 ira #big");
    let of_irc = chat.costs(&mut irc, IRC);
    let mut chat = Chat::new(size);
    let spare = chat.bench.join("spare");
    let mut owner = std::mem::replace(&mut chat.owner, spare);
    owner.send("/join #own\n/room #big\n/fence\n");
    chat.bench.wait_for(&mut owner, "/fence");
    let of_plain = chat.costs(&mut owner, PLAIN);
    [of_irc, of_plain]
}

#[test]
fn every_command_is_charged_for_and_for_all_that_it_does() {
    let (few, many) = (measure(FEW), measure(MANY));
    let mut wrong = Vec::new();
    for (rows, (few, many)) in [IRC, PLAIN].into_iter().zip(few.iter().zip(&many)) {
        for ((line, growth), (few, many)) in rows.iter().zip(few.iter().zip(many)) {
            let grows = many.saturating_sub(*few) >= ROW.times(MANY - FEW).0;
            if *few < LINE.0 || grows != (*growth == Grows) {
                wrong.push(format!("{line:?} ({growth:?}): {few} ns, then {many}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_command_is_listed() {
    let first = |(line, _): &(&'static str, Growth)| line.split([' ', '\r']).next().unwrap();
    let listed: Vec<&str> = IRC.iter().chain(PLAIN).map(first).collect();
    let plain = plain::main_names().map(|name| format!("/{name}"));
    let all: Vec<String> =
        irc::command_names().into_iter().map(str::to_owned).chain(plain).collect();
    let missing: Vec<_> = all.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    let unknown: Vec<_> = listed.iter().filter(|it| !all.iter().any(|name| name == *it)).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "{missing:?} {unknown:?}");
}
