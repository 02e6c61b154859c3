//! Registration: CAP, PASS, NICK, USER, AUTHENTICATE, until 001.
//!
//! IRCv3 capability-negotiation, version 302. A server without CAP answers 421 or nothing: either
//! way its 001 decides, and nothing is waited for that only a newer server would send.

use super::handshake::{Asked, Registration, Sasl};
use super::{FailureKind, IrcSession, RegistrationFailure};
use crate::client::Severity;
use crate::wire::clean::clean;
use crate::wire::irc::{Message, name};
use zeroize::Zeroizing;

/// Nicks that are tried.
const MAX_TRIES: u32 = 10;
/// Passwords that a person may try on one start.
const MAX_PASSWORDS: u32 = 3;
/// Bytes of a nick that every server accepts. RFC 1459 §1.2.
const SHORT_NICK: usize = 9;
/// The nick if there is no user name. Not `guest`: a chatloop server keeps that with digits, in every
/// spelling, for those who give no name, so a second client could not get in.
const ANYONE: &str = "user";

/// How a chatloop server greets a client that it takes for one of plain lines.
const GREETINGS: [&str; 3] = ["connected as ", "connected, ", "this server requires a password"];

/// The parameters of the first line, a CAP. No server's answer begins so, but an echo's does.
const FIRST_WORDS: &[&str] = &["LS", "302"];

/// Commands that a server may send before 001, apart from numerics.
const KNOWN: &str =
    "CAP NOTICE PING PONG ERROR AUTHENTICATE FAIL WARN NOTE NICK MODE PRIVMSG BATCH";

impl IrcSession {
    /// A connection is established: begins the registration.
    pub fn connected(&mut self, now: jiff::Timestamp) {
        self.now = now;
        self.server = super::ServerInfo::new();
        self.pace = super::Pace::default();
        self.batches = super::Batches::default();
        self.end_rows();
        (self.welcomed, self.address, self.newest) = (false, None, None);
        self.motd = (0, false);
        self.rooms.joining.clear();
        self.parting = 0;
        (self.logins.exchange, self.logins.registering, self.logins.asked) = (None, None, None);
        self.urgent.clear();
        let nick = self.regain.clone().unwrap_or_else(|| self.nick.clone());
        let nick = if nick.is_empty() { ANYONE.to_owned() } else { nick };
        self.registration = Some(Registration {
            wanted: nick.clone(),
            nick: nick.clone(),
            ..Registration::default()
        });
        self.send_now("CAP", FIRST_WORDS, None);
        if let Some(password) = self.connect_options.password.clone() {
            let line = self.line("PASS", &[], Some(&password)).map(Zeroizing::new);
            match line {
                Some(line) => self.urgent.extend_from_slice(&line),
                None => self.rejected("the password is too long for a line"),
            }
        }
        self.send_now("NICK", &[&nick], None);
        let user: String =
            self.connect_options.nick.chars().filter(char::is_ascii_alphanumeric).collect();
        let user = if user.is_empty() { ANYONE } else { &user[..user.len().min(10)] }.to_owned();
        self.send_now("USER", &[&user, "0", "*"], Some(&nick));
        self.nick = nick;
    }

    /// Whether the server has answered a script, without an objection. One that it cannot get over is not
    /// waited out.
    pub fn is_content(&self) -> bool {
        let complaint = self.registration.as_ref().and_then(|it| it.complaint.as_ref());
        self.has_answered() && (complaint.is_none() || self.connect_options.person)
    }

    /// The server has not responded, or not completed the registration, in time.
    pub fn registration_timed_out(&mut self) {
        match &self.registration {
            Some(registration) if !registration.answered => self.not_irc("it did not respond"),
            Some(Registration { complaint: Some(text), .. }) if !self.connect_options.person => {
                self.rejected(&text.clone());
            }
            Some(_) if self.logins.asked.is_some() => self.rejected("no password within a minute"),
            Some(_) => self.rejected("the server did not complete it within a minute"),
            None if self.is_settled() || self.connect_options.person => {}
            None => self.rejected("the server did not answer JOIN within a minute"),
        }
    }

    fn fail_registration(&mut self, kind: FailureKind, why: String) {
        self.failure.get_or_insert(RegistrationFailure { kind, why });
    }

    pub(super) fn not_irc(&mut self, why: &str) {
        let text = format!("this does not look like an IRC server ({why}); try --plain");
        self.fail_registration(FailureKind::NotIrc, text);
    }

    pub(super) fn rejected(&mut self, why: &str) {
        let kind = if is_ban(why) { FailureKind::Denied } else { FailureKind::Rejected };
        self.rejected_as(kind, why);
    }

    fn rejected_as(&mut self, kind: FailureKind, why: &str) {
        self.fail_registration(kind, format!("registration failed: {}", clean(why.as_bytes())));
    }

    /// 464: the server's password is missing or wrong. A person on a terminal may type it.
    fn server_password(&mut self, why: &str) {
        if !self.connect_options.person || self.logins.wrong >= MAX_PASSWORDS {
            let why = format!("{why} (set CHATLOOP_PASSWORD or use --password-file)");
            return self.rejected_as(FailureKind::Denied, &why);
        }
        self.logins.wrong += 1;
        self.logins.asked = Some(Asked::Server);
        self.rejected_as(FailureKind::Password, why);
    }

    /// A line that is not IRC, or no answer to a registration.
    pub(super) fn not_irc_line(&mut self, line: &[u8]) {
        // The mark of a chatloop server's own lines in plain text.
        if let Some(words) = line.strip_prefix(b"* ") {
            let words = clean(words);
            if !GREETINGS.iter().any(|greeting| words.starts_with(greeting)) {
                let kind = if is_ban(&words) { FailureKind::Denied } else { FailureKind::Rejected };
                return self.fail_registration(kind, format!("rejected by the server: {words}"));
            }
            let text = "the server detected plain text: the registration arrives after its detection timeout (--greeting-delay); try again, or try --plain";
            return self.fail_registration(FailureKind::TooLate, text.to_owned());
        }
        let text = clean(line);
        let end = text.char_indices().nth(60).map_or(text.len(), |(end, _)| end);
        self.not_irc(&format!("it sent \"{}\"", &text[..end]));
    }

    /// Handles a line before 001; `false` if it is to be handled as one after it.
    pub(super) fn before_welcome(&mut self, message: &Message<'_>, line: &[u8]) -> bool {
        let numeric = message.numeric().map(|it| it.number());
        let is_it = |known: &str| known.eq_ignore_ascii_case(message.command);
        let known = numeric.is_some() || KNOWN.split(' ').any(is_it);
        let Some(registration) = &mut self.registration else { return false };
        if !known {
            if !registration.answered {
                self.not_irc_line(line);
            }
            return true;
        }
        if message.command == "CAP" && message.parameters.as_slice() == FIRST_WORDS {
            self.not_irc("it repeats what it is sent");
            return true;
        }
        registration.answered = true;
        let text = message.parameters.last().copied().unwrap_or_default();
        match (numeric, message.command) {
            (Some(1), _) => return !self.may_welcome(),
            (Some(432 | 433 | 436 | 437), _) => self.try_another_nick(numeric == Some(432), text),
            (Some(464), _) => self.server_password(text),
            (Some(465 | 463 | 466), _) => self.rejected_as(FailureKind::Denied, text),
            (Some(421 | 451 | 410), _) => {}
            // Shown before the server has proven itself, it would be the server's word alone.
            (Some(900), _) if self.awaits_proof() => {}
            (Some(900), _) => {
                let account = message.parameters.get(2).copied().unwrap_or(text);
                self.show_text(format!("you are logged in as {account}"));
            }
            (Some(903), _) => self.sasl_done(),
            (Some(number @ (902 | 904..=907)), _) => self.sasl_failed(number, text),
            // Old servers send some of these before 001.
            (Some(number), _) if number < 400 => {}
            // "Please wait while we process your connection".
            (Some(439), _) => self.show_text(text),
            (Some(_), _) => {
                if let Some(registration) = &mut self.registration {
                    registration.complaint = Some(clean(text.as_bytes()).into_owned());
                }
                self.show_text(text);
            }
            (None, "ERROR") => self.rejected(text),
            (None, "AUTHENTICATE") => self.sasl_asked(text),
            (None, "FAIL") => self.rejected(text),
            _ => return false,
        }
        true
    }

    /// Tries another nick, with digits appended.
    fn try_another_nick(&mut self, bad: bool, why: &str) {
        let Some(registration) = &mut self.registration else { return };
        registration.tries += 1;
        let (tries, before) = (registration.tries, registration.nick.clone());
        if tries == MAX_TRIES {
            return self.rejected(&format!("no free nick found ({before}: {why})"));
        }
        let better = presentable(&registration.wanted);
        if is_guest(&registration.wanted) || (bad && better == registration.wanted) {
            ANYONE.clone_into(&mut registration.wanted);
        } else if bad {
            registration.wanted = better;
        }
        let digits = match tries {
            1 if bad => String::new(),
            1..=3 => tries.to_string(),
            _ => (self.connect_options.seed.wrapping_add(tries) % 10_000).to_string(),
        };
        // An old server may truncate a long nick to one that is taken.
        let room = if tries > 3 { SHORT_NICK - digits.len() } else { registration.wanted.len() };
        let end = registration.wanted.floor_char_boundary(room);
        let nick = format!("{}{digits}", &registration.wanted[..end]);
        registration.nick.clone_from(&nick);
        self.show_text(format!("{before}: {why}; trying {nick}"));
        self.send_now("NICK", &[&nick], None);
    }

    /// 001: registered, under the nick that the server names.
    pub(super) fn accepted(&mut self, nick: &str) {
        let wanted =
            self.registration.take().map(|registration| registration.wanted).unwrap_or_default();
        nick.clone_into(&mut self.nick);
        // The last connection of this client may still hold the nick, until the server times it out.
        let ghost = self.was_in && !self.server.same(nick, &wanted);
        self.regain = ghost.then_some(wanted);
        self.pace.fence();
    }

    /// IRCv3 sts: a server that wants TLS says so in the clear, where it is not to be trusted with
    /// more than that, and for how long when TLS is there.
    fn look_at_sts(&mut self) {
        let part = |key: &str| self.server.part("sts", key);
        if self.connect_options.tls {
            self.sts_news = part("duration").and_then(|seconds| seconds.parse().ok());
        } else if let Some(port) = part("port").and_then(|port| port.parse().ok()) {
            let why = format!("the server takes TLS only (STS), at port {port}");
            self.fail_registration(FailureKind::TlsOnly(port), why);
        }
    }

    /// For how many seconds the server asks for TLS; once.
    pub fn take_sts_news(&mut self) -> Option<u64> {
        self.sts_news.take()
    }

    /// `CAP`, during registration and later.
    pub(super) fn cap(&mut self, words: &[&str]) {
        let (subcommand, list) = match words {
            [_, subcommand, .., list] => (subcommand.to_ascii_uppercase(), *list),
            _ => return,
        };
        match subcommand.as_str() {
            "LS" | "NEW" => {
                self.server.offers(list);
                let more = words.len() > 3 && words[2] == "*";
                if !more {
                    if let Some(registration) = &mut self.registration {
                        registration.listed = true;
                    }
                    self.look_at_sts();
                    self.request_capabilities();
                }
            }
            "DEL" => self.server.withdraws(list),
            "ACK" => {
                self.server.enables(list);
                self.request_answered();
            }
            "NAK" => {
                // All or nothing: then one by one.
                let each: Vec<&str> = list.split_ascii_whitespace().collect();
                if let [_, _, ..] = each[..] {
                    for name in each {
                        self.request(name);
                    }
                }
                self.request_answered();
            }
            _ => {}
        }
    }

    /// All of them fit into one line.
    fn request_capabilities(&mut self) {
        let wanted = self.server.wanted(self.logins.current.is_some()).join(" ");
        if !wanted.is_empty() {
            self.request(&wanted);
        }
        self.go_on();
    }

    fn request(&mut self, names: &str) {
        self.send_now("CAP", &["REQ"], Some(names));
        if let Some(registration) = &mut self.registration {
            registration.requests += 1;
        }
    }

    fn request_answered(&mut self) {
        if let Some(registration) = &mut self.registration {
            registration.requests = registration.requests.saturating_sub(1);
        }
        self.go_on();
    }

    /// When all capabilities are negotiated: logs in, and ends the negotiation.
    fn go_on(&mut self) {
        let Some(registration) = &mut self.registration else { return };
        if !registration.listed || registration.requests > 0 {
            return;
        }
        if let Some(login) = self.logins.current.clone().filter(|_| registration.sasl == Sasl::Not)
        {
            registration.sasl = Sasl::Begun;
            match self.server.has("sasl") {
                true => self.begin_sasl(login),
                false => self.without_sasl(&login.account),
            }
            return;
        }
        if matches!(registration.sasl, Sasl::Not | Sasl::Over) {
            self.send_now("CAP", &["END"], None);
        }
    }

    /// SASL has ended, successfully or not.
    pub(super) fn sasl_over(&mut self) {
        if let Some(registration) = &mut self.registration {
            registration.sasl = Sasl::Over;
            self.go_on();
        }
    }

    /// The login was rejected. A person on a terminal may type the password again: joining as a
    /// guest would be another identity than the one that was asked for.
    pub(super) fn wrong_password(&mut self, account: &str, why: &str) {
        if self.registration.is_none() {
            return self.no_login(account, why);
        }
        self.logins.wrong += 1;
        let text = format!("login as {account} failed: {why}");
        if !self.connect_options.person || self.logins.wrong >= MAX_PASSWORDS {
            return self.rejected_as(FailureKind::Denied, &text);
        }
        self.notice(Severity::Error, text);
        self.logins.asked = Some(Asked::Account(account.to_owned()));
    }

    /// The question for a password, if the person is asked one.
    pub fn question(&self) -> Option<String> {
        Some(match self.logins.asked.as_ref()? {
            Asked::Account(account) => format!("Password for {account}: "),
            Asked::Server => "Password of the server: ".to_owned(),
        })
    }

    /// The person has typed that password.
    pub fn password_typed(&mut self, password: Zeroizing<String>) {
        let account = match self.logins.asked.take() {
            Some(Asked::Account(account)) => account,
            Some(Asked::Server) => {
                self.connect_options.password = Some(password);
                self.reconnects = true;
                return;
            }
            None => return,
        };
        let login = super::Login { account, password };
        self.logins.current = Some(login.clone());
        self.begin_sasl(login);
    }

    /// The login failed. Joining without it would be joining as someone else.
    pub(super) fn no_login(&mut self, account: &str, why: &str) {
        let text = format!("login as {account} failed: {why}");
        match self.registration {
            Some(_) => self.rejected(&text),
            None => self.fail(text),
        }
    }

    /// The server has no SASL. A person may be a guest there; a script must not send messages under
    /// another identity.
    fn without_sasl(&mut self, account: &str) {
        let why = "the server does not support SASL";
        if !self.connect_options.person {
            return self.no_login(account, why);
        }
        self.logins.current = None;
        self.notice(Severity::Error, format!("login as {account} failed: {why}"));
        self.sasl_over();
    }

    /// 001: whether the server may complete the registration now. Not in the middle of a login: that
    /// is how a server without the password would skip its proof.
    fn may_welcome(&mut self) -> bool {
        let state = self.registration.as_ref().map(|registration| &registration.sasl);
        let Some(login) = &self.logins.current else { return true };
        let account = login.account.clone();
        match state {
            Some(Sasl::Begun) => self.no_login(&account, "the server did not wait for the login"),
            Some(Sasl::Not) => self.without_sasl(&account),
            Some(Sasl::Over) | None => {}
        }
        self.failure.is_none()
    }
}

/// Whether the words of a server mean that the client is banned.
pub(super) fn is_ban(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    ["banned", "k-line", "g-line", "z-line", "kline", "gline"].iter().any(|word| why.contains(word))
}

/// Whether a chatloop server keeps this nick, or what digits make of it, for those who give no name.
fn is_guest(nick: &str) -> bool {
    let stem = nick.trim_end_matches(|end: char| !end.is_ascii_alphabetic());
    stem.eq_ignore_ascii_case("guest")
}

/// A nick that any server accepts.
fn presentable(nick: &str) -> String {
    let fitting = |letter: &char| letter.is_ascii_alphanumeric() || "-_[]\\`^{|}".contains(*letter);
    let nick: String = nick.chars().filter(fitting).collect();
    let nick = nick.trim_start_matches(|first: char| first.is_ascii_digit() || first == '-');
    let nick = &nick[..nick.len().min(SHORT_NICK - 1)];
    if name::is_nickname(nick, SHORT_NICK) { nick.to_owned() } else { ANYONE.to_owned() }
}
