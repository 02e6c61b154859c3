//! Account registration. IRCv3 draft/account-registration.

use super::Context;
use super::session::Answer;
use crate::chat::{AccountChange, Claim, Command, Name, Secret, Walk};
use crate::session::account_text;
use crate::session::action::Action;
use crate::session::fingerprint::canonical;
use crate::wire::irc::{Message, numeric};

/// `REGISTER account|* email|* password`.
pub(super) fn register(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [account, _, password] = message.words();
    let early = context.session.registration.as_ref();
    let (nick, known) = match (context.user(), early) {
        (Some(user), _) => (Some(user.identity.nick.clone()), None),
        (None, Some(early)) if context.view.settings.registers_early => {
            (early.wanted.clone(), early.account().cloned())
        }
        _ => {
            let text = "You must complete the connection before registering an account";
            return context.fail("COMPLETE_CONNECTION_REQUIRED", &[account], text);
        }
    };
    let Some(nick) = nick else {
        return context.fail("NEED_NICK", &[account], "Choose a nickname first: NICK");
    };
    if account != "*" && nick != Name::new(account) {
        let text = "Your account name must be your nickname";
        return context.fail("ACCOUNT_NAME_MUST_BE_NICK", &[account], text);
    }
    if let Some(known) = known {
        let text = "You are logged in to an account";
        return context.fail("ALREADY_AUTHENTICATED", &[known.as_str()], text);
    }
    match context.session.is_registered() {
        true => context.run(Command::Register(Secret::new(password))),
        false => {
            let secret = Secret::new(password);
            context.actions.push(Action::RegisterEarly(nick.as_str().into(), secret));
        }
    }
}

impl Context<'_, '_> {
    /// The account is there that it has registered before it has registered with the server.
    pub fn registered_early(&mut self, claim: Claim) {
        let words = ["SUCCESS", claim.account.as_str()];
        self.reply().line("REGISTER", &words, Some("Account created"));
        if let Some(registration) = &mut self.session.registration {
            registration.nick = Some(claim.account.clone());
        }
        self.logged_in_early(claim);
    }
}

/// `ACCOUNT LIST`, `ACCOUNT ADD|RESET name password`, `ACCOUNT DELETE name [ERASE]`: for operators, as
/// `/account` in plain text. No IRCv3 specification has a command for it.
pub(super) fn manage(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if !context.is_operator() {
        return context.numeric(numeric::ERR_NOPRIVILEGES, &[]);
    }
    let [subcommand, name, argument] = message.words();
    match subcommand.to_ascii_uppercase().as_str() {
        "LIST" => context.answer(Accounts(Walk::default())),
        "DELETE" if !name.is_empty() => {
            let erases = argument.eq_ignore_ascii_case("ERASE");
            context.run(Command::DeleteAccount(name.into(), erases));
        }
        subcommand @ ("ADD" | "RESET") if !argument.is_empty() => {
            let new = subcommand == "ADD";
            context.run(Command::SetAccount(name.into(), Secret::new(argument), new));
        }
        _ => context.need_more(),
    }
}

/// What an operator has done with an account.
pub(super) fn managed(context: &mut Context<'_, '_>, account: &Name, what: AccountChange) {
    context.reply().notice(&account_text::managed(account, what));
}

/// The answer to `ACCOUNT LIST`.
struct Accounts(Walk<Name>);

impl Answer for Accounts {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        let hub = context.view.hub;
        let Some(account) = hub.next_account(&mut self.0) else {
            context.reply().notice("End of the list of accounts");
            return false;
        };
        context.reply().notice(&account_text::line(&account));
        true
    }
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
