//! The HTTP dialect in a build without the feature `web`: there is none, and a request is closed.

use super::action::Action;
use super::frame::{Body, Frame};
use crate::chat::Moment;
use std::time::Duration;

pub const HEAD_TIMEOUT: Duration = Duration::ZERO;

#[derive(Clone, Default, Debug)]
pub struct Settings {}

impl Settings {
    pub fn new<'a>(
        _: bool,
        _: impl IntoIterator<Item = &'a str>,
        _: impl IntoIterator<Item = &'a str>,
    ) -> Settings {
        Settings {}
    }
}

pub enum Session {}

impl Session {
    pub fn begin(_: &Settings) -> Option<Session> {
        None
    }

    pub fn next<'i>(&mut self, _: &'i [u8]) -> Frame<'i> {
        match *self {}
    }

    pub fn take(
        &mut self,
        _: &Body<'_>,
        _: &Settings,
        _: Moment,
        _: &mut Vec<u8>,
        _: &mut Vec<Action>,
    ) -> Outcome {
        match *self {}
    }

    pub fn timeout(&self, _: Moment) -> Option<Action> {
        match *self {}
    }

    pub fn websocket(&mut self) -> Option<&mut WebSocket> {
        match *self {}
    }

    pub fn begin_answer(&mut self) {
        match *self {}
    }

    pub fn is_unfinished(&self) -> bool {
        match *self {}
    }

    pub fn reject(&mut self, _: &str, _: &mut Vec<u8>) {
        match *self {}
    }

    pub fn farewell(&self, _: &str, _: &mut Vec<u8>) {
        match *self {}
    }
}

pub enum Outcome {
    Answer(Action),
    Upgrade(WebSocket, Vec<u8>),
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Framing {
    #[default]
    Lines,
}

impl Framing {
    pub fn wrap(self, _: &mut Vec<u8>, _: usize) {}

    pub fn append(self, lines: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(lines);
    }
}

pub enum Received {
    Nothing,
    Message(Vec<u8>),
    End(&'static str),
}

pub enum WebSocket {}

impl WebSocket {
    pub fn framing(&self) -> Framing {
        match *self {}
    }

    pub fn held(&self) -> usize {
        match *self {}
    }

    pub fn next<'i>(&self, _: &'i [u8], _: impl FnOnce(&[u8]) -> bool) -> Frame<'i> {
        match *self {}
    }

    pub fn take(&mut self, _: &[u8], _: &mut Vec<u8>) -> Received {
        match *self {}
    }

    pub fn not_one_line(&mut self) -> &'static str {
        match *self {}
    }

    pub fn go_away(&mut self) {
        match *self {}
    }

    pub fn end(&mut self, _: &mut Vec<u8>) {
        match *self {}
    }

    pub fn ping(&self, _: &mut Vec<u8>) {
        match *self {}
    }
}
