//! Settings of uploaded files, and the address in their URLs.

use super::{Boot, Bytes, Config, Days, NO_NAME, OrOff, share_of_memory};
use clap::Args;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

// No doc comment, because clap would show it in place of the program's.
#[derive(Clone, Debug, Args)]
pub struct FileSettings {
    /// Maximum size of an uploaded file, or off for no uploads
    #[arg(long, default_value = "50M", value_name = "BYTES|off")]
    pub file_max: OrOff<Bytes>,

    /// Maximum size of all files of one account together
    #[arg(long, default_value = "500M", value_name = "BYTES")]
    pub files_per_account: Bytes,

    /// Maximum size of all files of guests from one IPv4 address or IPv6 /64 together
    #[arg(long, default_value = "100M", value_name = "BYTES")]
    pub files_per_address: Bytes,

    /// Maximum size of all files together [default: 5G; without --data, when files are kept in
    /// memory, an eighth of the memory, at most 64M]
    #[arg(long, value_name = "BYTES")]
    pub files_all: Option<Bytes>,

    /// Days after which a file is deleted
    #[arg(long, default_value = "90", value_name = "DAYS|off")]
    pub file_age: OrOff<Days>,

    /// Uploads and downloads in progress; of one IPv4 address or IPv6 /64 that is not loopback, a
    /// quarter of that
    #[arg(long, default_value = "64", value_name = "N")]
    pub max_transfers: NonZeroU32,

    /// Accept uploads from accounts only
    #[arg(long)]
    pub upload_accounts_only: bool,
}

impl Boot {
    /// Where it listens first: perhaps the system has picked the port, and `--listen` or a service
    /// manager the address. A host name stays: it is what URLs are to have.
    pub(in crate::server) fn listen_at(&mut self, address: SocketAddr) {
        self.port = address.port();
        if self.host.parse::<IpAddr>().is_ok() {
            self.host = address.ip().to_string();
        }
    }
}

impl Config {
    /// Whether files may be uploaded.
    pub fn takes_uploads(&self) -> bool {
        cfg!(feature = "web") && !self.no_http && self.files.file_max.on().is_some()
    }

    /// The size that all files may have together.
    #[cfg_attr(not(feature = "web"), expect(dead_code, reason = "asked for uploads"))]
    pub(in crate::server) fn files_all(&self) -> Bytes {
        self.files.files_all.unwrap_or_else(|| match self.boot.data {
            Some(_) => Bytes(5 << 30),
            None => Bytes(share_of_memory()),
        })
    }

    /// Whether URLs are told with `https:`, by default.
    pub(in crate::server) fn tells_https(&self) -> bool {
        self.tls_cert.is_some() || self.tls_only
    }

    /// What every URL of this server begins with. Without `--url` it is the listener's address, or
    /// `--name` if that means all of them.
    pub fn public_url(&self) -> String {
        self.url_at(None, self.tells_https())
    }

    /// The same for a client that is connected to this address of ours, by TLS or without. A server
    /// that listens on all addresses and has no name is known by the one that led to it.
    pub(in crate::server) fn url_at(&self, local: Option<SocketAddr>, tls: bool) -> String {
        let local = local.map(|local| SocketAddr::new(local.ip().to_canonical(), local.port()));
        match (&self.url, local.filter(|local| !local.ip().is_loopback())) {
            (Some(url), _) => url.clone(),
            (None, Some(local)) if self.has_no_address() => {
                format!("{}://{local}", if tls { "https" } else { "http" })
            }
            _ => self.url_by(tls),
        }
    }

    /// Whether neither `--url` nor `--name` nor the listener says where the server is.
    pub(in crate::server) fn has_no_address(&self) -> bool {
        let host = self.boot.host.parse::<IpAddr>();
        self.url.is_none() && self.name == NO_NAME && host.is_ok_and(|host| host.is_unspecified())
    }

    fn url_by(&self, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        let host = match self.boot.host.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => self.name.clone(),
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.boot.host.clone(),
        };
        format!("{scheme}://{host}:{}", self.boot.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn url(arguments: &[&str]) -> String {
        let arguments = ["chatloop-server"].iter().chain(arguments);
        Config::try_parse_from(arguments).unwrap().public_url()
    }

    #[test]
    fn urls_lead_to_where_it_listens() {
        let arguments = ["chatloop-server", "--listen", "0.0.0.0:6667", "--name", "a.example"];
        let mut config = Config::try_parse_from(arguments).unwrap();
        for (address, url) in [
            ("0.0.0.0:6667", "http://a.example:6667"),
            ("192.0.2.1:6667", "http://192.0.2.1:6667"),
            ("[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ] {
            config.boot.listen_at(address.parse().unwrap());
            assert_eq!(config.public_url(), url);
        }
        config.boot.host = "localhost".to_owned();
        config.boot.listen_at("127.0.0.1:80".parse().unwrap());
        assert_eq!(config.public_url(), "http://localhost:80");
    }

    #[test]
    fn a_server_without_a_name_is_where_a_client_has_reached_it() {
        let at = |arguments: &[&str], local: &str| {
            let arguments = ["chatloop-server"].iter().chain(arguments);
            let config = Config::try_parse_from(arguments).unwrap();
            config.url_at(Some(local.parse().unwrap()), false)
        };
        let all = ["::", "7777"];
        assert_eq!(at(&all, "192.0.2.1:7777"), "http://192.0.2.1:7777");
        assert_eq!(at(&all, "[::ffff:192.0.2.1]:7777"), "http://192.0.2.1:7777");
        assert_eq!(at(&all, "[2001:db8::1]:7777"), "http://[2001:db8::1]:7777");
        // What leads here leads no one else here.
        assert_eq!(at(&all, "127.0.0.1:7777"), "http://chatloop.local:7777");
        let named = ["::", "--name", "a.example"];
        assert_eq!(at(&named, "192.0.2.1:7777"), "http://a.example:7777");
        assert_eq!(at(&["192.0.2.1"], "192.0.2.2:7777"), "http://192.0.2.1:7777");
        assert_eq!(at(&["::", "--url", "http://b.example"], "192.0.2.1:7777"), "http://b.example");
    }

    #[test]
    fn urls_begin_with_what_was_given_or_with_where_it_listens() {
        assert_eq!(url(&["--url", "https://chat.example.org"]), "https://chat.example.org");
        assert_eq!(url(&[]), "http://127.0.0.1:7777");
        assert_eq!(url(&["::1", "80"]), "http://[::1]:80");
        assert_eq!(url(&["0.0.0.0", "--name", "chat.example.org"]), "http://chat.example.org:7777");
        assert_eq!(
            url(&["localhost", "--tls-cert", "a", "--tls-key", "b"]),
            "https://localhost:7777"
        );
    }
}
