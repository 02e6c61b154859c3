//! A configuration file with every setting, as a comment with its default: `config --example`.

use super::parameters::SCHEMA;
use crate::settings::{is_many, is_switch, name_of};
use clap::Arg;
use std::fmt::Write;

/// Longest line of a comment.
const WIDTH: usize = 96;

const HEAD: &str = "\
# An example for chatloop-server --config FILE. Each setting is a comment with its default, or with
# the kind of its value: take away the # to set it. Flags and CHATLOOP_… variables take precedence
# over this file, and SIGHUP reloads it. If it holds passwords, only its owner should be able to read
# it.
";

pub(super) fn example() -> String {
    let mut text = String::from(HEAD);
    for arg in SCHEMA.parameters() {
        let Some(name) = name_of(&arg).filter(|name| name != "config") else { continue };
        text.push('\n');
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        write_comment(&help, &mut text);
        let values = arg.get_possible_values();
        if values.len() > 1 && !is_switch(&arg) {
            let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
            write_comment(&format!("One of: {}", names.join(", ")), &mut text);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "#{name} = {}", value(&arg));
    }
    text
}

fn write_comment(comment: &str, text: &mut String) {
    text.push('#');
    let mut column = 1;
    for word in comment.split_whitespace() {
        if column > 1 && column + 1 + word.len() > WIDTH {
            text.push_str("\n#");
            column = 1;
        }
        text.push(' ');
        text.push_str(word);
        column += 1 + word.len();
    }
    text.push('\n');
}

/// The default, or what kind of value it takes.
fn value(arg: &Arg) -> String {
    let default = arg.get_default_values().first().and_then(|value| value.to_str());
    let kind = arg.get_value_names().and_then(|names| names.first());
    match default {
        _ if is_switch(arg) => "false".to_owned(),
        Some(number) if number.parse::<u64>().is_ok() => number.to_owned(),
        Some(word) => format!("{word:?}"),
        None if is_many(arg) => format!("[{:?}]", kind.map_or("", |it| it)),
        None => format!("{:?}", kind.map_or("", |it| it)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_has_every_setting_once_and_is_toml_without_its_marks() {
        let bare: String = example()
            .lines()
            .filter_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')))
            .flat_map(|line| [line, "\n"])
            .collect();
        let table: toml::Table = bare.parse().unwrap();
        assert_eq!(table.len(), SCHEMA.parameters().len() - 1, "all but config");
        assert_eq!(table["max-line"].as_integer(), Some(4096));
    }

    #[test]
    fn a_comment_of_any_length_is_wrapped_in_front_of_a_word() {
        for length in 1..WIDTH - 1 {
            let mut text = String::new();
            write_comment(&format!("{} and more", "x".repeat(length)), &mut text);
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines.iter().all(|line| line.starts_with("# ") && line.len() <= WIDTH));
            assert_eq!(lines.concat().matches('#').count(), lines.len(), "{text}");
        }
    }
}
