//! The WebSocket of a build without the feature `web`: there is none.

use std::io;
use std::net::SocketAddr;

pub enum WebSocket {}

impl WebSocket {
    pub fn default() -> WebSocket {
        unreachable!("the options offer none")
    }

    pub fn request(_: SocketAddr) -> String {
        String::new()
    }

    pub fn send(&mut self, _: &[u8], _: &mut Vec<u8>) {
        match *self {}
    }

    pub fn receive(&mut self, _: &mut [u8], _: &mut Vec<u8>, _: &mut Vec<u8>) -> io::Result<bool> {
        match *self {}
    }
}
