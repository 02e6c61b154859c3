//! The loop's end of a file on its way: the thread that moves it, and how far it is.

use super::event_loop::FILES;
use super::http::Target;
use super::irc::FileRequest;
use super::startup::resolve;
use super::transfer::{self, Progress};
use crate::terminal::raw::window_columns;
use crate::tls::{Connector as Tls, Trust};
use chatloop_reactor::{Interest, Poller, WakeReceiver, Waker, waker};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The server that the client chats with: its own files are reached as it is.
#[derive(Clone)]
pub(super) struct ChatServer {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
    tls: Option<Tls>,
}

impl ChatServer {
    pub(super) fn new(
        host: String,
        port: u16,
        addresses: Vec<SocketAddr>,
        tls: Option<Tls>,
    ) -> ChatServer {
        ChatServer { host, port, addresses, tls }
    }

    /// Where a URL leads to, and the path there. `own` says that this server has given the URL as its
    /// own: it may know itself by a name that leads nowhere from here, and then its port tells.
    ///
    /// # Errors
    /// A text for people.
    fn target(&self, url: &str, own: bool) -> Result<(Target, String), String> {
        let wrong = || format!("'{url}' is not the URL of a file (expected http:// or https://)");
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(wrong()),
        };
        let (authority, path) = rest.split_once('/').ok_or_else(wrong)?;
        let fits = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || authority.contains('@') || !fits(rest) {
            return Err(wrong());
        }
        let port_of = |text: &str| text.parse::<u16>().ok();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port_of(port).ok_or_else(wrong)?),
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let (host, path) = (host.trim_matches(['[', ']']), format!("/{path}"));
        let named = authority.to_owned();
        if port == self.port && (own || host.eq_ignore_ascii_case(&self.host)) {
            // One port for both: a client that chats by TLS does not go without it for a file.
            let (addresses, tls) = (self.addresses.clone(), self.tls.clone());
            return Ok((Target { addresses, tls, host: named }, path));
        }
        if own && self.tls.is_some() && !secure {
            return Err("not uploaded: the server's URL for files is without TLS".to_owned());
        }
        let tls = secure.then(|| Tls::new(host, Trust::System, None)).transpose()?;
        let addresses =
            resolve(host, port).map_err(|error| format!("could not resolve {host}: {error}"))?;
        Ok((Target { addresses, tls, host: named }, path))
    }
}

/// Columns for a name, a bar, and numbers.
const WIDE: usize = 64;

/// What the thread tells.
enum News {
    Progress(Progress),
    Done(Result<String, String>),
}

pub(super) struct Files {
    server: ChatServer,
    waker: Waker,
    wakes: WakeReceiver,
    news: (Sender<News>, Receiver<News>),
    /// How far the file is that is on its way.
    now: Option<Progress>,
    bar: ProgressBar,
}

impl Files {
    pub(super) fn new(server: ChatServer, poller: &mut Poller) -> io::Result<Files> {
        let (waker, wakes) = waker()?;
        poller.add(&wakes, FILES, Interest::READ)?;
        let bar = ProgressBar::hidden();
        Ok(Files { server, waker, wakes, news: channel(), now: None, bar })
    }

    /// The client chats with that server from here on.
    pub(super) fn move_to(&mut self, server: ChatServer) {
        self.server = server;
    }

    /// Moves a file, on a separate thread.
    ///
    /// # Errors
    /// A text for people: it cannot begin.
    pub(super) fn begin(&mut self, request: FileRequest) -> Result<(), String> {
        if io::stderr().is_terminal() {
            self.bar = ProgressBar::no_length();
            // What is wider than the terminal would wrap, and stay behind.
            let template = match window_columns(io::stderr().as_fd()) {
                1..WIDE => "{percent:>3} % {wide_msg}",
                _ => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
        }
        let (server, waker, tell) = (self.server.clone(), self.waker.clone(), self.news.0.clone());
        let work = move || {
            let told = |news| {
                // The loop has ended if it cannot be told.
                let _ = tell.send(news);
                waker.wake();
            };
            let progress = |progress| told(News::Progress(progress));
            let outcome = match request {
                FileRequest::Upload { path, url } => server
                    .target(&url, true)
                    .and_then(|(target, below)| transfer::upload(&target, &below, &path, progress)),
                FileRequest::Download { url, to } => {
                    server.target(&url, false).and_then(|(target, path)| {
                        transfer::download(&target, &path, to.as_deref(), progress)
                    })
                }
            };
            told(News::Done(outcome));
        };
        let started = std::thread::Builder::new().name("file".into()).spawn(work);
        started.map(drop).map_err(|error| format!("no thread for a file: {error}"))
    }

    /// The thread has told something; the outcome, if it is done.
    pub(super) fn follow(&mut self) -> Option<Result<String, String>> {
        self.wakes.drain();
        let mut done = None;
        while let Ok(news) = self.news.1.try_recv() {
            match news {
                News::Progress(progress) => self.now = Some(progress),
                News::Done(outcome) => (self.now, done) = (None, Some(outcome)),
            }
        }
        done
    }

    /// How far it is, for the front of a prompt; empty if nothing is on its way.
    pub(super) fn progress(&self) -> String {
        const CELLS: usize = 10;
        let Some(Progress { name, done, total }) = &self.now else { return String::new() };
        let part = if *total == 0 { 1.0 } else { *done as f64 / *total as f64 };
        let filled = ((part * CELLS as f64) as usize).min(CELLS);
        let bar = "#".repeat(filled) + &"-".repeat(CELLS - filled);
        format!("[{name} {bar} {:.0}%] ", part * 100.0)
    }

    /// Draws it as a bar on standard error, if that is a terminal.
    pub(super) fn draw(&mut self) {
        match &self.now {
            Some(Progress { name, done, total }) => {
                self.bar.set_message(name.clone());
                self.bar.set_length(*total);
                self.bar.set_position(*done);
            }
            None => self.bar.finish_and_clear(),
        }
    }
}
