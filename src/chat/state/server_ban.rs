//! A server-wide ban, as the hub and its snapshot hold it.

use crate::chat::log::BanTarget;
use crate::chat::model::{Moment, Name, Refusal};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An address or account that is kept out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServerBan {
    pub target: BanTarget,
    pub by: Name,
    pub reason: Option<Arc<str>>,
    pub until: Option<Moment>,
}

impl ServerBan {
    pub fn in_force(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    pub fn refusal(&self) -> Refusal {
        Refusal::ServerBanned { reason: self.reason.clone(), until: self.until }
    }
}
