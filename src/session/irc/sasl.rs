//! How does a client prove an account? SASL PLAIN (RFC 4616), in pieces of 400 bytes of base64.

use super::{Action, Context, Session, View, registration};
use crate::chat::{Command, Name, Secret};
use crate::wire::irc::{Message, numeric};

/// Bytes of one piece. IRCv3 sasl-3.1: a full piece is followed by another, if only `+`.
const PIECE: usize = 400;
/// Most bytes of base64 altogether: names and password are bounded far below.
const MOST: usize = 4_000;

/// An exchange in progress.
#[derive(Default)]
pub(super) struct Sasl {
    base64: String,
    /// The chat is asked; its answer is still to come.
    asked: bool,
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
        let text = "You have already authenticated using SASL";
        return context.pen().numeric(numeric::ERR_SASLALREADY, &[], text);
    }
    if word == "*" {
        context.session.sasl = None;
        let text = "SASL authentication aborted";
        return context.pen().numeric(numeric::ERR_SASLABORTED, &[], text);
    }
    let Some(sasl) = &mut context.session.sasl else {
        if word.eq_ignore_ascii_case("PLAIN") {
            context.session.sasl = Some(Box::default());
            let _ = crate::wire::irc::LineWriter::new(
                context.out,
                crate::wire::irc::Limits::FROM_SERVER,
            )
            .command("AUTHENTICATE")
            .middle("+")
            .end();
        } else {
            let text = "are available SASL mechanisms";
            context.pen().numeric(numeric::RPL_SASLMECHS, &["PLAIN"], text);
            fail(context, "SASL authentication failed");
        }
        return;
    };
    if word.len() > PIECE {
        context.session.sasl = None;
        let text = "SASL message too long";
        return context.pen().numeric(numeric::ERR_SASLTOOLONG, &[], text);
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
    match plain(&base64) {
        Some((account, secret)) => {
            sasl.asked = true;
            context.actions.push(if context.session.is_in() {
                Action::Do(Command::Login(account.into(), secret))
            } else {
                Action::Prove(account.into(), secret)
            });
        }
        None => fail(context, "SASL authentication failed"),
    }
}

fn fail(context: &mut Context<'_, '_>, text: &str) {
    context.session.sasl = None;
    context.pen().numeric(numeric::ERR_SASLFAIL, &[], text);
}

/// Name and password of `authzid NUL authcid NUL password`.
fn plain(base64: &str) -> Option<(String, Secret)> {
    let bytes = decode(base64)?;
    let text = String::from_utf8(bytes).ok()?;
    let mut parts = text.split('\0');
    let (acts_for, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let one = acts_for.is_empty() || acts_for.eq_ignore_ascii_case(name);
    let fits = one && !name.is_empty() && !password.is_empty() && parts.next().is_none();
    fits.then(|| (name.to_owned(), Secret::new(password)))
}

/// Base64 with its padding (RFC 4648, section 4).
fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    if text.is_empty() || !text.len().is_multiple_of(4) {
        return None;
    }
    let body = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in body.as_bytes().chunks(4) {
        let mut value = 0u32;
        for byte in four {
            value = value << 6 | u32::from(digit(*byte)?);
        }
        value <<= 6 * (4 - four.len());
        let [_, first, second, third] = value.to_be_bytes();
        bytes.extend_from_slice(&[first, second, third][..four.len().checked_sub(1)?]);
    }
    Some(bytes)
}

impl Session {
    /// Whether the chat is asked for a proof, so that its answer is one to SASL.
    pub(super) fn take_sasl(&mut self) -> bool {
        self.sasl.take().is_some_and(|sasl| sasl.asked)
    }

    /// What came of [`Action::Prove`].
    pub fn proved(&mut self, account: Option<Name>, view: &mut View<'_>, out: &mut Vec<u8>) {
        self.sasl = None;
        let mut pen = self.pen(view, out);
        match &account {
            Some(account) => {
                let nick = pen.nick.clone();
                let prefix = format!("{nick}!*@*");
                let text = format!("You are now logged in as {account}");
                pen.numeric(numeric::RPL_LOGGEDIN, &[&prefix, account.as_str()], &text);
                let text = "SASL authentication successful";
                pen.numeric(numeric::RPL_SASLSUCCESS, &[], text);
            }
            None => pen.numeric(numeric::ERR_SASLFAIL, &[], "SASL authentication failed"),
        }
        if let Some(door) = &mut self.door {
            door.account = account;
        }
    }

    /// Goes in, if all has been said meanwhile.
    pub fn go_on(&mut self, view: &mut View<'_>, out: &mut Vec<u8>, actions: &mut Vec<Action>) {
        registration::come_in(&mut Context { session: self, view, out, actions });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_to_the_letter() {
        for (text, bytes) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")]
        {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        for wrong in ["", "Zg", "Zg=", "Z===", "Zm9v!", "====", "Zm9vé"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn plain_is_three_parts_of_one_name() {
        let (name, secret) = plain("amlsbGVzAGppbGxlcwBzZXNhbWU=").unwrap();
        assert_eq!((name.as_str(), secret.expose()), ("jilles", "sesame"));
        assert!(plain("AGppbGxlcwBzZXNhbWU=").is_some());
        assert!(plain("Zm9v").is_none());
    }
}
