//! Registration and farewell: PASS, NICK, USER, PING, QUIT.

use super::session::{Registration, ServerPassword};
use super::{
    Context, Session, about, fields, read_marker, refusals, sasl, settings, subscriptions,
};
use crate::chat::{Command, Entry, Name, Refusal, Secret, limits};
use crate::session::action::{Action, Relay};
use crate::session::frame::ProofAnswer;
use crate::wire::irc::{Message, name, numeric};
use core::net::IpAddr;
use std::sync::Arc;

/// `PASS password`.
pub(super) fn pass(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [text] = message.words();
    if awaits_password(context) {
        context.actions.push(Action::Unlock(Secret::new(text)));
    }
}

/// `WEBIRC password gateway hostname ip`: a gateway says who its client is. Host names are not used:
/// they are what a gateway believes. What comes in a WebSocket, a browser has written: the proxies
/// before this server pass it on unread.
pub(super) fn webirc(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [password, _, _, ip, ..] = *message.parameters.as_slice() else { return };
    if context.session.websocket.is_some() {
        return context.reply().notice("WEBIRC does not come in a WebSocket");
    }
    if !context.session.registration.as_ref().is_some_and(|it| it.is_fresh()) {
        return context.reply().notice("WEBIRC has to come before all else");
    }
    // An IPv6 address that begins with a colon is sent with a 0 before it.
    let ip = ip.parse().ok().map(|ip: IpAddr| ip.to_canonical());
    let password = Secret::new(password);
    context.actions.push(Action::Relay(Relay::Gateway { password, ip }));
}

/// The lines that have waited for the password, which is there now.
pub(super) fn take_early(context: &mut Context<'_, '_>) -> Vec<(&'static str, String)> {
    let Some(registration) = &mut context.session.registration else { return Vec::new() };
    registration.password = ServerPassword::Right;
    // It has not been checked yet.
    registration.nick = None;
    std::mem::take(&mut registration.early)
}

/// The password was wrong. A client that would be registered now is told so and leaves; another one
/// may try again, at the price of a guess.
pub(super) fn wrong_password(context: &mut Context<'_, '_>) {
    if let Some(registration) = &mut context.session.registration {
        registration.password = ServerPassword::Wrong;
    }
    reject_if_complete(context);
}

/// The client's origin has guessed too often to try now.
pub(super) fn guessed_too_often(context: &mut Context<'_, '_>, seconds: u64) {
    let farewell = format!("Too many wrong passwords; try again in {seconds} s");
    context.reply().numeric_text(numeric::ERR_PASSWDMISMATCH, &[], &farewell);
    context.actions.push(Action::Leave { words: None, farewell });
}

/// Whether the client has yet to give the server's password.
pub(super) fn awaits_password(context: &Context<'_, '_>) -> bool {
    let registration = context.session.registration.as_ref();
    let has_given = |it: &Registration| it.password == ServerPassword::Right;
    context.view.settings.has_password && registration.is_some_and(|it| !has_given(it))
}

/// Keeps a line for the time when the password is there. Of each command the last one counts, as it
/// would without a password; so three lines are kept at most.
pub(super) fn keep_early(context: &mut Context<'_, '_>, name: &'static str, message: &Message<'_>) {
    let mut line = name.to_owned();
    for (place, word) in message.parameters.iter().enumerate() {
        line.push_str(if place + 1 == message.parameters.len() { " :" } else { " " });
        line.push_str(word);
    }
    let Some(registration) = &mut context.session.registration else { return };
    if name == "NICK" {
        // For the replies alone.
        registration.nick = message.parameters.first().and_then(|nick| Name::nick(nick).ok());
    }
    registration.early.retain(|(other, _)| *other != name);
    registration.early.push((name, line));
    reject_if_complete(context);
}

/// The registration would be complete now, and the password is wrong or missing. If it is missing,
/// it may still come; until then this says what the client waits for.
fn reject_if_complete(context: &mut Context<'_, '_>) {
    let Some(registration) = &context.session.registration else { return };
    let has = |name| registration.early.iter().any(|(early, _)| *early == name);
    if registration.negotiating || !has("NICK") || !has("USER") {
        return;
    }
    if registration.password == ServerPassword::Missing {
        let text = "This server requires a password (PASS)";
        return context.reply().numeric_text(numeric::ERR_PASSWDMISMATCH, &[], text);
    }
    context.numeric(numeric::ERR_PASSWDMISMATCH, &[]);
    let farewell = "Password incorrect".to_owned();
    context.actions.push(Action::Leave { words: None, farewell });
}

/// `USER name mode unused :real name`.
pub(super) fn user(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [username, _, _, realname, ..] = *message.parameters.as_slice() else { return };
    if username.is_empty() || realname.is_empty() {
        return context.need_more();
    }
    // The ~ says that there was no ident lookup.
    let short = &username[..username.floor_char_boundary(settings::USER_LENGTH)];
    let cleaned = short.trim_start_matches('~');
    let plain = name::is_user_name(cleaned, settings::USER_LENGTH) && cleaned.is_ascii();
    if !plain {
        return context.numeric(numeric::ERR_INVALIDUSERNAME, &[]);
    }
    let end = realname.floor_char_boundary(limits::REAL_NAME_LENGTH);
    let Some(registration) = &mut context.session.registration else { return };
    registration.username = Some(format!("~{cleaned}").into());
    registration.realname = Some(realname[..end].into());
    try_register(context);
}

/// `NICK name`.
pub(super) fn nick(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let wanted = message.parameters.first().copied().unwrap_or_default();
    if wanted.is_empty() {
        return context.numeric(numeric::ERR_NONICKNAMEGIVEN, &[]);
    }
    if context.session.is_registered() {
        let same = context.user().is_some_and(|user| user.identity.nick.as_str() == wanted);
        if !same {
            context.run(Command::Nick(wanted.into()));
        }
        return;
    }
    let checked = Name::nick(wanted).map_err(|fault| Refusal::BadNick(wanted.into(), fault));
    if let Some(registration) = &mut context.session.registration {
        registration.wanted = checked.as_ref().ok().cloned();
    }
    let free = checked.and_then(|nick| {
        let account = context.session.registration.as_ref().and_then(|it| it.account().cloned());
        match context.view.hub.nick_is_free(context.view.me, account.as_ref(), &nick) {
            // It may still log in to that account.
            Err(Refusal::NickReserved(_)) if account.is_none() && negotiates(context) => Ok(nick),
            // Another session of its account may have it; then it gets a similar one (`try_register`).
            Err(Refusal::NickInUse(_)) if negotiates(context) && may_be_own(context, &nick) => {
                Ok(nick)
            }
            Err(refusal) => Err(refusal),
            Ok(()) => Ok(nick),
        }
    });
    match free {
        Ok(nick) => {
            if let Some(registration) = &mut context.session.registration {
                registration.nick = Some(nick);
            }
            try_register(context);
        }
        Err(refusal) => refusals::refuse("NICK", &[], &refusal, &mut context.reply()),
    }
}

/// Whether the user who has a nick is logged in to the account that the client has, or may have.
fn may_be_own(context: &Context<'_, '_>, nick: &Name) -> bool {
    let hub = context.view.hub;
    let holder = hub.session_of(nick.as_str()).and_then(|session| hub.user(session));
    let account = holder.and_then(|holder| holder.identity.account.as_ref());
    let proved = context.session.registration.as_ref().and_then(|it| it.account());
    account.is_some() && (proved.is_none() || proved == account)
}

/// A nick like one that another session of the same account has: the first free one of `nick_2`,
/// `nick_3` and so on. Two clients of one person often have the same settings.
fn another_nick(context: &Context<'_, '_>, nick: &Name, account: &Name) -> Option<Name> {
    let hub = context.view.hub;
    (2..=limits::SESSIONS_PER_ACCOUNT).find_map(|number| {
        let end = format!("_{number}");
        let most = limits::NICK_LENGTH - end.len();
        // A nick is ASCII: every place is between two characters.
        let start = nick.as_str().get(..most).unwrap_or(nick.as_str());
        let nick = Name::nick(&format!("{start}{end}")).ok()?;
        hub.nick_is_free(context.view.me, Some(account), &nick).is_ok().then_some(nick)
    })
}

fn negotiates(context: &Context<'_, '_>) -> bool {
    context.session.registration.as_ref().is_some_and(|registration| registration.negotiating)
}

/// `PING token`.
pub(super) fn ping(context: &mut Context<'_, '_>, message: &Message<'_>) {
    match message.parameters.first().copied().filter(|token| !token.is_empty()) {
        Some(token) => {
            let mut reply = context.reply();
            let server = reply.server;
            reply.line("PONG", &[server], Some(token));
        }
        None => context.numeric(numeric::ERR_NOORIGIN, &[]),
    }
}

/// `QUIT :words`.
pub(super) fn quit(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let words = message.parameters.first().copied().filter(|words| !words.is_empty());
    let end = words.map_or(0, |words| words.floor_char_boundary(limits::REASON_LENGTH));
    let words: Option<Arc<str>> = words.map(|words| words[..end].into());
    let farewell = match &words {
        Some(words) => format!("Quit: {words}"),
        None => "Client quit".to_owned(),
    };
    context.actions.push(Action::Leave { words, farewell });
}

/// Enters the chat, if nothing is missing.
pub(super) fn try_register(context: &mut Context<'_, '_>) {
    if awaits_password(context) {
        return reject_if_complete(context);
    }
    let Some(registration) = &context.session.registration else { return };
    let (Some(nick), Some(username), Some(realname)) =
        (&registration.nick, &registration.username, &registration.realname)
    else {
        return;
    };
    if registration.negotiating || registration.entering {
        return;
    }
    let mut entry = Entry {
        nick: Some(nick.clone()),
        username: Some(Arc::clone(username)),
        realname: Some(Arc::clone(realname)),
        account: registration.account().cloned(),
        as_of: registration.claim.as_ref().map(|claim| claim.as_of),
        named_only: true,
        metadata: registration.metadata.clone(),
        ..Entry::default()
    };
    // It may have been taken meanwhile, or be that of an account not logged in to.
    if let Err(refusal) = choose_nick(context, &mut entry) {
        if let Some(registration) = &mut context.session.registration {
            registration.nick = None;
        }
        return refusals::refuse("NICK", &[], &refusal, &mut context.reply());
    }
    if let Some(registration) = &mut context.session.registration {
        registration.entering = true;
    }
    if context.session.has_sasl() {
        sasl::abort(context);
    }
    context.actions.push(Action::Enter(Box::new(entry)));
}

/// The nick that the entry wants, or a similar one if another session of its account has that.
fn choose_nick(context: &Context<'_, '_>, entry: &mut Entry) -> Result<(), Refusal> {
    let Some(nick) = &entry.nick else { return Ok(()) };
    let free = context.view.hub.nick_is_free(context.view.me, entry.account.as_ref(), nick);
    if let (Err(Refusal::NickInUse(_)), Some(account)) = (&free, &entry.account)
        && may_be_own(context, nick)
        && let Some(another) = another_nick(context, nick, account)
    {
        entry.nick = Some(another);
        return Ok(());
    }
    free
}

impl Session {
    /// It disconnects; whether it had not registered.
    pub fn stop_registering(&mut self) -> bool {
        self.registration.take().is_some()
    }

    /// The chat has rejected its entry: the nick was taken meanwhile.
    pub(super) fn entry_rejected(&mut self) {
        if let Some(registration) = &mut self.registration {
            registration.entering = false;
            registration.nick = None;
        }
    }
}

impl Context<'_, '_> {
    /// A step of a login before the client has entered is done. A proof may have been all that its
    /// registration waited for.
    pub fn answer_proof(&mut self, answer: ProofAnswer<'_>) {
        match answer {
            ProofAnswer::Challenge(challenge) => self.challenged(challenge),
            ProofAnswer::Signed(claim, signature) => self.signed(claim, signature),
            ProofAnswer::Proved(claim) => {
                self.proved(claim);
                try_register(self);
            }
            ProofAnswer::Registered(claim) => {
                self.registered_early(claim);
                try_register(self);
            }
            ProofAnswer::Failed => self.fail_sasl(),
        }
    }
}

/// The first lines to a client that has registered.
pub(super) fn welcome(context: &mut Context<'_, '_>) {
    let settings = context.view.settings;
    let Some(user) = context.user() else { return };
    let prefix = fields::prefix(&user.identity);
    let mut reply = context.reply();
    let text = format!("Welcome to the {} chat, {prefix}", settings.network);
    reply.numeric_text(numeric::RPL_WELCOME, &[], &text);
    let text = format!("Your host is {}, running {}", settings.name, settings::VERSION);
    reply.numeric_text(numeric::RPL_YOURHOST, &[], &text);
    let text = format!("This server was started {}", fields::timestamp(settings.started));
    reply.numeric_text(numeric::RPL_CREATED, &[], &text);
    let channel_modes = settings::CHANNEL_MODES.concat() + settings::MEMBER_MODES.0;
    let arguments: String = settings::CHANNEL_MODES[..3].concat() + settings::MEMBER_MODES.0;
    let words =
        [&settings.name, settings::VERSION, settings::USER_MODES, &channel_modes, &arguments];
    reply.numeric(numeric::RPL_MYINFO, &words);
    about::isupport(context);
    about::lusers(context);
    subscriptions::tell_own(context);
    read_marker::tell_all(context);
    about::motd(context);
}
