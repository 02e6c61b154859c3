//! The grammars of settings that are more than one word or number.

use super::values::{Bytes, OrOff};
use crate::chat::Secret;
use crate::wire::address::Address;

/// The longest line that can be configured: it must fit beside other input in an inbox.
pub const LONGEST_LINE: usize = 32 * 1024;

/// Takes the text as it is; what it says is read when it is known whether there is a port, too.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    text.parse::<Address>().map(|_| text.to_owned())
}

/// An address with a port.
pub(super) fn parse_listen(text: &str) -> Result<Address, String> {
    let address: Address = text.parse()?;
    match address.port {
        _ if address.tls => Err("the + is for clients; a server speaks TLS with --tls".to_owned()),
        None => Err(format!("'{text}' has no port: expected HOST:PORT, such as 0.0.0.0:6667")),
        Some(_) => Ok(address),
    }
}

pub(super) fn parse_secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() {
        Err("the password must not be empty".to_owned())
    } else {
        Ok(Secret::new(text))
    }
}

/// `https://host` or `https://host:port`, without a path.
pub(super) fn parse_origin(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let port = text.rsplit_once(':').map(|(_, port)| port).filter(|it| it.parse::<u64>().is_ok());
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(format!("invalid origin '{text}': ports are 0 to 65535"));
    }
    let authority = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_authority = |it: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        !it.is_empty() && it.bytes().all(fits)
    };
    match authority.filter(|it| is_authority(it)) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("invalid origin '{text}': expected for example https://example.org")),
    }
}

pub(super) fn parse_max_line(text: &str) -> Result<Bytes, String> {
    let bytes: Bytes = text.parse()?;
    if bytes.0 > LONGEST_LINE {
        return Err(format!("the maximum is {}", Bytes(LONGEST_LINE)));
    }
    Ok(bytes)
}

pub(super) fn parse_max_data(text: &str) -> Result<OrOff<Bytes>, String> {
    let size: OrOff<Bytes> = text.parse()?;
    let least = usize::try_from(crate::journal::limits::LEAST_FILE_SIZE).unwrap_or(usize::MAX);
    if size.on().is_some_and(|bytes| bytes.0 < least) {
        return Err(format!("the minimum is {}", Bytes(least)));
    }
    Ok(size)
}
