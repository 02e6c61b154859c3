//! Account registration. IRCv3 draft/account-registration.

use super::Context;
use crate::chat::{Command, Name, Secret};
use crate::wire::irc::Message;

/// `REGISTER account|* email|* password`.
pub(super) fn register(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [account, _, password] = message.words();
    let Some(user) = context.user() else {
        let text = "You must complete the connection before registering an account";
        return context.fail("COMPLETE_CONNECTION_REQUIRED", &[account], text);
    };
    if account != "*" && user.identity.nick != Name::new(account) {
        let text = "Your account name must be your nickname";
        return context.fail("ACCOUNT_NAME_MUST_BE_NICK", &[account], text);
    }
    context.run(Command::Register(Secret::new(password)));
}

/// `VERIFY account code`: accounts need no verification here.
pub(super) fn verify(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [account] = message.words();
    if !context.session.is_registered() {
        let text = "You must complete the connection before verifying an account";
        return context.fail("COMPLETE_CONNECTION_REQUIRED", &[account], text);
    }
    context.fail("INVALID_CODE", &[account], "There is nothing to verify");
}
