//! Lines by exact bytes.

use super::*;

fn at(text: &str) -> ZonedDateTime {
    text.parse().unwrap()
}

fn painted(painter: &Painter, line: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    let shown = painter.line(line, &mut out);
    shown.then(|| String::from_utf8(out).unwrap())
}

#[test]
fn a_classic_servers_line_keeps_its_colours_on_a_terminal_only() {
    let line = b"\x1b[0m\r\x1b[1;35m[127.0.0.1:5]: hi";
    let coloured = painted(&Painter::new(true, false), line).unwrap();
    assert_eq!(coloured, "\x1b[0m\x1b[1;35m[127.0.0.1:5]: hi\x1b[0m");
    assert_eq!(painted(&Painter::new(false, false), line).unwrap(), "[127.0.0.1:5]: hi");
    for colours in [true, false] {
        assert_eq!(painted(&Painter::new(colours, false), b"\x1b[0m\r"), None);
        assert_eq!(painted(&Painter::new(colours, false), b"").unwrap(), "");
    }
}

#[test]
fn nothing_but_a_harmless_colour_gets_through() {
    let painter = Painter::new(true, false);
    for (line, shown) in [
        (&b"\x1b[2Jgone"[..], "\u{241b}[2Jgone"),
        (b"\x1b]0;title\x07", "\u{241b}]0;title\u{2407}"),
        (b"\x1b[8mhidden", "hidden"),
        (b"\x1b[31;5mblink", "blink"),
        (b"\x1b[41mback", "back"),
        (b"\x1b[31", "\u{241b}[31"),
        (b"\x1b\x1b[31mred", "\u{241b}\x1b[31mred\x1b[0m"),
        (b"a\rb", "a\u{240d}b"),
        (b"\xffx", "\u{fffd}x"),
    ] {
        assert_eq!(painted(&painter, line).unwrap(), shown, "{:?}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_name_has_one_colour_for_ever() {
    let painter = Painter::new(true, false);
    let alice = painted(&painter, b"[alice]: hi").unwrap();
    assert!(alice.starts_with("\x1b[") && alice.ends_with("m[alice]\x1b[0m: hi"), "{alice:?}");
    assert_eq!(painted(&painter, b"[alice]: ho").unwrap()[..8], alice[..8]);
    for plain in ["hello [alice]", "[]: x", "[never closed"] {
        assert_eq!(painted(&painter, plain.as_bytes()).unwrap(), plain);
    }
    let names: std::collections::HashSet<_> =
        (0..100).map(|number| colour_of(&format!("guest{number}"))).collect();
    assert!(names.len() > NAMES.len() / 2, "the colours are used");
}

#[test]
fn time_and_day() {
    let mut painter = Painter::new(false, true);
    painter.now = at("2026-11-21T09:05:00[UTC]");
    assert_eq!(painted(&painter, b"hi").unwrap(), "09:05 hi");
    let day = |painter: &mut Painter, time| {
        painter.now = at(time);
        painter.day_line()
    };
    assert_eq!(day(&mut painter, "2026-11-21T23:59:00[UTC]"), None);
    assert_eq!(day(&mut painter, "2026-11-21T23:59:59[UTC]"), None);
    let line = day(&mut painter, "2026-11-22T00:00:00[UTC]").unwrap();
    assert_eq!(line, "--- Sunday, 22 November 2026 ---");
    let mut quiet = Painter::new(false, false);
    day(&mut quiet, "2026-11-21T23:59:00[UTC]");
    assert_eq!(day(&mut quiet, "2026-11-22T00:00:00[UTC]"), None);
}
