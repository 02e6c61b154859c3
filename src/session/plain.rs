//! The dialect of `nc`: lines in, lines out.
//!
//! Two styles. *Plain* writes clean lines, fit for a script: no escapes, `* ` in front of what
//! the server says itself. *Classic* looks as the select-server course project does, for its
//! Python clients: each line begins with `\r` so that it overwrites the waiting prompt, in bold
//! blue (coming), red (leaving) or purple (chat), and the colour is reset after the newline.

use crate::chat::{Departure, Event};
use crate::wire::clean::clean;
use std::io::Write;

/// The looks of the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Clean lines.
    Plain,
    /// As the course project's clients expect them.
    Classic,
}

/// What a line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Nothing.
    Nothing,
    /// Tell everyone else.
    Say(String),
    /// The list of commands.
    Help,
    /// Who is online.
    Who,
    /// Goodbye.
    Quit,
    /// A command that does not exist; its name as it was written.
    Unknown(String),
}

/// One row for each command: its name, its form, and what it does.
const COMMANDS: [(&str, &str); 4] = [
    ("/help", "this list"),
    ("/who", "who is online"),
    ("/quit", "leave (or close the connection)"),
    ("//text", "say \"/text\""),
];

/// The longest part of a wrong command that is repeated to its sender, in characters.
const LONGEST_ECHO: usize = 40;

/// Understands one line, without its end.
pub fn parse(style: Style, line: &[u8]) -> Request {
    if line.is_empty() {
        return match style {
            Style::Plain => Request::Nothing,
            Style::Classic => Request::Quit,
        };
    }
    let text = clean(line);
    let Some(command) = text.strip_prefix('/') else {
        return Request::Say(text.into_owned());
    };
    if command.starts_with('/') {
        return Request::Say(command.to_owned());
    }
    let name = command.split_whitespace().next().unwrap_or_default();
    match name {
        "help" => Request::Help,
        "who" => Request::Who,
        "quit" => Request::Quit,
        _ => Request::Unknown(name.chars().take(LONGEST_ECHO).collect()),
    }
}

/// The lines that answer `/help`.
pub fn help() -> impl Iterator<Item = String> {
    COMMANDS.iter().map(|(form, purpose)| format!("{form:8} {purpose}"))
}

/// The line that answers a command that does not exist.
pub fn unknown_command(name: &str) -> String {
    format!("there is no command /{name}; /help lists them all, //{name} says \"/{name}\"")
}

/// "1 user", "2 users".
pub fn users(count: usize) -> String {
    format!("{count} {}", if count == 1 { "user" } else { "users" })
}

const BLUE: &str = "\x1b[34;1m";
const RED: &str = "\x1b[31;1m";
const PURPLE: &str = "\x1b[35;1m";
const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";

/// Adds the line that tells `event` to `out`.
pub fn render(style: Style, event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::Welcome { online } => {
            let (users, leave) = (users(*online), leave_hint(style));
            paint(style, BLUE, "* ", &format!("connected, {users} online; {leave}"), out);
        }
        Event::Entered { label, online } => {
            let users = users(*online);
            paint(style, BLUE, "* ", &format!("a new user {label} entered, {users} online"), out);
        }
        Event::Left { label, departure, online } => {
            let users = users(*online);
            let how = match (style, departure) {
                (_, Departure::Quit) => String::new(),
                (Style::Plain, Departure::Error(why)) => format!(" (error: {why})"),
                (Style::Classic, Departure::Error(_)) => " (error)".to_owned(),
            };
            paint(style, RED, "* ", &format!("the user {label} left{how}, {users} online"), out);
        }
        Event::Said { label, text } => said(style, label, text, out),
    }
}

/// The one line that is rendered for every message: no formatting machinery, no allocation.
fn said(style: Style, label: &str, text: &str, out: &mut Vec<u8>) {
    let (before, after) = match style {
        Style::Plain => ("", "\n"),
        Style::Classic => (PURPLE, "\n\x1b[0m"),
    };
    let overwrite = if style == Style::Classic { "\r" } else { "" };
    for part in [overwrite, before, "[", label, "]: ", text, after] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Adds one line of the server's own to `out`.
pub fn render_notice(style: Style, text: &str, out: &mut Vec<u8>) {
    paint(style, GREEN, "* ", text, out);
}

fn leave_hint(style: Style) -> &'static str {
    match style {
        Style::Plain => "/help lists the commands, /quit leaves",
        Style::Classic => "an empty line leaves",
    }
}

fn paint(style: Style, colour: &str, mark: &str, text: &str, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = match style {
        Style::Plain => writeln!(out, "{mark}{text}"),
        Style::Classic => writeln!(out, "\r{colour}{text}").and_then(|()| write!(out, "{RESET}")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(style: Style, event: &Event) -> String {
        let mut out = Vec::new();
        render(style, event, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn said(text: &str) -> Event {
        Event::Said { label: "127.0.0.1:9".into(), text: text.into() }
    }

    #[test]
    fn lines_become_requests() {
        let parsed = |line: &str| parse(Style::Plain, line.as_bytes());
        assert_eq!(parsed(""), Request::Nothing);
        assert_eq!(parse(Style::Classic, b""), Request::Quit);
        assert_eq!(parsed("hello"), Request::Say("hello".into()));
        assert_eq!(parsed(" "), Request::Say(" ".into()));
        assert_eq!(parsed("//who"), Request::Say("/who".into()));
        assert_eq!(parsed("/who "), Request::Who);
        assert_eq!(parsed("/help me"), Request::Help);
        assert_eq!(parsed("/quit"), Request::Quit);
        assert_eq!(parsed("/frob x"), Request::Unknown("frob".into()));
        assert_eq!(parsed("/"), Request::Unknown("".into()));
        assert_eq!(parsed("\x1b[2J"), Request::Say("\u{241b}[2J".into()));
    }

    #[test]
    fn plain_lines_are_clean() {
        assert_eq!(rendered(Style::Plain, &said("hi")), "[127.0.0.1:9]: hi\n");
        let welcome = rendered(Style::Plain, &Event::Welcome { online: 1 });
        assert_eq!(welcome, "* connected, 1 user online; /help lists the commands, /quit leaves\n");
        let departure = Departure::Error("reset".into());
        let left = Event::Left { label: "a:1".into(), departure, online: 2 };
        assert_eq!(
            rendered(Style::Plain, &left),
            "* the user a:1 left (error: reset), 2 users online\n"
        );
    }

    #[test]
    fn classic_lines_overwrite_the_prompt_and_reset_the_colour() {
        assert_eq!(rendered(Style::Classic, &said("hi")), "\r\x1b[35;1m[127.0.0.1:9]: hi\n\x1b[0m");
        let entered = Event::Entered { label: "a:1".into(), online: 2 };
        assert_eq!(
            rendered(Style::Classic, &entered),
            "\r\x1b[34;1ma new user a:1 entered, 2 users online\n\x1b[0m"
        );
        let left = Event::Left { label: "a:1".into(), departure: Departure::Quit, online: 1 };
        assert_eq!(
            rendered(Style::Classic, &left),
            "\r\x1b[31;1mthe user a:1 left, 1 user online\n\x1b[0m"
        );
    }
}
