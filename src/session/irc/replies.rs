//! Events as one client is told of them: those that it has caused, and those that concern it alone.

use super::render::{direct_message, joined, write};
use super::{
    Caps, Context, Lines, Session, account as accounts, channel, fields, history, metadata, modes,
    read_marker, refusals, registration, vendor,
};
use crate::chat::{
    AccountStep, DirectMessage, Event, Identity, Kind, Refusal, UserMode, Viewpoint,
};
use crate::session::refusal_text;
use crate::wire::irc::numeric;

impl Context<'_, '_> {
    /// Adds the lines that tell this client of `event`. Those that do not answer its own command go
    /// to `aside`.
    pub fn tell(&mut self, event: &Event, viewpoint: Viewpoint, aside: &mut Vec<u8>) {
        match viewpoint {
            Viewpoint::Actor => own_action(self, event, &mut Lines::shared(aside)),
            Viewpoint::Observer => other(self, event),
        }
    }

    /// A user whom it monitors, and with whom it shares no room, has changed.
    pub fn tell_of_watched(&mut self, event: &Event) {
        if self.session.caps.has(Caps::EXTENDED_MONITOR) {
            self.observed(event);
        }
    }

    /// A user whom it monitors has come online or gone offline.
    pub fn tell_presence(&mut self, who: &Identity, online: bool) {
        if online {
            self.reply().numeric_text(numeric::RPL_MONONLINE, &[], &fields::prefix(who));
            if let Some(user) = self.view.hub.user(who.session) {
                self.tell_watched_metadata(user);
            }
        } else {
            self.reply().numeric_text(numeric::RPL_MONOFFLINE, &[], who.nick.as_str());
        }
    }

    /// The lines that observers with this client's capabilities receive.
    fn observed(&mut self, event: &Event) {
        let (caps, stamp) = (self.session.render_caps(), self.view.stamp);
        write(caps, stamp, event, &mut self.out.lines());
    }
}

fn own_action(context: &mut Context<'_, '_>, event: &Event, aside: &mut Lines<'_>) {
    let (caps, stamp) = (context.session.render_caps(), context.view.stamp);
    let echoes = context.session.caps.has(Caps::ECHO_MESSAGE);
    match event {
        Event::Joined { who, room, .. } => {
            // That it is an operator there is shown among the names.
            joined(caps.caps(), stamp, who, room, false, &mut context.out.lines());
            if let Some(room) = context.view.hub.room(room.as_str()) {
                channel::tell_room(context, room);
            }
        }
        Event::RoomMessage(_)
        | Event::Reacted { .. }
        | Event::Tagged { .. }
        | Event::Edited { .. } => {
            if matches!(event, Event::Tagged { who, to, .. } if who.nick == *to) {
                write(caps, stamp, event, aside);
            }
            if echoes {
                context.observed(event);
            }
        }
        Event::DirectMessage(message) => {
            if message.who.nick == message.to {
                direct_message(caps.caps(), message, message.to.as_str(), aside);
            }
            if echoes {
                context.observed(event);
            }
            tell_if_away(context, message);
        }
        Event::Away { message, .. } => context.numeric(
            if message.is_some() { numeric::RPL_NOWAWAY } else { numeric::RPL_UNAWAY },
            &[],
        ),
        Event::Invited { room, nick, .. } => {
            let away = context.view.hub.session_of(nick.as_str());
            let away = away.and_then(|session| context.view.hub.user(session)?.away());
            let mut reply = context.reply();
            reply.numeric(numeric::RPL_INVITING, &[nick.as_str(), room.as_str()]);
            if let Some(away) = away {
                reply.numeric_text(numeric::RPL_AWAY, &[nick.as_str()], away);
            }
        }
        Event::RoomRenamed { .. } => channel::renamed(context, event),
        Event::Account { who, step } => account(context, who, *step),
        Event::MetadataSet { holder, changes } => metadata::answer(context, holder, changes),
        Event::ReadMarker { target, time } => {
            read_marker::tell(context, target.as_str(), Some(*time));
        }
        Event::Wallops { .. } => {}
        event if vendor::answered(context, event, Viewpoint::Actor) => {}
        event => context.observed(event),
    }
}

/// Tells the sender that a direct message is not read right now.
fn tell_if_away(context: &mut Context<'_, '_>, message: &DirectMessage) {
    let offline = "is offline; the message will be delivered at the next login";
    let away = message.away.as_deref().or(message.waits.then_some(offline));
    if let Some(text) = away.filter(|_| message.kind != Kind::Notice) {
        context.reply().numeric_text(numeric::RPL_AWAY, &[message.to.as_str()], text);
    }
}

/// Tells a client of what others did, and answers what it asked.
fn other(context: &mut Context<'_, '_>, event: &Event) {
    match event {
        Event::Welcome { .. } => {
            context.session.registration = None;
            context.view.counts.remove_unregistered();
            registration::welcome(context);
        }
        Event::Operator => {
            context.numeric(numeric::RPL_YOUREOPER, &[]);
            modes::tell_user_modes(context, &[(UserMode::Operator, true)]);
        }
        Event::RoomRenamed { .. } => channel::renamed(context, event),
        Event::AccountManaged { account, what } => accounts::managed(context, account, *what),
        Event::UserModes { changes, .. } => modes::tell_user_modes(context, changes),
        Event::Account { who, step } => account(context, who, *step),
        Event::Refused(refusal) => refused(context, refusal),
        Event::Closed { why } => {
            if let Refusal::Killed { nick, by, reason } = why {
                let reason = reason.as_deref().unwrap_or("no reason");
                let mut lines = context.out.lines();
                let line = lines.line().source(&fields::prefix(by)).command("KILL");
                let _ = line.middle(nick.as_str()).trailing(reason).end();
            }
            if matches!(why, Refusal::AccountRequired { .. }) {
                let code = "ACCOUNT_REQUIRED_TO_CONNECT";
                context.reply().fail("*", code, &[], &refusal_text::of(why));
            }
            Session::error(&refusal_text::of(why), context.out);
        }
        Event::ReadMarker { target, time } => {
            if context.session.caps.has(Caps::READ_MARKER) {
                read_marker::tell(context, target.as_str(), Some(*time));
            }
        }
        event if vendor::answered(context, event, Viewpoint::Observer) => {}
        Event::Past(past) => {
            history::past(context, past);
            context.continue_list(event);
        }
        Event::FileDeleted { name } => context.reply().notice(&format!("deleted {name}")),
        event => context.observed(event),
    }
}

fn refused(context: &mut Context<'_, '_>, refusal: &Refusal) {
    if context.session.take_sasl() {
        return match refusal {
            Refusal::WrongPassword => context.numeric(numeric::ERR_SASLFAIL, &[]),
            // The password may be right.
            _ => {
                let text = format!("SASL authentication failed: {}", refusal_text::of(refusal));
                context.reply().numeric_text(numeric::ERR_SASLFAIL, &[], &text);
            }
        };
    }
    if !context.session.is_registered() && context.session.command != "REGISTER" {
        context.session.entry_rejected();
        return refusals::refuse("NICK", &[], refusal, &mut context.reply());
    }
    let command = context.session.command;
    let subject = context.session.subject.take().unwrap_or_default();
    refusals::refuse(command, &subject, refusal, &mut context.reply());
    context.session.subject = Some(subject);
}

fn account(context: &mut Context<'_, '_>, who: &Identity, step: AccountStep) {
    let by_sasl = context.session.take_sasl();
    let registers = context.session.command == "REGISTER";
    let mut reply = context.reply();
    let prefix = fields::prefix(who);
    let name = who.account.as_ref().unwrap_or(&who.nick);
    match step {
        AccountStep::Registered | AccountStep::LoggedIn => {
            if registers {
                reply.line("REGISTER", &["SUCCESS", name.as_str()], Some("Account created"));
            }
            let text = format!("You are now logged in as {name}");
            reply.numeric_text(numeric::RPL_LOGGEDIN, &[&prefix, name.as_str()], &text);
            if by_sasl {
                reply.numeric(numeric::RPL_SASLSUCCESS, &[]);
            }
            read_marker::tell_all(context);
        }
        AccountStep::LoggedOut => reply.numeric(numeric::RPL_LOGGEDOUT, &[&prefix]),
        AccountStep::PasswordChanged => reply.notice("Password changed"),
        AccountStep::Certificate(true) => reply.notice("Certificate added"),
        AccountStep::Certificate(false) => reply.notice("Certificate removed"),
    }
}
