//! SIGHUP: the settings are read again, and what can change does, with nobody dropped.
//!
//! Rejected: to take over what is right of a file with a mistake in it. Half of two files is a
//! state that nobody has written down; so the old settings stay, all of them.

use super::config::{Setting, Settings};
use super::limits::TokenBucket;
use super::log;
use super::transcript::Transcript;
use super::turn::{Server, bounds, capacity, pace};
use ::log::{error, info, warn};

/// What the server is built upon: another value needs another server.
const NEEDS_RESTART: [&str; 9] = [
    "host",
    "port",
    "backend",
    "backlog",
    "data",
    "keep-messages",
    "keep-days",
    "no-console",
    "config",
];

/// What connections are given when they come; those who are there keep what they have.
const FOR_NEWCOMERS: [&str; 2] = ["style", "keep-alive"];

impl Server {
    /// Reads the settings again and says what has become of each that is another now.
    pub(super) fn reload(&mut self) {
        let settings = match self.settings.read_again() {
            None => {
                return info!("SIGHUP: no --config was given, so there is nothing to read again");
            }
            Some(Err(wrong)) => return error!("SIGHUP: the settings stay as they were: {wrong}"),
            Some(Ok(settings)) => settings,
        };
        let changes = differences(&self.settings, &settings);
        if changes.is_empty() {
            info!("SIGHUP: the settings are the same as before");
        }
        // First, so that what is said below is said at the new level.
        log::set_level(settings.config.log);
        for (before, after) in &changes {
            let (name, text) = (&after.name, said(after));
            if NEEDS_RESTART.contains(&name.as_str()) {
                let before = said(before);
                warn!("SIGHUP: {name} stays {before}: another one ({text}) needs a restart");
            } else if FOR_NEWCOMERS.contains(&name.as_str()) {
                info!("SIGHUP: {name} is {text} now, for those who connect from here on");
            } else {
                info!("SIGHUP: {name} is {text} now");
            }
        }
        self.take_over(settings);
    }

    /// Puts settings into force, but for those that need a restart.
    fn take_over(&mut self, mut settings: Settings) {
        for name in NEEDS_RESTART {
            keep(&self.settings, &mut settings, name);
        }
        let before = std::mem::replace(&mut self.config, settings.config.clone());
        let now = &mut self.config;
        now.host = before.host;
        (now.port, now.backlog, now.backend) = (before.port, before.backlog, before.backend);
        (now.no_console, now.config) = (before.no_console, before.config);
        (now.data, now.keep_days) = (before.data, before.keep_days);
        now.keep_messages = before.keep_messages;
        self.settings = settings;
        self.settings.config = self.config.clone();

        match self.config.irc_settings(self.irc.started) {
            Ok(irc) => self.irc = irc,
            Err(wrong) => error!("SIGHUP: what IRC clients are told stays as it was: {wrong}"),
        }
        self.bounds = bounds(&self.config);
        self.capacity = capacity(&self.config, self.descriptors);
        self.pace = pace(&self.config);
        // The console takes the transcript's place.
        if before.quiet != self.config.quiet && self.operator.is_none() {
            self.transcript.finish();
            self.transcript =
                if self.config.quiet { Transcript::silent() } else { Transcript::on_stdout() };
        }
        for token in self.connections.tokens() {
            self.pace_anew(token);
            // Also where nothing has changed: it only looks at the time that is left.
            self.arm_idle(token);
            // Who waits below the old soft limit may go on below the new one.
            if let Some(connection) = self.connections.get_mut(token) {
                self.touched.flush_later(token, connection);
            }
        }
    }

    fn pace_anew(&mut self, token: crate::reactor::Token) {
        let Some(connection) = self.connections.get(token) else { return };
        let paced = self.is_paced(connection.address.ip());
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(token) {
            // Who waits for a line's turn is woken by the timer, which is armed already.
            connection.flood = match (paced, connection.flood) {
                (true, None) => Some(TokenBucket::new(now)),
                (true, bucket) => bucket,
                (false, _) => None,
            };
        }
    }
}

/// The settings whose values differ, before and after.
fn differences<'a>(before: &'a Settings, after: &'a Settings) -> Vec<(&'a Setting, &'a Setting)> {
    let pairs = before.list.iter().zip(&after.list);
    pairs.filter(|(before, after)| before.values != after.values).collect()
}

/// What stays is also listed as it was.
fn keep(before: &Settings, after: &mut Settings, name: &str) {
    let old = before.list.iter().find(|setting| setting.name == name);
    let new = after.list.iter_mut().find(|setting| setting.name == name);
    if let (Some(old), Some(new)) = (old, new) {
        new.clone_from(old);
    }
}

/// A value for the log. Of operators only the names: a log is read by more people than the file.
fn said(setting: &Setting) -> String {
    if setting.name == "oper" {
        let names = setting.values.iter().filter_map(|value| value.split(':').next());
        let names: Vec<&str> = names.collect();
        return if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    }
    match setting.value() {
        Some(_) if setting.name == "password" => "(not shown)".to_owned(),
        Some(value) => value.to_string(),
        None => format!("not set ({})", setting.otherwise),
    }
}
