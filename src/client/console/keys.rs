//! What does a key do, where it stands: in the line, in a search, in front of a question?

use super::{Console, Wish};
use crate::client::complete::Completion;
use crate::client::link::Link;
use crate::client::{Notice, secrets};
use crate::terminal::keys::MAX_PASTE;
use crate::terminal::raw::suspend_job;
use crate::terminal::search::Step;
use crate::terminal::{Code, Input, Key, Outcome, Screen, Search};
use jiff::Zoned;

impl Console {
    pub(super) fn act(&mut self, link: &mut Link, now: &Zoned) -> Wish {
        for input in std::mem::take(&mut self.inputs) {
            let wish = match (input, self.question.take()) {
                (Input::Key(key), Some(lines)) => {
                    self.answer(key, lines, link, now);
                    Wish::Stay
                }
                (Input::Key(key), None) => self.key(key, link, now),
                // A second paste while the first one waits: one question at a time.
                (_, Some(lines)) => {
                    self.question = Some(lines);
                    self.bell();
                    Wish::Stay
                }
                (Input::Paste(text), None) => {
                    self.take_found();
                    let outcome = self.editor.paste(&text);
                    self.follow(outcome, link, now)
                }
                (Input::PasteTooLong, None) => {
                    let limit = MAX_PASTE / (1024 * 1024);
                    let text = format!("that paste is over {limit} MiB and was dropped");
                    self.notice(&Notice::error(text), now);
                    Wish::Stay
                }
            };
            if wish != Wish::Stay {
                return wish;
            }
        }
        Wish::Stay
    }

    fn key(&mut self, key: Key, link: &mut Link, now: &Zoned) -> Wish {
        if let Some(search) = &mut self.search {
            self.stale = true;
            match search.key(key, self.editor.history()) {
                Step::On => return Wish::Stay,
                Step::Failed => {
                    self.bell();
                    return Wish::Stay;
                }
                Step::GivenUp => {
                    self.search = None;
                    return Wish::Stay;
                }
                Step::Taken => self.take_found(),
            }
        }
        let outcome = self.editor.key(key);
        if outcome != Outcome::Complete {
            self.offer = None;
        }
        self.follow(outcome, link, now)
    }

    /// Ends a search: what was found is the line.
    fn take_found(&mut self) {
        if let Some(search) = self.search.take()
            && let Some((found, _)) = search.found()
        {
            self.editor.set(found);
        }
        self.stale = true;
    }

    /// Tab: the first that fits, and with each further Tab the next one.
    fn complete(&mut self, now: &Zoned) {
        let offer = match self.offer.take() {
            Some((start, words, place)) => {
                let next = (place + 1) % words.len();
                Some((start, words, next))
            }
            None => {
                let (line, cursor) = (self.editor.line(), self.editor.cursor());
                match self.dialect.vocabulary().complete(line, cursor, self.dialect.nick()) {
                    Completion::Nothing => None,
                    Completion::Words { start, words } => Some((start, words, 0)),
                    Completion::List(lines) => {
                        lines.iter().for_each(|line| self.notice(&Notice::note(line), now));
                        return;
                    }
                }
            }
        };
        let Some((start, words, place)) = offer else { return self.bell() };
        if self.editor.complete(start, &words[place]) == Outcome::Refused {
            return self.bell();
        }
        self.stale = true;
        // A single word is done: the next Tab completes what comes behind it.
        self.offer = (words.len() > 1).then_some((start, words, place));
    }

    fn follow(&mut self, outcome: Outcome, link: &mut Link, now: &Zoned) -> Wish {
        match outcome {
            Outcome::Unchanged => {}
            Outcome::Changed => self.stale = true,
            Outcome::Refused => self.bell(),
            Outcome::Complete => self.complete(now),
            Outcome::Search => {
                self.search = Some(Search::new());
                self.stale = true;
            }
            Outcome::Submitted(line) if line.is_empty() => self.stale = true,
            Outcome::Submitted(line) => {
                if secrets::begins(&line, self.dialect.forms()).is_none() {
                    self.editor.remember(&line);
                }
                if let Err(why) = self.say(std::slice::from_ref(&line), link, now) {
                    self.editor.set(&line);
                    self.notice(&Notice::error(format!("{why}; your line is kept")), now);
                    self.bell();
                }
            }
            Outcome::Interrupted | Outcome::Ended => return Wish::Leave,
            Outcome::Suspended => {
                if !suspend_job() {
                    self.bell();
                }
            }
            Outcome::ClearScreen => self.on_screen(Screen::clear),
            Outcome::Ask(lines) => {
                self.question = Some(lines);
                self.stale = true;
            }
        }
        Wish::Stay
    }

    /// One key decides about a paste.
    fn answer(&mut self, key: Key, lines: Vec<String>, link: &mut Link, now: &Zoned) {
        self.stale = true;
        let count = lines.len();
        match key {
            Key {
                code: Code::Char('y' | 'Y') | Code::Enter, control: false, alt: false, ..
            } => match self.say(&lines, link, now) {
                Ok(()) => {
                    self.editor.clear();
                }
                Err(why) => {
                    self.notice(&Notice::error(format!("{why}; nothing was sent")), now);
                    self.question = Some(lines);
                }
            },
            Key { code: Code::Char('n' | 'N') | Code::Escape, control: false, .. }
            | Key { code: Code::Char('c' | 'd'), control: true, .. } => {
                self.notice(&Notice::note(format!("{count} lines not sent")), now);
            }
            _ => {
                self.question = Some(lines);
                self.bell();
            }
        }
    }
}
