//! The tables of the hub: everything that a snapshot holds.

pub mod account;
pub mod guest_numbers;
pub mod hub;
pub mod initials;
pub mod room;
pub mod server_ban;
pub mod throttle;
pub mod user;
