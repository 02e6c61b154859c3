//! SASL: AUTHENTICATE, in pieces of 400 bytes of base64. IRCv3 sasl-3.1, sasl-3.2.

use super::exchange::{Exchange, Failure, PIECE};
use super::{Caps, Context, Lines, Replies, Session, View};
use crate::chat::{Challenge, Claim};
use crate::wire::irc::{Message, numeric};
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
        Err(Failure::LongPiece) => {
            context.session.sasl = None;
            context.numeric(numeric::ERR_SASLTOOLONG, &[]);
        }
        Err(Failure::LongMessage) => fail(context, "SASL authentication failed: too long"),
        Err(Failure::Wrong) => fail(context, "SASL authentication failed"),
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
    let base64 = Base64::encode_string(text.as_bytes());
    let mut rest = base64.as_str();
    loop {
        let (piece, after) = rest.split_at(rest.len().min(PIECE));
        let word = if piece.is_empty() { "+" } else { piece };
        let _ = out.line().command("AUTHENTICATE").middle(word).end();
        if piece.len() < PIECE {
            return;
        }
        rest = after;
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
    /// Ends the exchange if it awaits the chat's decision; whether it did.
    pub(super) fn take_sasl(&mut self) -> bool {
        self.sasl.take_if(|exchange| exchange.is_asked()).is_some()
    }

    /// Whether an exchange is in progress.
    pub(super) fn has_sasl(&self) -> bool {
        self.sasl.is_some()
    }

    /// What came of `Proof::Begin`.
    pub fn challenged(&mut self, challenge: &Challenge, view: &mut View<'_>, out: &mut Replies) {
        match self.sasl.as_deref_mut().and_then(|exchange| exchange.challenge(challenge)) {
            Some(text) => say(&text, &mut out.lines()),
            None => self.fail_sasl(view, out),
        }
    }

    /// What came of `Proof::Scram`, if it fits: this claim, and our own proof for the client.
    pub fn signed(
        &mut self,
        claim: &Claim,
        signature: &str,
        view: &mut View<'_>,
        out: &mut Replies,
    ) {
        if self.sasl.as_deref_mut().is_some_and(|exchange| exchange.sign(claim)) {
            say(&crate::wire::scram::server_final(signature), &mut out.lines());
        } else {
            self.fail_sasl(view, out);
        }
    }

    /// The exchange, if there is one, has failed.
    pub fn fail_sasl(&mut self, view: &mut View<'_>, out: &mut Replies) {
        if self.sasl.take().is_some() {
            self.reply(view, out).numeric(numeric::ERR_SASLFAIL, &[]);
        }
    }

    /// The result of a proof before registration.
    pub fn proved(&mut self, claim: Option<Claim>, view: &mut View<'_>, out: &mut Replies) {
        let Some(claim) = claim else { return self.fail_sasl(view, out) };
        self.sasl = None;
        self.logged_in_early(claim, view, out);
        self.reply(view, out).numeric(numeric::RPL_SASLSUCCESS, &[]);
    }

    /// It has an account, before it has registered with the server.
    pub(super) fn logged_in_early(&mut self, claim: Claim, view: &mut View<'_>, out: &mut Replies) {
        let mut reply = self.reply(view, out);
        let prefix = format!("{}!*@*", reply.nick);
        let account = &claim.account;
        let text = format!("You are now logged in as {account}");
        reply.numeric_text(numeric::RPL_LOGGEDIN, &[&prefix, account.as_str()], &text);
        if let Some(registration) = &mut self.registration {
            registration.claim = Some(claim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_into_pieces_and_its_end_can_be_told() {
        let written = |bytes: usize| {
            let mut out = Vec::new();
            say(&"x".repeat(bytes), &mut Lines::shared(&mut out));
            let out = String::from_utf8(out).unwrap();
            let word = |line: &str| line.strip_prefix("AUTHENTICATE ").unwrap().to_owned();
            out.split_terminator("\r\n").map(word).collect::<Vec<String>>()
        };
        assert_eq!(written(0), ["+"]);
        assert_eq!(written(1), ["eA=="]);
        let lengths = |bytes| written(bytes).iter().map(String::len).collect::<Vec<_>>();
        assert_eq!(lengths(299), [400, 1], "padded to a full piece");
        assert_eq!(lengths(300), [400, 1]);
        assert_eq!(lengths(301), [400, 4]);
        assert_eq!(written(300)[1], "+");
    }
}
