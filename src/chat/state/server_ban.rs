//! A server-wide ban, as the hub and its snapshot hold it.

use crate::chat::log::BanTarget;
use crate::chat::model::{Moment, Name, Refusal};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An address or account that is kept out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServerBan {
    pub(in crate::chat) target: BanTarget,
    pub(in crate::chat) by: Name,
    pub(in crate::chat) reason: Option<Arc<str>>,
    pub(in crate::chat) until: Option<Moment>,
}

impl ServerBan {
    pub(in crate::chat) fn in_force(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    pub(in crate::chat) fn refusal(&self) -> Refusal {
        Refusal::ServerBanned { reason: self.reason.clone(), until: self.until }
    }
}
