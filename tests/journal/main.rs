//! The journal, in memory and on disk, from the outside.

// The helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod chat;
mod contract;
mod disk;
mod fixture;
mod transfer;
