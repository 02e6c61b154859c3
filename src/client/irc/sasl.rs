//! Logging in with SASL (IRCv3 sasl-3.2): SCRAM-SHA-256 where the server supports it, else PLAIN
//! (RFC 4616).
//!
//! A server may support SCRAM but have no SCRAM keys of an old account: then PLAIN is tried, if the
//! server has it. That gives nothing away: a server that wants to see the password need only not
//! offer SCRAM.
//!
//! Bound: `MOST` bytes of one message of the server.

use super::IrcSession;
use super::handshake::{Exchange, How, Login};
use super::scram::Scram;
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// Bytes of base64 in one AUTHENTICATE; a full piece is followed by another, if only by `+`.
const PIECE: usize = 400;
/// Bytes of base64 of one message of a server.
const MOST: usize = 4_000;

impl IrcSession {
    /// Begins to log in.
    pub(super) fn begin_sasl(&mut self, login: Login) {
        let scram = self.has_mechanism("SCRAM-SHA-256");
        let how = if scram { How::Scram(None) } else { How::Plain };
        self.begin_exchange(login, how);
    }

    fn begin_exchange(&mut self, login: Login, how: How) {
        let mechanism = if matches!(how, How::Plain) { "PLAIN" } else { "SCRAM-SHA-256" };
        self.exchange = Some(Exchange { login, how, heard: String::new() });
        self.send_now("AUTHENTICATE", &[mechanism], None);
    }

    /// Servers with SASL 3.1 do not list their mechanisms.
    fn has_mechanism(&self, name: &str) -> bool {
        let mut all = self.server.value("sasl").split(',');
        all.any(|mechanism| mechanism.eq_ignore_ascii_case(name))
    }

    /// `AUTHENTICATE +` or a piece of a message.
    pub(super) fn sasl_asked(&mut self, piece: &str) {
        let Some(exchange) = &mut self.exchange else { return };
        if piece != "+" {
            exchange.heard.push_str(piece);
        }
        if exchange.heard.len() > MOST {
            return self.abort_sasl();
        }
        if piece.len() == PIECE {
            return;
        }
        let heard = std::mem::take(&mut exchange.heard);
        let heard = Base64::decode_vec(&heard).ok().and_then(|heard| String::from_utf8(heard).ok());
        let login = &exchange.login;
        let answer = match (&mut exchange.how, heard) {
            (_, None) => None,
            (How::Plain, Some(_)) => {
                Some(Zeroizing::new(format!("\0{}\0{}", login.account, *login.password)))
            }
            (How::Scram(Some(scram)), Some(heard)) => scram.hear(&heard).map(Zeroizing::new),
            (How::Scram(begun @ None), Some(_)) => {
                self.nonces += 1;
                let nonce = format!("{}{}", self.connect_options.nonce, self.nonces);
                Scram::begin(&login.account, &login.password, &nonce).map(|(scram, first)| {
                    *begun = Some(Box::new(scram));
                    Zeroizing::new(first)
                })
            }
        };
        match answer {
            Some(answer) => self.urgent.extend_from_slice(&pieces(answer.as_bytes())),
            None => self.abort_sasl(),
        }
    }

    /// The server's message is invalid: it is not trusted with more.
    fn abort_sasl(&mut self) {
        self.send_now("AUTHENTICATE", &["*"], None);
        self.exchange =
            self.exchange.take().map(|exchange| Exchange { how: How::Plain, ..exchange });
        self.sasl_failed("the server could not prove that it knows the password");
    }

    /// 903: logged in. During registration that continues.
    pub(super) fn sasl_done(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            self.login = Some(exchange.login);
        }
        self.sasl_over();
    }

    /// The login was rejected; PLAIN may be next.
    pub(super) fn sasl_failed(&mut self, why: &str) {
        let Some(exchange) = self.exchange.take() else { return };
        if matches!(exchange.how, How::Scram(_)) && self.has_mechanism("PLAIN") {
            return self.begin_exchange(exchange.login, How::Plain);
        }
        self.no_login(&exchange.login.account, why);
    }
}

/// The lines that carry a message.
fn pieces(message: &[u8]) -> Zeroizing<Vec<u8>> {
    let base64 = Zeroizing::new(Base64::encode_string(message));
    let mut out = Zeroizing::new(Vec::new());
    let mut piece = |piece: &[u8]| {
        out.extend_from_slice(b"AUTHENTICATE ");
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    };
    base64.as_bytes().chunks(PIECE).for_each(&mut piece);
    if base64.len().is_multiple_of(PIECE) {
        piece(b"+");
    }
    out
}
