//! Uploads and downloads in progress: their bounds, and the files' thread behind them.
//!
//! What is on its way between a socket and the thread is bounded for each transfer, so a file of any
//! size takes no more memory than a small one: an upload's socket is not read while the disk is
//! behind, and a download's next piece is read when the one before it is sent.

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
use std::time::Instant;

/// Bytes of an upload that are on their way to the disk before its socket is not read any more.
const WINDOW: usize = 256 * 1024;

/// Bytes of a file that are read at a time.
const PIECE: u64 = 64 * 1024;

/// Unsent bytes above which a download's next piece is not read.
const AHEAD: usize = 128 * 1024;

/// Bytes that a transfer makes a minute at least, or it is given up: a place is not held for less.
const LEAST_PROGRESS: u64 = 16 * 1024;

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
    uploader: Uploader,
    /// Bytes that it may have, by which limit; they are counted as used until it is done.
    reserved: u64,
    limit: FileLimit,
    received: u64,
    in_flight: usize,
    /// All of it has come.
    complete: bool,
    progress: u64,
}

/// A file that is being sent.
struct Outgoing {
    id: Arc<str>,
    origin: Origin,
    /// The head, until the first bytes are there.
    head: Option<Vec<u8>>,
    left: Range<u64>,
    /// The next piece is being read.
    reading: bool,
    progress: u64,
}

enum Transfer {
    In(Box<Incoming>),
    Out(Box<Outgoing>),
}

impl Transfer {
    fn origin(&self) -> Origin {
        match self {
            Transfer::In(incoming) => incoming.uploader.origin,
            Transfer::Out(outgoing) => outgoing.origin,
        }
    }
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
    pub(super) fn has_place(&self, origin: Origin, most: u32) -> bool {
        let own = self.all.values().filter(|transfer| transfer.origin() == origin).count();
        let quarter = most.div_ceil(4) as usize;
        self.all.len() < most as usize && (origin.is_loopback() || own < quarter)
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
        token: Token,
        name: String,
        uploader: Uploader,
        reserved: u64,
        limit: FileLimit,
    ) -> io::Result<()> {
        let id: Arc<str> = random_id(&mut self.random)?.into();
        self.ask(Command::Begin(token.to_bits(), id));
        let incoming = Incoming {
            name,
            uploader,
            reserved,
            limit,
            received: 0,
            in_flight: 0,
            complete: false,
            progress: 0,
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
        upload.progress += bytes.len() as u64;
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
        head: Vec<u8>,
        left: Range<u64>,
    ) {
        let head = Some(head);
        let outgoing = Outgoing { id, origin, head, left, reading: false, progress: 0 };
        self.all.insert(token.to_bits(), Transfer::Out(Box::new(outgoing)));
    }

    /// Has the next piece of each download read, unless much of it is unsent; those that are sent.
    pub(super) fn read_on(&mut self, mut unsent: impl FnMut(Token) -> usize) -> Vec<Token> {
        let mut sent = Vec::new();
        let Some(store) = &self.store else { return sent };
        for (transfer, outgoing) in &mut self.all {
            let Transfer::Out(outgoing) = outgoing else { continue };
            let token = Token::from_bits(*transfer);
            let unsent = if outgoing.reading { continue } else { unsent(token) };
            if outgoing.left.is_empty() && unsent == 0 {
                sent.push(token);
            }
            if outgoing.left.is_empty() || unsent > AHEAD {
                continue;
            }
            outgoing.reading = true;
            let length = (outgoing.left.end - outgoing.left.start).min(PIECE) as usize;
            let (id, offset) = (Arc::clone(&outgoing.id), outgoing.left.start);
            store.send(Command::Read { transfer: *transfer, id, offset, length });
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
                outgoing.progress += count;
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
    pub(super) fn is_slow(&mut self, token: Token) -> Option<bool> {
        Some(match self.all.get_mut(&token.to_bits())? {
            // The disk may be what is slow.
            Transfer::In(upload) => {
                let progress = std::mem::take(&mut upload.progress);
                progress < LEAST_PROGRESS && upload.in_flight == 0 && !upload.complete
            }
            Transfer::Out(outgoing) => {
                std::mem::take(&mut outgoing.progress) < LEAST_PROGRESS && !outgoing.reading
            }
        })
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
mod tests {
    use super::*;

    #[test]
    fn one_origin_does_not_take_all_the_places() {
        let mut transfers = Transfers::default();
        let (here, there) = (Origin::V4([127, 0, 0, 1]), Origin::V4([192, 0, 2, 1]));
        let begin = |transfers: &mut Transfers, number: u8, origin| {
            let place = transfers.has_place(origin, 8);
            if place {
                transfers.begin_download(
                    Token::fixed(number),
                    origin,
                    "a".into(),
                    Vec::new(),
                    0..1,
                );
            }
            place
        };
        let begun: Vec<bool> = (0..4).map(|number| begin(&mut transfers, number, there)).collect();
        assert_eq!(begun, [true, true, false, false]);
        let begun = (4..20).filter(|number| begin(&mut transfers, *number, here)).count();
        assert_eq!(begun, 6);
        transfers.end(Token::fixed(0));
        assert!(begin(&mut transfers, 20, there));
    }
}
