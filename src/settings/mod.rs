//! Settings of a program: its flags, their variables in the environment, and a file.
//!
//! Each setting is defined once, as an argument of clap. The rest is derived: with the prefix
//! `CHATLOOP_`, `--max-line` is `CHATLOOP_MAX_LINE` in the environment and `max-line` in the file. A
//! value from the file becomes the flag's default before clap reads the command line, so every source
//! goes through the same parser with the same bounds, and clap knows which source won. Every value is
//! checked by itself first, so that an error names its place.
//!
//! | file | subject |
//! |---|---|
//! | `parameters` | the settings one by one, and a check of one value |
//! | `file` | what stands in a file, with its lines |
//! | `input` | the files that settings name: how they are read, and when not again |
//! | `environment` | variables that are wrong, and those that are mistyped |
//! | `documents` | completions and the manual page |

mod documents;
mod environment;
mod file;
mod input;
mod parameters;

pub use documents::{document, with_documents};
pub use file::InvalidFile;
pub use input::{check_again, read_bytes, read_text};
pub use parameters::{Entry, Schema, in_words, is_many, is_switch, name_of};
