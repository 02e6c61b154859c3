//! The editor by what stands in the line, `|` for the cursor.

use super::super::keys::{Decoder, Input};
use super::super::screen::{Face, Screen};
use super::*;
use proptest::prelude::*;

fn act(editor: &mut Editor, input: Input, keeps_blank_lines: bool) -> Outcome {
    match input {
        Input::Key(key) => {
            let outcome = editor.key(key);
            if let Outcome::Submitted(line) = &outcome {
                editor.history.push(line);
            }
            outcome
        }
        Input::Paste(text) => editor.paste(&text, keeps_blank_lines),
        Input::PasteTooLong => Outcome::Refused,
    }
}

/// Feeds keys as bytes and returns the last outcome.
fn feed(editor: &mut Editor, bytes: &str) -> Outcome {
    feed_with(editor, bytes, false)
}

fn feed_with(editor: &mut Editor, bytes: &str, keeps_blank_lines: bool) -> Outcome {
    let mut decoder = Decoder::default();
    decoder.feed(bytes.as_bytes());
    decoder.flush();
    let mut outcome = Outcome::Unchanged;
    while let Some(input) = decoder.next_input() {
        outcome = act(editor, input, keeps_blank_lines);
    }
    outcome
}

fn shown(editor: &Editor) -> String {
    let (before, after) = editor.line().split_at(editor.cursor());
    format!("{before}|{after}")
}

fn typed(bytes: &str) -> String {
    let mut editor = Editor::default();
    feed(&mut editor, bytes);
    shown(&editor)
}

#[test]
fn readline_keys_do_what_fingers_expect() {
    for (bytes, expected) in [
        ("abc", "abc|"),
        ("abc\x01x", "x|abc"),
        ("abc\x02\x02x\x06y\x05z", "axbycz|"),
        ("abc\x1b[D\x1b[D\x7f", "|bc"),
        ("abc\x01\x1b[3~", "|bc"),
        ("abc\x01\x04", "|bc"),
        ("abc\x08", "ab|"),
        ("one two\x1bb\x0b", "one |"),
        ("one two\x1bb\x15", "|two"),
        ("one two.three\x17", "one |"),
        ("one two.three\x1b\x7f", "one two.|"),
        ("one two\x01\x1bd", "| two"),
        ("one two\x01\x1bf\x1bf!", "one two!|"),
        ("one two\x1b[1;5D\x1b[1;5D!", "!|one two"),
        ("one two\x17\x17\x19", "one two|"),
        ("one two\x01\x0b\x19\x19", "one twoone two|"),
        ("one two\x17x\x17\x19", "one x|"),
        ("abc\x14", "acb|"),
        ("abc\x02\x14", "acb|"),
        ("abc\x01\x14", "|abc"),
        ("e\u{301}x\x02\x7f", "|x"),
        ("👩‍👩‍👧‍👦x\x02\x02y", "y|👩‍👩‍👧‍👦x"),
        ("日本\x7f", "日|"),
        ("draft\x03", "|"),
        ("a\tb", "ab|"),
    ] {
        assert_eq!(typed(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn an_accent_joins_the_letter_before_it_and_the_cursor_stays_outside() {
    let mut editor = Editor::default();
    feed(&mut editor, "ab\x02");
    editor.insert("\u{301}");
    assert_eq!(shown(&editor), "a\u{301}|b");
    // Deleting the letter between leaves two flags' halves that join into one flag.
    editor.set("🇩x🇪");
    feed(&mut editor, "\x02\x7f");
    assert_eq!(shown(&editor), "🇩🇪|");
}

#[test]
fn outcomes_for_the_caller() {
    let mut editor = Editor::default();
    assert_eq!(feed(&mut editor, "\x03"), Outcome::Interrupted);
    assert_eq!(feed(&mut editor, "\x04"), Outcome::Ended);
    assert_eq!(feed(&mut editor, "\x1a"), Outcome::Suspended);
    assert_eq!(feed(&mut editor, "\x0c"), Outcome::ClearScreen);
    assert_eq!(feed(&mut editor, "\t"), Outcome::Complete);
    assert_eq!(feed(&mut editor, "\x12"), Outcome::Search);
    assert_eq!(feed(&mut editor, "hi\r"), Outcome::Submitted("hi".to_owned()));
    assert_eq!(feed(&mut editor, "x\x03"), Outcome::Cleared);
    assert_eq!(feed(&mut editor, "\x19\x04"), Outcome::Refused);
    assert_eq!(shown(&editor), "x|");
}

#[test]
fn history_comes_back_and_so_does_the_draft() {
    let mut editor = Editor::default();
    feed(&mut editor, "one\rtwo\rdraft");
    feed(&mut editor, "\x1b[A\x1b[A");
    assert_eq!(shown(&editor), "one|");
    feed(&mut editor, "\x1b[B\x1b[B");
    assert_eq!(shown(&editor), "draft|");
    assert_eq!(feed(&mut editor, "\x0e"), Outcome::Refused);
}

#[test]
fn a_paste_of_one_line_goes_into_the_line() {
    assert_eq!(typed("ad\x02\x1b[200~bc\r\x1b[201~"), "abc|d");
    assert_eq!(typed("\x1b[200~a\tb\x1b[31mc\x1b[201~"), "a b[31mc|");
}

#[test]
fn a_paste_of_many_lines_is_a_question_and_the_draft_stays() {
    let mut editor = Editor::default();
    let outcome = feed(&mut editor, "say: !\x02\x1b[200~one\r\r\ttwo\rthree\x1b[201~");
    let lines = ["say: one", "\ttwo", "three!"].map(str::to_owned);
    assert_eq!(outcome, Outcome::Ask(lines.to_vec()));
    assert_eq!(shown(&editor), "say: |!");
}

#[test]
fn blank_lines_of_a_paste_are_kept_if_they_are_wanted() {
    let mut editor = Editor::default();
    let outcome = feed_with(&mut editor, "\x1b[200~\r \rone\r\r  two\r\r\x1b[201~", true);
    assert_eq!(outcome, Outcome::Ask(["one", "", "  two"].map(str::to_owned).to_vec()));
}

#[test]
fn the_line_is_bounded_and_refuses_whole() {
    let mut editor = Editor::default();
    editor.set(&"x".repeat(MAX_LINE - 1));
    assert_eq!(editor.insert("yy"), Outcome::Refused);
    assert_eq!(editor.insert("y"), Outcome::Changed);
    assert_eq!(editor.insert("y"), Outcome::Refused);
    assert_eq!(editor.line().len(), MAX_LINE);
    editor.set(&"é".repeat(MAX_LINE));
    assert!(editor.line().len() <= MAX_LINE);
}

/// Keys as a cat on the keyboard would press them, favouring those that do something.
fn any_bytes() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-c 日é🚀\u{301}\u{200d}🇩🇪]".prop_map(String::from),
        2 => (1u8..27).prop_map(|byte| char::from(byte).to_string()),
        2 => proptest::sample::select(vec![
            "\x7f", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~",
            "\x1bb", "\x1bf", "\x1bd", "\x1b\x7f", "\x1b[200~x\x1b[201~", "\x1b[1;5C",
        ]).prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

#[test]
fn what_turns_the_row_or_cannot_be_seen_is_not_pasted() {
    let mut editor = Editor::default();
    feed(&mut editor, "\x1b[200~pay \u{202e}eno\u{2066} \u{200b}\u{feff}👩‍🚀\x1b[201~");
    assert_eq!(editor.line(), "pay eno 👩‍🚀");
    let asked = feed(&mut Editor::default(), "\x1b[200~a\u{202e}b\rc\x1b[201~");
    assert_eq!(asked, Outcome::Ask(vec!["ab".to_owned(), "c".to_owned()]));
}

proptest! {
    #[test]
    fn any_keys_at_any_width_keep_the_cursor_in_the_screen(
        bytes in any_bytes(),
        widths in proptest::collection::vec(0usize..30, 1..5),
    ) {
        let (mut editor, mut screen) = (Editor::default(), Screen::new(widths[0]));
        let mut decoder = Decoder::default();
        decoder.feed(bytes.as_bytes());
        for (number, input) in std::iter::from_fn(|| decoder.next_input()).enumerate() {
            act(&mut editor, input, false);
            let (line, cursor) = (editor.line(), editor.cursor());
            prop_assert!(line.is_char_boundary(cursor));
            prop_assert_eq!(text::boundary_at_or_after(line, cursor), cursor);
            prop_assert!(!line.chars().any(char::is_control) && line.len() <= MAX_LINE);
            let face = Face { prompt: "[You]: ", style: "", line, cursor };
            let mut out = Vec::new();
            screen.resize(widths[number % widths.len()], &face, &mut out);
            let (columns, row) = screen.geometry();
            let (painted, column) = row.unwrap_or_default();
            prop_assert!(column <= painted && painted < columns.max(1));
        }
    }
}
