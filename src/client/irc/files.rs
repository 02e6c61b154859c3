//! Files: asked for with `/upload` and `/download`, offered by the server, moved by the loop.
//!
//! One at a time: a script's next line waits until the file is there.

use super::IrcSession;
use super::file_state::{FileRequest, State};
use super::messages::ChatMessage;
use crate::client::display::MessageKind;
use crate::wire::clean::clean;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Shared files that are known by their names.
const MAX_SHARED: usize = 100;

impl IrcSession {
    /// What the loop is to move now.
    pub fn take_file_request(&mut self) -> Option<FileRequest> {
        match &mut self.files.state {
            State::Moving(request) => request.take(),
            State::Idle | State::Asked { .. } => None,
        }
    }

    /// A file has been moved; what to tell, or what went wrong.
    pub fn file_done(&mut self, outcome: Result<String, String>) {
        self.files.state = State::Idle;
        match outcome {
            Ok(text) => self.note(text),
            Err(why) => self.fail(why),
        }
    }

    /// `/upload FILE [#room]`.
    pub(super) fn upload(&mut self, rest: &str) {
        let (path, room) = match rest.rsplit_once(' ') {
            Some((path, room)) if self.server.is_room(room) => (path.trim_end(), Some(room)),
            _ if self.query.is_some() => {
                return self.fail("files are shared in rooms: name one (/upload FILE #room)");
            }
            _ => (rest, None),
        };
        self.upload_to(PathBuf::from(path), room);
    }

    /// Uploads a file for the current room: its path may hold what a typed line cannot.
    pub fn upload_file(&mut self, path: PathBuf, now: Timestamp) {
        self.begin_typing(now);
        self.upload_to(path, None);
    }

    fn upload_to(&mut self, path: PathBuf, room: Option<&str>) {
        if !self.is_free() {
            return;
        }
        let room = room.map(str::to_owned).or_else(|| self.rooms.current.clone());
        let words: Vec<&str> = room.iter().map(String::as_str).collect();
        self.queue("UPLOAD", &words, None);
        self.files.state = State::Asked { path, serial: self.pace.handed };
    }

    /// `/download URL [FILE]`; a name in place of the URL is that of a file that was shared here.
    pub(super) fn download(&mut self, rest: &str) {
        if !self.is_free() {
            return;
        }
        let (url, to) = match self.files.shared.iter().rfind(|(name, _)| name == rest) {
            // Under the name that was asked for: its URL may end in another one.
            Some((name, url)) => (url.clone(), Some(name.clone())),
            None => {
                let (url, to) =
                    rest.split_once(' ').map_or((rest, None), |(url, to)| (url, Some(to)));
                (url.to_owned(), to.map(str::to_owned))
            }
        };
        self.files.state = State::Moving(Some(FileRequest::Download { url, to }));
    }

    fn is_free(&mut self) -> bool {
        let free = self.files.is_idle();
        if !free {
            self.fail("one file at a time: another one is on its way");
        }
        free
    }

    /// The server has given a URL to upload to.
    pub(super) fn upload_offered(&mut self, url: &str) {
        if let State::Asked { path, .. } = &mut self.files.state {
            let path = std::mem::take(path);
            let url = url.to_owned();
            self.files.state = State::Moving(Some(FileRequest::Upload { path, url }));
        }
    }

    /// The server has taken lines. If it has taken the question and gave no URL, it has said why.
    pub(super) fn end_of_upload_answer(&mut self) {
        if let State::Asked { serial, .. } = self.files.state
            && self.pace.taken >= serial
        {
            self.files.state = State::Idle;
            self.failed = true;
        }
    }

    /// The connection is lost, and with it the answer.
    pub(super) fn forget_upload_answer(&mut self) {
        if let State::Asked { .. } = self.files.state {
            self.files.state = State::Idle;
            self.fail("the file was not uploaded: the connection was lost");
        }
    }

    /// `shared plan.pdf (1.2 MB): URL`, as a chatloop server writes it.
    pub(super) fn note_shared_file(&mut self, chat: &ChatMessage) {
        if chat.kind != MessageKind::Action {
            return;
        }
        let shared = chat.text.strip_prefix("shared ").and_then(|it| it.rsplit_once("): "));
        let Some((described, url)) = shared else { return };
        let Some((name, _)) = described.rsplit_once(" (") else { return };
        // Anyone can write such a line, and the name becomes one of a file here.
        if !url.contains("/files/") || name.starts_with('.') || name.contains(['/', '\\']) {
            return;
        }
        if self.files.shared.len() == MAX_SHARED {
            self.files.shared.pop_front();
        }
        self.files.shared.push_back((clean(name.as_bytes()).into_owned(), url.to_owned()));
    }

    /// What to ask about a line that another chat's users type for a file: the question, and the
    /// command for a yes. Only if there is such a file.
    pub fn may_mean_a_file(&self, line: &str) -> Option<(String, String)> {
        let (word, file) = line.split_once(' ')?;
        let file = file.trim();
        let is_meant = match word {
            "upload" => Path::new(file).is_file(),
            "download" => {
                file.contains("/files/") || self.files.shared.iter().any(|(name, _)| name == file)
            }
            _ => false,
        };
        is_meant.then(|| (format!("{}?", clean(line.as_bytes())), format!("/{word} {file}")))
    }
}
