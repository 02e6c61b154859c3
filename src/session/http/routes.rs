//! The routes of requests: what a path leads to, and the checks before it is answered.

use super::cors::Reader;
use super::origin::Settings;
use super::respond::respond;
use super::websocket::WebSocket;
use super::{download, handshake, page, upload};
use crate::chat::Moment;
use crate::session::action::Action;
use crate::session::transfer::FileRequest;
use crate::wire::http::{Length, Request, Response};

/// What becomes of a request.
pub(in crate::session) enum Outcome {
    /// It is answered so.
    Answer(Action),
    /// It is answered with these bytes, and the connection is a WebSocket from here on.
    Upgrade(WebSocket, Vec<u8>),
    /// There is nothing to do.
    Nothing,
}

/// What a path leads to.
#[derive(Clone, Copy)]
pub(super) enum Route<'a> {
    /// A file of the page.
    File(&'static page::File),
    Health,
    Metrics,
    /// What is behind `/upload`.
    Upload(&'a str),
    /// An uploaded file, by its id.
    Fetch(&'a str),
}

/// The methods of routes that only read.
const METHODS: &str = "GET, HEAD";

pub(super) fn route(path: &str) -> Option<Route<'_>> {
    match path {
        "/health" => Some(Route::Health),
        "/metrics" => Some(Route::Metrics),
        path => {
            let upload = || upload::below(path).map(Route::Upload);
            let fetch = || download::id(path).map(Route::Fetch);
            page::file(path).map(Route::File).or_else(upload).or_else(fetch)
        }
    }
}

/// Why a request is not answered, whatever it wants: it is for another server, or comes from a page of
/// another site.
fn not_for_us(
    request: &Request<'_>,
    route: Option<&Route<'_>>,
    settings: &Settings,
) -> Option<Response> {
    let checked = !matches!(route, Some(Route::Health));
    if let Some(host) = request.host.filter(|host| checked && !settings.knows_host(host)) {
        let host: String = host.chars().filter(|it| it.is_ascii_graphic()).take(64).collect();
        let text = format!("this server is not known as {host} (--name, --url, --web-origin)");
        return Some(Response::text(421, &text));
    }
    let origin = request.header("origin")?;
    let foreign = !settings.allows_origin(origin, request.host);
    foreign.then(|| Response::text(403, "pages of other sites may not connect (--web-origin)"))
}

/// The checks of a request, from its address to what it wants, and the answer.
pub(super) fn answer(
    request: &Request<'_>,
    settings: &Settings,
    reader: &Reader,
    now: Moment,
) -> Outcome {
    let head_only = request.method == "HEAD";
    let respond = |response: Response| {
        let mut response = Response { head_only, ..response };
        reader.allow(&mut response);
        Outcome::Answer(respond(&response, now))
    };
    let method_not_allowed =
        || Response::text(405, "method not allowed: use GET or HEAD").with("Allow", METHODS);
    let Some(path) = request.path else { return respond(method_not_allowed()) };
    let route = route(path);
    if let Some(response) = not_for_us(request, route.as_ref(), settings) {
        return respond(response);
    }
    let Some(route) = route else { return respond(Response::text(404, "no such page")) };
    if let Route::Upload(rest) = route {
        return match request.method {
            "POST" | "PUT" => match upload::read(request, rest) {
                Ok(upload) => Outcome::Answer(Action::Files(FileRequest::Upload(Box::new(upload)))),
                Err(fault) => respond(fault.into()),
            },
            "OPTIONS" => respond(upload::options()),
            _ => {
                let response = Response::text(405, "POST a file here, or PUT it to /upload/NAME");
                respond(response.with("Allow", upload::METHODS))
            }
        };
    }
    if request.method == "OPTIONS" && matches!(route, Route::Fetch(_)) {
        return respond(download::options());
    }
    if !matches!(request.method, "GET" | "HEAD") {
        return respond(method_not_allowed());
    }
    if request.body != Length::Known(0) {
        return respond(Response::text(413, "this path takes no body"));
    }
    match route {
        Route::Upload(_) => respond(method_not_allowed()),
        Route::Fetch(id) => {
            let fetch = Box::new(download::read(request, id));
            Outcome::Answer(Action::Files(FileRequest::Fetch(fetch)))
        }
        Route::File(file) if file.has_socket() && handshake::is_asked(request) => {
            match handshake::answer(request) {
                Ok((socket, answer)) => Outcome::Upgrade(socket, answer),
                Err(response) => respond(response),
            }
        }
        Route::File(file) => respond(file.response()),
        Route::Health => respond(Response::text(200, "ok").with("Cache-Control", "no-store")),
        Route::Metrics => Outcome::Answer(Action::Scrape {
            open_metrics: request
                .list("accept")
                .any(|it| it.starts_with("application/openmetrics")),
            head_only,
        }),
    }
}
