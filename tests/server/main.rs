//! The real server in its own process, driven over real sockets, signals and a terminal.

#![allow(clippy::unwrap_used)] // a test that cannot go on should say where

#[macro_use]
#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "disk")]
mod accounts;
#[cfg(feature = "disk")]
mod backup;
mod cases;
mod chat;
mod console;
mod crowd;
mod end;
mod fault;
#[cfg(all(feature = "disk", feature = "web"))]
mod files;
mod greeting;
#[cfg(feature = "web")]
mod http;
mod input;
mod irc;
mod irc_chat;
#[cfg(feature = "disk")]
mod irc_disk;
mod irc_first_steps;
mod irc_history;
mod isupport;
mod limits;
#[cfg(feature = "web")]
mod loop_page;
#[cfg(target_os = "linux")]
mod memory;
mod metadata;
#[cfg(target_os = "linux")]
mod origins;
mod sasl;
mod service;
mod settings;
#[cfg(feature = "tls")]
mod tls;
mod trace;
#[cfg(feature = "web")]
mod websocket;
