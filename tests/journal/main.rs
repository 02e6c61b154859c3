//! The journal, in memory and on disk, from the outside.

mod chat;
mod contract;
mod disk;
