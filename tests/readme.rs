//! The documentation compared with the programs: the README's tables of flags against `--help`, with
//! defaults, in both directions; links, and every file that a page names, against the files.
//!
//! Absent: the prose. What a sentence claims is tested where the behaviour lives.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking, as tests do

#[path = "common/scratch.rs"]
mod scratch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

/// Flags as written in the help (`-q, --quiet`, `--backlog <N>`), and their defaults.
type Flags = BTreeMap<String, String>;

/// In every help text, and in no table.
const EVERYWHERE: [&str; 4] = ["-h, --help", "-V, --version", "--completions <SHELL>", "--man"];

/// The flags of a program's own `--help`.
fn of_help(program: &str, arguments: &[&str]) -> Flags {
    let output = Command::new(program).args(arguments).arg("--help").output();
    let output = output.expect("the program was built for this test");
    assert!(output.status.success(), "{program} --help: {output:?}");
    let help = String::from_utf8_lossy(&output.stdout);
    let mut found = Vec::<(String, String)>::new();
    for line in help.lines() {
        let words = line.trim();
        // Names are indented by two or six columns, descriptions by ten.
        let indent = line.len() - line.trim_start().len();
        if (1..10).contains(&indent) && (words.starts_with('-') || words.starts_with('[')) {
            found.push((words.to_owned(), String::new()));
        } else if let Some((_, text)) = found.last_mut().filter(|_| indent >= 10) {
            text.push(' ');
            text.push_str(words);
        }
    }
    let flags = found.into_iter().filter(|(name, _)| !EVERYWHERE.contains(&name.as_str()));
    flags.map(|(name, text)| (name, default_in(&text))).collect()
}

/// The text in `[default: …]`, which may contain a line break.
fn default_in(text: &str) -> String {
    let Some((_, rest)) = text.split_once("[default:") else { return String::new() };
    rest.split_once(']').unwrap_or((rest, "")).0.trim().to_owned()
}

/// The flags of the table under the README's heading `### ...title...`.
fn of_readme(title: &str) -> Flags {
    let headings = README.split("\n### ");
    let section = headings.skip(1).find(|section| section.lines().next() == Some(title));
    let section = section.unwrap_or_else(|| panic!("the README has no section '### {title}'"));
    let section = section.split("\n#").next().unwrap_or(section);
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| {
        // A bar inside a cell is written `\|`.
        let row = row.replace("\\|", "\u{0}");
        let mut cells = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches('`').replace('\u{0}', "|"));
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    });
    cells.collect()
}

fn row(flag: &str, default: &str) -> String {
    let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
    format!("| `{flag}` | {default} | … |").replace("N|", "N\\|").replace("S|", "S\\|")
}

fn compare(title: &str, program: &str, arguments: &[&str]) {
    let (help, readme) = (of_help(program, arguments), of_readme(title));
    assert!(help.len() > 3, "{program}: cannot parse the help: {help:?}");
    let mut complaints = Vec::new();
    for (flag, default) in &help {
        match readme.get(flag) {
            None => complaints.push(format!("missing:  {}", row(flag, default))),
            Some(said) if said != default => {
                complaints.push(format!("says '{said}' for:  {}", row(flag, default)));
            }
            Some(_) => {}
        }
    }
    for flag in readme.keys().filter(|flag| !help.contains_key(*flag)) {
        complaints.push(format!("no such flag:  {flag}"));
    }
    let complaints = complaints.join("\n");
    assert!(
        complaints.is_empty(),
        "README.md, '### {title}', does not match --help:\n{complaints}"
    );
}

#[test]
fn the_table_of_the_server_is_its_help() {
    compare("chatloop-server", env!("CARGO_BIN_EXE_chatloop-server"), &[]);
}

#[test]
fn the_table_of_the_client_is_its_help() {
    compare("chatloop-client", env!("CARGO_BIN_EXE_chatloop-client"), &[]);
}

#[cfg(feature = "lab")]
#[test]
fn the_table_of_the_swarm_is_its_help() {
    compare("chatloop-lab swarm", env!("CARGO_BIN_EXE_chatloop-lab"), &["swarm"]);
}

#[cfg(feature = "lab")]
#[test]
fn every_tool_of_the_lab_is_in_the_readme() {
    let lab = env!("CARGO_BIN_EXE_chatloop-lab");
    let output = Command::new(lab).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let names = commands.lines().map_while(|line| line.strip_prefix("  "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let tools: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(!tools.is_empty(), "{help}");
    for tool in tools {
        let heading = format!("### chatloop-lab {tool}\n");
        assert!(README.contains(&heading), "the README has no section for {heading}");
    }
}

#[test]
fn every_help_is_wrapped_once() {
    let server = env!("CARGO_BIN_EXE_chatloop-server");
    let client = env!("CARGO_BIN_EXE_chatloop-client");
    let lab = option_env!("CARGO_BIN_EXE_chatloop-lab").unwrap_or(client);
    for (program, argument) in [(server, "--help"), (client, "--help"), (lab, "--help")] {
        let output = Command::new(program).arg(argument).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = help.lines().collect();
        for pair in lines.windows(2) {
            let alone = !pair[0].is_empty() && !pair[0].trim().contains(' ');
            let goes_on = pair[1].starts_with(|it: char| it.is_alphanumeric());
            assert!(!alone || !goes_on, "{program}: broken by hand as well: {pair:?}");
        }
    }
}

/// Settings that a page or a help shows as `name = value`.
#[test]
fn every_setting_that_is_shown_as_an_example_is_valid() {
    let server = env!("CARGO_BIN_EXE_chatloop-server");
    let help = Command::new(server).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap().replace(['(', ')'], "`");
    let (of_server, _) = README.split_once("### chatloop-client\n").unwrap();
    let mut tried = 0;
    for code in [of_server, &help].iter().flat_map(|page| page.split('`').skip(1)) {
        let Some((name, value)) = code.split_once(" = ") else { continue };
        let is_name = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
        if !is_name || !value.starts_with(['"', '[', 't']) {
            continue;
        }
        let setting = format!("CHATLOOP_{}", name.replace('-', "_").to_uppercase());
        let value = value.trim_matches('"');
        let shown = Command::new(server).arg("config").env(setting, value).output().unwrap();
        assert!(shown.status.success(), "{code}: {shown:?}");
        tried += 1;
    }
    assert!(tried >= 2, "no example found");
}

#[cfg(feature = "disk")]
const OPERATING: &str = include_str!("../docs/OPERATING.md");

/// A fenced block of a page.
#[cfg(feature = "disk")]
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("such a block");
    rest.split("\n```").next().unwrap_or(rest)
}

#[cfg(feature = "disk")]
#[test]
fn what_operators_are_told_to_type_exists() {
    let server = env!("CARGO_BIN_EXE_chatloop-server");
    let help = |arguments: &[&str]| {
        let output = Command::new(server).args(arguments).arg("--help").output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mut known = help(&[]);
    let commands = OPERATING.split("chatloop-server ").skip(1);
    for command in commands.filter_map(|rest| rest.split([' ', '\n', '`']).next()) {
        if command.starts_with(|letter: char| letter.is_ascii_lowercase()) && command != "chatloop"
        {
            known += &help(&[command]);
        }
    }
    let code = OPERATING.split('`').skip(1).step_by(2).chain(
        OPERATING.lines().filter(|line| line.starts_with("    ") || line.starts_with("ExecStart=")),
    );
    let mut flags = 0;
    for flag in code.flat_map(|line| line.split([' ', '\n', '|', '='])) {
        let is_ours = |it: &&str| it.starts_with("--") && known.contains(*it);
        let foreign = ["--release", "--install", "--system", "--home-dir", "--shell", "--now"];
        if flag.starts_with("--") && !foreign.contains(&flag) {
            assert!(is_ours(&flag), "OPERATING.md: {flag} is no flag of chatloop-server");
            flags += 1;
        }
    }
    assert!(flags > 20, "too few flags found: {flags}");

    // The configuration is one that the server takes.
    let scratch = scratch::Scratch::new("operating");
    let operators = scratch.write("operators", "");
    let text = block(OPERATING, "toml").replace("/etc/chatloop/operators", &operators);
    let file = scratch.write("chatloop.toml", text);
    let shown = Command::new(server).args(["config", "--config", &file]).output().unwrap();
    assert!(shown.status.success(), "{shown:?}");
    let unit = block(OPERATING, "ini");
    assert!(unit.contains("Type=notify") && unit.contains("--config /etc/chatloop/chatloop.toml"));
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        text.chars().filter(kept).collect::<String>().replace(' ', "-")
    };
    headings.map(slug).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    let mut links = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|it| it == "md")) {
        let text = std::fs::read_to_string(page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let place = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(place.exists(), "{}: nothing at '{target}'", page.display());
            if !anchor.is_empty() {
                let there = anchors(&std::fs::read_to_string(&place).unwrap());
                let found = there.iter().any(|it| it == anchor);
                assert!(found, "{}: no heading for '{target}'", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 40, "the pages link to each other");
}

/// Files and folders are named in backquotes, with a folder in front, from the root or from `src/`.
/// Absent: file names without a folder, and patterns with `*`.
#[test]
fn every_file_that_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let from = [root.to_owned(), root.join("src")];
    let mut missing = Vec::new();
    let mut files = 0;
    for page in [
        "README",
        "docs/ARCHITECTURE",
        "docs/DEVELOPING",
        "docs/OPERATING",
        "docs/PROTOCOL",
        "docs/PERFORMANCE",
        "docs/SECURITY",
        "docs/TOUR",
    ] {
        let text = std::fs::read_to_string(root.join(page).with_extension("md")).unwrap();
        let words = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        let is_file = |word: &&str| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
            let known = [".rs", ".sh", ".c", ".py", "/"].iter().any(|end| word.ends_with(end));
            known && word.chars().all(plain) && word.trim_matches('/').contains('/')
        };
        for word in words.filter(is_file) {
            files += 1;
            if !from.iter().any(|from| from.join(word).exists()) {
                missing.push(format!("{page}.md: {word}"));
            }
        }
    }
    assert!(files > 80, "too few file names found: {files}");
    assert!(missing.is_empty(), "missing files:\n{}", missing.join("\n"));
}

/// Where cargo is not in the path: a script that does not know the word would begin to build.
#[test]
#[cfg(target_os = "linux")]
fn every_script_has_help() {
    use std::os::unix::fs::PermissionsExt;
    let mut asked = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")).unwrap() {
        let path = entry.unwrap().path();
        let is_program = path.metadata().unwrap().permissions().mode() & 0o111 != 0;
        if !is_program || path.extension().is_none_or(|end| end != "sh") {
            continue;
        }
        let output = Command::new(&path).arg("--help").env("PATH", "/usr/bin:/bin").output();
        let output = output.unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{path:?}: {output:?}");
        asked += 1;
    }
    assert!(asked > 20, "too few scripts found: {asked}");
}

/// The text of all source files in these folders.
fn source_in(folders: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut source = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                source += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    source
}

/// Types, paths (`Net::flush`) and macros (`probe!`): each of their words occurs in the source.
#[test]
fn every_name_that_a_page_about_the_code_gives_is_in_it() {
    let source = source_in(&["src"]);
    let words = source.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let words: BTreeSet<&str> = words.collect();
    let mut known = 0;
    for page in [include_str!("../docs/ARCHITECTURE.md"), include_str!("../docs/DEVELOPING.md")] {
        for span in page.split('`').skip(1).step_by(2) {
            let is_name = span.starts_with(|first: char| first.is_ascii_uppercase())
                || span.contains("::")
                || span.ends_with('!');
            let is_path = span.trim_end_matches('!').split("::").all(|part| {
                !part.is_empty() && part.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
            });
            if is_name && is_path {
                let mut parts = span.trim_end_matches('!').split("::");
                assert!(parts.all(|part| words.contains(part)), "not in the source: `{span}`");
                known += 1;
            }
        }
    }
    assert!(known > 80, "too few names found: {known}");
}

/// The tour has its readers break lines of the source: those, and the tests that notice, are there.
/// Of a line to put in, the part up to its `=` is, since that stays.
#[test]
fn the_tour_breaks_lines_that_are_there() {
    const TOUR: &str = include_str!("../docs/TOUR.md");
    let source = source_in(&["src", "tests"]);
    // Where a function is named, the line is in one of that name.
    let is_in = |function: &str, line: &str| {
        let bodies = source.split("fn ").filter(|body| body.starts_with(&format!("{function}(")));
        bodies.into_iter().any(|body| body.contains(line))
    };
    let mut known = 0;
    for (told, rest) in TOUR.split("*Break").filter_map(|part| part.split_once("```rust\n")) {
        let line = rest.lines().next().unwrap();
        let kept = line.split_inclusive(" = ").next().unwrap();
        let kept: String = match told.to_lowercase().contains("delete") {
            true => line.to_owned(),
            false if kept == line => line.chars().take(18).collect(),
            false => kept.to_owned(),
        };
        assert!(source.contains(&kept), "not in the source: {kept}");
        if let Some((_, name)) = told.split_once("n `") {
            let name = name.split('`').next().unwrap().rsplit("::").next().unwrap();
            assert!(is_in(name, &kept), "not in `{name}`: {kept}");
        }
        known += 1;
    }
    assert!(known > 8, "too few breaks found: {known}");
    let tests = TOUR.lines().filter(|line| line.starts_with("cargo test "));
    for word in tests.filter_map(|line| line.split(" #").next()?.split_whitespace().last()) {
        let name = word.rsplit("::").next().unwrap();
        assert!(name.starts_with('-') || source.contains(name), "no such test: {word}");
    }
}

/// The names in the first column of the table whose head begins with `head`.
fn first_column(page: &str, head: &str) -> Vec<String> {
    let table = page.lines().skip_while(|line| !line.starts_with(head));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap_or(row).to_owned()).collect()
}

#[test]
fn the_tables_for_developers_list_what_is_there() {
    let page = include_str!("../docs/DEVELOPING.md");
    let features = include_str!("../Cargo.toml").split("\n[features]\n").nth(1).unwrap();
    let features = features.lines().take_while(|line| !line.starts_with('['));
    let features = features.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let features = features.filter(|name| *name != "default" && !name.starts_with('#'));
    let patches = std::fs::read_dir("tests/mutations").unwrap();
    let patches = patches.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let patches: Vec<String> = patches.map(|name| name.replace(".patch", "")).collect();
    for (head, mut there) in
        [("| feature |", features.map(str::to_owned).collect::<Vec<_>>()), ("| patch |", patches)]
    {
        let mut listed = first_column(page, head);
        listed.sort();
        there.sort();
        assert_eq!(listed, there, "{head}");
    }
}
