//! How does a nick become an account? IRCv3 draft/account-registration.

use super::Context;
use crate::chat::{Command, Name, Secret};
use crate::wire::irc::Message;

/// `REGISTER account|* email|* password`.
pub(super) fn register(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [account, _, password, ..] = *message.parameters.as_slice() else { return };
    let Some(user) = context.user() else {
        let text = "You must complete the connection before registering an account";
        let words = [account];
        return context.reply().fail("REGISTER", "COMPLETE_CONNECTION_REQUIRED", &words, text);
    };
    if account != "*" && user.identity.nick != Name::new(account) {
        let text = "Your account name must be your nickname";
        return context.reply().fail("REGISTER", "ACCOUNT_NAME_MUST_BE_NICK", &[account], text);
    }
    context.run(Command::Register(Secret::new(password)));
}

/// `VERIFY account code`: nothing waits to be verified here.
pub(super) fn verify(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let account = message.parameters.first().copied().unwrap_or("*");
    if !context.session.is_in() {
        let text = "You must complete the connection before verifying an account";
        return context.reply().fail("VERIFY", "COMPLETE_CONNECTION_REQUIRED", &[account], text);
    }
    let text = "There is nothing to verify";
    context.reply().fail("VERIFY", "INVALID_CODE", &[account], text);
}
