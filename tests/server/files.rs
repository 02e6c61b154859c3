//! Uploaded files on disk: kept or not there, after a kill, a full disk and a restart.

use crate::common::{Client, PATIENCE, Server, scratch::Scratch};
use crate::irc::PATIENT;
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn start(scratch: &Scratch) -> Server {
    Server::start(&[PATIENT, "--data", scratch.path(), "--max-transfers", "400"])
}

/// The names in the directory of files.
fn files(scratch: &Scratch) -> Vec<String> {
    let entries = std::fs::read_dir(scratch.0.join("files")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A client that speaks plain text.
fn join(server: &Server) -> Client {
    let mut client = Client::connect(server.address);
    client.send("/fence\n");
    client.until("/fence");
    client
}

/// Sends a request and reads the answer; what came of it if the server is killed meanwhile.
pub fn request(address: SocketAddr, head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut socket) = TcpStream::connect(address) else { return answer };
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head =
        format!("{head} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    // An error is a kill, or an answer before the end of the body.
    let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body));
    let mut piece = [0; 16 * 1024];
    while let Ok(count @ 1..) = socket.read(&mut piece) {
        answer.extend_from_slice(&piece[..count]);
    }
    answer
}

/// Asks for a token; the path to upload to.
pub fn token(client: &mut Client) -> String {
    client.send("/upload\n");
    loop {
        let line = client.line();
        if let Some((_, path)) = line.split_once("/upload/") {
            return format!("/upload/{}", path.trim_end());
        }
    }
}

/// The id of a file that an upload is answered with, if it is.
fn kept(answer: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(answer).unwrap();
    let id = text.starts_with("HTTP/1.1 201 ").then(|| text.split("/files/").nth(1))??;
    Some(id.split('/').next().unwrap().to_owned())
}

fn body_of(answer: &[u8]) -> &[u8] {
    let head = String::from_utf8_lossy(&answer[..answer.len().min(300)]);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head:?}");
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    &answer[end + 4..]
}

/// A file that says its length, and that no part of is the whole.
fn content(number: usize) -> Vec<u8> {
    let size = 1_000 + number * 7_919 % 300_000;
    let mut content = format!("{size}\n").into_bytes();
    content.resize(size, b'a' + (number % 26) as u8);
    content
}

fn is_whole(content: &[u8]) -> bool {
    let end = content.iter().position(|byte| *byte == b'\n').unwrap();
    String::from_utf8_lossy(&content[..end]).parse() == Ok(content.len())
}

/// A hundred uploads, killed in the middle of their bodies, between file and record, and after both.
#[test]
fn a_kill_leaves_no_half_file_and_loses_none_that_was_acknowledged() {
    const UPLOADS: usize = 25;
    let scratch = Scratch::new("killed");
    let mut acknowledged: Vec<(usize, String)> = Vec::new();
    for round in 0..4 {
        let mut server = start(&scratch);
        let mut clients: Vec<Client> = (0..UPLOADS).map(|_| join(&server)).collect();
        let paths: Vec<String> = clients.iter_mut().map(token).collect();
        let (address, done) = (server.address, AtomicUsize::new(0));
        let answers = thread::scope(|scope| {
            let upload = |(number, path): (usize, &String)| {
                let (number, head) = (round * UPLOADS + number, format!("PUT {path}{number}.bin"));
                let done = &done;
                scope.spawn(move || {
                    let answer = request(address, &head, &content(number));
                    done.fetch_add(1, Ordering::SeqCst);
                    (number, answer)
                })
            };
            let uploads: Vec<_> = paths.iter().enumerate().map(upload).collect();
            while done.load(Ordering::SeqCst) < 2 + 6 * round {
                thread::yield_now();
            }
            server.signal(Signal::SIGKILL);
            server.ended();
            uploads.into_iter().map(|upload| upload.join().unwrap()).collect::<Vec<_>>()
        });
        let acknowledged_now =
            answers.iter().filter_map(|(number, answer)| Some((*number, kept(answer)?)));
        acknowledged.extend(acknowledged_now);
        let server = start(&scratch);
        let files = files(&scratch);
        for (number, id) in &acknowledged {
            assert!(files.contains(id), "{number}.bin is lost");
            let answer = request(server.address, &format!("GET /files/{id}"), b"");
            assert!(body_of(&answer) == content(*number), "{number}.bin has changed");
        }
        for id in &files {
            let answer = request(server.address, &format!("GET /files/{id}"), b"");
            assert!(is_whole(body_of(&answer)), "round {round}: {id} is half a file");
        }
    }
    assert!(acknowledged.len() >= 4 * 2, "{}", acknowledged.len());
}

#[test]
fn a_full_disk_in_mid_upload_leaves_nothing_and_the_chat_goes_on() {
    let scratch = Scratch::new("full");
    let data = [PATIENT, "--data", scratch.path()];
    // Blocks of 512 bytes.
    let server = Server::by_shell("ulimit -f 1024; exec \"$0\" \"$@\"", &data);
    let (mut alice, mut bob) = (join(&server), join(&server));
    let path = token(&mut alice);
    let answer = request(server.address, &format!("PUT {path}large"), &vec![b'x'; 2_000_000]);
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 507 ") && text.contains("disk is full"), "{text}");
    assert_eq!(files(&scratch), [""; 0]);
    let path = token(&mut alice);
    assert!(kept(&request(server.address, &format!("PUT {path}small"), b"abc")).is_some());
    bob.until("shared small (3 bytes): ");
    server.log.wait_for("an upload failed: File too large");
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_counted_and_the_chat_goes_on() {
    let scratch = Scratch::new("unwritable");
    let server = start(&scratch);
    let mut alice = join(&server);
    // Whatever the server's user may do, a file in a directory that is gone it cannot make.
    std::fs::remove_dir_all(scratch.0.join("files")).unwrap();
    let path = token(&mut alice);
    let answer = request(server.address, &format!("PUT {path}a.txt"), b"abc");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{text}");
    std::fs::create_dir(scratch.0.join("files")).unwrap();
    let path = token(&mut alice);
    assert!(kept(&request(server.address, &format!("PUT {path}b.txt"), b"abcd")).is_some());
    let metrics = request(server.address, "GET /metrics", b"");
    let metrics = String::from_utf8_lossy(body_of(&metrics));
    for line in [
        "chatloop_files 1",
        "chatloop_file_bytes 4",
        "chatloop_uploads_total 1",
        "chatloop_transfers{direction=\"upload\"} 0",
        "chatloop_limits_exceeded_total{limit=\"unwritten_files\"} 1",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} in {metrics}");
    }
}

#[test]
fn a_restart_keeps_files_with_their_names_and_who_may_delete_them() {
    let scratch = Scratch::new("restart");
    let server = start(&scratch);
    let mut alice = join(&server);
    alice.send("/nick alice\n/register correct-horse\n");
    let path = token(&mut alice);
    let id = kept(&request(server.address, &format!("PUT {path}plan.pdf"), b"abc")).unwrap();
    server.stop();
    std::fs::write(scratch.0.join("files").join("left-over"), "x").unwrap();
    let server = start(&scratch);
    assert_eq!(files(&scratch), [id.as_str()]);
    let answer = request(server.address, &format!("GET /files/{id}/plan.pdf"), b"");
    assert_eq!(body_of(&answer), b"abc");
    assert!(String::from_utf8_lossy(&answer).contains("filename*=UTF-8''plan.pdf\r\n"));
    let (mut alice, mut eve) = (join(&server), join(&server));
    eve.send(format!("/files\n/delfile {id}\n"));
    eve.until("alice: plan.pdf (3 bytes): http://127.0.0.1:");
    eve.until("plan.pdf is not yours");
    alice.send(format!("/login alice correct-horse\n/delfile {id}\n"));
    alice.until("deleted plan.pdf");
    // The thread is told before the next one asks.
    let answer = request(server.address, &format!("GET /files/{id}/plan.pdf"), b"");
    assert!(answer.starts_with(b"HTTP/1.1 404 "));
}
