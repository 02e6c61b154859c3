//! The templates of attack lines: what stands in braces, and how it becomes text.
//!
//! | in a template | becomes |
//! |---|---|
//! | `{n}` | the number of the connection, from 0 |
//! | `{r}` | the same modulo [`GROUPS`]: connections that share something |
//! | `{i}` | how many times this connection has sent the template |
//! | `{me}` | its nick |
//! | `{crowd}` | the nick of a member of the crowd, another one each time |
//! | `{20*TEXT}` | TEXT twenty times; `%` in it is the number of the (innermost) repetition, from 0 |
//!
//! A newline in a template separates two lines. Repetitions are written out once, when the template
//! is read, so an attack costs its own process little more than a copy.

use std::io::Write as _;

/// How many groups `{r}` divides the connections into.
pub const GROUPS: usize = 10;

/// What a name in braces can be.
const NAMES: [&str; 5] = ["n", "r", "i", "me", "crowd"];

/// A template, ready to be written out.
pub struct Template {
    /// Texts, each with the name that follows it; none behind the last one.
    pieces: Vec<(String, Option<&'static str>)>,
    /// How many lines it has.
    pub lines: usize,
}

/// What the braces stand for in one connection's copy.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    pub number: usize,
    pub round: u64,
    pub me: &'a str,
    pub crowd: &'a str,
}

impl Template {
    /// Reads a template. An empty one has no lines.
    pub fn new(text: &str) -> Result<Template, String> {
        let text = write_out(text)?;
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, inside)) = rest.split_once('{') {
            let (name, after) = inside.split_once('}').ok_or("a { without its }")?;
            let known = NAMES.into_iter().find(|known| *known == name);
            let known = known.ok_or_else(|| format!("unknown name {{{name}}}"))?;
            pieces.push((before.to_owned(), Some(known)));
            rest = after;
        }
        pieces.push((rest.to_owned(), None));
        Ok(Template { pieces, lines: text.lines().count() })
    }

    /// Appends the lines, each with its newline.
    pub fn write(&self, values: Values<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        for (text, name) in &self.pieces {
            out.extend_from_slice(text.as_bytes());
            // A Vec takes all of it.
            let _ = match name {
                Some("n") => write!(out, "{}", values.number),
                Some("r") => write!(out, "{}", values.number % GROUPS),
                Some("i") => write!(out, "{}", values.round),
                Some("me") => out.write_all(values.me.as_bytes()),
                Some("crowd") => out.write_all(values.crowd.as_bytes()),
                _ => Ok(()),
            };
        }
        if out.len() > start && out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
    }
}

/// Replaces each `{COUNT*TEXT}`.
fn write_out(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        let end = closing_brace(inside).ok_or("a { without its }")?;
        out.push_str(before);
        let (name, after) = (&inside[..end], &inside[end + 1..]);
        let repetition = name
            .split_once('*')
            .and_then(|(count, repeated)| Some((count.parse::<usize>().ok()?, repeated)));
        match repetition {
            Some((count, repeated)) => {
                let repeated = write_out(repeated)?;
                for number in 0..count {
                    out.push_str(&repeated.replace('%', &number.to_string()));
                }
            }
            None => out.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the brace that was opened before `text` is closed.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return true,
            b'}' => depth -= 1,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        let values = Values { number: 23, round: 7, me: "eve", crowd: "ada" };
        Template::new(text).unwrap().write(values, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_and_repetitions_become_text() {
        assert_eq!(written("NICK x{n}.{i}"), "NICK x23.7\n");
        assert_eq!(written("MODE #b{r} +bb {2* *a%*}"), "MODE #b3 +bb  *a0* *a1*\n");
        assert_eq!(written("ISON{2* {crowd}}\nPING {me}\n"), "ISON ada ada\nPING eve\n");
        assert_eq!(written("{3*/join #x%\n}"), "/join #x0\n/join #x1\n/join #x2\n");
        assert_eq!(written("{2*{3*a}%{n} }"), "aaa023 aaa123 \n");
        assert_eq!(written(""), "");
    }

    #[test]
    fn lines_are_counted_with_those_that_repetitions_make() {
        for (text, lines) in [("", 0), ("WHO", 1), ("PART #x\nJOIN #x", 2), ("{3*x\n}", 3)] {
            assert_eq!(Template::new(text).unwrap().lines, lines, "{text:?}");
        }
    }

    #[test]
    fn a_typing_error_in_the_table_is_found() {
        for wrong in ["{", "{x}", "{2*{n}", "{n*x}"] {
            assert!(Template::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
