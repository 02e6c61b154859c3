//! A room's topic.

use super::ids::Moment;
use super::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A topic, with who set it and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Topic {
    pub text: Arc<str>,
    pub by: Name,
    pub time: Moment,
}
