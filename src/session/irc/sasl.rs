//! SASL: AUTHENTICATE. IRCv3 sasl-3.1, sasl-3.2.

use super::exchange::Exchange;
use super::{Caps, Context, Lines, Session};
use crate::chat::{Challenge, Claim};
use crate::wire::irc::{Message, numeric};
use crate::wire::sasl::{Fault, pieces};
use base64ct::{Base64, Encoding};

/// `AUTHENTICATE mechanism|data|*|+`.
pub(super) fn authenticate(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [word] = message.words();
    if !context.session.caps.has(Caps::SASL) {
        return fail(context, "SASL authentication failed: no capability");
    }
    // Before it registers, it may still become another account.
    if context.user().is_some_and(|user| user.identity.account.is_some()) {
        return context.numeric(numeric::ERR_SASLALREADY, &[]);
    }
    if word == "*" {
        return abort(context);
    }
    let Some(exchange) = &mut context.session.sasl else { return begin(context, word) };
    match exchange.take(word) {
        Ok(action) => context.actions.extend(action),
        Err(Fault::LongPiece) => {
            context.session.sasl = None;
            context.numeric(numeric::ERR_SASLTOOLONG, &[]);
        }
        Err(Fault::LongMessage) => fail(context, "SASL authentication failed: too long"),
        Err(Fault::Malformed) => fail(context, "SASL authentication failed"),
    }
}

fn begin(context: &mut Context<'_, '_>, mechanism: &str) {
    let Some(exchange) = Exchange::begin(mechanism) else {
        let mechanisms = context.view.settings.mechanisms();
        context.numeric(numeric::RPL_SASLMECHS, &[mechanisms]);
        return fail(context, "SASL authentication failed");
    };
    context.session.sasl = Some(Box::new(exchange));
    say("", &mut context.out.lines());
}

/// Writes a message in pieces.
fn say(text: &str, out: &mut Lines<'_>) {
    for piece in pieces(&Base64::encode_string(text.as_bytes())) {
        let _ = out.line().command("AUTHENTICATE").middle(piece).end();
    }
}

fn fail(context: &mut Context<'_, '_>, text: &str) {
    context.session.sasl = None;
    context.reply().numeric_text(numeric::ERR_SASLFAIL, &[], text);
}

/// The exchange ends because the client says so or registers without it.
pub(super) fn abort(context: &mut Context<'_, '_>) {
    context.session.sasl = None;
    context.numeric(numeric::ERR_SASLABORTED, &[]);
}

impl Session {
    /// Ends the exchange if it awaits an answer of the server; whether it did.
    pub(super) fn take_sasl(&mut self) -> bool {
        self.sasl.take_if(|exchange| exchange.awaits_server()).is_some()
    }

    /// Whether an exchange is in progress.
    pub(super) fn has_sasl(&self) -> bool {
        self.sasl.is_some()
    }
}

impl Context<'_, '_> {
    /// What came of `Proof::Begin`.
    pub(super) fn challenged(&mut self, challenge: &Challenge) {
        match self.session.sasl.as_deref_mut().and_then(|it| it.challenge(challenge)) {
            Some(text) => say(&text, &mut self.out.lines()),
            None => self.fail_sasl(),
        }
    }

    /// What came of `Proof::Scram`, if it fits: this claim, and our own proof for the client.
    pub(super) fn signed(&mut self, claim: &Claim, signature: &str) {
        if self.session.sasl.as_deref_mut().is_some_and(|exchange| exchange.sign(claim)) {
            say(&crate::wire::scram::server_final(signature), &mut self.out.lines());
        } else {
            self.fail_sasl();
        }
    }

    /// The exchange, if there is one, has failed.
    pub(super) fn fail_sasl(&mut self) {
        if self.session.sasl.take().is_some() {
            self.numeric(numeric::ERR_SASLFAIL, &[]);
        }
    }

    /// The result of a proof before registration.
    pub(super) fn proved(&mut self, claim: Option<Claim>) {
        let Some(claim) = claim else { return self.fail_sasl() };
        self.session.sasl = None;
        self.logged_in_early(claim);
        self.numeric(numeric::RPL_SASLSUCCESS, &[]);
    }

    /// It has an account, before it has registered with the server.
    pub(super) fn logged_in_early(&mut self, claim: Claim) {
        let mut reply = self.reply();
        let prefix = format!("{}!*@*", reply.nick);
        let account = &claim.account;
        let text = format!("You are now logged in as {account}");
        reply.numeric_text(numeric::RPL_LOGGEDIN, &[&prefix, account.as_str()], &text);
        if let Some(registration) = &mut self.session.registration {
            registration.claim = Some(claim);
        }
    }
}
