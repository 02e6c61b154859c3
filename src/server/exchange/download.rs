//! Files that are listed, read and deleted, and the news of the thread that has their bytes.

use super::{Exchange, session};
use crate::chat::{Change, Event, SessionId, StoredFile};
use crate::journal::Threads;
use crate::server::gate::Blocked;
use crate::server::net::{PeerTimer, TimerKind};
use crate::server::random::Random;
use crate::server::start::{NOBODY, StartError};
use crate::server::stats::Counter;
use crate::server::transfers::{News, Place, Transfers};
use crate::session::{Fetch, FileRequest, http};
use crate::wire::plural::counted;
use chatloop_reactor::{Token, Waker};
use log::info;
use std::sync::Arc;
use std::time::Duration;

/// How often the progress of a transfer is looked at.
pub(super) const PROGRESS: Duration = Duration::from_secs(60);

/// How often old files are looked for.
const SWEEP: Duration = Duration::from_secs(3_600);

/// Files deleted at a time.
const SWEPT: usize = 100;

/// Files that one list shows.
const LISTED: usize = 20;

impl Exchange {
    /// Opens the directory of uploaded files and starts its thread.
    pub(in crate::server) fn open_files(
        &mut self,
        waker: Waker,
        threads: &Threads,
        random: Random,
    ) -> Result<(), StartError> {
        let config = self.live.config();
        if !config.takes_uploads() {
            return Ok(());
        }
        let known = self.engine.hub().file_ids();
        let opened = Transfers::open(config, known, waker, threads, random);
        self.transfers = opened.map_err(StartError::Files)?;
        self.net.after(SWEEP, TimerKind::Files);
        Ok(())
    }

    /// Logs what URLs begin with, if it was not configured.
    pub(in crate::server) fn log_urls(&self) {
        let config = self.live.config();
        if self.transfers.is_open() && config.url.is_none() {
            if config.has_no_address() {
                return info!("URLs of files begin with the address that led here (--url, --name)");
            }
            info!("URLs of files begin with {} (--url)", config.public_url());
        }
    }

    pub(super) fn perform_files(&mut self, token: Token, request: FileRequest) {
        match request {
            FileRequest::Upload(upload) => self.upload(token, *upload),
            FileRequest::Store { bytes, done } => self.store(token, bytes, done),
            FileRequest::Fetch(fetch) => self.fetch(token, &fetch),
            FileRequest::Offer(room) => self.offer_upload(token, room.as_deref()),
            FileRequest::List(room) => self.list_files(token, &room),
        }
    }

    /// Files that are too old are deleted.
    pub(in crate::server) fn delete_old_files(&mut self) {
        let mut pause = SWEEP;
        if let Some(age) = self.days_ago(self.live.config().files.file_age) {
            let now = self.net.moment();
            let old = self.engine.hub().files_before(age, SWEPT);
            if old.len() == SWEPT {
                pause = Duration::from_secs(1);
            }
            for id in old {
                let server = SessionId(NOBODY.to_bits());
                self.engine.propose(now, server, Change::DeleteFile { id });
            }
        }
        self.net.after(pause, TimerKind::Files);
    }

    /// What the thread has done.
    pub(in crate::server) fn take_files_done(&mut self) {
        while let Some(news) = self.transfers.next_news() {
            match news {
                News::GoOn(token) => self.unblock(token, Blocked::STORE),
                News::Kept { token, id, name, uploader, size, sha256 } => {
                    self.file_kept(token, (id, name, size, sha256), uploader);
                }
                News::Failed(token, error) => self.upload_failed(token, &error),
                News::Send(token, bytes) => {
                    self.speak(token, |session, _, out| {
                        if let Some(http) = session.http() {
                            http.begin_answer();
                        }
                        out.extend_from_slice(&bytes);
                    });
                }
                News::Unreadable(token, true) => {
                    self.tell_http(token, 404, "the server has lost this file", Vec::new());
                }
                News::Unreadable(token, false) => self.gone(token),
            }
        }
    }

    /// Answers a request for a file.
    pub(super) fn fetch(&mut self, token: Token, fetch: &Fetch) {
        let now = self.net.moment();
        let file = self.engine.hub().file(&fetch.id).filter(|_| self.transfers.is_open());
        let Some(connection) = self.net.connection(token) else { return };
        let Some(http) = connection.session.http() else { return };
        let (head, part, id) = match http.send_file(file, fetch, now) {
            http::Answer::Whole(action) => {
                self.perform_one(token, action);
                return;
            }
            http::Answer::Body(head, part) => (head, part, file.map(|file| Arc::clone(&file.id))),
        };
        let (Some(origin), Some(id)) = (self.origin(token), id) else { return };
        if self.has_place(token) {
            self.transfers.begin_download(token, origin, id, (head, part), self.net.now());
            self.net.arm(token, PROGRESS, PeerTimer::Transfer.of(token));
        }
    }

    /// Whether one more transfer may begin; if not, its client is told.
    pub(super) fn has_place(&mut self, token: Token) -> bool {
        let Some(origin) = self.origin(token) else { return false };
        let most = self.live.config().files.max_transfers.get();
        match self.transfers.place(origin, most, self.net.now()) {
            Place::Free => return true,
            Place::Of(slowest) => {
                self.give_up(slowest, 503, "given up for another one, as all places are taken");
                return true;
            }
            Place::None => {}
        }
        self.stats.count(Counter::Transfers);
        let text = "too many uploads and downloads at a time; try again (--max-transfers)";
        self.tell_http(token, 503, text, vec![("Retry-After", "5".to_owned())]);
        false
    }

    fn give_up(&mut self, token: Token, status: u16, text: &str) {
        self.stats.count(Counter::SlowTransfers);
        self.transfers.end(token);
        self.tell_http(token, status, text, Vec::new());
    }

    /// Reads on for those who have taken what they were sent.
    pub(super) fn read_on(&mut self) {
        let net = &mut self.net;
        let sent = self
            .transfers
            .read_on(|token| net.connection(token).map_or(0, |connection| connection.io.unsent()));
        for token in sent {
            self.transfers.end(token);
            self.drain(token);
        }
    }

    /// A minute of a transfer is over.
    pub(super) fn check_transfer(&mut self, token: Token) {
        match self.transfers.is_slow(token, self.net.now()) {
            Some(true) => self.give_up(token, 408, "the transfer is too slow"),
            Some(false) => self.net.arm(token, PROGRESS, PeerTimer::Transfer.of(token)),
            None => {}
        }
    }

    pub(super) fn end_transfer(&mut self, token: Token) {
        self.transfers.end(token);
    }

    /// Answers a request with one line, and closes; one that is being answered already is closed.
    pub(super) fn tell_http(
        &mut self,
        token: Token,
        status: u16,
        text: &str,
        headers: Vec<(&'static str, String)>,
    ) {
        let now = self.net.moment();
        let http = self.net.connection(token).and_then(|it| it.session.http());
        match http.filter(|http| !http.is_answered()) {
            Some(http) => {
                let action = http.tell(status, text, headers, now);
                self.perform_one(token, action);
            }
            None => self.gone(token),
        }
    }

    /// Lists the files of a room.
    pub(super) fn list_files(&mut self, token: Token, room: &str) {
        let base = self.files_url(token);
        let lines: Vec<String> = match self.engine.hub().files_in(session(token), room, LISTED) {
            Err(refusal) => return self.reply(token, &Event::Refused(refusal)),
            Ok(files) if files.is_empty() => vec![format!("no files in {room} (try /upload)")],
            Ok(files) => {
                files.iter().map(|file| format!("{}: {}", file.by, line(file, &base))).collect()
            }
        };
        lines.iter().for_each(|line| self.notice(token, line));
    }
}

/// A file as people read of it.
pub(super) fn line(file: &StoredFile, base: &str) -> String {
    format!("{} ({}): {base}{}", file.name, size_text(file.size), http::path_of(file))
}

/// `1.2 MB`.
fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return counted(bytes as usize, "byte");
    }
    let (mut tenths, mut unit) = (bytes.div_ceil(100), 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = tenths.div_ceil(1_000);
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_read_them() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_234_567, "1.3 MB"),
            (50 << 20, "52.5 MB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
    }
}
