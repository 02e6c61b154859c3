//! The effective settings, as a file with the same meaning.

use super::parameters::SCHEMA;
use super::sources::{Setting, Settings, Source};
use log::warn;
use std::fmt;
use toml::Value;

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SCHEMA.mistyped_variables().iter().try_for_each(|text| writeln!(f, "# {text}"))?;
        writeln!(f, "# The effective settings, with their sources; a file for --config.")?;
        if let Some(path) = &self.config.boot.config {
            writeln!(f, "# The configuration file is {}.", path.display())?;
        }
        let settings = self.list.iter().filter(|setting| setting.name != "config");
        settings.into_iter().try_for_each(|setting| writeln!(f, "{setting}"))
    }
}

impl Settings {
    /// Warns of passwords that stand in the list of processes, and of mistyped variables.
    pub fn warn(&self) {
        SCHEMA.mistyped_variables().iter().for_each(|text| warn!("{text}"));
        let exposed =
            |setting: &&Setting| setting.source == Source::CommandLine && setting.is_secret();
        for Setting { name, .. } in self.list.iter().filter(exposed) {
            let variable = SCHEMA.variable(name);
            warn!(
                "--{name} is visible to every user of this machine, in the list of processes; \
                 use --config, {variable} or --{name}-file"
            );
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { name, source, .. } = self;
        if let Some(shown) = self.masked().filter(|_| self.is_secret()) {
            return write!(f, "# {name} is set: {shown}  # {source}");
        }
        match self.value() {
            Some(value) => write!(f, "{name} = {value}  # {source}"),
            None if self.otherwise.is_empty() => write!(f, "# {name} is not set"),
            None => write!(f, "# {name} is not set: {}", self.otherwise),
        }
    }
}

impl Setting {
    /// What a log may show of a setting with a password: of operators the names. More people read a
    /// log than the file.
    pub fn masked(&self) -> Option<String> {
        let names = || self.values.iter().filter_map(|value| value.split(':').next());
        match self.name.as_str() {
            _ if self.values.is_empty() => None,
            "oper" => Some(names().collect::<Vec<_>>().join(", ")),
            "password" | "webirc-password" => Some("(not shown)".to_owned()),
            _ => None,
        }
    }

    /// Whether it holds a password, and not only hashes.
    fn is_secret(&self) -> bool {
        let is_hash = |value: &String| value.contains(":$argon2");
        self.masked().is_some() && !self.values.iter().all(is_hash)
    }

    /// The value in TOML; `None` if it is not set.
    pub fn value(&self) -> Option<Value> {
        if self.many && !self.values.is_empty() {
            return Some(Value::Array(self.values.iter().cloned().map(Value::String).collect()));
        }
        let text = self.values.first()?;
        Some(match (self.switch, text.parse()) {
            (true, _) => Value::Boolean(text == "true"),
            (false, Ok(number)) => Value::Integer(number),
            (false, Err(_)) => Value::String(text.clone()),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File(line) => write!(f, "file, line {line}"),
            Source::Environment(name) => f.write_str(name),
            Source::CommandLine => f.write_str("command line"),
        }
    }
}
