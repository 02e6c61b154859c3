//! The effective settings, as a file with the same meaning.

use super::sources::{Origin, Setting, Settings};
use std::fmt;
use toml::Value;

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# The effective settings, with their sources; a file for --config.")?;
        if let Some(path) = &self.config.boot.config {
            writeln!(f, "# The configuration file is {}.", path.display())?;
        }
        let settings = self.list.iter().filter(|setting| setting.name != "config");
        settings.into_iter().try_for_each(|setting| writeln!(f, "{setting}"))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { name, origin, .. } = self;
        match self.value() {
            Some(value) => write!(f, "{name} = {value}  # {origin}"),
            None if self.otherwise.is_empty() => write!(f, "# {name} is not set"),
            None => write!(f, "# {name} is not set: {}", self.otherwise),
        }
    }
}

impl Setting {
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

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(line) => write!(f, "file, line {line}"),
            Origin::Environment(name) => f.write_str(name),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}
