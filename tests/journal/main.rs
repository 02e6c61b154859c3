//! The journal, in memory and on disk, from the outside.

// The helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

#[cfg_attr(not(feature = "disk"), allow(dead_code))] // some of it is for the disk
mod chat;
mod contract;
#[cfg(feature = "disk")]
mod disk;
#[cfg(feature = "disk")]
mod fixture;
#[cfg_attr(not(feature = "disk"), allow(unused_imports))]
mod hostile;
#[path = "../common/scratch.rs"]
mod scratch;
#[cfg(feature = "disk")]
mod transfer;
