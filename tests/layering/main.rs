//! The house's rules, held by reading the source as text, so that a broken rule fails a test and not
//! a review.
//!
//! | file | rule |
//! |---|---|
//! | `rooms` | which room may import which, and which floor of `chat/` which |
//! | `circles` | no two files of a room import each other |
//! | `owners` | `impl Server` in one file; no field of an owner is reached from outside |
//! | `system` | system calls, `unsafe`, sockets, clocks and temporary files where they are meant to be |
//! | `order` | no walk over a `HashMap` |
//! | `files` | one question for each file, its length, no unused file, tables that name all files |
//!
//! Each rule is a function over sources, and a test shows it fail on a sample. `source` and `imports`
//! are what the rules read with: a small lexer that blanks comments and literals, so that prose may
//! say what code may not, and the paths of `use`.

#![allow(clippy::unwrap_used)] // a test that cannot go on should say where

mod circles;
mod files;
mod imports;
mod order;
mod owners;
mod rooms;
mod source;
mod system;
