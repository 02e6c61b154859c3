//! Registration and farewell: PASS, NICK, USER, PING, QUIT.

use super::fields;
use super::{
    Action, Context, Replies, Session, View, about, read_marker, refusals, sasl, settings,
    subscriptions,
};
use crate::chat::{Command, Entry, Metadata, Name, Refusal, Secret, limits};
use crate::wire::irc::{Message, name, numeric};
use std::sync::Arc;

/// What a client has said of itself until it is in.
#[derive(Default)]
pub(super) struct Door {
    pub(super) nick: Option<Name>,
    username: Option<Arc<str>>,
    realname: Option<Arc<str>>,
    password: Option<Secret>,
    /// Capabilities are being agreed on: the door stays shut until `CAP END`.
    pub(super) negotiating: bool,
    /// The account it has proved.
    pub(super) account: Option<Name>,
    /// What it says of itself for programs.
    pub(super) metadata: Metadata,
    /// Its coming in is written down.
    entering: bool,
}

/// `PASS password`.
pub(super) fn pass(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if let Some(door) = &mut context.session.door {
        door.password = message.parameters.first().map(|text| Secret::new(*text));
    }
}

/// `USER name mode unused :real name`.
pub(super) fn user(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [username, _, _, realname, ..] = *message.parameters.as_slice() else { return };
    if username.is_empty() || realname.is_empty() {
        return context.need_more();
    }
    // Nobody has asked the client's machine: the ~ says so.
    let short = &username[..username.floor_char_boundary(settings::USER_LENGTH)];
    let cleaned = short.trim_start_matches('~');
    let plain = name::is_user_name(cleaned, settings::USER_LENGTH) && cleaned.is_ascii();
    if !plain {
        return context.numeric(numeric::ERR_INVALIDUSERNAME, &[]);
    }
    let end = realname.floor_char_boundary(limits::REAL_NAME_LENGTH);
    let Some(door) = &mut context.session.door else { return };
    door.username = Some(format!("~{cleaned}").into());
    door.realname = Some(realname[..end].into());
    come_in(context);
}

/// `NICK name`.
pub(super) fn nick(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let wanted = message.parameters.first().copied().unwrap_or_default();
    if wanted.is_empty() {
        return context.numeric(numeric::ERR_NONICKNAMEGIVEN, &[]);
    }
    if context.session.is_in() {
        let same = context.user().is_some_and(|user| user.identity.nick.as_str() == wanted);
        if !same {
            context.run(Command::Nick(wanted.into()));
        }
        return;
    }
    let checked = Name::nick(wanted).map_err(|fault| Refusal::BadNick(wanted.into(), fault));
    let free = checked.and_then(|nick| {
        let account = context.session.door.as_ref().and_then(|door| door.account.clone());
        match context.view.hub.nick_is_free(context.view.me, account.as_ref(), &nick) {
            // It may still prove that the account is its own.
            Err(Refusal::NickReserved(_)) if account.is_none() && negotiates(context) => Ok(nick),
            // Its other session may have it; then it gets one like it (`come_in`).
            Err(Refusal::NickInUse(_)) if negotiates(context) && may_be_own(context, &nick) => {
                Ok(nick)
            }
            Err(refusal) => Err(refusal),
            Ok(()) => Ok(nick),
        }
    });
    match free {
        Ok(nick) => {
            if let Some(door) = &mut context.session.door {
                door.nick = Some(nick);
            }
            come_in(context);
        }
        Err(refusal) => refusals::refuse("NICK", &[], &refusal, &mut context.reply()),
    }
}

/// Whether somebody who has a nick acts for the account that the client has proved, or may prove.
fn may_be_own(context: &Context<'_, '_>, nick: &Name) -> bool {
    let hub = context.view.hub;
    let holder = hub.session_of(nick.as_str()).and_then(|session| hub.user(session));
    let account = holder.and_then(|holder| holder.identity.account.as_ref());
    let proved = context.session.door.as_ref().and_then(|door| door.account.as_ref());
    account.is_some() && (proved.is_none() || proved == account)
}

/// A nick like one that another session of the same account has: the first of `nick_2`, `nick_3`
/// and so on that is free. Two clients of one person come in by the same settings, and a nick is
/// one session's only.
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
    context.session.door.as_ref().is_some_and(|door| door.negotiating)
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

/// Goes in, if all has been said.
pub(super) fn come_in(context: &mut Context<'_, '_>) {
    let Some(door) = &context.session.door else { return };
    let (Some(nick), Some(username), Some(realname)) = (&door.nick, &door.username, &door.realname)
    else {
        return;
    };
    if door.negotiating || door.entering {
        return;
    }
    if context.view.settings.password.is_some() && context.view.settings.password != door.password {
        context.numeric(numeric::ERR_PASSWDMISMATCH, &[]);
        let farewell = "Password incorrect".to_owned();
        context.actions.push(Action::Leave { words: None, farewell });
        return;
    }
    let mut entry = Entry {
        nick: Some(nick.clone()),
        username: Some(Arc::clone(username)),
        realname: Some(Arc::clone(realname)),
        account: door.account.clone(),
        named_only: true,
        metadata: door.metadata.clone(),
        ..Entry::default()
    };
    // It may have been taken meanwhile, or be an account that was not proved.
    if let Err(refusal) = choose_nick(context, &mut entry) {
        if let Some(door) = &mut context.session.door {
            door.nick = None;
        }
        return refusals::refuse("NICK", &[], &refusal, &mut context.reply());
    }
    if let Some(door) = &mut context.session.door {
        door.entering = true;
    }
    if context.session.has_sasl() {
        sasl::abort(context);
    }
    context.actions.push(Action::Enter(Box::new(entry)));
}

/// The nick that the entry wants, or one like it if another session of its account has that.
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
    /// It goes away; whether it was still outside.
    pub fn step_away(&mut self) -> bool {
        self.door.take().is_some()
    }

    /// Registers the client, if a proof was all that it waited for.
    pub fn go_on(&mut self, view: &mut View<'_>, out: &mut Replies, actions: &mut Vec<Action>) {
        come_in(&mut Context { session: self, view, out, actions });
    }

    /// The chat has not let it in: its nick was taken meanwhile.
    pub(super) fn turned_away(&mut self) {
        if let Some(door) = &mut self.door {
            door.entering = false;
            door.nick = None;
        }
    }
}

/// Everything that a client is told first.
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
