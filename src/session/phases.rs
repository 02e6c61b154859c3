//! The beginning of a conversation, when its protocol is found, and its end.

use super::{Action, Detect, Dialect, Protocol, View, detect, http, irc, plain};
use crate::chat::Moment;
use std::time::Duration;

/// How long an IRC client may take to register.
const REGISTRATION: Duration = Duration::from_secs(30);

/// Why a peer is not served, whatever it speaks.
pub enum Refused {
    /// It has to encrypt.
    Unencrypted,
    /// It was not admitted, for this reason.
    NotAdmitted(String),
}

impl Dialect {
    /// The detection timeout has expired: what has come so far decides. The bytes of `input` that
    /// are done with.
    pub fn stop_detecting(
        &mut self,
        input: &[u8],
        refused: Option<Refused>,
        view: &mut View<'_>,
        actions: &mut Vec<Action>,
    ) -> usize {
        let Some(protocol) = self.expects() else { return 0 };
        let found = match protocol.of(detect(input)) {
            Detect::NeedMore if protocol == Protocol::Irc => Detect::Irc,
            found => found,
        };
        match refused {
            Some(refused) => self.refuse(found, refused, view, actions),
            None => self.begin(found, view, actions),
        }
        detect::before(input, found)
    }

    /// The first bytes tell the protocol of a peer that is not served: it is told so in its dialect. One
    /// that begins with TLS, inside of that.
    pub fn refuse(
        &mut self,
        protocol: Detect,
        refused: Refused,
        view: &mut View<'_>,
        actions: &mut Vec<Action>,
    ) {
        let before = actions.len();
        // It begins, so that it knows how to write to its peer; nothing else comes of that, but for a
        // handshake, and for what is no protocol of ours.
        self.begin(protocol, view, actions);
        if !matches!(actions[before..], [Action::StartTls | Action::Reject { .. }]) {
            actions.truncate(before);
            actions.push(match refused {
                Refused::NotAdmitted(farewell) => Action::Leave { words: None, farewell },
                Refused::Unencrypted => {
                    let http = protocol == Detect::Http;
                    let how = if http { "use https://" } else { "connect with TLS" };
                    let farewell = Some(format!("this server is for TLS only (--tls-only): {how}"));
                    Action::Reject { why: "not encrypted (--tls-only)", farewell }
                }
            });
        }
    }

    pub(super) fn begin(
        &mut self,
        protocol: Detect,
        view: &mut View<'_>,
        actions: &mut Vec<Action>,
    ) {
        if matches!(self, Dialect::Plain(plain) if plain.is_open()) {
            // It was taken for a plain peer because it was slow.
            actions.push(Action::Withdraw);
        }
        let silently = |why| Action::Reject { why, farewell: None };
        match (protocol, &mut *self) {
            (Detect::Plain | Detect::NeedMore, Dialect::Plain(plain)) => {
                plain.begin(view.settings.needs(), actions);
            }
            (Detect::Irc, _) => self.begin_irc(irc::Session::new(), view, actions),
            // Its handshake has been answered by a greeting in plain text.
            (Detect::Tls, Dialect::Plain(plain)) if !plain.is_undecided() => {
                actions.push(silently("TLS began after the greeting"));
            }
            (Detect::Tls, _) => actions.push(Action::StartTls),
            (Detect::Foreign, _) => {
                actions.push(silently("another protocol, not one of this server"));
            }
            (Detect::Proxy, _) => {
                let farewell = "the PROXY protocol is only for trusted proxies (--proxy-from)";
                let why = "the PROXY protocol, from an address that is not in --proxy-from";
                actions.push(Action::Reject { why, farewell: Some(farewell.to_owned()) });
            }
            (Detect::Http, _) => match http::Session::begin(&view.settings.web) {
                Some(http) => {
                    *self = Dialect::Http(http);
                    actions.push(Action::AwaitRegistration(http::HEAD_TIMEOUT));
                }
                None => actions.push(silently("HTTP is off (--no-http)")),
            },
            (Detect::Plain | Detect::NeedMore, Dialect::Irc(_) | Dialect::Http(_)) => {}
        }
    }

    pub(super) fn begin_irc(
        &mut self,
        session: irc::Session,
        view: &mut View<'_>,
        actions: &mut Vec<Action>,
    ) {
        *self = Dialect::Irc(Box::new(session));
        view.counts.add_unregistered();
        actions.push(Action::AwaitRegistration(REGISTRATION));
    }

    /// Whether nothing has come yet that tells its protocol.
    pub fn is_undecided(&self) -> bool {
        self.expects().is_some()
    }

    /// What a peer may speak that has sent nothing yet which tells its protocol.
    pub fn expects(&self) -> Option<Protocol> {
        match self {
            Dialect::Plain(plain) if plain.is_undecided() => Some(plain.protocol()),
            _ => None,
        }
    }

    /// What becomes of a peer that has sent its last byte.
    pub fn input_ended(&self) -> Option<Action> {
        Some(match self {
            // It may still be reading the answer.
            Dialect::Http(http) if !http.is_unfinished() => return None,
            // An IRC client that has sent its last byte has gone: none listens on. A request that has
            // ended in its head has no answer.
            Dialect::Irc(_) | Dialect::Http(_) => Action::Gone,
            // It can give no password any more.
            Dialect::Plain(plain) if plain.is_locked() => plain::without_password(),
            Dialect::Plain(plain) if plain.is_undecided() => return None,
            Dialect::Plain(_) => Action::InputEnded,
        })
    }

    /// The time to register, or to send a request, is over: what becomes of a peer that has not.
    pub fn registration_timeout(&self, now: Moment) -> Option<Action> {
        let farewell = match self {
            Dialect::Http(http) => return http.timeout(now),
            // It has done its part; the disk has not.
            Dialect::Irc(irc) if irc.is_entering() => {
                return Some(Action::AwaitRegistration(REGISTRATION));
            }
            Dialect::Irc(irc) if !irc.is_registered() => "registration timed out".to_owned(),
            Dialect::Plain(plain) if plain.is_locked() => plain::password_timeout(),
            _ => return None,
        };
        Some(Action::Leave { words: None, farewell })
    }
}
