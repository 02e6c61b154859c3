//! The effective settings, and SIGHUP or REHASH, which reload them without disconnecting a client.
//!
//! Rejected: to take over the valid part of a file with a mistake in it. Half of two files is a
//! state that no one has written down; so all of the old settings stay.

use super::config::{Config, Setting, Settings, needs_restart};
use super::log;
use crate::chat::Moment;
use crate::tls;
use ::log::{error, info, warn};

/// Settings that apply to new connections only.
const FOR_NEWCOMERS: [&str; 7] =
    ["style", "keep-alive", "tls", "tls-cert", "tls-key", "tls-only", "tls-timeout"];

/// The effective settings and their sources.
pub(super) struct Live {
    settings: Settings,
    /// What clients that begin with TLS meet, and where it comes from.
    tls: Option<(tls::Source, tls::Acceptor)>,
}

impl Live {
    /// With the certificate that they name.
    ///
    /// # Errors
    /// A text for people: there is no such certificate.
    pub(super) fn new(settings: Settings) -> Result<Live, String> {
        let tls = load(&settings.config)?;
        Ok(Live { settings, tls })
    }

    /// TLS, if it is on.
    pub(super) fn tls(&self) -> Option<&tls::Acceptor> {
        self.tls.as_ref().map(|(_, acceptor)| acceptor)
    }

    /// Reads the certificate again, for new connections. One that cannot be used changes nothing.
    pub(super) fn reload_certificate(&mut self, now: Moment) {
        let source = self.settings.config.tls_source();
        if matches!(&source, Some(tls::Source::SelfSigned(..)))
            && self.tls.as_ref().map(|(source, _)| source) == source.as_ref()
        {
            return; // it was made here
        }
        let before = self.tls().map(tls::Acceptor::fingerprint);
        let config = &self.settings.config;
        let again = config.check_files(|flag| flag.starts_with("--tls"));
        match again.and_then(|()| load(config)) {
            Ok(tls) => self.tls = tls,
            Err(wrong) => return error!("reload: {wrong}; it stays as it was"),
        }
        match self.tls().map(tls::Acceptor::fingerprint) {
            after if after == before => {}
            Some(now) => info!("reload: the TLS certificate is now {now}, for new connections"),
            None => info!("reload: no TLS for new connections"),
        }
        self.check_certificate(now);
    }

    /// Says so if clients reject the certificate, or will soon.
    pub(super) fn check_certificate(&self, now: Moment) {
        if let Some(why) = self.tls().and_then(|tls| tls.warning(now.0)) {
            warn!("the TLS certificate {why} (SIGHUP loads a new one)");
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.settings.config
    }

    /// Reloads the settings, logs each change, and applies those that do not need a restart.
    /// Returns whether anything has changed.
    pub(super) fn reload(&mut self) -> bool {
        let mut settings = match self.settings.read_again() {
            None => {
                info!("reload: without --config, settings stay as they are");
                return false;
            }
            Some(Err(wrong)) => {
                error!("reload: configuration not reloaded: {wrong}");
                return false;
            }
            Some(Ok(settings)) => settings,
        };
        let changes = differences(&self.settings, &settings);
        if changes.is_empty() {
            info!("reload: configuration reloaded, no changes");
        }
        // First, so that the log lines below appear at the new level.
        log::set_level(settings.config.log);
        for (before, after) in &changes {
            let (name, text) = (&after.name, shown(after));
            if needs_restart(name) {
                let before = shown(before);
                warn!("reload: {name} is still {before}: changing it to {text} needs a restart");
            } else if FOR_NEWCOMERS.contains(&name.as_str()) {
                info!("reload: {name} is now {text}, for new connections");
            } else {
                info!("reload: {name} is now {text}");
            }
        }
        settings.keep_boot(&self.settings);
        self.settings = settings;
        true
    }
}

/// The certificate from where it comes from.
fn load(config: &Config) -> Result<Option<(tls::Source, tls::Acceptor)>, String> {
    let Some(source) = config.tls_source() else { return Ok(None) };
    let acceptor =
        tls::Acceptor::load(&source).map_err(|error| format!("TLS certificate: {error}"))?;
    // Clients would be locked out as soon as it changes.
    if config.sts.is_some() && acceptor.is_self_signed() {
        return Err("--sts: not with a self-signed certificate".to_owned());
    }
    Ok(Some((source, acceptor)))
}

/// The settings whose values differ, before and after.
fn differences<'a>(before: &'a Settings, after: &'a Settings) -> Vec<(&'a Setting, &'a Setting)> {
    let pairs = before.list.iter().zip(&after.list);
    pairs.filter(|(before, after)| before.values != after.values).collect()
}

/// A value for the log.
fn shown(setting: &Setting) -> String {
    match (setting.masked(), setting.value()) {
        (Some(shown), _) => shown,
        (None, Some(value)) => value.to_string(),
        (None, None) if setting.name == "oper" => "none".to_owned(),
        (None, None) => format!("not set ({})", setting.otherwise),
    }
}
