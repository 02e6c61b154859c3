//! The files that a browser is given, built in.

use crate::wire::http::Response;

/// A file of the page.
pub(super) struct File {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const FILES: &[File] = &[File {
    path: "/",
    content_type: "text/plain; charset=utf-8",
    text: "This is a chat server; connect with chatloop-client, nc or an IRC client.\n",
}];

/// The file at this path.
pub(super) fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    pub(super) fn response(&self) -> Response {
        Response {
            content_type: self.content_type,
            headers: vec![("Cache-Control", "no-cache".into())],
            body: self.text.as_bytes().into(),
            ..Response::text(200, "")
        }
    }
}
