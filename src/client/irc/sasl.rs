//! Logging in with SASL (IRCv3 sasl-3.2): SCRAM-SHA-256, or PLAIN (RFC 4616) for a server that has
//! never offered SCRAM; EXTERNAL, if there is a certificate in place of a password.
//!
//! SCRAM that fails is never followed by PLAIN. A server may have no SCRAM keys of an old account,
//! and PLAIN would then succeed; but anyone who can make SCRAM fail would get the password that way.
//! So the user has to ask for it (`--sasl plain`). Nor is an offer forgotten: a server that offered
//! SCRAM before and does not now is sent no password.
//!
//! With SCRAM the server has to prove itself, too. One that claims success without it is an
//! impostor: the connection ends, and nothing is sent to it.

use super::handshake::{Exchange, How, Login};
use super::scram::{Scram, Step};
use super::{FailureKind, IrcSession, LoginMethod, RegistrationFailure};
use crate::wire::sasl::{Incoming, pieces};
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// Why the exchange cannot go on.
const INVALID: &str = "the server's SASL message is invalid";
const UNFIT: &str =
    "SCRAM does not allow this name or password (--sasl plain sends them as they are)";

impl IrcSession {
    /// Begins to log in.
    pub(super) fn begin_sasl(&mut self, login: Login) {
        let offered = self.has_mechanism("SCRAM-SHA-256");
        self.logins.scram_news |= offered && !self.logins.scram_seen;
        self.logins.scram_seen |= offered;
        let how = match self.connect_options.sasl {
            _ if login.password.is_empty() => How::External,
            LoginMethod::Plain => How::Plain,
            _ if offered => How::Scram(None),
            LoginMethod::Auto if !self.logins.scram_seen => How::Plain,
            _ => return self.no_scram(&login.account),
        };
        let mechanism = match how {
            How::Plain => "PLAIN",
            How::External => "EXTERNAL",
            How::Scram(_) => "SCRAM-SHA-256",
        };
        self.logins.exchange = Some(Exchange { login, how, incoming: Incoming::default() });
        self.send_now("AUTHENTICATE", &[mechanism], None);
    }

    /// The password may be sent by SCRAM only, and the server does not offer it.
    fn no_scram(&mut self, account: &str) {
        let not = if self.logins.scram_seen { "no longer offers" } else { "does not offer" };
        let why = format!(
            "the server {not} SCRAM-SHA-256; the password was not sent (--sasl plain sends it)"
        );
        self.no_login(account, &why);
    }

    /// Whether the server has offered SCRAM for the first time; once.
    pub fn take_scram_news(&mut self) -> bool {
        std::mem::take(&mut self.logins.scram_news)
    }

    /// Whether a success would be no more than the server's claim.
    pub(super) fn awaits_proof(&self) -> bool {
        let how = self.logins.exchange.as_ref().map(|exchange| &exchange.how);
        match how {
            Some(How::Scram(Some(scram))) => scram.step != Step::Proven,
            Some(How::Scram(None)) => true,
            Some(How::Plain | How::External) | None => false,
        }
    }

    /// Servers with SASL 3.1 do not list their mechanisms.
    fn has_mechanism(&self, name: &str) -> bool {
        let mut all = self.server.value("sasl").split(',');
        all.any(|mechanism| mechanism.eq_ignore_ascii_case(name))
    }

    /// `AUTHENTICATE +` or a piece of a message.
    pub(super) fn sasl_asked(&mut self, piece: &str) {
        let Some(exchange) = &mut self.logins.exchange else { return };
        let received = match exchange.incoming.take(piece) {
            Ok(Some(received)) => received,
            Ok(None) => return,
            Err(_) => return self.abort_sasl(INVALID),
        };
        let begins = matches!(exchange.how, How::Scram(None));
        let login = &exchange.login;
        let answer = match &mut exchange.how {
            How::Plain => Some(Zeroizing::new(format!("\0{}\0{}", login.account, *login.password))),
            How::External => Some(Zeroizing::new(login.account.clone())),
            How::Scram(Some(scram)) => scram.receive(&received).map(Zeroizing::new),
            How::Scram(begun @ None) => {
                self.logins.nonces += 1;
                let nonce = format!("{}{}", self.connect_options.nonce, self.logins.nonces);
                Scram::begin(&login.account, &login.password, &nonce).map(|(scram, first)| {
                    *begun = Some(Box::new(scram));
                    Zeroizing::new(first)
                })
            }
        };
        match answer {
            Some(answer) => {
                let base64 = Zeroizing::new(Base64::encode_string(answer.as_bytes()));
                for piece in pieces(&base64) {
                    for part in ["AUTHENTICATE ", piece, "\r\n"] {
                        self.urgent.extend_from_slice(part.as_bytes());
                    }
                }
            }
            None if begins => self.abort_sasl(UNFIT),
            None => self.abort_sasl(INVALID),
        }
    }

    /// The exchange cannot go on.
    fn abort_sasl(&mut self, why: &str) {
        self.send_now("AUTHENTICATE", &["*"], None);
        let Some(exchange) = self.logins.exchange.take() else { return };
        match &exchange.how {
            How::Scram(Some(scram)) if scram.step != Step::Begun => {
                self.impostor(&exchange.login.account)
            }
            _ => self.no_login(&exchange.login.account, why),
        }
    }

    fn impostor(&mut self, account: &str) {
        self.failed = true;
        let text = format!(
            "login as {account} failed: the server did not prove that it knows the password; it may be an impostor"
        );
        self.failure = Some(RegistrationFailure { kind: FailureKind::Impostor, why: text });
    }

    /// 903: logged in. During registration that continues.
    pub(super) fn sasl_done(&mut self) {
        let proven = !self.awaits_proof();
        let Some(exchange) = self.logins.exchange.take() else { return };
        if !proven {
            return self.impostor(&exchange.login.account);
        }
        self.logins.current = Some(exchange.login);
        self.sasl_over();
    }

    /// The login was rejected.
    pub(super) fn sasl_failed(&mut self, number: u16, why: &str) {
        let Some(exchange) = self.logins.exchange.take() else { return };
        match number {
            904 if matches!(exchange.how, How::External) => {
                let why = "the account does not know this certificate; log in with --sasl scram, and \
                           add it with /quote CERT ADD";
                self.no_login(&exchange.login.account, why);
            }
            904 => self.wrong_password(&exchange.login.account, why),
            _ => self.no_login(&exchange.login.account, why),
        }
    }
}
