//! The screen by exact bytes.

use super::*;

fn face(line: &str, cursor: usize) -> Face<'_> {
    Face { prompt: "[You]: ", style: "", line, cursor }
}

fn bytes(act: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    act(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_row_is_painted_and_the_cursor_put_into_it() {
    let mut screen = Screen::new(80);
    assert_eq!(bytes(|out| screen.show(&face("hello", 5), out)), "\r[You]: hello\x1b[K");
    assert_eq!(bytes(|out| screen.show(&face("日本", 3), out)), "\r[You]: 日本\x1b[K\r\x1b[9C");
    let coloured = Face { style: "1;33", ..face("x", 1) };
    assert_eq!(bytes(|out| screen.show(&coloured, out)), "\r\x1b[1;33m[You]: \x1b[0mx\x1b[K");
}

#[test]
fn a_message_goes_above_and_the_row_comes_back() {
    let mut screen = Screen::new(80);
    screen.show(&face("half", 2), &mut Vec::new());
    assert_eq!(
        bytes(|out| {
            screen.print(b"news", out);
            screen.show(&face("half", 2), out);
        }),
        "\r\x1b[Knews\r\n\r[You]: half\x1b[K\r\x1b[9C"
    );
}

#[test]
fn a_long_line_scrolls_under_the_cursor() {
    let mut screen = Screen::new(18); // room for ten, the last column stays free
    let line = "abcdefghijklmnop";
    assert_eq!(bytes(|out| screen.show(&face(line, 16), out)), "\r[You]: ghijklmnop\x1b[K");
    assert_eq!(bytes(|out| screen.show(&face(line, 0), out)), "\r[You]: abcdefghij\x1b[K\r\x1b[7C");
    assert_eq!(bytes(|out| screen.show(&face(line, 12), out)), "\r[You]: cdefghijkl\x1b[K");
}

#[test]
fn narrow_screens_drop_the_prompt_then_the_line() {
    let shown = |columns| bytes(|out| Screen::new(columns).show(&face("a日", 4), out));
    assert_eq!(shown(15), "\ra日\x1b[K");
    assert_eq!(shown(16), "\r[You]: a日\x1b[K");
    assert_eq!(shown(14), "\ra日\x1b[K");
    assert_eq!(shown(3), "\r日\x1b[K");
    assert_eq!(shown(2), "\r\x1b[K");
    assert_eq!(shown(1), "\r\x1b[K");
    assert_eq!(shown(0), "\r[You]: a日\x1b[K", "unknown is eighty");
}

#[test]
fn a_prompt_that_is_too_wide_keeps_its_end() {
    let question = Face { prompt: "upload a long name.txt? [y/N] ", ..face("y", 1) };
    let shown = |columns| bytes(|out| Screen::new(columns).show(&question, out));
    assert_eq!(shown(39), "\rupload a long name.txt? [y/N] y\x1b[K");
    assert_eq!(shown(38), "\r…load a long name.txt? [y/N] y\x1b[K");
    assert_eq!(shown(17), "\r… [y/N] y\x1b[K");
    assert_eq!(shown(16), "\ry\x1b[K", "too little would be left of it");
}

#[test]
fn shrinking_takes_the_broken_row_away() {
    let mut screen = Screen::new(80);
    screen.show(&face("0123456789", 10), &mut Vec::new()); // seventeen columns
    assert_eq!(
        bytes(|out| screen.resize(5, &face("0123456789", 10), out)),
        "\x1b[3A\r\x1b[J\r6789\x1b[K"
    );
}
