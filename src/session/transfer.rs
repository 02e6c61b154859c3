//! Requests to upload and to download: what a session asks the server for.

use crate::chat::Secret;
use std::sync::Arc;

/// What is to be done about uploaded files.
#[derive(Clone, PartialEq, Debug)]
pub enum FileRequest {
    /// Decide whether this upload is taken.
    Upload(Box<Upload>),
    /// The next bytes of the upload, and whether they are the last.
    Store { bytes: Vec<u8>, done: bool },
    /// Answer with a file.
    Fetch(Box<Fetch>),
    /// Give the peer a token to upload a file with, which is to be shared in this room.
    Offer(Option<Arc<str>>),
    /// List the files of a room.
    List(Arc<str>),
}

/// A request to upload a file; its body is yet to come.
#[derive(Clone, PartialEq, Debug)]
pub struct Upload {
    /// The file's name, checked.
    pub name: String,
    /// The room to share it in, as given; one that a token names goes before.
    pub room: Option<String>,
    /// Bytes; `None` if they come in chunks.
    pub length: Option<u64>,
    pub credentials: Credentials,
    /// What the client takes for `--password`.
    pub server_password: Option<Secret>,
    /// It came by a proxy.
    pub forwarded: bool,
}

/// By whom a file is uploaded.
#[derive(Clone, PartialEq, Debug)]
pub enum Credentials {
    None,
    /// A token that a connection to the chat was given.
    Token(String),
    /// An account and its password.
    Password(Arc<str>, Secret),
}

/// A request for a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetch {
    pub id: String,
    /// Only the head of the answer.
    pub head_only: bool,
    pub range: Option<ByteRange>,
    /// The tags of the versions that the client has; `*` is any.
    pub known: Vec<String>,
    /// The range is asked for if the file still has this tag.
    pub if_range: Option<String>,
}

/// A part of a file. RFC 9110, section 14.1.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteRange {
    /// From here to there, or to the end.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

/// How a file is uploaded, for a person at a shell.
pub(super) fn how_to_upload(url: &str, room: Option<&str>) -> String {
    let whereto = room.map_or(String::new(), |room| format!(" to {room}"));
    format!("to upload a file{whereto}, run this within 10 minutes: curl -T FILE {url}/")
}

/// The id of a file, given so or by its URL.
pub(super) fn file_id(text: &str) -> Arc<str> {
    let id = text.split_once("/files/").map_or(text, |(_, rest)| rest);
    id.split('/').next().unwrap_or_default().to_ascii_lowercase().into()
}
