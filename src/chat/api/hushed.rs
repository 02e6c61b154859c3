//! The author of an event's words, and what is left of it without them.
//!
//! Someone who is silenced in a room, or ignored by a member, is still seen there: joining, leaving,
//! being away. What they wrote is not told with it. Both matches name every event, so a new one
//! does not compile before it has been decided whether it carries someone's words.

use super::effect::{Event, Holder};
use crate::chat::log::QuitReason;
use crate::chat::model::{Identity, IrcNames};
use std::sync::Arc;

/// Stands for an away message, of which IRC has no form without a text.
const AWAY: &str = "away";

impl Event {
    /// The user whose words it carries; `None` if it carries none, or those of a server operator.
    /// A name is not counted among them: everyone has to know what to call a user or a room.
    pub fn author(&self) -> Option<&Arc<Identity>> {
        let with_words = |who, has_words: bool| Some(who).filter(|_| has_words);
        let is_own = |away: &Option<Arc<str>>| away.as_ref().is_some_and(|text| **text != *AWAY);
        match self {
            Event::RoomMessage(message) => Some(&message.who),
            Event::DirectMessage(message) => Some(&message.who),
            Event::Tagged { who, .. }
            | Event::Reacted { who, .. }
            | Event::Edited { who, .. }
            | Event::TopicSet { who, .. }
            | Event::RealName { who }
            | Event::MetadataSet { holder: Holder::Person(who), .. } => Some(who),
            Event::Entered { who, .. } => with_words(who, who.names.realname().is_some()),
            Event::Joined { who, away, .. } => {
                with_words(who, is_own(away) || who.names.realname().is_some())
            }
            Event::Left { who, departure, .. } => {
                with_words(who, matches!(departure, QuitReason::Message(_)))
            }
            Event::Away { who, message } => with_words(who, is_own(message)),
            Event::Parted { who, reason, .. }
            | Event::Kicked { who, reason, .. }
            | Event::RoomRenamed { who, reason, .. }
            | Event::Deleted { who, reason, .. } => with_words(who, reason.is_some()),
            Event::Welcome { .. }
            | Event::Renamed { .. }
            | Event::Ignoring { .. }
            | Event::Invited { .. }
            | Event::InviteSeen { .. }
            | Event::ModesSet { .. }
            | Event::Kept { .. }
            | Event::UserModes { .. }
            | Event::Wallops { .. }
            | Event::MetadataSet { holder: Holder::Room(_), .. }
            | Event::ReadMarker { .. }
            | Event::ReplayHistory(_)
            | Event::Account { .. }
            | Event::Operator
            | Event::AccountManaged { .. }
            | Event::Accounts(_)
            | Event::Announced { .. }
            | Event::ServerBan { .. }
            | Event::Closed { .. }
            | Event::Refused(_)
            | Event::Rooms(_)
            | Event::Who { .. }
            | Event::Whois(_)
            | Event::TopicIs { .. }
            | Event::ModesAre { .. }
            | Event::Bans { .. }
            | Event::Ignored(_)
            | Event::Certificates(_)
            | Event::FileDeleted { .. }
            | Event::ServerBans(_)
            | Event::Connections(_)
            | Event::Past(_) => None,
        }
    }

    /// What is left of it without the author's words; `None` if nothing is.
    pub fn hushed(&self) -> Option<Event> {
        let mut event = match self {
            Event::RoomMessage(_)
            | Event::DirectMessage(_)
            | Event::Tagged { .. }
            | Event::Reacted { .. }
            | Event::Edited { .. }
            | Event::TopicSet { .. }
            | Event::RealName { .. }
            | Event::MetadataSet { holder: Holder::Person(_), .. } => return None,
            other => other.clone(),
        };
        match &mut event {
            Event::Entered { who, .. } => *who = without_real_name(who),
            Event::Joined { who, away, .. } => {
                *who = without_real_name(who);
                *away = away.take().map(|_| AWAY.into());
            }
            Event::Away { message, .. } => *message = message.take().map(|_| AWAY.into()),
            Event::Left { departure, .. } => *departure = QuitReason::Quit,
            Event::Parted { reason, .. }
            | Event::Kicked { reason, .. }
            | Event::RoomRenamed { reason, .. }
            | Event::Deleted { reason, .. } => *reason = None,
            _ => {}
        }
        Some(event)
    }
}

fn without_real_name(who: &Arc<Identity>) -> Arc<Identity> {
    let names = IrcNames::new(who.names.username().cloned(), None);
    Arc::new(Identity { names, ..Identity::clone(who) })
}
