//! One source file as text: where it is, its code without comments and literals, and a few questions
//! that a text can answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub struct Source {
    pub path: PathBuf,
    /// The modules from the crate's root to it, as in `["reactor", "poller", "epoll"]`; empty for
    /// `lib.rs` and programs.
    pub module: Vec<String>,
    pub text: String,
    /// The text with comments and the insides of literals blanked, line for line.
    pub code: String,
    /// The same without `#[cfg(test)]` modules.
    pub shipped: String,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Source {
    /// `inside` is the path from `src`.
    pub fn new(inside: &str, text: &str) -> Source {
        let path = root().join("src").join(inside);
        let parts = Path::new(inside).with_extension("");
        let mut module: Vec<String> =
            parts.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        if module.first().is_some_and(|first| first == "bin") {
            module.clear();
        }
        let code = blanked(text);
        Source { path, module, text: text.to_owned(), shipped: without_tests(&code), code }
    }

    /// The room it belongs to; empty for `lib.rs` and programs.
    pub fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// The path from `src`.
    pub fn name(&self) -> String {
        self.path.strip_prefix(root().join("src")).unwrap().display().to_string()
    }

    /// A place, as an editor understands it.
    pub fn at(&self, line: usize) -> String {
        format!("src/{}:{line}", self.name())
    }

    /// Whether the whole file is compiled for tests only, or is an example.
    pub fn is_test(&self) -> bool {
        let stem = self.path.file_stem().unwrap().to_str().unwrap();
        let folder = |part: &String| matches!(part.as_str(), "tests" | "examples");
        self.module.iter().any(folder) || stem.ends_with("_tests") || stem == "testing"
    }

    /// Lines where `word` stands as a whole word in the shipped code.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        places(&self.shipped, word).into_iter().map(|at| line_of(&self.shipped, at)).collect()
    }
}

pub fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All files under `src`, in the order of their paths.
pub fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let folder = root().join("src");
        let mut paths = Vec::new();
        rust_files(&folder, &mut paths);
        assert!(paths.len() > 20, "the source was not found");
        paths.sort();
        let read = |path: &PathBuf| {
            let inside = path.strip_prefix(&folder).unwrap();
            Source::new(inside.to_str().unwrap(), &fs::read_to_string(path).unwrap())
        };
        paths.iter().map(read).collect()
    })
}

/// The text with comments and the insides of literals blanked.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            at + find(rest, b"*/").map_or(rest.len(), |place| place + 2)
        } else if let Some(length) = raw_string(rest).filter(|_| !follows_a_word(bytes, at)) {
            at + length
        } else if rest[0] == b'"' {
            at + quoted(rest, b'"')
        } else if rest[0] == b'\'' && is_character(rest) {
            at + quoted(rest, b'\'')
        } else {
            at += 1;
            continue;
        };
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(code).unwrap()
}

/// The code with `#[cfg(test)] mod … { … }` blanked; rustfmt keeps the braces in line.
fn without_tests(code: &str) -> String {
    let lines: Vec<&str> = code.lines().collect();
    let mut shipped = String::with_capacity(code.len());
    let mut at = 0;
    while at < lines.len() {
        let next = lines.get(at + 1).unwrap_or(&"");
        let opens = next.starts_with("mod ") && next.trim_end().ends_with('{');
        if lines[at] == "#[cfg(test)]" && opens {
            while at < lines.len() && lines[at] != "}" {
                shipped.push('\n');
                at += 1;
            }
            shipped.push('\n');
        } else {
            shipped.push_str(lines[at]);
            shipped.push('\n');
        }
        at += 1;
    }
    shipped
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn follows_a_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && is_word(bytes[at - 1])
}

/// Length of the raw string that begins here, if one does.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"br").or_else(|| rest.strip_prefix(b"r"))?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    if after.get(hashes) != Some(&b'"') {
        return None;
    }
    let start = rest.len() - after.len() + hashes + 1;
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    Some(find(&rest[start..], &close).map_or(rest.len(), |place| start + place + close.len()))
}

/// Length of the quoted literal that begins here.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A character literal, and not a lifetime: `'\n'`, `'x'`, `'é'`.
fn is_character(rest: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(8)]).into_owned();
    let mut characters = text.chars();
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

/// The places where `word` stands as a whole word.
pub fn places(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let whole = |place: &usize| {
        !follows_a_word(bytes, *place)
            && !bytes.get(place + word.len()).is_some_and(|byte| is_word(*byte))
    };
    code.match_indices(word).map(|(place, _)| place).filter(whole).collect()
}

pub fn line_of(code: &str, place: usize) -> usize {
    code[..place].matches('\n').count() + 1
}

/// The identifier at the start of `text`; empty if there is none.
pub fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Fails with all that is wrong, and not only the first.
pub fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn comments_literals_and_tests_are_no_code() {
    let text =
        "// crate::lab\n/* libc */ let a = \"crate::lab\"; let b = r#\"\"nix\"#; '\"' \"libc\"";
    let code = blanked(text);
    for hidden in ["crate", "libc", "nix"] {
        assert!(places(&code, hidden).is_empty(), "{hidden} in {code}");
    }
    assert_eq!(blanked("let c = 'x'; fn f<'a>(s: &'a str)"), "let c =    ; fn f<'a>(s: &'a str)");
    assert_eq!(places("unsafe_op unsafe my_unsafe", "unsafe"), [10]);
    let source = Source::new("x.rs", "a\n#[cfg(test)]\nmod tests {\n    libc\n}\nb\n");
    assert_eq!(source.shipped, "a\n\n\n\n\nb\n");
    assert!(Source::new("chat/tests/x.rs", "").is_test());
}
