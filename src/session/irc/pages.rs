//! Answers of any length, page by page: the next page is written when the client has taken the last
//! one, so a question costs nothing while its asker does not read.
//!
//! What may be long implements [`Answer`], and is written by [`Context::answer`] alone. As long as a
//! client has an unfinished answer its next line waits; what others do is told in between.

use super::Context;
use super::session::Answer;
use crate::chat::{Command, Event, Listing};
use crate::session::action::Action;

/// Bytes of a page, more or less a line.
const PAGE: usize = 16 * 1024;

impl Context<'_, '_> {
    /// Writes an answer, or its first page, behind those that are unfinished: a JOIN of several
    /// channels has several.
    pub(super) fn answer(&mut self, mut answer: impl Answer + 'static) {
        if self.session.answers.is_some() || self.write_page(&mut answer) {
            self.session.answers.get_or_insert_default().push_back(Box::new(answer));
        }
    }

    /// Asks for the next page of a list, which the chat has, when this one has been taken.
    pub(super) fn continue_list(&mut self, page: &Event) {
        if let Some(more) = page.more() {
            let next = NextPage(Some(Box::new(more.clone())));
            self.session.answers.get_or_insert_default().push_back(Box::new(next));
        }
    }

    /// Writes the next page.
    pub fn more(&mut self) {
        let Some(mut answers) = self.session.answers.take() else { return };
        if let Some(mut answer) = answers.pop_front()
            && self.write_page(&mut *answer)
        {
            answers.push_front(answer);
        }
        self.session.answers = Some(answers).filter(|answers| !answers.is_empty());
    }

    /// Whether there is more.
    fn write_page(&mut self, answer: &mut dyn Answer) -> bool {
        let end = self.out.bytes().len() + PAGE;
        while self.out.bytes().len() < end {
            if !answer.step(self) {
                return false;
            }
        }
        true
    }
}

/// The next page of a list that the chat has, or the journal.
struct NextPage(Option<Box<Listing>>);

impl Answer for NextPage {
    fn step(&mut self, context: &mut Context<'_, '_>) -> bool {
        context.actions.extend(self.0.take().map(|more| Action::Do(Command::List(more))));
        false
    }
}
