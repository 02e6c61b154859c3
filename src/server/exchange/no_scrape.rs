//! `/metrics` in a build without the feature `web`: no request asks for them.

use super::Exchange;
use crate::session::Action;
use chatloop_reactor::Token;

impl Exchange {
    pub(super) fn scrape(&mut self, _: Token, _: bool, _: bool) -> Action {
        Action::Gone
    }
}
