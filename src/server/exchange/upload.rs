//! Files that come: who may upload one, how large it may be, and what is told when it is kept.

use super::download::{PROGRESS, line};
use super::logins::seconds;
use super::{Exchange, session};
use crate::chat::{Change, Claim, Command, Event, Hub, Kind, Origin, Refusal, StoredFile, limits};
use crate::server::address::Via;
use crate::server::config::Bytes;
use crate::server::gate::Blocked;
use crate::server::net::PeerTimer;
use crate::server::stats::Counter;
use crate::server::transfers::{FileLimit, LEAST_SIZE, Stored};
use crate::server::upload_tokens::Uploader;
use crate::session::http::path_of;
use crate::session::{Credentials, Proof, ProofAnswer, Upload, refusal_text};
use chatloop_reactor::Token;
use log::warn;
use std::io;
use std::sync::Arc;

/// Why an upload is not taken: status, text, headers.
type Rejection = (u16, String, Vec<(&'static str, String)>);

fn rejected<T>(status: u16, text: impl Into<String>) -> Result<T, Rejection> {
    Err((status, text.into(), Vec::new()))
}

fn log_in(text: &str) -> Rejection {
    let header = ("WWW-Authenticate", "Basic realm=\"chatloop\", charset=\"UTF-8\"".to_owned());
    (401, text.to_owned(), vec![header])
}

fn too_early(refusal: &Refusal) -> Rejection {
    let wait = if let Refusal::TryLater(wait) = refusal { *wait } else { 1 };
    (429, refusal_text::of(refusal), vec![("Retry-After", wait.to_string())])
}

/// Whether the session that has asked for a token is there, as whom it was then.
fn is_still_there(hub: &Hub, uploader: &Uploader) -> bool {
    let Some(session) = uploader.session else { return true };
    hub.user(session).is_some_and(|user| {
        user.identity.account.as_ref() == uploader.account()
            && uploader.account.as_ref().is_none_or(|claim| hub.is_of_today(claim))
    })
}

/// The server's own user, at its console, is as near as one on loopback.
const CONSOLE_ORIGIN: Origin = Origin::V4([127, 0, 0, 1]);

impl Exchange {
    /// Gives a user a token to upload a file with.
    pub(super) fn offer_upload(&mut self, token: Token, room: Option<&str>) {
        let (me, origin) = (session(token), self.origin(token).unwrap_or(CONSOLE_ORIGIN));
        let (hub, config) = (self.engine.hub(), self.live.config());
        let Some(identity) = hub.user(me).map(|user| &user.identity) else { return };
        if !self.transfers.is_open() {
            return self.fail(token, "this server takes no files (--file-max, --no-http)");
        }
        if config.files.upload_accounts_only && identity.account.is_none() {
            return self.reply(token, &Event::Refused(Refusal::NotLoggedIn));
        }
        let share = match room.map(|room| hub.may_share(me, room)).transpose() {
            Ok(share) => share.map(|(room, since)| (me, room, since)),
            Err(refusal) => return self.reply(token, &Event::Refused(refusal)),
        };
        let account = identity.account.as_ref().map(|account| hub.claim(account.as_str()));
        let name = identity.nick.clone();
        let shared = share.as_ref().map(|(_, room, _)| room.to_string());
        let uploader = Uploader { name, account, origin, share, session: Some(me) };
        let Ok(key) = self.transfers.issue_token(uploader, self.net.now()) else {
            return self.fail(token, "the system has no randomness for a token; try again");
        };
        let encrypted = self.net.connection(token).is_some_and(|it| it.is_encrypted());
        let tls = encrypted && !self.live.tls().is_none_or(|it| it.is_self_signed());
        let base = self.base_url(token, tls || self.live.config().tls_only);
        let url = format!("{base}/upload/{key}");
        if self.net.connection(token).is_none() {
            return self.notice(token, &format!("to upload a file: curl -T FILE {url}/"));
        }
        self.speak(token, |session, view, out| {
            session.offer_upload(&url, shared.as_deref(), view, out);
        });
    }

    /// What the URLs begin with that this peer is told.
    fn base_url(&mut self, token: Token, tls: bool) -> String {
        let connection = self.net.connection(token);
        let local = connection.and_then(|it| it.io.transport.local_address().ok());
        self.live.config().url_at(local, tls)
    }

    /// What the URLs of files begin with that this peer is told.
    pub(super) fn files_url(&mut self, token: Token) -> String {
        self.base_url(token, self.live.config().tells_https())
    }

    /// A request to upload has come; its body has not.
    pub(super) fn upload(&mut self, token: Token, upload: Upload) {
        let outcome = self.uploader(token, &upload);
        self.decide_upload(token, upload, outcome);
    }

    fn decide_upload(
        &mut self,
        token: Token,
        upload: Upload,
        outcome: Result<Option<Uploader>, Rejection>,
    ) {
        let accepted = match outcome {
            Ok(Some(uploader)) => self.take_upload(token, &upload, uploader),
            Ok(None) => return self.transfers.await_password(token, upload),
            Err(rejection) => {
                self.stats.count(Counter::UploadRights);
                Err(rejection)
            }
        };
        if let Err((status, text, headers)) = accepted {
            self.tell_http(token, status, &text, headers);
        }
    }

    /// Who uploads; `None` if a password is being checked.
    fn uploader(&mut self, token: Token, upload: &Upload) -> Result<Option<Uploader>, Rejection> {
        if !self.transfers.is_open() {
            return rejected(404, "this server takes no files (--file-max)");
        }
        let (name, secret) = match &upload.credentials {
            Credentials::Token(key) => {
                let found = self.transfers.find_token(key, self.net.now()).cloned();
                let hub = self.engine.hub();
                let is_valid = |it: &Uploader| is_still_there(hub, it);
                return match found.filter(is_valid) {
                    Some(uploader) => Ok(Some(uploader)),
                    None => Err(log_in("this token is not valid any more; /upload gives another")),
                };
            }
            Credentials::None => {
                return Err(log_in("log in with an account, or use a token (/upload)"));
            }
            Credentials::Password(name, secret) => (name, secret),
        };
        let Some(connection) = self.net.connection(token) else { return Ok(None) };
        let encrypted = connection.is_encrypted();
        let (address, url) = (&connection.address, self.live.config().url.as_ref());
        let by_proxy = match address.via() {
            Via::Direct | Via::NewProxy => false,
            Via::Proxy | Via::Forwarded { trusted: true } => true,
            Via::Forwarded { trusted: false } => address.ip().is_loopback(),
        };
        // A proxy in front of this server has decrypted it.
        let decrypted = by_proxy && url.is_some_and(|it| it.starts_with("https:"));
        let near = address.is_loopback() || decrypted;
        if !encrypted && !near {
            return rejected(
                403,
                "a password is taken over TLS only; use https, or a token (/upload)",
            );
        }
        self.check_server_password(token, upload)?;
        let proof = Proof::Password(Arc::clone(name), secret.clone());
        let work = self.engine.prove(proof, self.net.moment());
        self.submit(token, work).map(|()| None).map_err(|refusal| too_early(&refusal))
    }

    /// With `--password`, an account alone is not enough.
    fn check_server_password(&mut self, token: Token, upload: &Upload) -> Result<(), Rejection> {
        if self.live.config().password.is_none() {
            return Ok(());
        }
        let Some(given) = &upload.server_password else {
            return Err(log_in("this server has a password: add the header Server-Password"));
        };
        match self.is_server_password(token, given) {
            Ok(true) => Ok(()),
            Ok(false) => Err(log_in("wrong server password")),
            Err(wait) => Err(too_early(&Refusal::TryLater(seconds(wait)))),
        }
    }

    /// A password has been checked: whether it was an upload's.
    pub(super) fn is_upload_decided(&mut self, token: Token, answer: &ProofAnswer<'_>) -> bool {
        let Some(upload) = self.transfers.decided(token) else { return false };
        let outcome = match (answer, self.origin(token)) {
            (ProofAnswer::Proved(Some(claim)), Some(origin)) => {
                self.account_uploader(claim, origin, upload.room.as_deref()).map(Some)
            }
            _ => Err(log_in("wrong name or password")),
        };
        self.decide_upload(token, upload, outcome);
        true
    }

    fn account_uploader(
        &self,
        claim: &Claim,
        origin: Origin,
        room: Option<&str>,
    ) -> Result<Uploader, Rejection> {
        let hub = self.engine.hub();
        let share = match room {
            None => None,
            Some(room) => {
                let Some(me) = hub.session_in(&claim.account, room) else {
                    return rejected(403, format!("you are not in {room}: join it first"));
                };
                let shared = hub.may_share(me, room);
                let (room, since) =
                    shared.map_err(|it| (403, refusal_text::of(&it), Vec::new()))?;
                Some((me, room, since))
            }
        };
        let (name, account) = (claim.account.clone(), Some(claim.clone()));
        Ok(Uploader { name, account, origin, share, session: None })
    }

    /// Takes the body, if there is room for it.
    fn take_upload(
        &mut self,
        token: Token,
        upload: &Upload,
        uploader: Uploader,
    ) -> Result<(), Rejection> {
        if self.live.config().files.upload_accounts_only && uploader.account.is_none() {
            return rejected(403, "only accounts may upload files here (--upload-accounts-only)");
        }
        let room =
            self.upload_limit(&uploader, upload.length).map_err(|limit| self.beyond(limit))?;
        let Some(origin) = self.origin(token).filter(|_| self.has_place(token)) else {
            return Ok(());
        };
        if let Credentials::Token(key) = &upload.credentials {
            self.transfers.spend_token(key);
        }
        let name = upload.name.clone();
        let now = self.net.now();
        let begun = self.transfers.begin_upload((token, origin), name, uploader, room, now);
        if begun.is_err() {
            return rejected(503, "the system has no randomness for a name; try again");
        }
        self.net.arm(token, PROGRESS, PeerTimer::Transfer.of(token));
        let taken = self
            .speak(token, |session, _, out| session.http().is_some_and(|http| http.take_body(out)));
        if taken == Some(true) {
            self.store(token, Vec::new(), true);
        }
        self.net.look_at_input(token);
        Ok(())
    }

    /// The bytes that an upload may have, and what bounds them.
    ///
    /// # Errors
    /// The limit that is in its way.
    fn upload_limit(
        &self,
        uploader: &Uploader,
        length: Option<u64>,
    ) -> Result<(u64, FileLimit), FileLimit> {
        let (hub, config) = (self.engine.hub(), self.live.config());
        let files = &config.files;
        let account = uploader.account();
        let kept = hub.file_usage(account, uploader.origin, LEAST_SIZE);
        let coming = self.transfers.reserved(account, uploader.origin);
        let (own_limit, own) = match account {
            Some(_) => (FileLimit::PerAccount, files.files_per_account),
            None => (FileLimit::PerAddress, files.files_per_address),
        };
        let left = |limit: Bytes, used: u64| (limit.0 as u64).saturating_sub(used);
        let bounds = [
            (left(files.file_max.on().unwrap_or(Bytes(0)), 0), FileLimit::Size),
            (left(own, kept.own.saturating_add(coming.own)), own_limit),
            (left(config.files_all(), kept.all.saturating_add(coming.all)), FileLimit::All),
        ];
        // What comes in chunks says no length: it may have what there is.
        let wanted = length.unwrap_or(1);
        if let Some((_, limit)) = bounds.iter().find(|(left, _)| wanted > *left) {
            return Err(*limit);
        }
        if kept.count + coming.count >= limits::FILES_PER_OWNER {
            return Err(FileLimit::Count);
        }
        if !hub.has_room_for_a_file() {
            return Err(FileLimit::All);
        }
        let [first, rest @ ..] = bounds;
        let (most, limit) =
            rest.into_iter().fold(first, |least, it| if it.0 < least.0 { it } else { least });
        Ok((length.unwrap_or(most), limit))
    }

    /// An upload is beyond a limit.
    fn beyond(&self, limit: FileLimit) -> Rejection {
        let files = &self.live.config().files;
        let quota = |most: Bytes, flag: &str| {
            (413, format!("your files would take more than {most} ({flag}); delete some"))
        };
        let (counter, (status, text)) = match limit {
            FileLimit::Size => {
                let largest = files.file_max.on().unwrap_or(Bytes(0));
                let text = format!("the file is larger than {largest} (--file-max)");
                (Counter::FileSize, (413, text))
            }
            FileLimit::PerAccount => {
                (Counter::FileQuota, quota(files.files_per_account, "--files-per-account"))
            }
            FileLimit::PerAddress => {
                (Counter::FileQuota, quota(files.files_per_address, "--files-per-address"))
            }
            FileLimit::Count => {
                let most = limits::FILES_PER_OWNER;
                let text = format!("you have {most} files, and may have no more; delete some");
                (Counter::FileQuota, (413, text))
            }
            FileLimit::All => {
                let text = "no room is left for files on this server (--files-all)".to_owned();
                (Counter::FilesAll, (507, text))
            }
        };
        self.stats.count(counter);
        (status, text, Vec::new())
    }

    /// The next bytes of an upload.
    pub(super) fn store(&mut self, token: Token, bytes: Vec<u8>, done: bool) {
        match self.transfers.store(token, bytes, done) {
            Stored::Taken => {}
            Stored::Enough => {
                self.net.with(token, |it| it.gate.block(Blocked::STORE));
            }
            Stored::TooLong(limit) => {
                self.transfers.end(token);
                let (status, text, headers) = self.beyond(limit);
                self.tell_http(token, status, &text, headers);
            }
        }
    }

    /// A file cannot be written. What there was of it is removed.
    pub(super) fn upload_failed(&mut self, token: Token, error: &io::Error) {
        warn!("an upload failed: {error}");
        self.stats.count(Counter::UnwrittenFiles);
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        let (status, text) = match full {
            true => (507, "the server's disk is full"),
            false => (500, "the server cannot write the file (see its log)"),
        };
        self.tell_http(token, status, text, Vec::new());
    }

    /// A file is whole: writes it down, and shares it.
    pub(super) fn file_kept(
        &mut self,
        token: Token,
        (id, file_name, size, sha256): (Arc<str>, String, u64, String),
        uploader: Uploader,
    ) {
        if uploader.account.as_ref().is_some_and(|claim| !self.engine.hub().is_of_today(claim)) {
            self.transfers.remove(id);
            return self.answer_upload(token, 403, "your account was deleted meanwhile", None);
        }
        let Uploader { name, account, origin, share, session } = uploader;
        let account = account.map(|claim| claim.account);
        let hub = self.engine.hub();
        // As it is called now: another user may have the nick that it had.
        let uploader = session.and_then(|session| hub.user(session));
        let by = uploader.map_or(name, |user| user.identity.nick.clone());
        let share = share.and_then(|(me, _, since)| {
            // It may have another name by now, and another room its name.
            let room = hub.rooms().find(|room| room.since == since)?;
            // A user who may no longer write there is told so, and the file is not listed there either.
            let listed = hub.may_share(me, room.name.as_str()).map(|_| since).ok();
            Some((me, room.name.shared(), listed))
        });
        let room = share.as_ref().and_then(|(_, _, listed)| *listed);
        let time = self.net.moment();
        let (name, sha256) = (file_name.into(), sha256.into());
        let file = StoredFile { id, name, size, sha256, by, account, origin, room, time };
        let said = share.map(|(me, room, _)| {
            let text = format!("shared {}", line(&file, &self.files_url(token)));
            (me, Command::Say(room, Kind::Action, text.into()))
        });
        self.propose(token, Change::Upload { file: Box::new(file) });
        // In the same transaction: one is not kept without the other.
        if let Some((me, command)) = said {
            self.decide(Token::from_bits(me.0), command);
        }
    }

    /// A file is known to the chat, or no longer.
    pub(super) fn file_changed(&mut self, token: Token, id: &Arc<str>) {
        let Some(path) = self.engine.hub().file(id).map(path_of) else {
            self.transfers.remove(Arc::clone(id));
            return self.answer_upload(
                token,
                507,
                "no room is left for files on this server",
                None,
            );
        };
        let url = self.files_url(token) + &path;
        self.answer_upload(token, 201, &url.clone(), Some(url));
    }

    pub(super) fn file_rejected(&mut self, token: Token, id: &Arc<str>, reason: &str) {
        if self.engine.hub().file(id).is_none() {
            self.transfers.remove(Arc::clone(id));
            self.answer_upload(token, 507, &format!("not saved: {reason}"), None);
        }
    }

    /// Answers the connection of an upload, if it is one and still there.
    fn answer_upload(&mut self, token: Token, status: u16, text: &str, location: Option<String>) {
        let connection = self.net.connection(token);
        if connection.is_some_and(|connection| connection.session.http().is_some()) {
            let headers = location.map(|url| ("Location", url)).into_iter().collect();
            self.tell_http(token, status, text, headers);
        }
    }
}
