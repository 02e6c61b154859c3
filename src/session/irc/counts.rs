//! The user counts of LUSERS that the chat itself does not keep.

use crate::chat::Event;

/// Unregistered clients, and the most users there were at once.
#[derive(Default)]
pub struct UserCounts {
    unregistered: usize,
    unidentified: usize,
    peak: usize,
}

impl UserCounts {
    /// A client was identified as IRC but has not registered.
    pub fn add_unregistered(&mut self) {
        self.unregistered += 1;
    }

    /// An unregistered client registered, or left.
    pub fn remove_unregistered(&mut self) {
        self.unregistered = self.unregistered.saturating_sub(1);
    }

    /// So many connections have not said yet what they are.
    pub fn set_unidentified(&mut self, count: usize) {
        self.unidentified = count;
    }

    /// Notes how many users are online when one registers.
    pub fn observe(&mut self, event: &Event) {
        if let Event::Welcome { online, .. } = event {
            self.peak = self.peak.max(*online);
        }
    }

    pub(super) fn unregistered(&self) -> usize {
        self.unregistered + self.unidentified
    }

    /// The most users online at once, given how many there are now.
    pub(super) fn peak(&self, online: usize) -> usize {
        self.peak.max(online)
    }
}
