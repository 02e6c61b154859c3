//! What is one client told of its own doings, and of what concerns it alone?

use super::fields;
use super::render::{self, write};
use super::reply::{Lines, Replies};
use super::{
    Caps, Context, Session, View, channel, history, metadata, modes, read_marker, refusals,
    registration,
};
use crate::chat::{AccountStep, Event, Identity, Kind, Refusal, Viewpoint};
use crate::wire::irc::numeric;

impl Session {
    /// Adds the lines that tell this client of `event`. What is not the answer to its own command
    /// goes to `aside`.
    pub fn tell(
        &mut self,
        event: &Event,
        viewpoint: Viewpoint,
        view: &mut View<'_>,
        out: &mut Replies,
        aside: &mut Vec<u8>,
    ) {
        let mut actions = Vec::new();
        let mut context = Context { session: self, view, out, actions: &mut actions };
        if viewpoint == Viewpoint::Actor {
            own(&mut context, event, aside);
        } else {
            other(&mut context, event);
        }
    }

    /// Somebody whom it watches for, and with whom it shares no room, has changed.
    pub fn tell_of_watched(&self, event: &Event, view: &View<'_>, out: &mut Replies) {
        if self.caps.has(Caps::EXTENDED_MONITOR) {
            write(self.look(), view.stamp, event, &mut out.lines());
        }
    }

    /// Somebody whom it watches for is there or gone.
    pub fn tell_presence(&self, who: &Identity, there: bool, view: &View<'_>, out: &mut Replies) {
        let mut reply = self.reply(view, out);
        if there {
            reply.numeric_text(numeric::RPL_MONONLINE, &[], &fields::prefix(who));
            if let Some(user) = view.hub.user(who.session) {
                self.tell_watched_metadata(user, view.hub, &mut reply);
            }
        } else {
            reply.numeric_text(numeric::RPL_MONOFFLINE, &[], who.nick.as_str());
        }
    }
}

/// Of its own doing.
fn own(context: &mut Context<'_, '_>, event: &Event, aside: &mut Vec<u8>) {
    let (look, stamp) = (context.session.look(), context.view.stamp);
    let echoes = context.session.caps.has(Caps::ECHO_MESSAGE);
    match event {
        Event::Joined { who, room, .. } => {
            // That it is op there it sees among the names.
            render::joined(look.caps(), stamp, who, room, false, &mut context.out.lines());
            if let Some(room) = context.view.hub.room(room.as_str()) {
                channel::tell_room(context, room);
            }
        }
        Event::RoomMessage(_)
        | Event::Reacted { .. }
        | Event::Tagged { .. }
        | Event::Edited { .. } => {
            if let Event::Tagged { who, to, .. } = event
                && who.nick == *to
            {
                write(look, stamp, event, &mut Lines::shared(aside));
            }
            if echoes {
                write(look, stamp, event, &mut context.out.lines());
            }
        }
        Event::DirectMessage(told) => {
            let caps = look.caps();
            if told.who.nick == told.to {
                render::told(caps, told, told.to.as_str(), &mut Lines::shared(aside));
            }
            if echoes {
                render::told(caps, told, told.to.as_str(), &mut context.out.lines());
            }
            if told.kind == Kind::Notice {
                return;
            }
            if let Some(away) = &told.away {
                context.reply().numeric_text(numeric::RPL_AWAY, &[told.to.as_str()], away);
            } else if told.waits {
                let text = "is not here and gets it at the next login";
                context.reply().numeric_text(numeric::RPL_AWAY, &[told.to.as_str()], text);
            }
        }
        Event::Away { message, .. } => {
            let mut reply = context.reply();
            match message {
                Some(_) => {
                    reply.numeric(numeric::RPL_NOWAWAY, &[]);
                }
                None => {
                    reply.numeric(numeric::RPL_UNAWAY, &[]);
                }
            }
        }
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
        Event::MetadataSet { .. } | Event::ReadMarker { .. } => told_for_programs(context, event),
        Event::Wallops { .. } => {}
        event => write(look, stamp, event, &mut context.out.lines()),
    }
}

/// Of what it has said for programs to read.
fn told_for_programs(context: &mut Context<'_, '_>, event: &Event) {
    match event {
        Event::MetadataSet { holder, changes } => metadata::answer(context, holder, changes),
        Event::ReadMarker { target, time } => {
            read_marker::tell(context, target.as_str(), Some(*time));
        }
        _ => {}
    }
}

/// Of what concerns it alone.
fn other(context: &mut Context<'_, '_>, event: &Event) {
    match event {
        Event::Welcome { .. } => {
            context.session.door = None;
            context.view.counts.remove_unregistered();
            registration::welcome(context);
        }
        Event::Operator => {
            context.reply().numeric(numeric::RPL_YOUREOPER, &[]);
            modes::tell_user_modes(context, &[(crate::chat::UserMode::Operator, true)]);
        }
        Event::RoomRenamed { .. } => channel::renamed(context, event),
        Event::UserModes { changes, .. } => modes::tell_user_modes(context, changes),
        Event::Account { who, step } => account(context, who, *step),
        Event::Refused(refusal) => {
            if !context.session.is_in() {
                context.session.turned_away();
                return refusals::refuse("NICK", &[], refusal, &mut context.reply());
            }
            if context.session.take_sasl() {
                return context.reply().numeric(numeric::ERR_SASLFAIL, &[]);
            }
            let command = context.session.command;
            let subject = context.session.subject.take().unwrap_or_default();
            refusals::refuse(command, &subject, refusal, &mut context.reply());
            context.session.subject = Some(subject);
        }
        Event::Closed { why } => {
            let text = crate::session::refusal_text::of(why);
            if let Refusal::Killed { by, reason } = why {
                let reason = reason.as_deref().unwrap_or("no reason");
                let nick = context.session.nick(context.view);
                let mut lines = context.out.lines();
                let line = lines.line().source(by.as_str()).command("KILL").middle(nick.as_str());
                let _ = line.trailing(reason).end();
            }
            Session::error(&text, context.out);
        }
        Event::ReadMarker { target, time } => {
            if context.session.caps.has(Caps::READ_MARKER) {
                read_marker::tell(context, target.as_str(), Some(*time));
            }
        }
        Event::Past(past) => history::past(context, past),
        event => {
            let look = context.session.look();
            write(look, context.view.stamp, event, &mut context.out.lines());
        }
    }
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
        AccountStep::LoggedOut => {
            reply.numeric(numeric::RPL_LOGGEDOUT, &[&prefix]);
        }
        AccountStep::PasswordChanged => reply.notice("Your password is changed"),
    }
}
