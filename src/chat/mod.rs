//! chat: to come.
