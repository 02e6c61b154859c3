//! Files: a script's, a person's, and one whose download breaks off.

use crate::line_server::TIMEOUT;
use crate::pty::Terminal;
use crate::real_server::RealServer;
use crate::scratch::Scratch;
use crate::start::Start;
use chatloop_reactor::{Backend, Interest, Poller, Token};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

impl Scratch {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(name)).ok()
    }

    /// Runs a script in here.
    fn client(&self, server: SocketAddr, arguments: &[&str], input: &str) -> Output {
        self.run(server, arguments, input)
    }

    fn run(&self, server: SocketAddr, arguments: &[impl AsRef<OsStr>], input: &str) -> Output {
        let mut client = Command::new(env!("CARGO_BIN_EXE_chatloop-client"))
            .args([server.ip().to_string(), server.port().to_string()])
            .args(["--timeout", "20", "--linger", "0", "--nick", "ada"])
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .start();
        let _ = client.stdin.take().unwrap().write_all(input.as_bytes());
        client.wait_with_output().unwrap()
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Uploads a file; its URL, which is all that is printed.
fn upload(scratch: &Scratch, server: SocketAddr, arguments: &[&str], name: &str) -> String {
    let output = scratch.client(server, &[&["--upload", name], arguments].concat(), "");
    let (printed, errors) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}{errors}");
    let url = printed.trim_end();
    assert!(url.starts_with("http://127.0.0.1:") && url.lines().count() == 1, "{printed}");
    url.to_owned()
}

fn content() -> Vec<u8> {
    (0..200_000_u32).flat_map(|number| number.to_le_bytes()).collect()
}

#[test]
fn a_file_goes_up_and_comes_down_whole() {
    let (scratch, content) = (Scratch::new("whole"), content());
    let running = RealServer::start(0, &[]);
    let server = running.address;
    scratch.write("my plan.bin", &content);
    let url = upload(&scratch, server, &[], "my plan.bin");
    assert!(url.ends_with("/my%20plan.bin"), "{url}");
    scratch.write("half.bin.part", &content[..300_000]);
    let lines = format!("/download {url} copy.bin\n/download {url} half.bin\n");
    let output = scratch.client(server, &[], &lines);
    assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
    for name in ["copy.bin", "half.bin"] {
        assert!(scratch.read(name).as_ref() == Some(&content), "{name}");
        assert_eq!(scratch.read(&format!("{name}.part")), None);
    }
}

#[test]
fn what_goes_wrong_is_said_and_nothing_is_overwritten() {
    let (scratch, content) = (Scratch::new("wrong"), content());
    let running = RealServer::start(0, &["--file-max", "1M"]);
    let server = running.address;
    scratch.write("plan.bin", &content);
    scratch.write("large.bin", vec![0; 2_000_000]);
    let url = upload(&scratch, server, &[], "plan.bin");
    scratch.write("other.bin.part", vec![0; 300_000]);
    for (line, expected) in [
        ("/upload large.bin", "larger than 1 MiB (--file-max) (413)"),
        ("/upload missing.bin", "cannot read missing.bin"),
        ("/upload plan.bin #nowhere", "#nowhere"),
        (&format!("/download {url}"), "plan.bin exists"),
        (&format!("/download {url} other.bin"), "it is damaged"),
        ("/download ftp://example.org/x", "is not the URL of a file"),
        (&format!("/download http://{server}/files/0/x.bin"), "no such file"),
    ] {
        let output = scratch.client(server, &[], &format!("{line}\n"));
        let (printed, errors) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{line}: {printed}{errors}");
        assert!(
            printed.contains(expected) || errors.contains(expected),
            "{line}: {printed}{errors}"
        );
    }
    assert!(scratch.read("plan.bin") == Some(content));
    for name in ["other.bin", "other.bin.part", "x.bin", "x.bin.part"] {
        assert_eq!(scratch.read(name), None, "{name}");
    }
}

/// A name is no line: neither a newline in it nor a room at its end means anything. And what is no file is
/// not waited for.
#[test]
fn every_name_can_be_uploaded() {
    let scratch = Scratch::new("names");
    let running = RealServer::start(0, &[]);
    nix::unistd::mkfifo(&scratch.0.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (name, refused) in [
        (&b"plan #lobby"[..], None),
        (b"not\xffutf8", None),
        (b" - ", None),
        (b"two\nlines", Some("two␊lines was not uploaded: invalid file name")),
        (b"fifo", Some("fifo is not a file")),
    ] {
        if name != b"fifo" {
            std::fs::write(scratch.0.join(OsStr::from_bytes(name)), b"content").unwrap();
        }
        let argument = OsStr::from_bytes(&[b"--upload=", name].concat()).to_owned();
        let output = scratch.run(running.address, &[argument], "");
        let (printed, errors) = texts(&output);
        assert_eq!(output.status.code(), Some(refused.is_some().into()), "{printed}{errors}");
        match refused {
            Some(why) => assert!(errors.contains(why), "{errors}"),
            None => assert!(printed.starts_with("http://") && printed.lines().count() == 1),
        }
    }
}

/// Answers one request for a file with these bytes; the request's head.
fn answer(listener: &TcpListener, status: &str, headers: &str, bytes: &[u8]) -> String {
    let mut poller = Poller::new(Backend::Poll).unwrap();
    poller.add(listener, Token::fixed(0), Interest::READ).unwrap();
    let mut ready = Vec::new();
    poller.wait(&mut ready, Some(TIMEOUT)).unwrap();
    assert_eq!(ready.len(), 1, "no request");
    let (mut socket, _): (TcpStream, _) = listener.accept().unwrap();
    let mut head = String::new();
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0);
    }
    write!(socket, "HTTP/1.1 {status}\r\n{headers}\r\n\r\n").unwrap();
    socket.write_all(bytes).unwrap();
    head
}

#[test]
fn a_download_goes_on_where_it_was_broken_off() {
    let scratch = Scratch::new("broken");
    let running = RealServer::start(0, &[]);
    let server = running.address;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("/download http://{}/a.txt\n", listener.local_addr().unwrap());
    let output = std::thread::scope(|scope| {
        let output = scope.spawn(|| scratch.client(server, &[], &line));
        answer(&listener, "200 OK", "Content-Length: 6", b"abc");
        let head = answer(
            &listener,
            "206 Partial Content",
            "Content-Length: 3\r\nContent-Range: bytes 3-5/6",
            b"def",
        );
        assert!(head.contains("\r\nRange: bytes=3-\r\n"), "{head}");
        output.join().unwrap()
    });
    assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
    assert_eq!(scratch.read("a.txt").as_deref(), Some(&b"abcdef"[..]));
}

#[test]
fn a_length_beyond_every_file_is_an_error() {
    let scratch = Scratch::new("lies");
    let running = RealServer::start(0, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/files/0/Makefile", listener.local_addr().unwrap());
    scratch.write("long.part", b"abc");
    let output = std::thread::scope(|scope| {
        let line = format!("/download {url} long\n");
        let (scratch, server) = (&scratch, running.address);
        let output = scope.spawn(move || scratch.client(server, &[], &line));
        let length = format!("Content-Length: {}\r\nContent-Range: bytes 3-/*", u64::MAX);
        answer(&listener, "206 Partial Content", &length, b"d");
        output.join().unwrap()
    });
    let (printed, errors) = texts(&output);
    assert!(printed.contains("longer than any file"), "{printed}{errors}");
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(feature = "tls")]
#[test]
fn a_client_that_chats_by_tls_moves_its_files_by_tls() {
    let (scratch, content) = (Scratch::new("tls"), content());
    let server = RealServer::start(0, &["--tls"]);
    let fingerprint = server.ready.rsplit(' ').next().unwrap();
    let known = ["--tls-fingerprint", fingerprint];
    scratch.write("plan.bin", &content);
    let url = upload(&scratch, server.address, &known, "plan.bin");
    let output = scratch.client(server.address, &known, &format!("/download {url} copy.bin\n"));
    assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
    assert!(scratch.read("copy.bin") == Some(content));
}

/// PieChat's users type so.
#[test]
fn a_line_that_may_mean_a_file_asks_first() {
    let scratch = Scratch::new("asked");
    scratch.write("plan.txt", b"abc");
    let path = scratch.0.join("plan.txt");
    let path = path.to_str().unwrap();
    let server = RealServer::start(0, &[]);
    let mut terminal = Terminal::start_with(server.address, &["--nick", "ada"], &[]);
    terminal.wait_for("#lobby [You]:");
    terminal.type_keys(&format!("upload {path}\r"));
    terminal.wait_for("? [y/N]");
    terminal.type_keys("\r");
    terminal.wait_for("[You]: upload ");
    terminal.type_keys("upload missing.txt\r");
    terminal.wait_for("[You]: upload missing.txt");
    terminal.type_keys(&format!("upload {path}\r"));
    terminal.wait_for("? [y/N]");
    // Neither: the line is back, and nothing is sent.
    terminal.type_keys("\x03");
    terminal.wait_for(&format!("#lobby [You]: upload {path}"));
    terminal.type_keys("\r");
    terminal.wait_for("? [y/N]");
    terminal.type_keys("y");
    // The path has been typed and sent above: it does not mean that the file is there.
    terminal.wait_for("shared plan.txt");
    // One who comes later knows it by its name from the history.
    let mut other = Terminal::start_with(server.address, &["--nick", "bob"], &[]);
    other.wait_for("shared plan.txt");
    other.wait_for("#lobby [You]:");
    other.type_keys("download plan.txt\r");
    other.wait_for("download plan.txt? [y/N]");
    other.type_keys("\x03\x15\x04");
    assert_eq!(other.end().code(), Some(0));
    terminal.type_keys("\x04");
    assert_eq!(terminal.end().code(), Some(0));
}
