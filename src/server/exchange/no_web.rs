//! Metrics and the loop's page in a build without the feature `web`: no request asks for them.

use super::Exchange;
use crate::session::{Action, ViewerRequest};
use chatloop_reactor::{Readiness, Token};

impl Exchange {
    pub(super) fn scrape(&mut self, _: Token, _: bool, _: bool) -> Action {
        Action::Gone
    }

    pub(super) fn make_loop_link(&mut self, token: Token) {
        self.notice(token, "this build has no page that shows the loop (feature web)");
    }

    pub(super) fn watch(&mut self, _: Token, _: Option<&str>, _: bool, _: &[u8]) -> Option<Action> {
        None
    }

    pub(super) fn perform_viewer_request(&mut self, _: Token, _: ViewerRequest) {}

    pub(super) fn forget_viewer(&mut self, _: Token) {}

    pub(in crate::server) fn is_viewer(&self, _: Token) -> bool {
        false
    }

    pub(super) fn viewer_tokens(&self) -> Vec<Token> {
        Vec::new()
    }

    pub(in crate::server) fn serve_viewer(&mut self, _: Readiness) {}

    pub(in crate::server) fn show_loop(&mut self, _: bool) {}
}
