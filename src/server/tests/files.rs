//! Files that come and go: who may, how many, how large, and what is left of half ones.

use super::{Bench, Client, TURNS};
use crate::chat::limits;
use std::time::Duration;

/// A user in the lobby, with the path of an upload.
fn token(bench: &mut Bench, client: &mut Client) -> String {
    client.send("/upload\n");
    let line = bench.wait_for(client, "curl -T FILE ").pop().unwrap();
    let (_, url) = line.split_once("curl -T FILE http://").unwrap();
    url[url.find('/').unwrap()..].to_owned()
}

fn head(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// Sends a request and returns the whole answer.
fn request(bench: &mut Bench, text: &str) -> String {
    let mut web = bench.connect();
    web.send(text);
    bench.wait_for_end(&mut web)
}

fn put(bench: &mut Bench, path: &str, body: &str) -> String {
    let length = format!("Content-Length: {}\r\n", body.len());
    request(bench, &(head("PUT", path, &length) + body))
}

fn get(bench: &mut Bench, path: &str, headers: &str) -> String {
    request(bench, &head("GET", path, headers))
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("no answer")
}

/// The path that an upload is answered with.
fn location(answer: &str) -> String {
    assert_eq!(status(answer), "201", "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let url = head.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap();
    assert_eq!(body.trim_end(), url);
    url[url.find("/files/").unwrap()..].to_owned()
}

#[test]
fn a_file_is_shared_in_a_room_and_read_by_whoever_has_its_url() {
    let mut bench = Bench::new(&[]);
    let (mut alice, mut bob) = (bench.join("alice"), bench.join("bob"));
    let path = token(&mut bench, &mut alice) + "plan.pdf";
    let answer = put(&mut bench, &path, "0123456789");
    let file = location(&answer);
    assert!(file.ends_with("/plan.pdf"), "{file}");
    let line = bench.wait_for(&mut bob, "plan.pdf").pop().unwrap();
    assert!(line.starts_with("[alice] shared plan.pdf (10 bytes): http://127.0.0.1:"), "{line}");
    assert!(line.ends_with(&file), "{line}");
    let answer = get(&mut bench, &file, "");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n0123456789"));
    assert!(answer.contains("\r\nContent-Disposition: attachment; "), "{answer}");
    let answer = get(&mut bench, &file, "Range: bytes=2-4\r\n");
    assert!(status(&answer) == "206" && answer.ends_with("\r\n\r\n234"), "{answer}");
    assert_eq!(status(&get(&mut bench, &file, "Range: bytes=10-\r\n")), "416");
    assert_eq!(status(&request(&mut bench, &head("HEAD", &file, ""))), "200");
    bob.send("/files\n");
    bench.wait_for(&mut bob, "* alice: plan.pdf (10 bytes): http://127.0.0.1:");
    // A token is good once.
    assert_eq!(status(&put(&mut bench, &path, "x")), "401");
    bob.send(&format!("/delfile {file}\n"));
    bench.wait_for(&mut bob, "plan.pdf is not yours");
    alice.send(&format!("/delfile {file}\n"));
    bench.wait_for(&mut alice, "deleted plan.pdf");
    assert_eq!(status(&get(&mut bench, &file, "")), "404");
    bob.send("/files\n");
    bench.wait_for(&mut bob, "no files in #lobby");
}

#[test]
fn a_file_is_by_the_nick_that_its_user_has_by_then() {
    let mut bench = Bench::new(&[]);
    let mut eve = bench.join("alice");
    let path = token(&mut bench, &mut eve) + "a.txt";
    eve.send("/nick eve\n");
    bench.wait_for(&mut eve, "you are now known as eve");
    let _alice = bench.join("alice");
    let file = location(&put(&mut bench, &path, "abc"));
    eve.send("/files\n");
    bench.wait_for(&mut eve, "* eve: a.txt (3 bytes)");
    eve.send(&format!("/delfile {file}\n"));
    bench.wait_for(&mut eve, "deleted a.txt");
}

/// Anyone who has the URL has the file: it is told in the room that it was meant for, and not in the next one
/// of that name.
#[test]
fn a_file_is_shared_in_no_other_room_of_the_same_name() {
    let mut bench = Bench::new(&["--channel-modes=off"]);
    let (mut alice, mut eve) = (bench.join("alice"), bench.join("eve"));
    alice.send("/join #x\n");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let mut web = bench.connect();
    web.send(&(head("PUT", &path, "Content-Length: 3\r\n") + "ab"));
    alice.send("/part #x\n");
    bench.wait_for(&mut alice, "you left #x");
    eve.send("/join #x\n");
    bench.wait_for(&mut eve, "you joined #x");
    web.send("c");
    location(&bench.wait_for_end(&mut web));
    assert_eq!(bench.lines(&mut eve).len(), 0);
}

/// The name of a file is words, too.
#[test]
fn a_muted_user_shares_no_file_that_was_on_its_way() {
    let mut bench = Bench::new(&[]);
    let (mut bob, mut eve) = (bench.join("bob"), bench.join("eve"));
    bob.send("/join #x\n");
    bench.wait_for(&mut bob, "you joined #x");
    eve.send("/join #x\n");
    let path = token(&mut bench, &mut eve) + "BUY%20THIS";
    bob.send("/mute eve\n");
    bench.wait_for(&mut bob, "muted eve");
    location(&put(&mut bench, &path, "abc"));
    bench.wait_for(&mut eve, "you are muted in #x");
    bob.send("/files\n");
    bench.wait_for(&mut bob, "no files in #x");
}

#[test]
fn what_may_not_be_uploaded_has_its_status() {
    let flags = ["--file-max", "20", "--files-per-address", "150k", "--files-all", "300k"];
    let mut bench = Bench::new(&flags);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice);
    for (request_head, expected, word) in [
        (head("PUT", "/upload/a.txt", "Content-Length: 1\r\n"), "401", "/upload"),
        (head("PUT", "/upload/0123456789abcdef0123456789abcdef/a", ""), "401", "token"),
        (head("PUT", &format!("{path}../a"), "Content-Length: 1\r\n"), "400", "file name"),
        (head("PUT", &format!("{path}a%00"), "Content-Length: 1\r\n"), "400", "file name"),
        (head("PUT", &format!("{path}a"), "Content-Length: 21\r\n"), "413", "--file-max"),
        (head("PUT", &format!("{path}a"), "Transfer-Encoding: gzip\r\n"), "501", "chunked"),
        (head("GET", "/upload", ""), "405", "POST"),
        (head("GET", "/files/0123456789abcdef0123456789abcdef/a", ""), "404", "no such file"),
    ] {
        let answer = request(&mut bench, &request_head);
        assert_eq!(status(&answer), expected, "{request_head}: {answer}");
        assert!(answer.contains(word), "{request_head}: {answer}");
    }
    // None of these has used the token up.
    location(&put(&mut bench, &format!("{path}a"), "x"));
    // A file counts for 64 KiB at least.
    let path = token(&mut bench, &mut alice);
    location(&put(&mut bench, &format!("{path}b"), "x"));
    let path = token(&mut bench, &mut alice);
    let answer = put(&mut bench, &format!("{path}c"), &"x".repeat(20));
    assert!(status(&answer) == "201", "22,000 bytes are left: {answer}");
    let path = token(&mut bench, &mut alice);
    let answer = put(&mut bench, &format!("{path}d"), "x");
    assert!(status(&answer) == "413" && answer.contains("--files-per-address"), "{answer}");
}

/// What shows only when the body comes: it costs the upload, and leaves nothing.
#[test]
fn a_body_that_may_not_be_kept_has_its_status() {
    let flags = ["--file-max", "100k", "--files-per-address", "150k", "--files-all", "200k"];
    let mut bench = Bench::new(&flags);
    let mut alice = bench.join("alice");
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
    let chunked = |bench: &mut Bench, alice: &mut Client, body: &str| {
        let path = token(bench, alice) + "a";
        request(bench, &(head("PUT", &path, "Transfer-Encoding: chunked\r\n") + body))
    };
    for (body, expected, word) in [
        ("xyz\r\n", "400", "chunk"),
        ("2\r\nabc\r\n", "400", "chunk"),
        (&chunk.repeat(2), "413", "--file-max"),
    ] {
        let answer = chunked(&mut bench, &mut alice, body);
        assert_eq!(status(&answer), expected, "{body:.20}: {answer}");
        assert!(answer.contains(word), "{body:.20}: {answer}");
    }
    alice.send("/files\n");
    bench.wait_for(&mut alice, "no files in #lobby");
    let whole = chunk.clone() + "0\r\n\r\n";
    location(&chunked(&mut bench, &mut alice, &whole));
    let answer = chunked(&mut bench, &mut alice, &chunk.repeat(2));
    assert!(status(&answer) == "413" && answer.contains("--files-per-address"), "{answer}");
    // An account has its own quota, and all together have one.
    alice.send("/register sesame\n");
    bench.wait_for(&mut alice, "account alice created");
    location(&chunked(&mut bench, &mut alice, &whole));
    let path = token(&mut bench, &mut alice) + "a";
    let answer = put(&mut bench, &path, &"x".repeat(80_000));
    assert!(status(&answer) == "507" && answer.contains("--files-all"), "{answer}");
    for words in ["(--file-max): 1", "--files-per-address): 1", "(--files-all): 1"] {
        let mut lines = bench.server.exchange().stats().lines();
        assert!(lines.any(|line| line.ends_with(words)), "{words}");
    }
}

/// A password in the clear is not taken from another machine, nor is a body of a server that stops.
#[test]
fn an_upload_that_is_not_taken_is_told_why() {
    let mut bench = Bench::new(&["--web-origin", "https://web.example.org"]);
    let mut web = bench.connect();
    web.send("PUT /upload/a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n");
    bench.settle();
    bench.server.exchange().pretend_remote();
    web.send("Authorization: Basic YWxpY2U6c2VzYW1l\r\n\r\nabc");
    let answer = bench.wait_for_end(&mut web);
    assert!(status(&answer) == "403" && answer.contains("over TLS only"), "{answer}");
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "a.txt";
    web = bench.connect();
    web.send(&head("PUT", &path, "Content-Length: 3\r\n"));
    bench.settle();
    bench.server.exchange().notify_shutdown();
    assert_eq!(status(&bench.wait_for_end(&mut web)), "503");
}

/// A page of `--web-origin` may send a file and read the answer, errors included; no other may, and
/// nowhere else.
#[test]
fn a_page_of_another_site_moves_files_if_that_site_is_named() {
    let mut bench = Bench::new(&["--web-origin", "https://web.example.org", "--file-max", "10"]);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let page = "Origin: https://web.example.org\r\n";
    let asks = "Access-Control-Request-Method: PUT\r\n\
                Access-Control-Request-Headers: content-disposition\r\n";
    let readable = |answer: &str, expected: &str| {
        assert_eq!(status(answer), expected, "{answer}");
        let allowed = "\r\nAccess-Control-Allow-Origin: https://web.example.org\r\n";
        answer.matches("Access-Control-Allow-Origin").count() == 1 && answer.contains(allowed)
    };
    let preflight = request(&mut bench, &head("OPTIONS", &path, &format!("{page}{asks}")));
    assert!(readable(&preflight, "200"), "{preflight}");
    for header in
        ["Methods: GET, HEAD, POST, PUT\r\n", "Headers: Authorization, Content-Disposition"]
    {
        assert!(preflight.contains(&format!("\r\nAccess-Control-Allow-{header}")), "{preflight}");
    }
    let sent = |length| format!("{page}Content-Length: {length}\r\n");
    let answer = request(&mut bench, &head("PUT", &path, &sent(11)));
    assert!(readable(&answer, "413"), "{answer}");
    let answer = request(&mut bench, &(head("PUT", &path, &sent(3)) + "abc"));
    assert!(readable(&answer, "201") && answer.contains("-Expose-Headers: "), "{answer}");
    let file = location(&answer);
    let answer = request(&mut bench, &head("OPTIONS", &file, &format!("{page}{asks}")));
    assert!(readable(&answer, "200"), "{answer}");
    for (range, expected) in [("", "200"), ("bytes=1-", "206"), ("bytes=9-", "416")] {
        let headers =
            if range.is_empty() { page.to_owned() } else { format!("{page}Range: {range}\r\n") };
        let answer = get(&mut bench, &file, &headers);
        assert!(readable(&answer, expected), "{answer}");
    }
    let answer = get(&mut bench, "/files/0123456789abcdef0123456789abcdef/a", page);
    assert!(readable(&answer, "404"), "{answer}");
    // A cache must not hand the one in place of the other.
    let answer = get(&mut bench, &file, "");
    assert!(answer.contains("\r\nVary: Origin\r\n") && !answer.contains("Access-Control"));
    for path in ["/", "/health", "/metrics", "/loop", "/nothing"] {
        let answer = get(&mut bench, path, page);
        assert!(!answer.contains("Access-Control"), "{path}: {answer}");
    }
    for path in [path, file] {
        let headers = format!("Origin: https://evil.example\r\n{asks}");
        let answer = request(&mut bench, &head("OPTIONS", &path, &headers));
        assert!(status(&answer) == "403" && !answer.contains("Access-Control"), "{answer}");
    }
}

/// Cut anywhere, with two requests in one packet, and in chunks.
#[test]
fn a_body_is_found_at_every_cut() {
    let mut bench = Bench::new(&[]);
    let mut alice = bench.join("alice");
    let chunked = "4\r\nabcd\r\n2;x\r\nef\r\n0\r\n\r\n";
    for (headers, body) in
        [("Content-Length: 6\r\n", "abcdef"), ("Transfer-Encoding: chunked\r\n", chunked)]
    {
        let path = token(&mut bench, &mut alice) + "a.txt";
        let length = (head("PUT", &path, headers) + body).len();
        for cut in (0..length).step_by(5) {
            let path = token(&mut bench, &mut alice) + "a.txt";
            let text = head("PUT", &path, headers) + body + &head("GET", "/health", "");
            let mut web = bench.connect();
            web.send(&text[..cut]);
            bench.settle();
            web.send(&text[cut..]);
            let file = location(&bench.wait_for_end(&mut web));
            assert!(get(&mut bench, &file, "").ends_with("\r\n\r\nabcdef"), "{cut}");
            alice.send(&format!("/delfile {file}\n"));
        }
    }
}

#[test]
fn a_client_that_expects_to_be_told_is_told_before_it_sends() {
    let mut bench = Bench::new(&["--file-max", "10"]);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let expects = |length| format!("Content-Length: {length}\r\nExpect: 100-continue\r\n");
    assert_eq!(status(&request(&mut bench, &head("PUT", &path, &expects(11)))), "413");
    let mut web = bench.connect();
    web.send(&head("PUT", &path, &expects(3)));
    bench.wait_for(&mut web, "HTTP/1.1 100 Continue");
    bench.wait_for(&mut web, "");
    web.send("abc");
    location(&bench.wait_for_end(&mut web));
}

/// A length that is not that of the body: what is missing is waited for, what is too much is no
/// request, and no half file is kept.
#[test]
fn a_lying_length_leaves_nothing() {
    let mut bench = Bench::new(&[]);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let mut short = bench.connect();
    short.send(&(head("PUT", &path, "Content-Length: 100\r\n") + "abc"));
    bench.settle();
    short.half_close();
    assert_eq!(bench.wait_for_end(&mut short), "");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let mut slow = bench.connect();
    slow.send(&(head("PUT", &path, "Content-Length: 100\r\n") + "abc"));
    // While the disk is behind, it is not the client that is slow.
    for _ in 0..TURNS {
        slow.receive();
        if slow.ended {
            break;
        }
        bench.pass(Duration::from_secs(60));
    }
    assert_eq!(status(&bench.wait_for_end(&mut slow)), "408");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let text = head("PUT", &path, "Content-Length: 3\r\n") + "abc/nick mallory\n";
    location(&request(&mut bench, &text));
    alice.send("/files\n");
    bench.wait_for(&mut alice, "* alice: a.txt (3 bytes)");
    assert_eq!(bench.lines(&mut alice).len(), 0);
}

#[test]
fn a_token_is_of_no_use_when_its_user_has_left() {
    let mut bench = Bench::new(&[]);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "a.txt";
    alice.send("/quit\n");
    bench.wait_for_end(&mut alice);
    assert_eq!(status(&put(&mut bench, &path, "x")), "401");
}

/// A token is for the user who asked for it, and an upload for the account that began it: not for one that has
/// its name later.
#[test]
fn an_account_that_is_deleted_uploads_no_more() {
    let mut bench = Bench::new(&["--oper=root:correct-horse"]);
    let (mut alice, mut root) = (bench.join("alice"), bench.join("root"));
    alice.send("/register sesame\n");
    bench.wait_for(&mut alice, "account alice created");
    root.send("/oper root correct-horse\n");
    bench.wait_for(&mut root, "you are now a server operator");
    let begun = token(&mut bench, &mut alice) + "a.txt";
    let mut web = bench.connect();
    web.send(&(head("PUT", &begun, "Content-Length: 3\r\n") + "ab"));
    let unused = token(&mut bench, &mut alice) + "b.txt";
    root.send("/account delete alice erase\n");
    bench.wait_for(&mut root, "alice");
    bench.wait_for(&mut alice, "logged out");
    web.send("c");
    let answer = bench.wait_for_end(&mut web);
    assert!(status(&answer) == "403" && answer.contains("deleted"), "{answer}");
    assert_eq!(status(&put(&mut bench, &unused, "x")), "401");
    root.send("/files\n");
    bench.wait_for(&mut root, "no files in #lobby");
}

#[test]
fn an_account_uploads_by_its_password_and_guesses_are_slowed_down() {
    let mut bench = Bench::new(&["--upload-accounts-only"]);
    let mut alice = bench.join("alice");
    alice.send("/upload\n");
    bench.wait_for(&mut alice, "not logged in");
    alice.send("/register sesame\n");
    bench.wait_for(&mut alice, "account alice created");
    let post = |password: &str, query: &str| {
        // alice:sesame, alice:millet
        let basic = if password == "sesame" { "YWxpY2U6c2VzYW1l" } else { "YWxpY2U6bWlsbGV0" };
        let headers = format!("Authorization: Basic {basic}\r\nContent-Length: 3\r\n");
        head("POST", &format!("/upload{query}"), &headers) + "abc"
    };
    let file = location(&request(&mut bench, &post("sesame", "")));
    assert!(file.ends_with("/file.bin"), "{file}");
    assert!(bench.lines(&mut alice).is_empty(), "it is shared nowhere");
    location(&request(&mut bench, &post("sesame", "?room=lobby")));
    assert_eq!(status(&request(&mut bench, &post("sesame", "?room=rust"))), "403");
    for _ in 0..5 {
        let answer = request(&mut bench, &post("millet", ""));
        assert!(matches!(status(&answer), "401" | "429"), "{answer}");
    }
    let answer = request(&mut bench, &post("sesame", ""));
    assert!(status(&answer) == "429" && answer.contains("\r\nRetry-After: "), "{answer}");
}

/// Neither a body nor a file is in memory as a whole, and one who does not read is read for no
/// further.
#[test]
fn a_large_file_passes_in_pieces() {
    let mut bench = Bench::new(&["--file-max", "8M"]);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "big.bin";
    let body: String = (0..300_000).map(|number| format!("{number:9}\n")).collect();
    let mut web = bench.connect();
    web.send(&head("PUT", &path, &format!("Content-Length: {}\r\n", body.len())));
    let mut answer = String::new();
    for piece in body.as_bytes().chunks(32 * 1024) {
        web.send_bytes(piece);
        bench.turn();
    }
    answer.push_str(&bench.wait_for_end(&mut web));
    let file = location(&answer);
    let mut lazy = bench.connect();
    lazy.send(&head("GET", &file, ""));
    bench.settle();
    assert!(bench.longest_queue() < 300_000, "{}", bench.longest_queue());
    let mut read = String::new();
    for _ in 0..TURNS {
        bench.turn();
        read.push_str(&String::from_utf8(lazy.bytes()).unwrap());
        if lazy.ended {
            break;
        }
    }
    assert!(read.split_once("\r\n\r\n").unwrap().1 == body, "{} bytes", read.len());
}

#[test]
fn there_is_a_bounded_number_of_transfers() {
    let mut bench = Bench::new(&["--max-transfers", "1"]);
    let mut alice = bench.join("alice");
    let (first, second) = (token(&mut bench, &mut alice), token(&mut bench, &mut alice));
    let mut web = bench.connect();
    web.send(&head("PUT", &(first + "a"), "Content-Length: 3\r\n"));
    bench.settle();
    let answer = put(&mut bench, &(second.clone() + "b"), "abc");
    assert!(status(&answer) == "503" && answer.contains("--max-transfers"), "{answer}");
    web.send("abc");
    location(&bench.wait_for_end(&mut web));
    let file = location(&put(&mut bench, &(second + "b"), "abc"));
    // One that hardly moves does not keep others out.
    let mut slow = bench.connect();
    slow.send(&head("PUT", &(token(&mut bench, &mut alice) + "c"), "Content-Length: 3\r\n"));
    bench.settle();
    assert_eq!(status(&get(&mut bench, &file, "")), "503");
    bench.pass(Duration::from_secs(10));
    assert_eq!(status(&get(&mut bench, &file, "")), "200");
    let answer = bench.wait_for_end(&mut slow);
    assert!(status(&answer) == "503" && answer.contains("given up for another"), "{answer}");
}

/// Of small files there are places for ten thousand, and one owner takes an eighth of them.
#[test]
fn small_files_of_one_owner_do_not_take_all_the_places() {
    let mut bench = Bench::new(&["--files-all", "1G", "--files-per-address", "1G"]);
    let mut alice = bench.join("alice");
    for _ in 0..limits::FILES_PER_OWNER {
        let path = token(&mut bench, &mut alice) + "a";
        location(&put(&mut bench, &path, "x"));
    }
    let path = token(&mut bench, &mut alice) + "b";
    let answer = put(&mut bench, &path, "x");
    assert!(status(&answer) == "413" && answer.contains("1250 files"), "{answer}");
}

#[test]
fn an_old_file_is_deleted() {
    let mut bench = Bench::new(&["--file-age", "1"]);
    let mut alice = bench.join("alice");
    let path = token(&mut bench, &mut alice) + "a.txt";
    let file = location(&put(&mut bench, &path, "x"));
    bench.pass(Duration::from_secs(23 * 3_600));
    assert_eq!(status(&get(&mut bench, &file, "")), "200");
    bench.pass(Duration::from_secs(2 * 3_600));
    assert_eq!(status(&get(&mut bench, &file, "")), "404");
}

#[test]
fn without_uploads_there_are_none() {
    let mut bench = Bench::new(&["--file-max", "off"]);
    let mut alice = bench.join("alice");
    alice.send("/upload\n");
    bench.wait_for(&mut alice, "this server takes no files (--file-max");
    assert_eq!(status(&put(&mut bench, "/upload/a.txt", "x")), "404");
}
