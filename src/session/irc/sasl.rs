//! SASL: logins in pieces of 400 bytes of base64 (IRCv3 sasl-3.1, sasl-3.2), and its simplest
//! mechanism, PLAIN (RFC 4616). SCRAM is in `scram`.

use super::reply::{Lines, Replies};
use super::scram::Scram;
use super::{Action, Context, Proof, Session, View, settings};
use crate::chat::{Challenge, Name, Secret};
use crate::wire::irc::{Message, numeric};
use base64ct::{Base64, Encoding};

/// Bytes of one piece: a full piece is followed by another, if only `+`.
const PIECE: usize = 400;
/// Most bytes of base64 altogether: names and password are bounded far below.
const MOST: usize = 4_000;

/// An exchange in progress.
pub(super) struct Sasl {
    base64: String,
    stage: Stage,
}

/// What is to come.
enum Stage {
    /// PLAIN's one message.
    Plain,
    /// A message of SCRAM, from the client or from the worker.
    Scram(Box<Scram>),
    /// SCRAM has proved this account; the client has to acknowledge that it has seen our proof.
    Signed(Name),
    /// The decision.
    Asked,
}

/// `AUTHENTICATE mechanism|data|*|+`.
pub(super) fn authenticate(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let Some(word) = message.parameters.first().copied() else { return };
    if !context.session.caps.has(super::Caps::SASL) {
        return fail(context, "SASL authentication failed: no capability");
    }
    let account = match context.user() {
        Some(user) => user.identity.account.clone(),
        None => context.session.door.as_ref().and_then(|door| door.account.clone()),
    };
    if account.is_some() {
        return context.numeric(numeric::ERR_SASLALREADY, &[]);
    }
    if word == "*" {
        return abort(context);
    }
    let Some(sasl) = &mut context.session.sasl else { return begin(context, word) };
    if word.len() > PIECE {
        context.session.sasl = None;
        return context.numeric(numeric::ERR_SASLTOOLONG, &[]);
    }
    if sasl.base64.len() + word.len() > MOST {
        return fail(context, "SASL authentication failed: too long");
    }
    if word != "+" {
        sasl.base64.push_str(word);
        if word.len() == PIECE {
            return;
        }
    }
    let base64 = std::mem::take(&mut sasl.base64);
    // The writer of base64 has padded it, or it is none (RFC 4648, section 4).
    let text = Base64::decode_vec(&base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.and_then(|text| step(&mut sasl.stage, &text)) {
        Some(action) => context.actions.push(action),
        None => fail(context, "SASL authentication failed"),
    }
}

fn begin(context: &mut Context<'_, '_>, mechanism: &str) {
    let stage = match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => Stage::Plain,
        "SCRAM-SHA-256" => Stage::Scram(Box::default()),
        _ => {
            context.numeric(numeric::RPL_SASLMECHS, &[settings::MECHANISMS]);
            return fail(context, "SASL authentication failed");
        }
    };
    context.session.sasl = Some(Box::new(Sasl { base64: String::new(), stage }));
    say("", &mut context.out.lines());
}

/// What a whole message of the client leads to; `None` if it is wrong.
fn step(stage: &mut Stage, text: &str) -> Option<Action> {
    match stage {
        Stage::Plain => {
            let (name, secret) = plain(text)?;
            *stage = Stage::Asked;
            Some(Action::Prove(Proof::Password(name.into(), secret)))
        }
        Stage::Scram(scram) => {
            let (proof, decides) = scram.hear(text)?;
            if decides {
                *stage = Stage::Asked;
            }
            Some(Action::Prove(proof))
        }
        Stage::Signed(account) if text.is_empty() => {
            let account = account.clone();
            *stage = Stage::Asked;
            Some(Action::LogIn(account))
        }
        Stage::Signed(_) | Stage::Asked => None,
    }
}

/// Name and password of `authzid NUL authcid NUL password`.
fn plain(text: &str) -> Option<(String, Secret)> {
    let mut parts = text.split('\0');
    let (acts_for, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let one = acts_for.is_empty() || acts_for.eq_ignore_ascii_case(name);
    let fits = one && !name.is_empty() && !password.is_empty() && parts.next().is_none();
    fits.then(|| (name.to_owned(), Secret::new(password)))
}

/// Writes a message to the client, in pieces.
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

/// The client does not go on, by its own word or because it comes in without.
pub(super) fn abort(context: &mut Context<'_, '_>) {
    context.session.sasl = None;
    context.numeric(numeric::ERR_SASLABORTED, &[]);
}

impl Session {
    /// Whether the chat is asked for a proof, so that its answer is one to SASL.
    pub(super) fn take_sasl(&mut self) -> bool {
        self.sasl.take_if(|sasl| matches!(sasl.stage, Stage::Asked)).is_some()
    }

    /// Whether an exchange is in progress.
    pub(super) fn has_sasl(&self) -> bool {
        self.sasl.is_some()
    }

    /// What came of [`Proof::Begin`].
    pub fn challenged(&mut self, challenge: &Challenge, view: &mut View<'_>, out: &mut Replies) {
        match self.sasl.as_deref_mut() {
            Some(Sasl { stage: Stage::Scram(scram), .. }) => {
                say(&scram.challenge(challenge), &mut out.lines())
            }
            _ => self.fail_sasl(view, out),
        }
    }

    /// What came of [`Proof::Scram`], if it fits: this account, and our own proof for the client.
    pub fn signed(
        &mut self,
        account: &Name,
        signature: &str,
        view: &mut View<'_>,
        out: &mut Replies,
    ) {
        match self.sasl.as_deref_mut() {
            Some(sasl) if matches!(sasl.stage, Stage::Asked) => {
                sasl.stage = Stage::Signed(account.clone());
                say(&crate::wire::scram::server_final(signature), &mut out.lines());
            }
            _ => self.fail_sasl(view, out),
        }
    }

    /// Nothing comes of the exchange, if there is one.
    pub fn fail_sasl(&mut self, view: &mut View<'_>, out: &mut Replies) {
        if self.sasl.take().is_some() {
            self.reply(view, out).numeric(numeric::ERR_SASLFAIL, &[]);
        }
    }

    /// What came of a proof before coming in.
    pub fn proved(&mut self, account: Option<Name>, view: &mut View<'_>, out: &mut Replies) {
        let Some(account) = account else { return self.fail_sasl(view, out) };
        self.sasl = None;
        let mut reply = self.reply(view, out);
        let prefix = format!("{}!*@*", reply.nick);
        let text = format!("You are now logged in as {account}");
        reply.numeric_text(numeric::RPL_LOGGEDIN, &[&prefix, account.as_str()], &text);
        reply.numeric(numeric::RPL_SASLSUCCESS, &[]);
        if let Some(door) = &mut self.door {
            door.account = Some(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_three_parts_of_one_name() {
        let (name, secret) = plain("jilles\0Jilles\0sesame").unwrap();
        assert_eq!((name.as_str(), secret.expose()), ("Jilles", "sesame"));
        assert!(plain("\0jilles\0sesame").is_some());
        for wrong in ["", "foo", "a\0b", "bob\0jilles\0sesame", "\0\0sesame", "\0b\0", "\0b\0c\0d"]
        {
            assert!(plain(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_message_is_cut_into_pieces_and_its_end_can_be_told() {
        let said = |bytes: usize| {
            let mut out = Vec::new();
            say(&"x".repeat(bytes), &mut Lines::shared(&mut out));
            let out = String::from_utf8(out).unwrap();
            let word = |line: &str| line.strip_prefix("AUTHENTICATE ").unwrap().to_owned();
            out.split_terminator("\r\n").map(word).collect::<Vec<String>>()
        };
        assert_eq!(said(0), ["+"]);
        assert_eq!(said(1), ["eA=="]);
        let lengths = |bytes| said(bytes).iter().map(String::len).collect::<Vec<_>>();
        assert_eq!(lengths(299), [400, 1], "padded to a full piece");
        assert_eq!(lengths(300), [400, 1]);
        assert_eq!(lengths(301), [400, 4]);
        assert_eq!(said(300)[1], "+");
    }
}
