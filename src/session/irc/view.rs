//! The chat and the server as an IRC session may see them.

use super::counts::UserCounts;
use super::monitor::MonitorList;
use super::settings::Settings;
use super::whowas::Whowas;
use crate::chat::{Hub, Moment, SessionId, Stamp};

/// What a session may see while it takes a line or is told of an event.
pub struct View<'a> {
    pub hub: &'a Hub,
    pub settings: &'a Settings,
    /// Changed by MONITOR.
    pub monitors: &'a mut MonitorList,
    /// Read by WHOWAS.
    pub whowas: &'a Whowas,
    /// Changed as clients register, read by LUSERS.
    pub counts: &'a mut UserCounts,
    pub me: SessionId,
    pub now: Moment,
    /// Which event of which record it is told of, if it is.
    pub stamp: Option<Stamp>,
}
