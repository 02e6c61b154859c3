//! What an operator takes out of a data directory, and puts back: exports, backups.

use crate::common::{Client, Server, scratch::Scratch, told};
use crate::files::{request, token};
use crate::irc::patient;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatloop-server"));
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn mode(path: &str) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A server with an account, a message in the lobby, a direct one, and one in a secret room.
fn filled(data: &str) -> Server {
    let server = Server::start(&["--data", data]);
    let mut alice = server.join();
    alice.ask("/nick alice", "known as alice");
    alice.ask("/register sesame-1", "created");
    alice.ask("/msg alice psst", "psst");
    alice.ask("/join #den", "you joined #den");
    alice.ask("/lock secret", "secret");
    alice.send("@#lobby hello \u{1b}[2J\nhidden words\n");
    alice.ask("/react 1 :+1:", "reacted");
    alice.ask("/history #lobby", "hello");
    server
}

#[test]
fn a_backup_is_made_while_the_server_runs_and_a_restored_server_goes_on() {
    let scratch = Scratch::new("whole");
    let (data, copy) = (scratch.file("data"), scratch.file("copy"));
    let server = filled(&data);
    let upload = Path::new(&data).join("files/ab");
    std::fs::create_dir_all(upload.parent().unwrap()).unwrap();
    std::fs::write(&upload, "bytes").unwrap();
    let made = program(&["backup", &copy, "--data", &data]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!((mode(&copy), mode(&format!("{copy}/chatloop.db"))), (0o700, 0o600));
    let again = program(&["backup", &copy, "--data", &data]);
    assert!(told(&again).contains("exists already"), "{again:?}");
    assert_eq!(again.status.code(), Some(1));
    let into = program(&["restore", &copy, "--data", &data]);
    assert!(told(&into).contains("another server is using"), "{into:?}");

    let mut late = server.join();
    late.send("after the backup\n");
    drop(server);
    let into = program(&["restore", &copy, "--data", &data]);
    assert!(told(&into).contains("is not empty"), "{into:?}");
    let fresh = scratch.file("fresh");
    let into = program(&["restore", &copy, "--data", &fresh]);
    assert!(into.status.success(), "{into:?}");
    assert_eq!(std::fs::read(format!("{fresh}/files/ab")).unwrap(), b"bytes");
    let server = Server::start(&["--data", &fresh]);
    let mut alice = server.join();
    alice.ask("/login alice sesame-1", "logged in as alice");
    alice.ask("/join #den", "hidden words");
}

#[test]
fn what_is_no_backup_is_not_restored_and_leaves_nothing() {
    let scratch = Scratch::new("damaged");
    let (data, copy, fresh) = (scratch.file("data"), scratch.file("copy"), scratch.file("fresh"));
    drop(filled(&data));
    let nothing = program(&["restore", &scratch.file("nowhere"), "--data", &fresh]);
    assert!(told(&nothing).contains("there is no database"), "{nothing:?}");
    assert!(program(&["backup", &copy, "--data", &data]).status.success());
    let file = format!("{copy}/chatloop.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&file, bytes).unwrap();
    let damaged = program(&["restore", &copy, "--data", &fresh]);
    assert!(told(&damaged).contains("damaged"), "{damaged:?}");
    assert!(!Path::new(&fresh).exists());
    let none = program(&["backup", &scratch.file("x"), "--data", &scratch.file("nowhere")]);
    assert_eq!(none.status.code(), Some(1));
    let inside = program(&["backup", &format!("{data}/copy"), "--data", &data]);
    assert!(told(&inside).contains("is in the directory that is to be copied"), "{inside:?}");
    assert!(!Path::new(&format!("{data}/copy.partial")).exists());
}

/// As an interrupted copy to another machine leaves it.
#[test]
fn a_backup_without_an_uploaded_file_is_restored_and_the_loss_is_told() {
    let scratch = Scratch::new("half");
    let (data, copy) = (scratch.file("data"), scratch.file("copy"));
    let server = patient(&["--data", &data]);
    let mut alice = Client::connect(server.address);
    for name in ["a", "b", "c"] {
        let path = token(&mut alice);
        let answer = request(server.address, &format!("PUT {path}{name}"), b"bytes");
        assert!(answer.starts_with(b"HTTP/1.1 201 "), "{}", answer.escape_ascii());
    }
    drop(server);
    // With a slash at its end, as completion writes it.
    assert!(program(&["backup", &format!("{copy}/"), "--data", &data]).status.success());
    let files = std::fs::read_dir(format!("{copy}/files")).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::write(&files[1], "byt").unwrap();
    let fresh = scratch.file("fresh");
    let restored = program(&["restore", &copy, "--data", &fresh]);
    assert_eq!(restored.status.code(), Some(1));
    let lost = "without 2 uploaded files, missing or incomplete in the backup";
    assert!(told(&restored).contains(lost), "{restored:?}");
    assert_eq!(
        std::fs::read(Path::new(&fresh).join("files").join(files[2].file_name().unwrap())).unwrap(),
        b"bytes"
    );
    let inside = program(&["restore", &copy, "--data", &format!("{copy}/new/data")]);
    assert!(told(&inside).contains("is in the directory that is to be copied"), "{inside:?}");
    assert!(!Path::new(&format!("{copy}/new")).exists());
}

#[test]
fn an_export_of_no_room_and_an_import_of_a_public_export_say_what_is_wrong() {
    let scratch = Scratch::new("no-room");
    let (data, file) = (scratch.file("data"), scratch.file("chat.jsonl"));
    drop(filled(&data));
    for all in [&[][..], &["--all"]] {
        let output = program(&[&["export", "--data", &data, "#nowhere"], all].concat());
        assert_eq!(told(&output).trim_end(), "chatloop-server: no such room: #nowhere");
        assert_eq!(output.status.code(), Some(1));
    }
    assert!(program(&["export", "--data", &data, "-o", &file]).status.success());
    let import = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
        .args(["import", "--data", &scratch.file("fresh")])
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    assert!(told(&import).contains("import reads what export --all wrote"), "{import:?}");
    assert_eq!(import.status.code(), Some(1));
}

#[test]
fn an_export_has_what_everyone_may_read_unless_more_is_asked_for() {
    let scratch = Scratch::new("public");
    let (data, file) = (scratch.file("data"), scratch.file("chat.jsonl"));
    let server = filled(&data);
    let export = |flags: &[&str]| {
        let output = program(&[&["export", "--data", &data, "-o", &file], flags].concat());
        assert!(output.status.success(), "{output:?}");
        (told(&output), std::fs::read_to_string(&file).unwrap())
    };
    let (said, public) = export(&[]);
    assert_eq!(mode(&file), 0o600);
    assert!(said.contains("1 message written; rooms left out: 1"), "{said}");
    let lines: Vec<&str> = public.lines().collect();
    assert_eq!(lines[0], r#"{"type":"export","program":"chatloop","version":1}"#);
    assert_eq!(lines[1], r##"{"type":"room","room":"#lobby","created":null,"topic":null}"##);
    let message: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
    for (field, value) in [("type", "message"), ("room", "#lobby"), ("nick", "alice")] {
        assert_eq!(message[field], value);
    }
    assert_eq!((&message["number"], &message["account"]), (&1.into(), &"alice".into()));
    assert!(message["time"].as_str().unwrap().ends_with('Z'), "{message}");
    assert_eq!(lines.len(), 3, "{public}");
    for secret in ["argon2", "127.0.0.1", "hidden words", "psst", "\u{1b}"] {
        assert!(!public.contains(secret), "{secret}: {public}");
    }
    let (_, more) = export(&["--private", "--accounts"]);
    assert!(more.contains(r#""type":"private""#) && more.contains("psst"), "{more}");
    assert!(more.contains(r#""type":"account","account":"alice""#) && !more.contains("argon2"));
    let (_, den) = export(&["#den"]);
    assert!(den.contains("hidden words") && !den.contains("hello"), "{den}");
    assert!(den.contains(r#""reactions":[{"text":"+1","nick":"alice"}]"#), "{den}");
    let (_, all) = export(&["--all"]);
    assert!(all.contains("argon2"));
    drop(server);
}

/// What is wrong with a file of a stranger is told in one short line that no terminal obeys.
#[test]
fn an_import_repeats_nothing_raw_of_what_it_rejects() {
    let scratch = Scratch::new("hostile");
    let long = "x".repeat(100_000);
    for word in ["a\\u001b[31m\\r\\n\\u202e", &long] {
        let file = scratch.file("hostile.jsonl");
        std::fs::write(&file, format!("{{\"{word}\":1}}\n")).unwrap();
        let import = Command::new(env!("CARGO_BIN_EXE_chatloop-server"))
            .args(["import", "--data", &scratch.file("data")])
            .stdin(std::fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        let said = told(&import);
        assert!(said.contains("line 1: unknown variant") && said.len() < 5_000, "{}", said.len());
        assert!(!said.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{said}");
        assert_eq!(import.status.code(), Some(1));
    }
}
