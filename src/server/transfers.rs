//! Uploads and downloads in progress: their bounds, and the files' thread behind them.
//!
//! What is on its way between a socket and the thread is bounded for each transfer, so a file of any
//! size takes no more memory than a small one: an upload's socket is not read while the disk is
//! behind, and a download's next piece is read when the one before it is sent.
//!
//! A transfer costs its client nothing when it is slow enough, and places are few: when all are taken,
//! one gives way to who has fewer, and one that hardly moves to anyone.

use super::config::Config;
use super::random::Random;
use super::upload_tokens::{UploadTokens, Uploader, random_id};
use crate::chat::{FileUsage, Name, Origin};
use crate::files::{Command, Report, Store, directory_in};
use crate::journal::Threads;
use crate::session::Upload;
use chatloop_reactor::{Token, Waker};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of an upload that are on their way to the disk before its socket is not read any more.
const WINDOW: usize = 256 * 1024;

/// Bytes of a file that are read at a time.
const PIECE: u64 = 64 * 1024;

/// Unsent bytes above which a download's next piece is not read.
const AHEAD: usize = 128 * 1024;

/// Bytes that a transfer makes a minute at least, or it is given up: a place is not held for less.
const LEAST_PROGRESS: u64 = 16 * 1024;

/// What it makes a second at least while another client waits for a place, and how long it has for that.
const LEAST_PACE: u64 = 8 * 1024;
const PACED: Duration = Duration::from_secs(10);

/// What a file counts for at least: many small ones take their room as well.
pub(super) const LEAST_SIZE: u64 = 64 * 1024;

/// What bounds an upload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileLimit {
    /// `--file-max`
    Size,
    /// `--files-per-account`
    PerAccount,
    /// `--files-per-address`
    PerAddress,
    /// Many small ones.
    Count,
    /// `--files-all`
    All,
}

/// What the transfers add up to.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct TransferNumbers {
    /// In progress.
    pub(super) uploads: u64,
    pub(super) downloads: u64,
    /// Since the server started.
    pub(super) kept: u64,
    pub(super) received_bytes: u64,
    pub(super) sent_bytes: u64,
}

/// An upload whose bytes are coming.
struct Incoming {
    name: String,
    /// Of the connection; its uploader may have got the token elsewhere.
    origin: Origin,
    uploader: Uploader,
    /// Bytes that it may have, by which limit; they are counted as used until it is done.
    reserved: u64,
    limit: FileLimit,
    received: u64,
    in_flight: usize,
    /// All of it has come.
    complete: bool,
    progress: Progress,
}

/// A file that is being sent.
struct Outgoing {
    id: Arc<str>,
    origin: Origin,
    /// The head, until the first bytes are there.
    head: Option<Vec<u8>>,
    left: Range<u64>,
    /// Bytes that were read and had not been sent when it was last looked at.
    unsent: u64,
    /// The next piece is being read.
    reading: bool,
    progress: Progress,
}

/// What a transfer has made since it was last looked at.
struct Progress {
    bytes: u64,
    since: Instant,
}

impl Progress {
    fn new(now: Instant) -> Progress {
        Progress { bytes: 0, since: now }
    }

    /// Bytes a second.
    fn pace(&self, now: Instant) -> u64 {
        self.bytes / now.saturating_duration_since(self.since).as_secs().max(1)
    }
}

enum Transfer {
    In(Box<Incoming>),
    Out(Box<Outgoing>),
}

impl Transfer {
    fn origin(&self) -> Origin {
        match self {
            Transfer::In(incoming) => incoming.origin,
            Transfer::Out(outgoing) => outgoing.origin,
        }
    }

    /// How it gets on, unless the disk is what it waits for.
    fn progress(&mut self) -> Option<&mut Progress> {
        match self {
            Transfer::In(it) => (it.in_flight == 0 && !it.complete).then_some(&mut it.progress),
            Transfer::Out(it) => (!it.reading).then_some(&mut it.progress),
        }
    }
}

/// Whether there is room for one more transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Free,
    /// When this one has given way.
    Of(Token),
    None,
}

/// What has become of a piece of an upload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stored {
    Taken,
    /// The socket is to be read no further for now.
    Enough,
    /// It is longer than this allows.
    TooLong(FileLimit),
}

/// What is to be done about a report of the thread.
pub(super) enum News {
    /// The socket of this upload may be read again.
    GoOn(Token),
    /// This file is whole: it is to be written down.
    Kept {
        token: Token,
        id: Arc<str>,
        name: String,
        uploader: Uploader,
        size: u64,
        sha256: String,
    },
    Failed(Token, io::Error),
    Send(Token, Vec<u8>),
    /// The file cannot be read; whether nothing has been sent of it.
    Unreadable(Token, bool),
}

#[derive(Default)]
pub(super) struct Transfers {
    /// `None`, as at first, if no files are taken.
    store: Option<Store>,
    tokens: UploadTokens,
    random: Random,
    all: BTreeMap<u64, Transfer>,
    /// Uploads whose password is being checked.
    deciding: BTreeMap<u64, Upload>,
    /// Without those in progress.
    numbers: TransferNumbers,
}

impl Transfers {
    /// Starts the thread. What lies in the directory and is not among the `known` is removed.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub(super) fn open<'a>(
        config: &Config,
        known: impl Iterator<Item = &'a Arc<str>>,
        waker: Waker,
        threads: &Threads,
        random: Random,
    ) -> io::Result<Transfers> {
        let directory = config.boot.data.as_deref().map(directory_in);
        let (directory, known) = (directory.as_deref(), known.cloned().collect());
        let wake = move || waker.wake();
        let store = match threads {
            #[cfg(feature = "simulation")]
            Threads::Steps(take_over) => {
                let (store, work) = Store::in_steps(directory, known, wake)?;
                take_over(work);
                store
            }
            Threads::System | Threads::Inline => Store::start(directory, known, wake)?,
        };
        Ok(Transfers { store: Some(store), random, ..Transfers::default() })
    }

    pub(super) fn is_open(&self) -> bool {
        self.store.is_some()
    }

    pub(super) fn numbers(&self) -> TransferNumbers {
        let is_upload = |transfer: &&Transfer| matches!(transfer, Transfer::In(_));
        let uploads = self.all.values().filter(is_upload).count() as u64;
        let downloads = self.all.len() as u64 - uploads;
        TransferNumbers { uploads, downloads, ..self.numbers }
    }

    // Tokens, and passwords that are being checked.

    pub(super) fn issue_token(&mut self, uploader: Uploader, now: Instant) -> io::Result<String> {
        self.tokens.issue(uploader, &mut self.random, now)
    }

    pub(super) fn find_token(&self, token: &str, now: Instant) -> Option<&Uploader> {
        self.tokens.find(token, now)
    }

    pub(super) fn spend_token(&mut self, token: &str) {
        self.tokens.spend(token);
    }

    pub(super) fn await_password(&mut self, token: Token, upload: Upload) {
        self.deciding.insert(token.to_bits(), upload);
    }

    /// The upload whose password has been checked.
    pub(super) fn decided(&mut self, token: Token) -> Option<Upload> {
        self.deciding.remove(&token.to_bits())
    }

    // Bounds.

    /// Whether one more transfer fits: of one origin a quarter of them, unless it is this machine.
    pub(super) fn place(&mut self, origin: Origin, most: u32, now: Instant) -> Place {
        let mut counts: BTreeMap<Origin, usize> = BTreeMap::new();
        self.all.values().for_each(|it| *counts.entry(it.origin()).or_default() += 1);
        let count = |of: Origin| counts.get(&of).copied().unwrap_or_default();
        let own = count(origin);
        if !origin.is_loopback() && own >= most.div_ceil(4) as usize {
            return Place::None;
        }
        if self.all.len() < most as usize {
            return Place::Free;
        }
        let others = self.all.iter_mut().filter_map(|(number, it)| {
            // By two at least: or the two would give way to each other in turn.
            let has_more = !it.origin().is_loopback() && count(it.origin()) > own + 1;
            let progress = it.progress()?;
            let pace = progress.pace(now);
            let is_slow = pace < LEAST_PACE && now - progress.since >= PACED;
            (has_more || is_slow).then_some((pace, *number))
        });
        others.min().map_or(Place::None, |(_, slowest)| Place::Of(Token::from_bits(slowest)))
    }

    /// The bytes that uploads in progress may take: of this account, or of the guests of this origin,
    /// and in all.
    pub(super) fn reserved(&self, account: Option<&Name>, origin: Origin) -> FileUsage {
        let mut usage = FileUsage::default();
        for transfer in self.all.values() {
            let Transfer::In(incoming) = transfer else { continue };
            let uploader = &incoming.uploader;
            usage.all = usage.all.saturating_add(incoming.reserved);
            let owns = match account {
                Some(account) => uploader.account() == Some(account),
                None => uploader.account.is_none() && uploader.origin == origin,
            };
            if owns {
                usage.own = usage.own.saturating_add(incoming.reserved);
                usage.count += 1;
            }
        }
        usage
    }

    // Uploads.

    /// A file of this name, of so many bytes at most, is coming.
    ///
    /// # Errors
    /// The system has no randomness for its id.
    pub(super) fn begin_upload(
        &mut self,
        (token, origin): (Token, Origin),
        name: String,
        uploader: Uploader,
        (reserved, limit): (u64, FileLimit),
        now: Instant,
    ) -> io::Result<()> {
        let id: Arc<str> = random_id(&mut self.random)?.into();
        self.ask(Command::Begin(token.to_bits(), id));
        let incoming = Incoming {
            name,
            origin,
            uploader,
            reserved,
            limit,
            received: 0,
            in_flight: 0,
            complete: false,
            progress: Progress::new(now),
        };
        self.all.insert(token.to_bits(), Transfer::In(Box::new(incoming)));
        Ok(())
    }

    /// Its next bytes, the last ones if it is `done`.
    pub(super) fn store(&mut self, token: Token, bytes: Vec<u8>, done: bool) -> Stored {
        let Some(Transfer::In(upload)) = self.all.get_mut(&token.to_bits()) else {
            return Stored::Taken; // it has failed, and its client was told
        };
        upload.received += bytes.len() as u64;
        upload.progress.bytes += bytes.len() as u64;
        self.numbers.received_bytes += bytes.len() as u64;
        if upload.received > upload.reserved {
            return Stored::TooLong(upload.limit);
        }
        upload.in_flight += bytes.len();
        upload.complete |= done;
        let outcome = if upload.in_flight > WINDOW { Stored::Enough } else { Stored::Taken };
        if !bytes.is_empty() {
            self.ask(Command::Write(token.to_bits(), bytes));
        }
        if done {
            self.ask(Command::Finish(token.to_bits()));
        }
        outcome
    }

    // Downloads.

    /// These bytes of a file are to be sent behind `head`.
    pub(super) fn begin_download(
        &mut self,
        token: Token,
        origin: Origin,
        id: Arc<str>,
        (head, left): (Vec<u8>, Range<u64>),
        now: Instant,
    ) {
        let (head, progress) = (Some(head), Progress::new(now));
        let outgoing = Outgoing { id, origin, head, left, unsent: 0, reading: false, progress };
        self.all.insert(token.to_bits(), Transfer::Out(Box::new(outgoing)));
    }

    /// Has the next piece of each download read, unless much of it is unsent; those that are sent.
    pub(super) fn read_on(&mut self, mut unsent: impl FnMut(Token) -> usize) -> Vec<Token> {
        let mut sent = Vec::new();
        for (transfer, outgoing) in &mut self.all {
            let Transfer::Out(outgoing) = outgoing else { continue };
            let token = Token::from_bits(*transfer);
            let unsent = if outgoing.reading { continue } else { unsent(token) };
            // What the client has taken, not what was read: the last pieces may take it minutes.
            outgoing.progress.bytes += outgoing.unsent.saturating_sub(unsent as u64);
            outgoing.unsent = unsent as u64;
            if outgoing.left.is_empty() && unsent == 0 {
                sent.push(token);
            }
            if outgoing.left.is_empty() || unsent > AHEAD {
                continue;
            }
            outgoing.reading = true;
            let length = (outgoing.left.end - outgoing.left.start).min(PIECE) as usize;
            let (id, offset) = (Arc::clone(&outgoing.id), outgoing.left.start);
            if let Some(store) = &self.store {
                store.send(Command::Read { transfer: *transfer, id, offset, length });
            }
        }
        sent
    }

    // Both.

    /// What the thread has done since it was last asked.
    pub(super) fn next_news(&mut self) -> Option<News> {
        loop {
            let report = self.store.as_ref()?.next_report()?;
            if let Some(news) = self.news(report) {
                return Some(news);
            }
        }
    }

    fn news(&mut self, report: Report) -> Option<News> {
        match report {
            Report::Written(transfer, count) => {
                let Transfer::In(upload) = self.all.get_mut(&transfer)? else { return None };
                let before = upload.in_flight;
                upload.in_flight = before.saturating_sub(count);
                let resumes = before > WINDOW / 2 && upload.in_flight <= WINDOW / 2;
                resumes.then_some(News::GoOn(Token::from_bits(transfer)))
            }
            Report::Kept { transfer, id, size, sha256 } => match self.all.remove(&transfer) {
                Some(Transfer::In(upload)) => {
                    let Incoming { name, uploader, .. } = *upload;
                    self.numbers.kept += 1;
                    let token = Token::from_bits(transfer);
                    Some(News::Kept { token, id, name, uploader, size, sha256 })
                }
                // Its client has gone meanwhile.
                _ => {
                    self.remove(id);
                    None
                }
            },
            Report::Failed(transfer, error) => {
                self.all.remove(&transfer)?;
                Some(News::Failed(Token::from_bits(transfer), error))
            }
            Report::Read(transfer, bytes) => {
                let Transfer::Out(outgoing) = self.all.get_mut(&transfer)? else { return None };
                let count = bytes.len() as u64;
                let expected = (outgoing.left.end - outgoing.left.start).min(PIECE);
                if count < expected {
                    return self.unreadable(transfer);
                }
                outgoing.reading = false;
                outgoing.left.start += count;
                outgoing.unsent += count;
                self.numbers.sent_bytes += count;
                let out = match outgoing.head.take() {
                    Some(head) => [head, bytes].concat(),
                    None => bytes,
                };
                Some(News::Send(Token::from_bits(transfer), out))
            }
            Report::Unreadable(transfer, error) => {
                log::warn!("an uploaded file cannot be read: {error}");
                self.unreadable(transfer)
            }
        }
    }

    fn unreadable(&mut self, transfer: u64) -> Option<News> {
        let Some(Transfer::Out(outgoing)) = self.all.remove(&transfer) else { return None };
        Some(News::Unreadable(Token::from_bits(transfer), outgoing.head.is_some()))
    }

    /// A minute has passed: whether the transfer is to be given up because its client is too slow;
    /// `None` if there is none any more.
    pub(super) fn is_slow(&mut self, token: Token, now: Instant) -> Option<bool> {
        let Some(progress) = self.all.get_mut(&token.to_bits())?.progress() else {
            return Some(false);
        };
        Some(std::mem::replace(progress, Progress::new(now)).bytes < LEAST_PROGRESS)
    }

    /// A transfer is over, because its connection is or because its client was told so.
    pub(super) fn end(&mut self, token: Token) {
        self.deciding.remove(&token.to_bits());
        if let Some(Transfer::In(_)) = self.all.remove(&token.to_bits()) {
            self.ask(Command::Abort(token.to_bits()));
        }
    }

    /// A file is deleted.
    pub(super) fn remove(&self, id: Arc<str>) {
        self.ask(Command::Remove(id));
    }

    fn ask(&self, command: Command) {
        if let Some(store) = &self.store {
            store.send(command);
        }
    }
}

#[cfg(test)]
mod tests;
