//! Checks of every connection between two turns.

use super::Net;
use crate::server::connection::{Connection, Phase};
use crate::trace;
use chatloop_reactor::{Interest, Token};

impl Net {
    /// # Errors
    /// The rule that is broken, and by which connection.
    pub(in crate::server) fn check(&self) -> Result<(), String> {
        for (token, connection) in self.connections.iter() {
            self.check_one(token, connection).map_err(|what| {
                let phase = connection.life.phase;
                format!("connection {} ({phase:?}): {what}", trace::number(token))
            })?;
        }
        Ok(())
    }

    fn check_one(&self, _: Token, connection: &Connection) -> Result<(), String> {
        let (bounds, life, io) = (&self.queues.bounds, &connection.life, &connection.io);
        let known = io.watched();
        let wanted = connection.interest(bounds);
        if life.phase == Phase::Gone {
            return Err("gone, and not closed".to_owned());
        }
        if connection.in_flush_queue {
            // A download that has ended is drained behind the flush, with nothing left to write.
            return match life.phase {
                Phase::Draining if connection.is_drained() => Ok(()),
                _ => Err("output was queued after the flush".to_owned()),
            };
        }
        if !life.hung_up && known != Some(wanted) {
            return Err(format!("watched for {known:?}, and its state wants {wanted:?}"));
        }
        if !life.hung_up && !io.outbox.is_empty() && !known.is_some_and(|it| it.writable) {
            return Err(format!("keeps {} bytes and is not watched for writing", io.outbox.len()));
        }
        if known == Some(Interest::WRITE) && io.outbox.is_empty() && io.transport.unsent() == 0 {
            return Err("watched for writing with nothing to write".to_owned());
        }
        let queued: usize = io.outbox.iter().map(|segment| segment.len()).sum();
        if queued != io.outbox.len() {
            return Err(format!("its send queue has {queued} bytes and says {}", io.outbox.len()));
        }
        if io.inbox.len() > bounds.inbox {
            return Err(format!("its inbox has {} bytes", io.inbox.len()));
        }
        if connection.queued() > bounds.outbox_hard {
            return Err(format!("{} bytes wait, above --outbox-hard", connection.queued()));
        }
        Ok(())
    }
}
