//! The effective settings, and SIGHUP, which reloads them without disconnecting a client.
//!
//! Rejected: to take over the valid part of a file with a mistake in it. Half of two files is a
//! state that no one has written down; so all of the old settings stay.

use super::config::{Config, Setting, Settings, needs_restart};
use super::log;
use ::log::{error, info, warn};

/// Settings that apply to new connections only.
const FOR_NEWCOMERS: [&str; 2] = ["style", "keep-alive"];

/// The effective settings and their sources.
pub(super) struct Live {
    settings: Settings,
}

impl Live {
    pub(super) fn new(settings: Settings) -> Live {
        Live { settings }
    }

    pub(super) fn config(&self) -> &Config {
        &self.settings.config
    }

    /// Reloads the settings, logs each change, and applies those that do not need a restart.
    /// Returns whether anything has changed.
    pub(super) fn reload(&mut self) -> bool {
        let mut settings = match self.settings.read_again() {
            None => {
                info!("SIGHUP: no --config was given, so there is nothing to reload");
                return false;
            }
            Some(Err(wrong)) => {
                error!("SIGHUP: configuration not reloaded: {wrong}");
                return false;
            }
            Some(Ok(settings)) => settings,
        };
        let changes = differences(&self.settings, &settings);
        if changes.is_empty() {
            info!("SIGHUP: configuration reloaded, no changes");
        }
        // First, so that the log lines below appear at the new level.
        log::set_level(settings.config.log);
        for (before, after) in &changes {
            let (name, text) = (&after.name, shown(after));
            if needs_restart(name) {
                let before = shown(before);
                warn!("SIGHUP: {name} is still {before}: changing it to {text} needs a restart");
            } else if FOR_NEWCOMERS.contains(&name.as_str()) {
                info!("SIGHUP: {name} is now {text}, for new connections");
            } else {
                info!("SIGHUP: {name} is now {text}");
            }
        }
        settings.keep_boot(&self.settings);
        self.settings = settings;
        true
    }
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
