//! Whether what a peer is sent is harmless: to a terminal, and to an IRC client.

/// Bytes of a line of IRC without its tags, and of the tags.
const BODY: usize = 512;
const TAGS: usize = 8191;

/// Plain lines: whole, and no control character but those of the style, at their places.
pub fn check_plain(out: &[u8]) {
    let out = std::str::from_utf8(out).expect("plain lines are UTF-8");
    let bare = out.strip_suffix("\x1b[0m").unwrap_or(out);
    assert!(bare.is_empty() || bare.ends_with('\n'), "half a line: {out:?}");
    for line in bare.split_terminator('\n') {
        let line = line.strip_prefix("\x1b[0m").unwrap_or(line);
        let line = line.strip_prefix('\r').unwrap_or(line);
        let colour = line.strip_prefix("\x1b[").and_then(|rest| rest.split_once('m'));
        let line = colour.map_or(line, |(_, rest)| rest);
        let line = line.strip_prefix('\x07').unwrap_or(line);
        let hidden = |c: char| (c.is_control() && c != '\t') || c == '\u{202e}';
        assert!(!line.contains(hidden), "a plain peer is sent {line:?}");
    }
}

/// Lines of IRC: each ends in CR LF, has neither inside, no NUL, and is within the limits.
pub fn check_irc(out: &[u8]) {
    assert!(out.is_empty() || out.ends_with(b"\r\n"), "half a line");
    for line in out.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\r\n").expect("a line ends in CR LF");
        let text = String::from_utf8_lossy(bare);
        assert!(!bare.iter().any(|byte| b"\r\n\0".contains(byte)), "in a line: {text:?}");
        let tags = match bare.first() {
            Some(b'@') => {
                bare.iter().position(|byte| *byte == b' ').map_or(bare.len(), |end| end + 1)
            }
            _ => 0,
        };
        assert!(tags <= TAGS, "{tags} bytes of tags");
        assert!(line.len() - tags <= BODY, "{} bytes without tags: {text:?}", line.len() - tags);
    }
}
