//! What may server operators do? OPER, KILL, WALLOPS, REHASH.

use super::Context;
use crate::chat::{Command, Secret, limits};
use crate::wire::irc::{Message, numeric};

/// `OPER name password`.
pub(super) fn oper(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [name, password, ..] = *message.parameters.as_slice() else { return };
    context.run(Command::Oper(name.into(), Secret::new(password)));
}

/// `KILL nick :reason`.
pub(super) fn kill(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if !is_operator(context) {
        return;
    }
    let [nick, rest @ ..] = message.parameters.as_slice() else { return };
    let reason = rest.first().map(|reason| {
        let end = reason.floor_char_boundary(limits::REASON_LENGTH);
        reason[..end].into()
    });
    context.run(Command::Kill((*nick).into(), reason));
}

/// `WALLOPS :text`.
pub(super) fn wallops(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_operator(context)
        && let Some(text) = message.parameters.first()
    {
        context.run(Command::Wallops((*text).into()));
    }
}

/// `REHASH`: what is set is set by flags, so there is nothing to read again.
pub(super) fn rehash(context: &mut Context<'_, '_>, _: &Message<'_>) {
    if is_operator(context) {
        let text = "The configuration is the command line: nothing to read again";
        context.reply().numeric_text(numeric::RPL_REHASHING, &["flags"], text);
    }
}

fn is_operator(context: &mut Context<'_, '_>) -> bool {
    let operator = context.user().is_some_and(|user| user.is_operator());
    if !operator {
        context.reply().numeric(numeric::ERR_NOPRIVILEGES, &[]);
    }
    operator
}
