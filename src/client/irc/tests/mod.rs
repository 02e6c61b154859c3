//! Dialogues with servers of several kinds, to the byte.

use super::*;

mod conversation;
mod input;
mod properties;
mod reconnect;
mod registration;

const NOW: i64 = 1_770_000_000;

/// A session, and what came of it.
struct Talk {
    session: IrcSession,
    now: Timestamp,
}

fn connect_options() -> ConnectOptions {
    ConnectOptions { nick: "ada".to_owned(), person: true, seed: 40, ..ConnectOptions::default() }
}

impl Talk {
    fn new(connect_options: ConnectOptions) -> Talk {
        let now = Timestamp::from_second(NOW).unwrap();
        let mut session = IrcSession::new(connect_options, Bell::Mention);
        session.connected(now);
        Talk { session, now }
    }

    /// In, at a server without capabilities, in `#x` with bob.
    fn plain() -> Talk {
        let mut talk = Talk::new(connect_options());
        talk.sent();
        talk.hear("421 * CAP :Unknown command|001 ada :Welcome ada!ada@host|376 ada :end");
        talk.enter("#x");
        talk
    }

    /// In, at a server with these capabilities, and in `#x` with bob.
    fn with(capabilities: &str) -> Talk {
        let mut talk =
            Talk::new(ConnectOptions { rooms: vec!["#x".to_owned()], ..connect_options() });
        talk.come_in(capabilities);
        talk.hear(":ada!a@h JOIN #x|353 ada = #x :ada @bob|366 ada #x :end");
        if capabilities.contains("chathistory") {
            assert_eq!(talk.sent(), ["CHATHISTORY LATEST #x * 20"]);
            talk.hear("BATCH +h chathistory #x|BATCH -h");
        }
        talk.sent();
        talk.shown();
        talk
    }

    fn come_in(&mut self, capabilities: &str) {
        self.hear(&format!("CAP * LS :{capabilities}"));
        let requests = self.sent();
        for request in requests.iter().filter(|line| line.starts_with("CAP REQ :")) {
            self.hear(&request.replace("CAP REQ", "CAP * ACK"));
        }
        self.hear(
            "001 ada :Welcome|005 ada CHATHISTORY=100 CHANTYPES=# :are supported|422 ada :no",
        );
        self.answer_pings();
    }

    fn enter(&mut self, room: &str) {
        self.session.typed(&[&format!("/join {room}")], self.now);
        self.hear(&format!(":ada!a@h JOIN {room}|353 ada = {room} :ada @bob|366 ada {room} :end"));
        self.sent();
        self.shown();
    }

    /// The server says lines, parted by `|`.
    fn hear(&mut self, lines: &str) {
        lines.split('|').for_each(|line| self.session.receive(line.as_bytes(), self.now));
    }

    fn outgoing(&mut self) -> Vec<String> {
        let bytes = self.session.take_outgoing();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// What was sent, without the PINGs, which are answered.
    fn sent(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let lines = self.outgoing();
            if lines.is_empty() {
                return all;
            }
            for line in lines {
                match line.strip_prefix("PING ") {
                    Some(token) => self.hear(&format!(":srv PONG srv {token}")),
                    None => all.push(line),
                }
            }
        }
    }

    fn answer_pings(&mut self) {
        let sent = self.sent();
        assert!(sent.iter().all(|line| !line.starts_with("PRIVMSG")), "{sent:?}");
    }

    fn typed(&mut self, line: &str) -> Vec<String> {
        self.session.typed(&[line], self.now);
        self.sent()
    }

    /// What is shown, as it looks without colours.
    fn shown(&mut self) -> Vec<String> {
        let mut painter = crate::client::paint::Painter::new(false, false);
        painter.now = self.now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let mut all = Vec::new();
        for item in self.session.take_shown() {
            match item {
                DisplayItem::Message(heard) => all.extend(
                    painter
                        .message(&heard, false, Some("    "))
                        .into_iter()
                        .map(|line| String::from_utf8(line).unwrap()),
                ),
                DisplayItem::ServerText(text) => all.push(format!("* {text}")),
                DisplayItem::Row(term, meaning) => all.push(format!("* {term}: {meaning}")),
                DisplayItem::Event(event) => all.push(format!("* {}", event.shown)),
                DisplayItem::Clear => all.push("<clear>".to_owned()),
                DisplayItem::Notice(notice) => all.push(format!("-- {}", notice.text)),
                DisplayItem::Bell => all.push("<bell>".to_owned()),
                DisplayItem::Line(line) => {
                    all.push(format!("raw {}", String::from_utf8_lossy(&line)));
                }
            }
        }
        all
    }

    fn failure(&mut self) -> Option<FailureKind> {
        self.session.failure.take().map(|failure| failure.kind)
    }

    /// The connection is lost, and made again.
    fn connect_again(&mut self) {
        assert_eq!(self.session.disconnected(), None);
        self.session.connected(self.now);
    }
}
