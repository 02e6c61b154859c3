//! The tables of the hub: everything that a snapshot holds.

pub mod account;
mod accounts;
mod check;
pub mod guest_numbers;
pub mod hub;
mod indexed;
pub mod initials;
pub mod room;
pub mod room_list;
pub mod rooms;
pub mod server_ban;
pub mod table;
pub mod user;
pub mod users;

pub use account::{Account, note_partner};
pub use hub::{Hub, Private, Recalled};
pub use room::{Ban, Member, Registration, Room, RoomUsage};
pub use room_list::RoomList;
pub use server_ban::ServerBan;
pub use user::User;
