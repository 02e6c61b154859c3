//! Commands of server operators: OPER, KILL, WALLOPS, REHASH.

use super::Context;
use super::fields::cut;
use crate::chat::{Command, Secret, limits};
use crate::session::action::Action;
use crate::wire::irc::{Message, numeric};

/// `OPER name password`.
pub(super) fn oper(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [name, password] = message.words();
    context.run(Command::Oper(name.into(), Secret::new(password)));
}

/// `KILL nick [:reason]`.
pub(super) fn kill(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if may(context) {
        let [nick] = message.words();
        let reason = message.parameters.get(1).map(|text| cut(text, limits::REASON_LENGTH).into());
        context.run(Command::Kill(nick.into(), reason));
    }
}

/// `WALLOPS :text`.
pub(super) fn wallops(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if may(context) {
        let [text] = message.words();
        context.run(Command::Wallops(text.into()));
    }
}

/// `REHASH`.
pub(super) fn rehash(context: &mut Context<'_, '_>, _: &Message<'_>) {
    if may(context) {
        context.numeric(numeric::RPL_REHASHING, &["configuration"]);
        context.actions.push(Action::Reload);
    }
}

fn may(context: &mut Context<'_, '_>) -> bool {
    let operator = context.is_operator();
    if !operator {
        context.numeric(numeric::ERR_NOPRIVILEGES, &[]);
    }
    operator
}
