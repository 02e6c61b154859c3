//! Lines of the server, dispatched by their command.

use super::batches::Batch;
use super::messages::{self, ChatMessage};
use super::registration::is_ban;
use super::{IrcSession, Line, people};
use crate::client::display::DisplayItem;
use crate::wire::irc::{Message, ParseError, Tags};
use crate::wire::plural::counted;
use jiff::Timestamp;

/// Bytes of the tags of a batch that are kept.
const MAX_TAGS: usize = 4_096;

impl IrcSession {
    /// A line from the server.
    pub fn receive(&mut self, line: &[u8], now: Timestamp) {
        self.now = now;
        // Texts on old networks may not be UTF-8: invalid bytes become U+FFFD.
        let text = String::from_utf8_lossy(line);
        let message = match Message::parse(text.as_bytes()) {
            Ok(message) => message,
            Err(ParseError::Empty) => return,
            Err(_) if !self.has_answered() => return self.not_irc_line(line),
            Err(_) => return self.shown.push(DisplayItem::Line(line.to_owned())),
        };
        if !messages::has_short_names(&message) {
            let most = messages::MAX_WORD;
            return self
                .show_text(format!("a line with a name of more than {most} bytes was dropped"));
        }
        if self.registration.is_some() && self.before_welcome(&message, line) {
            return;
        }
        let batch = messages::word(message.tags, "batch");
        let label = messages::word(message.tags, "label");
        let outer = || self.batches.label(batch.as_deref()?);
        let label = label.or_else(outer);
        let past = batch.as_deref().is_some_and(|it| {
            ["chathistory", "soju.im/search"]
                .iter()
                .any(|kind| self.batches.inside(it, kind).is_some())
        });
        if let Some(time) = messages::time(message.tags).filter(|_| !past) {
            self.newest = self.newest.max(Some(time));
        }
        // Our own `user@host` is a part of every line that others get from us.
        let source = message.source().unwrap_or_default();
        if let (Some(user), Some(host)) = (source.user, source.host)
            && self.is_me(source.name)
        {
            self.address = Some(format!("{user}@{host}"));
        }
        self.unfold_old();
        let words = message.parameters.as_slice();
        let text = words.last().copied().unwrap_or_default();
        self.dispatch(&Line { message: &message, words, text, label, batch, past });
    }

    fn dispatch(&mut self, line: &Line<'_>) {
        let words = line.words;
        let command = line.message.command.to_ascii_uppercase();
        match command.as_str() {
            "PING" => self.send_now("PONG", &[], Some(line.text)),
            "PONG" => self.pong(words),
            "CAP" => self.cap(words),
            "AUTHENTICATE" => self.sasl_asked(words.first().copied().unwrap_or_default()),
            "BATCH" => self.batch(line),
            "PRIVMSG" | "NOTICE" => self.message_line(line),
            _ if line.past => {}
            "TAGMSG" => self.tag_message(line.message),
            "REDACT" => self.redacted(line.message, words),
            "FAIL" | "WARN" | "NOTE" => self.standard_reply(&command, line),
            "REGISTER" => self.registered(words),
            "ACK" => self.acknowledged(line.label.as_deref()),
            "CHATHISTORY" => self.history_target(words),
            "ERROR" if self.quit => {}
            "ERROR" => {
                self.banned |= is_ban(line.text);
                self.show_text(line.text);
            }
            "WALLOPS" => {
                let who = people::name(line.message);
                self.show_text(format!("{who} to all operators: {}", line.text));
            }
            _ => match line.message.numeric() {
                Some(numeric) => self.numeric(numeric, line),
                None if self.about_people(&command, line) => {}
                None => self.show_text(format!("{command} {}", words.join(" "))),
            },
        }
    }

    fn pong(&mut self, words: &[&str]) {
        if self.pace.pong(words) {
            // With a label an echo is recognised at any time; without, only in order.
            let known = self.server.has("echo-message") && self.server.has("labeled-response");
            self.sent.taken(self.pace.taken, known);
            self.give_up_joins();
            self.end_of_upload_answer();
            self.end_of_welcome();
        }
    }

    /// `BATCH +reference kind …`, `BATCH -reference`.
    fn batch(&mut self, line: &Line<'_>) {
        let [reference, rest @ ..] = line.words else { return };
        if let Some(reference) = reference.strip_prefix('+') {
            // The start of a multiline batch has the source too, but each of its lines repeats it.
            let tags = line.message.tags.iter().map(|tag| match tag.raw_value {
                Some(value) => format!("{}={value}", tag.key),
                None => tag.key.to_owned(),
            });
            let mut tags = tags.collect::<Vec<_>>().join(";");
            if tags.len() > MAX_TAGS {
                tags.clear();
            }
            let kind = rest.first().copied().unwrap_or_default().to_owned();
            let target = rest.get(1).copied().unwrap_or_default().to_owned();
            let batch = Batch { kind, target, tags, outer: line.batch.clone(), ..Batch::default() };
            return self.batches.open(reference, batch);
        }
        let Some(reference) = reference.strip_prefix('-') else { return };
        let label = self.batches.label(reference);
        let Some(mut batch) = self.batches.close(reference) else { return };
        if batch.overflowed {
            self.note("part of the answer was too long and is not shown");
        }
        match batch.kind.as_str() {
            "draft/multiline" => {
                let Some(message) = batch.messages.pop() else { return };
                let outer = batch.outer.as_deref().and_then(|outer| self.batches.get(outer));
                match outer.filter(|outer| outer.waits()) {
                    Some(outer) => outer.add(message, false),
                    None => self.message_received(message, label.as_deref()),
                }
            }
            "chathistory" => self.history_received(&batch.target, batch.messages),
            "soju.im/search" => {
                self.show_text(format!("found {}", counted(batch.messages.len(), "message")));
                batch.messages.into_iter().for_each(|chat| self.show(chat, true));
            }
            "netsplit" => {
                self.show_text(format!("netsplit: {} quit", counted(batch.counted, "user")))
            }
            "netjoin" => self
                .show_text(format!("end of a netsplit: {} joined", counted(batch.counted, "user"))),
            _ => {}
        }
    }

    fn message_line(&mut self, line: &Line<'_>) {
        let message = line.message;
        let batch = line.batch.as_deref().and_then(|it| self.batches.get(it));
        let Some(batch) = batch.filter(|batch| batch.waits()) else {
            if let Some(chat) = ChatMessage::of(message, message.tags) {
                self.message_received(chat, line.label.as_deref());
            }
            return;
        };
        let tags = batch.tags.clone();
        let head = if batch.is_one_message() { Tags::new(&tags) } else { message.tags };
        if let Some(chat) = ChatMessage::of(message, head) {
            batch.add(chat, message.tags.find("draft/multiline-concat").is_some());
        }
    }

    /// IRCv3 labeled-response: nothing has come of a message. Where its echo would have, it was not
    /// delivered: a notice to no one, for example, of which no error tells.
    fn acknowledged(&mut self, label: Option<&str>) {
        let to_service = label.is_some_and(|label| self.sent.is_to_service(label));
        if self.server.has("echo-message") && !to_service {
            self.message_rejected(label, "the server did not deliver it");
        }
    }

    /// IRCv3 standard-replies: `FAIL command code [context …] :text`.
    fn standard_reply(&mut self, kind: &str, line: &Line<'_>) {
        let [command, code, middle @ .., text] = line.words else { return };
        if let ("NOTE", "UPLOAD", "URL", [url, ..]) = (kind, *command, *code, middle) {
            return self.upload_offered(url);
        }
        if kind == "FAIL" {
            if *command == "CHATHISTORY" {
                return self.history_refused(middle, text);
            }
            if self.message_rejected(line.label.as_deref(), text) {
                return;
            }
            if *command == "BATCH" || *command == "REDACT" || *command == "REGISTER" {
                self.logins.registering = None;
            }
        }
        let about = middle.join(" ");
        let about = if about.is_empty() { String::new() } else { format!(", {about}") };
        let text = match self.server.is_chatloop {
            // Its texts say it all.
            true => (*text).to_owned(),
            false => format!("{text} ({command} {code}{about})"),
        };
        if kind == "FAIL" { self.fail(text) } else { self.show_text(text) }
    }

    /// `REGISTER SUCCESS account :text`, IRCv3 draft/account-registration.
    fn registered(&mut self, words: &[&str]) {
        let [status, account, .., text] = words else { return };
        if *status == "SUCCESS" {
            if let Some(asked) = self.logins.registering.take() {
                self.logins.current =
                    Some(super::Login { account: (*account).to_owned(), ..asked });
            }
            let text = format!("account {account} registered; next time, use --account {account}");
            return self.show_text(text);
        }
        self.show_text(format!("{account}: {text}"));
    }
}
