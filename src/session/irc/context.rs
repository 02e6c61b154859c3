//! A command in progress: whose it is, what it may see, where its replies and actions go.

use super::{Replies, ReplyWriter, Session, View};
use crate::chat::{Command, User};
use crate::session::action::Action;
use crate::wire::irc::{Numeric, numeric};

pub(super) struct Context<'a, 'v> {
    pub(super) session: &'a mut Session,
    pub(super) view: &'a mut View<'v>,
    pub(super) out: &'a mut Replies,
    pub(super) actions: &'a mut Vec<Action>,
}

impl<'v> Context<'_, 'v> {
    pub(super) fn reply(&mut self) -> ReplyWriter<'_> {
        self.session.reply(self.view, self.out)
    }

    /// Replies with a numeric and its usual text.
    pub(super) fn numeric(&mut self, numeric: Numeric, words: &[&str]) {
        self.reply().numeric(numeric, words);
    }

    /// Replies with a FAIL of the command in progress.
    pub(super) fn fail(&mut self, code: &str, words: &[&str], text: &str) {
        let command = self.session.command;
        self.reply().fail(command, code, words, text);
    }

    /// The command in progress lacks a parameter.
    pub(super) fn need_more(&mut self) {
        let command = self.session.command;
        self.numeric(numeric::ERR_NEEDMOREPARAMS, &[command]);
    }

    pub(super) fn is_operator(&self) -> bool {
        self.user().is_some_and(User::is_operator)
    }

    pub(super) fn run(&mut self, command: Command) {
        self.actions.push(Action::Do(command));
    }

    /// The client as a user; there is one once it has registered.
    pub(super) fn user(&self) -> Option<&'v User> {
        self.view.hub.user(self.view.me)
    }
}
