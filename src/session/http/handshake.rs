//! The upgrade of a request to a WebSocket.

use super::websocket::{Framing, WebSocket};
use crate::wire::http::{Request, Response};
use crate::wire::websocket::accept;

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked(request: &Request<'_>) -> bool {
    request.lists("upgrade", "websocket") && request.lists("connection", "upgrade")
}

/// The answer to such a request, and what it opens; or why not. Its `Origin` has been checked.
pub(super) fn answer(request: &Request<'_>) -> Result<(WebSocket, Vec<u8>), Response> {
    if request.method != "GET" || request.is_old {
        return Err(Response::text(400, "a WebSocket is opened by GET of HTTP/1.1"));
    }
    if request.header("sec-websocket-version") != Some("13") {
        let response = Response::text(426, "this server speaks version 13 of WebSocket");
        return Err(response.with("Sec-WebSocket-Version", "13").with("Upgrade", "websocket"));
    }
    let mut keys = request.all("sec-websocket-key");
    let key = keys.next().filter(|_| keys.next().is_none()).and_then(accept);
    let proof = key.ok_or_else(|| {
        Response::text(400, "a WebSocket needs one Sec-WebSocket-Key of 16 bytes")
    })?;
    let known = |name: &str| Framing::SUBPROTOCOLS.iter().find(|(known, _)| *known == name);
    // The first of those that the client prefers.
    let chosen = request.list("sec-websocket-protocol").find_map(known);
    let mut answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {proof}\r\n"
    );
    if let Some((name, _)) = chosen {
        answer.extend(["Sec-WebSocket-Protocol: ", name, "\r\n"]);
    }
    answer.push_str("\r\n");
    let framing = chosen.map_or(Framing::Text, |(_, framing)| *framing);
    Ok((WebSocket::new(framing), answer.into_bytes()))
}
