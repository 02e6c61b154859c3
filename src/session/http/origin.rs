//! The names that a request may use: against DNS rebinding, and against pages of other sites.
//!
//! A browser sends a request wherever a page asks it to. A page at `evil.example` that points its own
//! name at 127.0.0.1 reaches a server on loopback and may read the answers: the only sign is the
//! `Host` that the browser names. And any page may open a WebSocket to any server: the only sign is
//! its `Origin`. Programs that are no browsers send neither or both as they like, and lose nothing.

/// Who may be asked for what: as configured.
#[derive(Clone, Default, Debug)]
pub struct Settings {
    /// Whether HTTP is served.
    pub(super) enabled: bool,
    /// Names of this server, in lower case.
    hosts: Vec<String>,
    /// Origins of other sites whose pages may connect, as browsers write them.
    origins: Vec<String>,
}

impl Settings {
    /// `origins` are `https://host` or `https://host:port`; their hosts are names of this server, too.
    pub fn new<'a>(
        enabled: bool,
        hosts: impl IntoIterator<Item = &'a str>,
        origins: impl IntoIterator<Item = &'a str>,
    ) -> Settings {
        let origins: Vec<String> =
            origins.into_iter().map(|it| it.trim_end_matches('/').to_ascii_lowercase()).collect();
        let names = origins.iter().map(|origin| host_name(authority(origin)).to_owned());
        let hosts = hosts.into_iter().map(str::to_ascii_lowercase).chain(names).collect();
        Settings { enabled, hosts, origins }
    }

    /// Whether this server may be called so. An address is no name that anyone could have pointed here.
    pub(super) fn knows_host(&self, host: &str) -> bool {
        let name = host_name(host);
        is_address(name)
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether a page from there may connect to the server that it calls `host`.
    pub(super) fn allows_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let own = host.is_some_and(|host| authority(origin).eq_ignore_ascii_case(host));
        own || self.other_site(origin).is_some()
    }

    /// The other site of this origin, if its pages may connect.
    pub(super) fn other_site(&self, origin: &str) -> Option<&str> {
        self.origins.iter().find(|it| it.eq_ignore_ascii_case(origin)).map(String::as_str)
    }
}

/// An authority without its port, and without the dot of the DNS's root.
fn host_name(authority: &str) -> &str {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.strip_suffix('.').unwrap_or(name)
}

fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

/// An IP address: in brackets, or digits and dots. No name in the DNS looks like either.
fn is_address(name: &str) -> bool {
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let bracketed = name.starts_with('[') && name.ends_with(']');
    bracketed || (!name.is_empty() && name.bytes().all(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_names_that_it_was_given() {
        let settings = Settings::new(true, ["Chat.Example.org"], ["https://web.example.org:8443"]);
        for host in [
            "127.0.0.1",
            "127.0.0.1:7777",
            "[::1]:7777",
            "[fe80::1%25eth0]",
            "LOCALHOST:80",
            "chat.example.org",
            "chat.example.org:443",
            "web.example.org:7777",
            "chat.example.org.:7777",
        ] {
            assert!(settings.knows_host(host), "{host}");
        }
        for host in [
            "",
            ":7777",
            ".",
            "example.org",
            "chat.example.org..",
            "chat.example.org.evil.com",
            "1.2.3.4.evil.com",
            "localhost@evil.com",
            "[::1].evil.com",
        ] {
            assert!(!settings.knows_host(host), "{host}");
        }
    }
    #[test]
    fn a_page_may_connect_to_where_it_came_from() {
        let settings = Settings::new(true, [], ["https://web.example.org/"]);
        let allows = |origin, host| settings.allows_origin(origin, Some(host));
        assert!(allows("http://localhost:7777", "localhost:7777"));
        assert!(allows("https://chat.example.org", "chat.example.org"));
        assert!(allows("https://WEB.example.org", "127.0.0.1:7777"));
        assert!(!allows("http://localhost:8000", "localhost:7777"));
        assert!(!allows("http://web.example.org", "127.0.0.1:7777"), "another scheme");
        assert!(!allows("null", "localhost:7777"));
        assert!(!settings.allows_origin("http://a.org", None));
    }
}
