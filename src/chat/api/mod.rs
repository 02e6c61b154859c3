//! What goes into the hub and what comes out: commands, decisions, effects, replies.

pub mod answer;
pub mod command;
pub mod effect;
pub mod history;
