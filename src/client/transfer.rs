//! A file up to a server, or down to a file: what is sent, what is checked, and how it goes on after
//! a break. It may wait as long as it takes: it has its own thread.

use super::http::{Connection, Head, PIECE, Target};
use super::link::in_words;
use crate::wire::clean::clean;
use pbkdf2::sha2::{Digest, Sha256};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Breaks in a row without a byte in between after which a download is given up.
const MOST_BREAKS: u32 = 5;

/// The pause after a break.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of an answer's text that are shown.
const LONGEST_TEXT: usize = 400;

/// How far a file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Progress {
    pub(super) name: String,
    pub(super) done: u64,
    pub(super) total: u64,
}

/// Tells how far a file is, once for each hundredth of it.
struct Meter<F> {
    name: String,
    total: u64,
    told: Option<u64>,
    tell: F,
}

impl<F: FnMut(Progress)> Meter<F> {
    fn at(&mut self, done: u64) {
        let part = done.saturating_mul(100) / self.total.max(1);
        if self.told != Some(part) {
            self.told = Some(part);
            (self.tell)(Progress { name: self.name.clone(), done, total: self.total });
        }
    }
}

/// Uploads a file to below a path; its URL.
///
/// # Errors
/// A text for people.
pub(super) fn upload(
    target: &Target,
    below: &str,
    path: &Path,
    tell: impl FnMut(Progress),
) -> Result<String, String> {
    let shown = shown(&path.to_string_lossy());
    let local = |error: io::Error| format!("cannot read {shown}: {}", in_words(&error));
    // Opening a FIFO would wait for its writer.
    let is_file = std::fs::metadata(path).map_err(local)?.is_file();
    let name = path.file_name().filter(|_| is_file);
    let name = name.ok_or_else(|| format!("{shown} is not a file"))?.to_string_lossy();
    let mut file = File::open(path).map_err(local)?;
    let about = file.metadata().map_err(local)?;
    let broken = |error: io::Error| format!("{shown} was not uploaded: {}", in_words(&error));
    let mut connection = Connection::open(target).map_err(broken)?;
    let head = format!(
        "PUT {}/{} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        below.trim_end_matches('/'),
        utf8_percent_encode(&name, NON_ALPHANUMERIC),
        target.host,
        about.len()
    );
    let mut meter = Meter { name: shown.clone(), total: about.len(), told: None, tell };
    let mut taken = connection.send(head.as_bytes()).map_err(broken)?;
    let (mut piece, mut done) = (vec![0; PIECE], 0);
    while taken && done < about.len() {
        let left = usize::try_from(about.len() - done).map_or(PIECE, |left| left.min(PIECE));
        let count = file.read(&mut piece[..left]).map_err(local)?;
        if count == 0 {
            return Err(format!("{shown} has become shorter while it was uploaded"));
        }
        taken = connection.send(&piece[..count]).map_err(broken)?;
        done += count as u64;
        meter.at(done);
    }
    let head = connection.head().map_err(broken)?;
    let text = text(&mut connection).map_err(broken)?;
    match head.status {
        201 => Ok(head.header("location").map_or(text, |url| clean(url.as_bytes()).into_owned())),
        status => Err(format!("{shown} was not uploaded: {text} ({status})")),
    }
}

/// Downloads a file; what to tell. Without a name it gets the one in its path, here.
///
/// # Errors
/// A text for people.
pub(super) fn download(
    target: &Target,
    path: &str,
    to: Option<&str>,
    tell: impl FnMut(Progress),
) -> Result<String, String> {
    let to = to.map_or_else(|| name_in(path), |to| Ok(to.to_owned()))?;
    let shown = shown(&to);
    if Path::new(&to).exists() {
        return Err(format!("{shown} exists; give another name: /download URL FILE"));
    }
    let part = PathBuf::from(format!("{to}.part"));
    let mut meter = Meter { name: shown.clone(), total: 0, told: None, tell };
    let hash = fetch_all(target, path, &part, &mut meter).map_err(|fault| {
        let has_some = std::fs::metadata(&part).is_ok_and(|about| about.len() > 0);
        if !has_some {
            let _ = std::fs::remove_file(&part);
        }
        let kept = format!(" (/download goes on with {shown}.part)");
        let why = match fault {
            Fault::Final(why) => why,
            Fault::Break(error) => in_words(&error) + if has_some { &kept } else { "" },
        };
        format!("{shown} was not downloaded: {why}")
    })?;
    if let Some(expected) = hash
        && hash_of(&part)
            .map_err(|error| format!("cannot read {shown}.part: {}", in_words(&error)))?
            != expected
    {
        let _ = std::fs::remove_file(&part);
        return Err(format!("{shown} was not downloaded: it is damaged; try again"));
    }
    std::fs::rename(&part, &to)
        .map_err(|error| format!("cannot write {shown}: {}", in_words(&error)))?;
    Ok(format!("saved {shown}"))
}

/// Why a file has not come in full.
enum Fault {
    /// The connection broke; it may go on.
    Break(io::Error),
    Final(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Break(error)
    }
}

/// Fetches all of a file into `part`, however often the connection breaks, as long as something comes in
/// between; its SHA-256, if the server says it.
fn fetch_all(
    target: &Target,
    path: &str,
    part: &Path,
    meter: &mut Meter<impl FnMut(Progress)>,
) -> Result<Option<String>, Fault> {
    let local = |error: io::Error| Fault::Final(format!("cannot write: {}", in_words(&error)));
    let mut breaks = 0;
    loop {
        let file = OpenOptions::new().create(true).append(true).read(true).open(part);
        let mut file = file.map_err(local)?;
        let before = file.metadata().map_err(local)?.len();
        let fault = match fetch(target, path, &mut file, before, meter) {
            Err(Fault::Break(error)) => error,
            outcome => return outcome,
        };
        let has_come = file.metadata().map_err(local)?.len() > before;
        breaks = if has_come { 1 } else { breaks + 1 };
        if breaks >= MOST_BREAKS {
            return Err(Fault::Break(fault));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Fetches what is missing behind the first `have` bytes; the SHA-256 of the whole, if the server
/// says it: chatloop's is the ETag.
fn fetch(
    target: &Target,
    path: &str,
    file: &mut File,
    have: u64,
    meter: &mut Meter<impl FnMut(Progress)>,
) -> Result<Option<String>, Fault> {
    let write = |error: io::Error| Fault::Final(format!("cannot write: {}", in_words(&error)));
    let mut connection = Connection::open(target)?;
    let range = if have > 0 { format!("Range: bytes={have}-\r\n") } else { String::new() };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\nConnection: close\r\n{range}\r\n",
        target.host
    );
    connection.send(request.as_bytes())?;
    let head = connection.head()?;
    let start = match head.status {
        200 => 0,
        206 if first_byte(&head) == Some(have) => have,
        416 => {
            // What is here is of another file, or is all of it.
            file.set_len(0).map_err(write)?;
            return Err(Fault::Break(io::Error::other("the part that is here does not fit")));
        }
        status => {
            let text = format!("{} ({status})", text(&mut connection)?);
            return Err(match status {
                // Too many at a time: it may be one's turn in a moment.
                503 => Fault::Break(io::Error::other(text)),
                _ => Fault::Final(text),
            });
        }
    };
    file.set_len(start).map_err(write)?;
    file.seek(SeekFrom::End(0)).map_err(write)?;
    let length = head.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let Some(length) = length else {
        return Err(Fault::Final("the server does not say how long it is".to_owned()));
    };
    let Some(total) = start.checked_add(length) else {
        return Err(Fault::Final("the server says that it is longer than any file".to_owned()));
    };
    meter.total = total;
    let mut left = length;
    let mut take = |received: &mut Vec<u8>| -> Result<u64, Fault> {
        let count = usize::try_from(left).map_or(received.len(), |left| left.min(received.len()));
        file.write_all(&received[..count]).map_err(write)?;
        received.clear();
        left -= count as u64;
        meter.at(total - left);
        Ok(left)
    };
    let mut missing = take(connection.received())?;
    while missing > 0 {
        match connection.body()? {
            Some(received) => missing = take(received)?,
            None => return Err(Fault::Break(io::ErrorKind::UnexpectedEof.into())),
        }
    }
    let tag = head.header("etag").map(|tag| tag.trim_matches('"').to_owned());
    Ok(tag.filter(|tag| tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())))
}

/// `bytes 100-199/200`.
fn first_byte(head: &Head) -> Option<u64> {
    let range = head.header("content-range")?.strip_prefix("bytes ")?;
    range.split('-').next()?.parse().ok()
}

/// The text of an answer that is no file.
fn text(connection: &mut Connection) -> io::Result<String> {
    while connection.received().len() < LONGEST_TEXT && connection.body()?.is_some() {}
    let received = connection.received();
    let text = &received[..received.len().min(LONGEST_TEXT)];
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(clean(line.trim_ascii()).into_owned())
}

/// The name at the end of a path, if a file may be called so here.
fn name_in(path: &str) -> Result<String, String> {
    let last = path.split(['?', '#']).next().unwrap_or_default().rsplit('/').next();
    let name = percent_decode_str(last.unwrap_or_default()).decode_utf8_lossy().into_owned();
    let wrong = name.is_empty() || name.starts_with('.') || name.contains(['/', '\0', '\\']);
    if wrong || clean(name.as_bytes()) != name {
        return Err("the URL does not end in a file name; give one: /download URL FILE".to_owned());
    }
    Ok(name)
}

fn shown(path: &str) -> String {
    clean(path.as_bytes()).into_owned()
}

fn hash_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut piece) = (File::open(path)?, Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => hash.update(&piece[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_url_stays_in_this_directory() {
        for (path, name) in [
            ("/files/ab/plan.pdf", Some("plan.pdf")),
            ("/a%20b.txt?x=/y", Some("a b.txt")),
            ("/files/ab/..%2f..%2fetc%2fpasswd", None),
            ("/files/ab/.bashrc", None),
            ("/files/ab/%1b%5bm", None),
            ("/files/ab/", None),
        ] {
            assert_eq!(name_in(path).ok().as_deref(), name, "{path}");
        }
    }
}
