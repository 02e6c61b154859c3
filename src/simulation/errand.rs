//! The errand of a client that speaks HTTP: what it asks for, and whether the answer is right.

use chatloop_reactor::dice::Dice;

/// Requests with no body, and the status of the answer.
const REQUESTS: [(&str, &str); 5] = [
    ("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n", "200"),
    ("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
    ("GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", "421"),
];

/// The longest file.
const LONGEST: usize = 60_000;

/// One request.
pub(super) enum Errand {
    /// One of a few.
    Page(usize),
    /// Uploads the file of this number, with a token.
    Upload { token: String, file: usize },
    /// Downloads it again.
    Download { path: String, file: usize },
}

/// What has come of it.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The answer is not whole.
    Open,
    /// It is, and right.
    Done,
    /// The file is kept under this path.
    Kept(String),
    /// The server has no room for it now.
    Busy,
    /// The request took longer than the server waits for one.
    Late,
}

/// What is in the file of this number.
fn contents(file: usize) -> Vec<u8> {
    let mut dice = Dice::new(file as u64);
    let length = dice.below(LONGEST);
    (0..length).map(|_| dice.below(256) as u8).collect()
}

impl Errand {
    pub(super) fn page(number: usize) -> Errand {
        Errand::Page(number % REQUESTS.len())
    }

    /// What is sent.
    pub(super) fn request(&self) -> Vec<u8> {
        match self {
            Errand::Page(number) => REQUESTS[*number].0.into(),
            Errand::Upload { token, file } => {
                let body = contents(*file);
                let head = format!(
                    "PUT /upload/{token}/f{file}.bin HTTP/1.1\r\nHost: localhost\r\n\
                     Content-Length: {}\r\n\r\n",
                    body.len()
                );
                [head.into_bytes(), body].concat()
            }
            Errand::Download { path, .. } => {
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
            }
        }
    }

    /// What the answer says.
    ///
    /// # Errors
    /// It is not one, or not what it should be.
    pub(super) fn answer(&self, received: &[u8]) -> Result<Outcome, String> {
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(Outcome::Open);
        };
        let (head, body) = (String::from_utf8_lossy(&received[..end]), &received[end + 4..]);
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next());
        let status = status.ok_or_else(|| format!("no answer of HTTP: {head:?}"))?;
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.and_then(|it| it.parse().ok()).unwrap_or(0);
        let is_head =
            matches!(self, Errand::Page(number) if REQUESTS[*number].0.starts_with("HEAD"));
        if !is_head && body.len() < length {
            return Ok(Outcome::Open);
        }
        if !is_head && body.len() > length {
            return Err(format!("{} bytes behind an answer of {length}", body.len() - length));
        }
        match self {
            _ if status == "408" => Ok(Outcome::Late),
            Errand::Page(number) if status == REQUESTS[*number].1 => Ok(Outcome::Done),
            Errand::Upload { .. } if status == "201" => {
                let url = String::from_utf8_lossy(body);
                let path = url.trim().find("/files/").map(|at| url.trim()[at..].to_owned());
                path.map(Outcome::Kept).ok_or_else(|| format!("a file is kept nowhere: {url:?}"))
            }
            Errand::Download { file, .. } if status == "200" => match body == contents(*file) {
                true => Ok(Outcome::Done),
                false => Err(format!("the file {file} comes back as another one")),
            },
            // Its token is not valid any more, or there is no place for it, or it cannot be saved.
            Errand::Upload { .. } if status != "400" => Ok(Outcome::Busy),
            Errand::Download { .. } if matches!(status, "429" | "503") => Ok(Outcome::Busy),
            // The server is full.
            Errand::Page(_) if status == "503" => Ok(Outcome::Busy),
            _ => Err(format!("status {status} for {:?}", self.summary())),
        }
    }

    /// In a few words.
    pub(super) fn summary(&self) -> String {
        match self {
            Errand::Page(number) => REQUESTS[*number].0.lines().next().unwrap_or_default().into(),
            Errand::Upload { file, .. } => format!("the upload of file {file}"),
            Errand::Download { file, .. } => format!("the download of file {file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_right_when_it_is_whole_and_says_what_it_should() {
        let page = Errand::page(0);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        for end in 0..answer.len() {
            assert_eq!(page.answer(&answer[..end]), Ok(Outcome::Open));
        }
        assert_eq!(page.answer(answer), Ok(Outcome::Done));
        assert!(page.answer(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        assert!(page.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay").is_err());
        let download = Errand::Download { path: "/files/x/y".to_owned(), file: 7 };
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", contents(7).len());
        let head = answer.len();
        answer.extend(std::iter::repeat_n('x', contents(7).len()));
        assert!(download.answer(answer.as_bytes()).unwrap_err().contains("another"));
        let answer = [&answer.as_bytes()[..head], &contents(7)].concat();
        assert_eq!(download.answer(&answer), Ok(Outcome::Done));
    }
}
