//! Variables in the environment: wrong values, and names that are mistyped.

use super::parameters::{Schema, check, name_of};

impl Schema {
    /// Checks each variable by itself, so that the error can name it.
    ///
    /// # Errors
    /// A variable, and what is wrong with it.
    pub fn check_environment(&self) -> Result<(), (String, String)> {
        for arg in self.parameters() {
            let variable = self.variable(&name_of(&arg).unwrap_or_default());
            let Some(value) = std::env::var_os(&variable) else { continue };
            let value = value.to_string_lossy();
            let checked = match arg.get_value_delimiter() {
                Some(between) => value.split(between).try_for_each(|part| check(&arg, part)),
                None => check(&arg, &value),
            };
            checked.map_err(|why| (variable, why))?;
        }
        Ok(())
    }

    /// Warnings of variables that look like one of this program's and are none.
    pub fn mistyped_variables(&self) -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names.filter_map(|name| self.mistyped(&name)).collect()
    }

    fn mistyped(&self, name: &str) -> Option<String> {
        // Of every program's variables.
        const FAMILY: &str = "CHATLOOP_";
        let is_anothers = || self.others.iter().any(|beginning| name.starts_with(beginning));
        if !name.starts_with(FAMILY) || is_anothers() {
            return None;
        }
        let known: Vec<String> = self
            .parameters()
            .iter()
            .filter_map(name_of)
            .map(|name| self.variable(&name))
            .chain(self.beside.iter().map(|name| (*name).to_owned()))
            .collect();
        if known.iter().any(|it| it == name) {
            return None;
        }
        let near = |it: &&String| {
            let slips = (it.len() - FAMILY.len()).div_ceil(4).min(2);
            strsim::osa_distance(it, name) <= slips
        };
        let meant = known.iter().find(near);
        // Others may begin with the family's name; with the client's, only the client's do.
        let is_certain = self.prefix != FAMILY && name.starts_with(self.prefix);
        let meant = match meant {
            Some(meant) => format!(" (did you mean {meant}?)"),
            None if is_certain => format!(" ({} --help lists the settings)", self.program),
            None => return None,
        };
        Some(format!("the environment variable {name} sets nothing{meant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    const SERVER: Schema = Schema {
        program: "server",
        grammar: || Command::new("server").args(["max_line", "name"].map(Arg::new)),
        prefix: "CHATLOOP_",
        beside: &[],
        others: &["CHATLOOP_CLIENT_", "CHATLOOP_LOGIN"],
    };
    const CLIENT: Schema = Schema {
        program: "client",
        grammar: || Command::new("client").args(["nick"].map(Arg::new)),
        prefix: "CHATLOOP_CLIENT_",
        beside: &["CHATLOOP_LOGIN"],
        others: &[],
    };

    #[test]
    fn a_mistyped_name_is_told_and_a_name_of_another_program_is_not() {
        for (schema, name, meant) in [
            (SERVER, "CHATLOOP_MAXLINE", Some("(did you mean CHATLOOP_MAX_LINE?)")),
            (SERVER, "CHATLOOP_MAX_LINE", None),
            (SERVER, "CHATLOOP_CLIENT_NAME", None),
            (SERVER, "CHATLOOP_LOGIN", None),
            (SERVER, "CHATLOOP_TARGET", None),
            (SERVER, "PATH", None),
            (CLIENT, "CHATLOOP_CLIENT_NICK", None),
            (CLIENT, "CHATLOOP_CLIENT_NIK", Some("(did you mean CHATLOOP_CLIENT_NICK?)")),
            (CLIENT, "CHATLOOP_CLIENT_COLOUR", Some("(client --help lists the settings)")),
            (CLIENT, "CHATLOOP_LOGN", Some("(did you mean CHATLOOP_LOGIN?)")),
            (CLIENT, "CHATLOOP_MAX_LINE", None),
            (CLIENT, "CHATLOOP_NAME", None),
        ] {
            let told = schema.mistyped(name);
            let expected =
                meant.map(|meant| format!("the environment variable {name} sets nothing {meant}"));
            assert_eq!(told, expected, "{name}");
        }
    }
}
