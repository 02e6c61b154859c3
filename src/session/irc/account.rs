//! Account registration. IRCv3 draft/account-registration.

use super::Context;
use crate::chat::{Command, Name, Secret};
use crate::session::action::Action;
use crate::session::fingerprint::canonical;
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

/// `CERT ADD|LIST|DEL fingerprint`: the certificates that log in to the user's account by SASL
/// EXTERNAL. No IRCv3 specification has a command for it.
pub(super) fn cert(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [subcommand, fingerprint] = message.words();
    match subcommand.to_ascii_uppercase().as_str() {
        "ADD" => context.actions.push(Action::AddCertificate),
        "DEL" if !fingerprint.is_empty() => {
            context.run(Command::Certificate(canonical(fingerprint), false));
        }
        "LIST" => {
            let hub = context.view.hub;
            let known = context.user().and_then(|user| hub.certificates_of(user).ok());
            let known = known.unwrap_or_default().to_vec();
            let mut reply = context.reply();
            known.iter().for_each(|it| reply.notice(it));
            reply.notice(&format!("Certificates of your account: {}", known.len()));
        }
        _ => context.need_more(),
    }
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
