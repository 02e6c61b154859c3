//! The settings of the server, for what is derived from them.

use super::{Boot, Config};
use crate::settings::{Schema, name_of};
use clap::{Args, CommandFactory};

/// Every field of [`Config`]. The client has variables beginning with the same word.
pub(super) const SCHEMA: Schema = Schema {
    program: "chatloop-server",
    grammar: <Config as CommandFactory>::command,
    prefix: "CHATLOOP_",
    beside: &[],
    others: &["CHATLOOP_CLIENT_", "CHATLOOP_ACCOUNT_PASSWORD"],
};

/// Whether a setting takes effect only at the next start.
pub fn needs_restart(name: &str) -> bool {
    let boot = Boot::augment_args(clap::Command::new("boot"));
    boot.get_arguments().any(|arg| name_of(arg).as_deref() == Some(name))
}
