//! Random commands of both tables by users who are silenced or ignored: whatever they send, none of
//! their words reaches someone who is not to have them.

use super::{Bench, Client};
use crate::session::{irc, plain};
use chatloop_reactor::dice::Dice;

/// What they write, wherever it fits. It is not a nick: a nick is told to all who see its owner.
const WORDS: &str = "s3cr.et";

/// Arguments beside it and the room.
const ARGUMENTS: &[&str] = &[
    "#own",
    "tom",
    "+o",
    "-t",
    "+b",
    "1",
    "2",
    "id:5",
    "*",
    "on",
    "END",
    "SET",
    "SUB",
    "url",
    "avatar",
    "before",
    "LATEST",
    "+",
    "draft/multiline",
    "a,b",
    "m:*!*@*",
    "external",
    "moderated",
    "10",
    "",
];

const TAGS: &[&str] = &[
    "",
    "@+typing=active;+s3cr.et=s3cr.et ",
    "@+draft/reply=5;+draft/react=s3cr.et ",
    "@+draft/reply=5;+draft/unreact=s3cr.et;+draft/persist ",
    "@label=s3cr.et ",
    "@batch=a ",
];

const CAPABILITIES: &str = "CAP REQ :message-tags batch labeled-response echo-message server-time \
    account-notify account-tag away-notify extended-join setname invite-notify multi-prefix \
    draft/message-redaction draft/metadata-2 draft/multiline draft/channel-rename \
    draft/event-playback draft/chathistory draft/read-marker extended-monitor";

/// Someone who sends whatever there is.
struct Actor {
    client: Client,
    speaks_irc: bool,
    name: &'static str,
    room: &'static str,
    /// How often they have connected: a nick that they have registered is not theirs any more.
    life: usize,
}

impl Actor {
    fn new(bench: &mut Bench, speaks_irc: bool, name: &'static str, room: &'static str) -> Actor {
        let client = bench.connect();
        let mut actor = Actor { client, speaks_irc, name, room, life: 0 };
        actor.connect(bench);
        actor
    }

    fn nick(&self) -> String {
        format!("{}{}", self.name, self.life)
    }

    fn connect(&mut self, bench: &mut Bench) {
        self.life += 1;
        let nick = self.nick();
        if !self.speaks_irc {
            self.client = bench.join(&nick);
            return;
        }
        self.client = bench.connect();
        let user = format!("NICK {nick}\r\nUSER x 0 * :{WORDS}\r\n{CAPABILITIES}\r\nCAP END\r\n");
        self.client.send(&user);
        bench.wait_for(&mut self.client, " 422 ");
    }

    fn has_gone(&mut self) -> bool {
        self.client.receive();
        self.client.received.clear();
        self.client.ended
    }

    fn join(&mut self) {
        let slash = if self.speaks_irc { "" } else { "/" };
        let _ = self.client.try_send(&format!("{slash}JOIN {}\r\n", self.room));
    }

    fn line(&self, dice: &mut Dice) -> String {
        let mut line = match self.speaks_irc {
            true => dice.one(TAGS).to_owned() + dice.one(&irc::command_names()),
            false => format!("/{}", dice.one(&plain::command_names())),
        };
        for place in 0..dice.below(5) {
            line.push(' ');
            line.push_str(match dice.below(if place == 0 { 3 } else { 6 }) {
                0 | 1 => self.room,
                2 => WORDS,
                _ => dice.one(ARGUMENTS),
            });
        }
        if dice.below(3) > 0 {
            line.push_str(if self.speaks_irc { " :" } else { " " });
            line.push_str("some s3cr.et words");
        }
        line + "\r\n"
    }
}

/// Everything that has come to one who is not to have the words.
fn check(bench: &mut Bench, observers: &mut [Client], after: &[String]) {
    for client in observers {
        for line in bench.lines(client) {
            assert!(!line.contains(WORDS), "{line:?} after {after:#?}");
        }
    }
}

fn play(seed: u64) {
    let (mut bench, mut dice) = (Bench::new(&[]), Dice::new(seed));
    let enter = |bench: &mut Bench, nick: &str, lines: &str| {
        let mut client = bench.join(nick);
        client.send(&format!("{lines}\n/part #lobby\n/fence\n"));
        bench.wait_for(&mut client, "/fence");
        client
    };
    // A user who is no operator is silenced in one room; in the other one ian ignores two.
    let lock = "/unlock topic\nfirst\nsecond";
    let ann = enter(&mut bench, "ann", &format!("/join #room\n{lock}\n/mute *!*@*"));
    let mut omar = enter(&mut bench, "omar", &format!("/join #free\n{lock}"));
    let pat = enter(&mut bench, "pat", "/join #room");
    let ian = enter(&mut bench, "ian", "/join #free");
    let mut ivy = bench.connect();
    ivy.send(&format!("NICK ivy\r\nUSER i 0 * :Ivy\r\n{CAPABILITIES}\r\nCAP END\r\n"));
    ivy.send("METADATA * SUB url avatar SET\r\nJOIN #room\r\nPING :done\r\n");
    bench.wait_for(&mut ivy, "done");
    let mut observers = [ann, pat, ivy, ian];
    let mut tom = bench.join("tom");
    let mut actors = [
        (false, "mal", "#room"),
        (true, "mel", "#room"),
        (false, "eve", "#free"),
        (true, "eva", "#free"),
    ]
    .map(|(irc, name, room)| Actor::new(&mut bench, irc, name, room));
    for _ in 0..12 {
        for actor in &mut actors {
            if actor.has_gone() {
                actor.connect(&mut bench);
            }
            observers[3].send(&format!("/ignore {}\n", actor.nick()));
        }
        check(&mut bench, &mut observers, &[]);
        assert_eq!(bench.online(), 10);
        actors.iter_mut().for_each(Actor::join);
        let mut sent = Vec::new();
        for _ in 0..30 {
            let actor = &mut actors[dice.below(4)];
            let line = actor.line(&mut dice);
            if actor.client.try_send(&line) {
                sent.push(line);
            }
            bench.turn();
        }
        check(&mut bench, &mut observers, &sent);
        bench.wait_for_silence(&mut tom);
        bench.wait_for_silence(&mut omar);
    }
}

#[test]
fn nothing_that_the_silenced_and_the_ignored_send_gets_around() {
    (0..6).for_each(play);
}
