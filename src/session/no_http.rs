//! The HTTP dialect in a build without the feature `web`: there is none, and a request is closed.

use super::action::Action;
use super::frame::{Body, Frame};
use crate::chat::Moment;
use std::time::Duration;

pub const HEAD_TIMEOUT: Duration = Duration::ZERO;

#[derive(Clone, Default, Debug)]
pub struct Settings;

impl Settings {
    pub fn new<'a>(
        _: bool,
        _: impl IntoIterator<Item = &'a str>,
        _: impl IntoIterator<Item = &'a str>,
    ) -> Settings {
        Settings
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

    pub fn take(&self, _: &Body<'_>, _: &Settings, _: Moment) -> Action {
        match *self {}
    }

    pub fn timeout(_: Moment) -> Action {
        Action::Gone
    }

    pub fn farewell(_: &str, _: &mut Vec<u8>) {}
}
