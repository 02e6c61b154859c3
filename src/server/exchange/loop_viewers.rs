//! Viewers of the loop: who may be one, and what they are sent between turns.

use super::{Exchange, session};
use crate::chat::work::{BYTE, LINE};
use crate::chat::{Event, Refusal, User};
use crate::server::connection::Connection;
use crate::server::loop_viewers::KEY;
use crate::server::random::Random;
use crate::server::stats::Counter;
use crate::session::{Action, ViewerRequest, http};
use crate::trace::{Row, RowKind};
use chatloop_reactor::{Readiness, Token};
use log::info;

impl Exchange {
    /// Answers a server operator with a link to the page.
    pub(super) fn make_loop_link(&mut self, token: Token) {
        if !self.is_operator(token) {
            return self.reply(token, &Event::Refused(Refusal::NotOperator));
        }
        if self.live.config().loop_pages == 0 || self.live.config().no_http {
            return self.notice(token, "the loop is not shown (--loop-pages, --no-http)");
        }
        let Ok(key) = Random::System.bytes::<KEY>() else {
            return self.notice(token, "the system has no randomness for a link");
        };
        let config = self.live.config();
        let base = config.url.clone().unwrap_or_else(|| {
            let local = self.net.connection(token).and_then(|connection| {
                let scheme = if connection.is_encrypted() { "https" } else { "http" };
                Some(format!("{scheme}://{}", connection.io.transport.local_address().ok()?))
            });
            local.unwrap_or_else(|| format!("http://127.0.0.1:{}", config.boot.port))
        });
        let key = self.viewers.add_link(token, key);
        let text = format!(
            "to watch the loop, open {base}/loop#{key} (it works once, and only while you are connected)"
        );
        self.notice(token, &text);
    }

    /// A page asks to be shown the loop; the answer to one that may not be.
    pub(super) fn watch(
        &mut self,
        token: Token,
        key: Option<&str>,
        forwarded: bool,
        answer: &[u8],
    ) -> Option<Action> {
        let owner = key.and_then(|key| self.viewers.use_link(key));
        let connection = self.net.connection(token)?;
        let is_local = connection.address.ip().to_canonical().is_loopback() && !forwarded;
        let is_full = self.viewers.len() >= self.live.config().loop_pages as usize;
        if is_full || !(is_local || owner.is_some()) {
            if is_full {
                self.stats.count(Counter::LoopPages);
            }
            connection.session.stop_watching();
            return Some(http::not_shown(is_full, self.net.moment()));
        }
        info!("{}: is shown the loop", connection.address);
        self.speak(token, |_, _, out| out.extend_from_slice(answer));
        self.net.flush_alone(token);
        self.net.start_idling(token, None); // its request has come in time
        self.net.trace().hide(token);
        let position = self.net.trace().add_viewer();
        self.viewers.open(token, owner.filter(|_| !is_local), position);
        None
    }

    /// Does what a viewer asks for.
    pub(super) fn perform_viewer_request(&mut self, token: Token, request: ViewerRequest) {
        match request {
            ViewerRequest::Next => self.viewers.next(token),
            ViewerRequest::Step(turns) => self.stepper.step(turns),
            ViewerRequest::Run(runs) => self.stepper.run(runs),
        }
    }

    /// A connection is gone, and perhaps it was a viewer.
    pub(super) fn forget_viewer(&mut self, token: Token) {
        if self.viewers.forget(token) {
            self.net.trace().show(token);
            self.net.trace().remove_viewer();
        }
    }

    /// Whether this descriptor is served beside the turns.
    pub(in crate::server) fn is_viewer(&self, token: Token) -> bool {
        self.viewers.has(token)
    }

    pub(super) fn viewer_tokens(&self) -> Vec<Token> {
        self.viewers.tokens().collect()
    }

    /// Serves a viewer, beside the turns.
    pub(in crate::server) fn serve_viewer(&mut self, ready: Readiness) {
        let token = ready.token;
        if !self.net.read_alone(ready) {
            return self.gone(token);
        }
        let mut out = Vec::new();
        while let Some(mut peer) = self.net.peer(token)
            && self.viewers.has(token)
        {
            let Connection { io, session, .. } = &mut *peer.connection;
            let frame = session.next(io.inbox.pending(), usize::MAX, false);
            let (used, Some(body)) = (frame.used, frame.body) else { break };
            out.clear();
            let mut view = self.broadcast.view(self.engine.hub(), token, None);
            session.take(body, &mut view, &mut out, &mut self.actions);
            io.inbox.consume(used);
            self.broadcast.send(&mut peer, self.engine.hub(), &out);
            self.net.charge(token, LINE + BYTE.times(used), false);
            self.perform(token);
        }
        self.net.flush_alone(token);
    }

    /// Sends the viewers what is new.
    pub(in crate::server) fn show_loop(&mut self, is_held: bool) {
        if self.viewers.len() == 0 {
            return;
        }
        let hub = self.engine.hub();
        let orphans =
            self.viewers.orphans(|token| hub.user(session(token)).is_some_and(User::is_operator));
        for token in orphans {
            self.drain(token);
            self.net.flush_alone(token);
            self.forget_viewer(token);
        }
        let (inbox, soft, hard) = self.net.bounds();
        let hello = Row {
            kind: RowKind::Hello,
            a: u8::from(self.stepper.is_enabled()),
            b: 1,
            client: crate::trace::small(inbox),
            x: soft as u64,
            y: hard as u64,
        };
        let (hub, net, viewers) = (self.engine.hub(), &self.net, &mut self.viewers);
        let name = |token, connection: &Connection| match hub.user(session(token)) {
            Some(user) => user.identity.nick.to_string(),
            None => connection.address.to_string(),
        };
        let mut messages = Vec::new();
        while let Some(message) = viewers.next_message(
            net.trace(),
            hello,
            is_held,
            |rows| net.write_states(rows, name),
            |rows| net.write_timers(rows),
        ) {
            messages.push(message);
        }
        for (token, message) in messages {
            self.net.send_alone(token, &message);
        }
    }
}
