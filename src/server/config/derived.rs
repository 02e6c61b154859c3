//! Values derived from the settings, for the parts of the server.

use super::secrets::read;
use super::{Config, Registration};
use crate::chat::{Flag, Modes, Moment, PasswordHash};
use crate::session::{Protocol, http, irc};
use crate::tls;
use chatloop_reactor::memory;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

impl Config {
    /// The certificate that TLS is to use, if it is on.
    pub(in crate::server) fn tls_source(&self) -> Option<tls::Source> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(tls::Source::Files(cert.clone(), key.clone())),
            _ if self.tls => {
                let file = self.boot.data.as_ref().map(|directory| directory.join("tls.pem"));
                Some(tls::Source::SelfSigned(file, self.name.clone()))
            }
            _ => None,
        }
    }

    /// Whether an address is that of a proxy which is trusted.
    pub(in crate::server) fn is_proxy(&self, ip: IpAddr) -> bool {
        self.proxy_from.iter().any(|network| network.contains(ip))
    }

    /// How long a client may take to begin. In IRC a silent one need not be greeted, and has the time
    /// that it has to register.
    pub(in crate::server) fn detection_timeout(&self) -> Duration {
        match self.protocol {
            Protocol::Irc => Duration::from_secs(30),
            _ => Duration::from_millis(self.greeting_delay.into()),
        }
    }

    /// The modes of a new room, if they are not the usual ones.
    pub(in crate::server) fn unusual_modes(&self) -> Option<BTreeSet<Flag>> {
        let flags = &self.channel_modes.0;
        (*flags != Modes::usual().flags).then(|| flags.clone())
    }

    /// The memory for rooms.
    pub(in crate::server) fn room_memory(&self) -> usize {
        self.boot.room_memory.map_or_else(share_of_memory, |bytes| bytes.0)
    }

    /// The memory for what accounts hold.
    pub(in crate::server) fn account_memory(&self) -> usize {
        self.boot.account_memory.map_or_else(share_of_memory, |bytes| bytes.0)
    }

    /// The hash of an operator's password, if there is such an operator.
    pub(in crate::server) fn oper_hash(&self, name: &str) -> Option<PasswordHash> {
        let known = self.oper.iter().find(|oper| oper.name == name);
        known.map(|oper| oper.hash.clone())
    }

    /// What IRC clients are told.
    ///
    /// # Errors
    /// The message of the day cannot be read.
    pub(in crate::server) fn irc_settings(&self, started: Moment) -> Result<irc::Settings, String> {
        let motd = self.motd.as_deref().map(|path| read("--motd", path)).transpose()?;
        Ok(irc::Settings {
            name: self.name.clone(),
            network: self.network.clone(),
            has_password: self.password.is_some(),
            requires_account: self.require_account,
            registers_early: self.registers_early(),
            tls: self.tls_source().is_some(),
            sts: self.sts.map(|days| {
                format!("duration={},port={}", days.duration().as_secs(), self.boot.port)
            }),
            motd: motd.map(|text| text.lines().map(str::to_owned).collect()),
            started,
            filehost: self.takes_uploads().then(|| format!("{}/upload", self.public_url())),
            web: self.web_settings(),
        })
    }

    /// Whether clients may register accounts before they are admitted.
    pub(in crate::server) fn registers_early(&self) -> bool {
        match self.registration {
            Registration::Early => true,
            // No one new would get in otherwise.
            Registration::Open => self.require_account,
            Registration::Operators | Registration::Closed => false,
        }
    }

    /// What HTTP requests may ask for.
    fn web_settings(&self) -> http::Settings {
        let origins = self.web_origin.iter().chain(&self.url).map(String::as_str);
        let names = [self.name.as_str(), self.boot.host.as_str()];
        http::Settings::new(!self.no_http, names, origins)
    }
}

/// The default of a budget for everyone together: a small machine has other uses for its memory.
pub(in crate::server) fn share_of_memory() -> usize {
    (memory::limit() / 8).min(64 * 1024 * 1024)
}
