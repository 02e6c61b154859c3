//! Files in a build without the feature `web`: none are moved.

use super::irc::FileRequest;
use crate::tls::Connector as Tls;
use chatloop_reactor::Poller;
use std::io;
use std::net::SocketAddr;

pub(super) struct ChatServer;

impl ChatServer {
    pub(super) fn new(_: String, _: u16, _: Vec<SocketAddr>, _: Option<Tls>) -> ChatServer {
        ChatServer
    }
}

pub(super) struct Files;

impl Files {
    pub(super) fn new(_: ChatServer, _: &mut Poller) -> io::Result<Files> {
        Ok(Files)
    }

    pub(super) fn move_to(&mut self, _: ChatServer) {}

    pub(super) fn begin(&mut self, _: FileRequest) -> Result<(), String> {
        Err("this program was built without HTTP (cargo feature web)".to_owned())
    }

    pub(super) fn follow(&mut self) -> Option<Result<String, String>> {
        None
    }

    pub(super) fn progress(&self) -> String {
        String::new()
    }

    pub(super) fn draw(&mut self) {}
}
