//! Two and more people at their `nc`, without the sockets: lines in, lines out.

use super::*;
use crate::chat::{
    Change, Decision, Departure, Entry, Hub, Logged, Moment, Outcome, PasswordHash, Point, Query,
    Range, Record, RecordId, Refusal, Scope, Secret, SessionId, Work,
};
use proptest::prelude::*;

/// The server between them, with a worker that hashes nothing and an empty journal.
struct Chat {
    hub: Hub,
    people: Vec<(Session, String)>,
    last: u64,
}

impl Chat {
    fn new(styles: &[Style]) -> Chat {
        let mut chat = Chat { hub: Hub::new(), people: Vec::new(), last: 0 };
        for (number, style) in styles.iter().enumerate() {
            chat.people.push((Session::new(*style), String::new()));
            let label = format!("127.0.0.1:500{number}").into();
            let entry = Entry { label, lobby: true, ..Entry::default() };
            chat.write(number, Change::Enter(entry));
        }
        chat
    }

    fn session(number: usize) -> SessionId {
        SessionId(number as u64)
    }

    fn write(&mut self, number: usize, change: Change) {
        self.last += 1;
        let (id, time) = (RecordId(self.last), Moment(60_000 * self.last as i64));
        let record = Record { id, time, origin: Chat::session(number), change };
        let mut effects = Vec::new();
        self.hub.apply(record, &mut effects);
        for effect in effects {
            self.hub.hearers(&effect.audience, |session, perspective| {
                let Some((session, shown)) = self.people.get_mut(session.0 as usize) else {
                    return;
                };
                session.heard(&effect.event, perspective);
                let mut line = Vec::new();
                render(session.look(), &effect.event, perspective, &mut line);
                shown.push_str(&String::from_utf8(line).unwrap());
            });
        }
    }

    /// One types a line; what all see of it is collected.
    fn line(&mut self, number: usize, line: &str) {
        let now = Moment(60_000 * (self.last as i64 + 1));
        let user = self.hub.user(Chat::session(number));
        let rooms = user.map_or(Vec::new(), |user| user.rooms().to_vec());
        match self.people[number].0.parse(line.as_bytes(), &rooms, now) {
            Request::Nothing => {}
            Request::Do(command) => {
                let decision = self.hub.decide(Chat::session(number), command, now);
                self.settle(number, decision, now);
            }
            Request::Tell(lines) => {
                for line in lines {
                    self.notice(number, &line);
                }
            }
            Request::Quit(words) => {
                let departure = words.map_or(Departure::Quit, Departure::Said);
                self.write(number, Change::Leave { departure });
            }
        }
    }

    fn settle(&mut self, number: usize, decision: Decision, now: Moment) {
        match decision {
            Decision::Change(change) => self.write(number, change),
            Decision::Reply(event) => self.show(number, &event),
            Decision::Ask(query) => {
                self.show(number, &past(query, Vec::new()));
            }
            Decision::Lookup { missing, .. } => self.notice(number, &refusal(&missing)),
            Decision::Refuse(why) => self.notice(number, &refusal(&why)),
            Decision::Work(work) => {
                let (purpose, outcome) = match work {
                    Work::Hash { secret, purpose } => {
                        (purpose, Outcome::Hashed(PasswordHash::new(secret.expose()), None))
                    }
                    Work::Challenge { .. } | Work::Proof { .. } => {
                        unreachable!("a plain client knows nothing of SCRAM")
                    }
                    Work::Verify { secret, hash, purpose, .. } => {
                        let hash = hash.unwrap_or(PasswordHash::new("operator"));
                        (purpose, Outcome::Verified(hash.as_phc() == secret.expose()))
                    }
                };
                let decision = self.hub.worked(Chat::session(number), purpose, outcome, now);
                self.settle(number, decision, now);
            }
        }
    }

    fn show(&mut self, number: usize, event: &Event) {
        let (session, shown) = &mut self.people[number];
        let mut line = Vec::new();
        render(session.look(), event, Perspective::Other, &mut line);
        shown.push_str(&String::from_utf8(line).unwrap());
    }

    fn notice(&mut self, number: usize, text: &str) {
        let (session, shown) = &mut self.people[number];
        let mut line = Vec::new();
        render_notice(session.look(), text, &mut line);
        shown.push_str(&String::from_utf8(line).unwrap());
    }

    /// What one has seen since the last time.
    fn seen(&mut self, number: usize) -> String {
        std::mem::take(&mut self.people[number].1)
    }

    /// One types a line; what they and another one see.
    fn both(&mut self, number: usize, line: &str, other: usize) -> (String, String) {
        self.people.iter_mut().for_each(|(_, shown)| shown.clear());
        self.line(number, line);
        (self.seen(number), self.seen(other))
    }
}

/// Alice and bob in the lobby.
fn past(query: Query, entries: Vec<Logged>) -> Event {
    Event::Past(Box::new(crate::chat::Past { query, entries, happened: Vec::new() }))
}

fn two() -> Chat {
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    chat.line(0, "/nick alice");
    chat.line(1, "/nick bob");
    chat.people.iter_mut().for_each(|(_, shown)| shown.clear());
    chat
}

fn own(text: &str) -> (String, String) {
    (format!("* {text}\n"), String::new())
}

#[test]
fn coming_speaking_and_leaving_in_plain_style() {
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    assert_eq!(
        chat.seen(0),
        "* connected as guest1, 1 user online; /help lists the commands, /quit leaves\n\
         * a new user 127.0.0.1:5001 (guest2) entered, 2 users online\n"
    );
    assert_eq!(chat.both(1, "hi", 0), (String::new(), "[guest2]: hi\n".into()));
    assert_eq!(chat.both(1, "//who", 0).1, "[guest2]: /who\n");
    assert_eq!(chat.both(1, "", 0), (String::new(), String::new()));
    assert_eq!(chat.both(1, "\x1b[2J", 0).1, "[guest2]: \u{241b}[2J\n");
    let (mine, others) = chat.both(1, "/nick bob", 0);
    assert_eq!((mine, others), ("* you are bob now\n".into(), "* guest2 is bob now\n".into()));
    chat.line(1, "/quit see you");
    assert_eq!(chat.seen(0), "* the user bob left (see you), 1 user online\n");
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    chat.seen(0);
    chat.write(1, Change::Leave { departure: Departure::Error("reset".into()) });
    assert_eq!(
        chat.seen(0),
        "* the user 127.0.0.1:5001 (guest2) left (error: reset), 1 user online\n"
    );
}

#[test]
fn the_same_in_classic_style() {
    let mut chat = Chat::new(&[Style::Classic, Style::Classic]);
    assert_eq!(
        chat.seen(0),
        "\r\x1b[34;1mconnected, 1 user online; an empty line leaves\n\x1b[0m\
         \r\x1b[34;1ma new user 127.0.0.1:5001 entered, 2 users online\n\x1b[0m"
    );
    assert_eq!(chat.both(1, "hi", 0).1, "\r\x1b[35;1m[127.0.0.1:5001]: hi\n\x1b[0m");
    chat.line(1, "/nick bob");
    assert_eq!(chat.both(1, "hi", 0).1, "\r\x1b[35;1m[bob]: hi\n\x1b[0m");
    assert_eq!(chat.both(1, "", 0).1, "\r\x1b[31;1mthe user bob left, 1 user online\n\x1b[0m");
    let mut chat = Chat::new(&[Style::Classic, Style::Classic]);
    chat.seen(0);
    chat.write(1, Change::Leave { departure: Departure::Error("reset".into()) });
    assert!(chat.seen(0).contains("the user 127.0.0.1:5001 left (error), 1 user online\n"));
}

#[test]
fn rooms_are_entered_named_and_switched() {
    let mut chat = two();
    let (mine, _) = chat.both(0, "/join #rust", 1);
    assert_eq!(mine, "* you are in #rust now, 1 user there, you are its op\n");
    let (mine, others) = chat.both(1, "/j #Rust", 0);
    assert_eq!(mine, "* you are in #rust now, 2 users there\n");
    assert_eq!(others, "* bob entered #rust\n");
    assert_eq!(chat.both(0, "words", 1).1, "#rust [alice]: words\n");
    assert_eq!(chat.both(0, "@#lobby elsewhere", 1).1, "[alice]: elsewhere\n");
    assert_eq!(chat.both(0, "/room #lobby", 1), own("your words go to #lobby now"));
    assert_eq!(chat.both(0, "words", 1).1, "[alice]: words\n");
    assert_eq!(chat.both(0, "/room", 1), own("your words go to #lobby; you are in #lobby, #rust"));
    assert_eq!(
        chat.both(0, "/topic #rust ferris", 1).1,
        "* alice has set the topic of #rust: ferris\n"
    );
    assert_eq!(chat.both(1, "/part #rust bye", 0).1, "* bob left #rust (bye)\n");
    assert_eq!(chat.both(1, "words", 0).1, "[bob]: words\n");
    let (rooms, _) = chat.both(1, "/rooms", 0);
    assert_eq!(rooms, "* 2 rooms:\n* #lobby 2 users, you are in it\n* #rust 1 user: ferris\n");
    chat.line(1, "/part");
    let nowhere = "you are in no room; /join #room enters one";
    assert_eq!(chat.both(1, "words", 0), own(nowhere));
}

#[test]
fn private_words_mentions_and_the_bell() {
    let mut chat = two();
    let (mine, theirs) = chat.both(0, "/msg bob psst", 1);
    assert_eq!((mine, theirs), ("[you -> bob]: psst\n".into(), "[alice -> you]: psst\n".into()));
    assert_eq!(chat.both(1, "/reply what?", 0).1, "[bob -> you]: what?\n");
    assert_eq!(chat.both(0, "hey @bob", 1).1, "*[alice]: hey @bob\n");
    chat.line(1, "/bell mention");
    assert_eq!(chat.both(0, "hey @bob", 1).1, "\x07*[alice]: hey @bob\n");
    assert_eq!(chat.both(0, "hey you", 1).1, "[alice]: hey you\n");
    chat.line(1, "/bell all");
    assert_eq!(chat.both(0, "hey you", 1).1, "\x07[alice]: hey you\n");
    chat.line(1, "/bell off");
    chat.line(1, "/away lunch");
    let (mine, _) = chat.both(0, "/msg bob psst", 1);
    assert_eq!(mine, "[you -> bob]: psst\n* bob is away: lunch\n");
    assert_eq!(chat.both(0, "/me waves", 1).1, "[alice] waves\n");
}

#[test]
fn answers_reactions_changes() {
    let mut chat = two();
    chat.line(0, "what is the longest sentence that fits here?");
    chat.line(1, "/numbers on");
    let (_, seen) = chat.both(1, "/re 1 this one", 0);
    assert_eq!(seen, "*[bob]: re 1 <alice> what is the longest sentence t…: this one\n");
    assert_eq!(chat.both(0, "ok", 1).1, "3 [alice]: ok\n");
    assert_eq!(chat.both(1, "/react 1 :+1:", 0).1, "* bob reacts to #lobby 1 <alice>: +1\n");
    assert_eq!(chat.both(0, "/edit 3 OK", 1).1, "* alice has changed #lobby 3 <alice>: OK\n");
    assert_eq!(chat.both(0, "/edit 2 OK", 1), own("message 2 is not yours"));
    assert_eq!(chat.both(0, "/delete 3", 1).1, "* alice has deleted #lobby 3 <alice>\n");
    assert_eq!(
        chat.both(1, "/react 9 :+1:", 0),
        own("there is no message 9 in #lobby; /history shows the numbers")
    );
    assert_eq!(chat.both(1, "/thread 1", 0).0, "* thread in #lobby: nothing\n");
}

#[test]
fn accounts_by_hand() {
    let mut chat = two();
    let (mine, others) = chat.both(0, "/register hunter2", 1);
    assert_eq!(mine, "* alice is registered and yours; next time: /login alice PASSWORD\n");
    assert_eq!(others, "");
    chat.line(0, "/quit");
    let taken = "alice is somebody's account; if it is yours: /login alice PASSWORD";
    assert_eq!(chat.both(1, "/nick alice", 0), own(taken));
    assert_eq!(chat.both(1, "/login alice wrong-one", 0), own("name or password are wrong"));
    assert_eq!(chat.both(1, "/login nobody wrong-one", 0), own("name or password are wrong"));
    assert_eq!(
        chat.both(1, "/msg alice hello", 0).0,
        "[you -> alice]: hello\n* alice is not here and gets it at the next login\n"
    );
    assert_eq!(chat.both(1, "/login alice hunter2", 0).0, "* you are logged in as alice\n");
}

#[test]
fn moderation_by_hand() {
    let mut chat = two();
    chat.line(0, "/join #x");
    chat.line(1, "/join #x");
    assert_eq!(chat.both(0, "/mute bob", 1).1, "* alice has changed #x: +b m:bob!*@*\n");
    assert_eq!(chat.both(1, "hm", 0), own("you are muted in #x"));
    chat.line(0, "/unmute bob");
    assert_eq!(chat.both(1, "ah", 0).1, "#x [bob]: ah\n");
    assert_eq!(chat.both(0, "/lock key word", 1).1, "* alice has changed #x: +k word\n");
    assert_eq!(
        chat.both(1, "/lock topic", 0),
        own("only the ops of #x may do that; /who #x marks them with @")
    );
    assert_eq!(
        chat.both(0, "/kick bob bad manners", 1).1,
        "* alice has put bob out of #x (bad manners)\n"
    );
    let lost = "not said: you are no longer in #x; your words go to #lobby now";
    assert_eq!(chat.both(1, "meant for #x", 0), own(lost));
    assert_eq!(chat.both(1, "hello", 0).1, "[bob]: hello\n");
    assert_eq!(chat.both(1, "/join #x", 0), own("#x has a key; /join #x KEY enters with it"));
    assert_eq!(chat.both(0, "/who", 1).0, "* 1 user in #x:\n* @alice\n");
    assert_eq!(
        chat.both(1, "/announce hear", 0),
        own("only server operators may do that; /oper NAME PASSWORD makes you one")
    );
    chat.line(1, "/oper root operator");
    assert_eq!(chat.both(1, "/announce hear", 0).1, "* announcement by bob: hear\n");
    assert_eq!(chat.both(1, "/kill alice", 0).1, "* bob has ended your session\n");
}

#[test]
fn passwords_are_not_said_whatever_precedes_them() {
    for line in [
        " /login bob hunter2",
        "//login bob hunter2",
        "/lgoin bob hunter2",
        "/me /login bob hunter2",
        "@#lobby /login bob hunter2",
        "/loginbob hunter2",
        "/loginhunter2",
        "/password hunter2",
        "/register hunter2 hunter2",
        "/login bob hunter2 hunter2",
        "/say",
    ] {
        let mut chat = two();
        let (mine, others) = chat.both(1, line, 0);
        assert_eq!(others, "", "{line}");
        assert!(mine.starts_with("* ") && !mine.contains("hunter2"), "{line}: {mine}");
    }
    let mut chat = two();
    assert_eq!(chat.both(1, "/say /login is a command", 0).1, "[bob]: /login is a command\n");
}

#[test]
fn every_error_says_what_is_wrong_and_shows_the_form() {
    let mut chat = two();
    for (line, error) in [
        ("/frob x", "there is no command /frob; /help lists them all, //frob says \"/frob\""),
        ("/nick", "the name is missing; form: /nick NAME"),
        ("/nick a b", "what is \"b\"?; form: /nick NAME"),
        (
            "/nick 1a",
            "a name cannot begin with \"1\"; it begins with a letter or one of []\\`_^{|}",
        ),
        ("/nick bob", "user name already exists: somebody is called bob"),
        ("/join rust", "\"rust\" is no room; a room's name begins with #: #rust"),
        ("/part #rust", "there is no room #rust; /join #rust opens one"),
        ("/re x y", "\"x\" is not the number of a message; form: /re N TEXT"),
        ("/re 1", "the text is missing; form: /re N TEXT"),
        (
            "/history 0",
            "how many is a number from 1 to 500; form: /history [#room|NICK] [N] | [#room] before|after N|id:ID|TIME [COUNT]",
        ),
        ("/bell loud", "\"loud\" is not off, pm, mention or all; form: /bell off|pm|mention|all"),
        (
            "/lock door",
            "\"door\" cannot be locked; form: /lock [#room] topic|invite|moderated|external|secret|key WORD|limit N",
        ),
        ("/whois zoe", "nobody is called zoe; /who * lists everyone"),
        ("/register hunter2 x", "a password is one word; form: /register PASSWORD"),
        ("/ban", "0 on the ban list of #lobby"),
        ("/reply x", "nobody has written to you yet; /msg NICK TEXT begins"),
        ("@#rust", "nothing to say in #rust; form: @#room text"),
    ] {
        assert_eq!(chat.both(0, line, 1), own(error), "{line}");
    }
    let long = "x".repeat(400);
    let (mine, _) = chat.both(0, &format!("/topic {long}"), 1);
    assert!(mine.starts_with("* only the ops of #lobby"));
    chat.line(0, "/join #x");
    let too_long = own("the topic is too long: 390 bytes are the limit");
    assert_eq!(chat.both(0, &format!("/topic {long}"), 1), too_long);
}

#[test]
fn points_in_time_and_searches_are_understood() {
    let mut session = Session::new(Style::Plain);
    let rooms = [Name::lobby()];
    let mut asked = |line: &str| match session.parse(line.as_bytes(), &rooms, Moment(7_200_000)) {
        Request::Do(command) => command,
        other => panic!("{other:?}"),
    };
    let lobby: Arc<str> = "#lobby".into();
    let history = |range, count| Command::History(Arc::clone(&lobby), range, count);
    assert_eq!(asked("/history"), history(Range::Latest, None));
    assert_eq!(asked("/history 5"), history(Range::Latest, Some(5)));
    assert_eq!(asked("/history before 17 5"), history(Range::Before(Point::Number(17)), Some(5)));
    assert_eq!(asked("/history after id:9"), history(Range::After(Point::Id(RecordId(9))), None));
    assert_eq!(
        asked("/history after 1h"),
        history(Range::After(Point::Time(Moment(3_600_000))), None)
    );
    assert_eq!(
        asked("/history #x before 1970-01-01T01:00"),
        Command::History("#x".into(), Range::Before(Point::Time(Moment(3_600_000))), None)
    );
    assert_eq!(
        asked("/history bob 3"),
        Command::PrivateHistory("bob".into(), Range::Latest, Some(3))
    );
    assert_eq!(
        asked("/search two words #x from bob"),
        Command::Search("two words".into(), Some("#x".into()), Some("bob".into()))
    );
    assert_eq!(
        asked("/login alice secret-word"),
        Command::Login("alice".into(), Secret::new("secret-word"))
    );
    assert!(!format!("{:?}", asked("/login alice secret-word")).contains("secret-word"));
}

#[test]
fn the_past_is_marked_as_past() {
    let room = crate::chat::query::Room { name: Name::lobby(), since: RecordId(0) };
    let query =
        Query { scope: Scope::Room(room), range: Range::Latest, limit: None, events: false };
    let logged = Logged {
        id: RecordId(9),
        time: Moment(0),
        target: crate::chat::Target::Room(Name::lobby()),
        number: 17,
        from: Name::new("alice"),
        account: None,
        username: None,
        host: None,
        bot: false,
        kind: Kind::Message,
        text: "hello".into(),
        tags: None,
        joints: None,
        reply: None,
        edited: true,
        reactions: vec![("+1".into(), 2)],
    };
    let mut out = Vec::new();
    let event = past(query, vec![logged]);
    render(Look::default(), &event, Perspective::Other, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "* past of #lobby: 1 message, times are UTC\n\
         - 17 1970-01-01 00:00 [alice]: hello (edited) {+1 2}\n"
    );
}

#[test]
fn help_lists_what_there_is_and_says_how() {
    let lines: Vec<String> = help().collect();
    assert!(lines.iter().any(|line| line.starts_with("/join #room [KEY] ")));
    assert!(lines.iter().any(|line| line.starts_with("//text ")));
    let mut chat = two();
    assert_eq!(
        chat.both(0, "/help /msg", 1).0,
        "* /msg NICK TEXT: say something to one person\n* the same: /m, /tell, /query\n"
    );
    assert_eq!(chat.both(0, "/help", 1).0.lines().count(), lines.len());
}

#[test]
fn every_refusal_has_words_of_its_own() {
    let name = || Name::new("x");
    for why in [
        Refusal::NotHere,
        Refusal::ServerFull,
        Refusal::BadKey,
        Refusal::NotOperator,
        Refusal::TryLater(3),
        Refusal::NotLoggedIn,
        Refusal::TooManyAccounts,
        Refusal::RoomFull(name(), 3),
        Refusal::InviteOnly(name()),
        Refusal::RoomExists(name()),
        Refusal::LobbyStays,
        Refusal::Banned(name()),
        Refusal::MailFull(name()),
        Refusal::ServerBanned { reason: Some("spam".into()), until: Some(Moment(0)) },
    ] {
        let text = refusal(&why);
        assert!(text != "that cannot be done" && !text.contains('\n'), "{why:?}: {text}");
    }
}

/// Lines that are nearly commands.
fn line() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(
        help()
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .collect::<Vec<_>>(),
    );
    let word = prop_oneof![
        Just("alice".to_owned()),
        Just("#lobby".to_owned()),
        Just("#x".to_owned()),
        Just("1".to_owned()),
        Just("before".to_owned()),
        "[ -~é]{0,8}",
    ];
    (name, proptest::collection::vec(word, 0..5))
        .prop_map(|(name, words)| format!("{name} {}", words.join(" ")))
}

#[test]
fn what_a_late_irc_client_begins_with_is_not_said() {
    let mut chat = Chat::new(&[Style::Plain, Style::Plain]);
    for line in ["CAP LS 302", "PASS :secret", "NICK ada", "USER ada 0 * :Ada"] {
        let (own, other) = chat.both(0, line, 1);
        assert!(own.starts_with("* not said: that is IRC") && other.is_empty(), "{own}{other}");
    }
    assert!(chat.both(0, "hello", 1).1.ends_with("]: hello\n"));
    assert!(
        chat.both(0, "NICK is a command of IRC", 1).1.ends_with("]: NICK is a command of IRC\n")
    );
}

proptest! {
    #[test]
    fn whatever_is_typed_lines_come_out_whole(lines in proptest::collection::vec((0usize..3, line()), 1..60)) {
        let mut chat = Chat::new(&[Style::Plain, Style::Plain, Style::Classic]);
        for (number, line) in lines {
            chat.line(number, &line);
            for number in 0..3 {
                let seen = chat.seen(number);
                let whole = seen.is_empty() || seen.ends_with('\n') || seen.ends_with("\n\x1b[0m");
                prop_assert!(whole, "{:?} made {:?}", line, seen);
                prop_assert!(!seen.contains("that cannot be done"), "{:?} made {:?}", line, seen);
            }
        }
    }

    #[test]
    fn any_bytes_are_understood_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut session = Session::new(Style::Plain);
        session.parse(&bytes, &[Name::lobby()], Moment(0));
        let mut command = b"/".to_vec();
        command.extend_from_slice(&bytes);
        session.parse(&command, &[], Moment(0));
    }
}
