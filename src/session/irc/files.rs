//! Uploaded files: UPLOAD, FILES, DELFILE. No IRCv3 specification has commands for them; what a
//! client needs for soju.im/FILEHOST is in RPL_ISUPPORT.

use super::Context;
use super::caps::Caps;
use crate::chat::Command;
use crate::session::action::Action;
use crate::session::transfer::{FileRequest, file_id, how_to_upload};
use crate::wire::irc::Message;

/// `UPLOAD [#room]`.
pub(super) fn upload(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let room = message.parameters.first().map(|room| (&**room).into());
    context.actions.push(Action::Files(FileRequest::Offer(room)));
}

/// `FILES #room`.
pub(super) fn files(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [room] = message.words();
    context.actions.push(Action::Files(FileRequest::List(room.into())));
}

/// `DELFILE URL`.
pub(super) fn delfile(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [url] = message.words();
    context.run(Command::DeleteFile(file_id(url)));
}

impl Context<'_, '_> {
    /// `NOTE UPLOAD URL url :text` for programs, the text alone for people.
    pub fn offer_upload(&mut self, url: &str, room: Option<&str>) {
        let (mut reply, text) = (self.reply(), how_to_upload(url, room));
        match reply.caps.has(Caps::STANDARD_REPLIES) {
            true => reply.line("NOTE", &["UPLOAD", "URL", url], Some(&text)),
            false => reply.notice(&text),
        }
    }
}
