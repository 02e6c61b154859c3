//! Files as a session knows them: the one that is on its way, and those that were shared.

use std::collections::VecDeque;
use std::path::PathBuf;

/// A file that the loop is to move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileRequest {
    /// This file, to below this URL.
    Upload { path: PathBuf, url: String },
    /// This URL, to this file.
    Download { url: String, to: Option<String> },
}

#[derive(Default)]
pub(super) enum State {
    #[default]
    Idle,
    /// The server was asked where to upload a file to; the serial number of the line that asks.
    Asked { path: PathBuf, serial: u64 },
    /// The loop is to move it, or does so.
    Moving(Option<FileRequest>),
}

#[derive(Default)]
pub(super) struct Files {
    pub(super) state: State,
    /// Name and URL of those that others have shared, the latest last.
    pub(super) shared: VecDeque<(String, String)>,
}

impl Files {
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }
}
