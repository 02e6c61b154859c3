//! The decoder by exact bytes, and the same keys for every cut of them.

use super::*;
use proptest::prelude::*;

fn decode(bytes: &[u8]) -> Vec<Input> {
    let mut decoder = Decoder::default();
    decoder.feed(bytes);
    decoder.flush();
    decoder.inputs.into()
}

fn keys(list: &[Key]) -> Vec<Input> {
    list.iter().copied().map(Input::Key).collect()
}

fn character(character: char) -> Key {
    Key::plain(Code::Char(character))
}

#[test]
fn every_form_of_a_key_is_that_key() {
    let plain = Key::plain;
    let alt = |code| Key { alt: true, ..plain(code) };
    let control = |code| Key { control: true, ..plain(code) };
    for (bytes, key) in [
        (&b"a"[..], character('a')),
        ("é".as_bytes(), character('é')),
        ("日".as_bytes(), character('日')),
        ("🚀".as_bytes(), character('🚀')),
        (b"\r", plain(Code::Enter)),
        (b"\n", Key::control('j')),
        (b"\t", plain(Code::Tab)),
        (b"\x7f", plain(Code::Backspace)),
        (b"\x08", Key::control('h')),
        (b"\x01", Key::control('a')),
        (b"\x00", Key::control(' ')),
        (b"\x1f", Key::control('_')),
        (b"\x1b", plain(Code::Escape)),
        (b"\x1b\x1b", alt(Code::Escape)),
        (b"\x1bb", Key::alt('b')),
        (b"\x1b\x7f", alt(Code::Backspace)),
        (b"\x1b\r", alt(Code::Enter)),
        ("\x1bé".as_bytes(), Key::alt('é')),
        (b"\x1b[", Key::alt('[')),
        (b"\x1bO", Key::alt('O')),
        (b"\x1b]", Key::alt(']')),
        (b"\x1bP", Key::alt('P')),
        (b"\x1b[A", plain(Code::Up)),
        (b"\x1bOA", plain(Code::Up)),
        (b"\x1b\x1b[A", alt(Code::Up)),
        (b"\x1b[1;3D", alt(Code::Left)),
        (b"\x1b[1;5C", control(Code::Right)),
        (b"\x1b[H", plain(Code::Home)),
        (b"\x1b[1~", plain(Code::Home)),
        (b"\x1b[4~", plain(Code::End)),
        (b"\x1b[3~", plain(Code::Delete)),
        (b"\x1b[3;5~", control(Code::Delete)),
        (b"\x1b[Z", Key { shift: true, ..plain(Code::Tab) }),
        (b"\x1b[[A", plain(Code::Function(1))),
        (b"\x1bOS", plain(Code::Function(4))),
        (b"\x1b[15~", plain(Code::Function(5))),
        (b"\x1b[24~", plain(Code::Function(12))),
        (b"\x1b[97;5u", Key::control('a')),
        (b"\x1b[27;5;97~", Key::control('a')),
        (b"\x1b[13;3u", alt(Code::Enter)),
    ] {
        assert_eq!(decode(bytes), keys(&[key]), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn what_is_no_key_is_dropped_whole() {
    for bytes in [
        &b"\x1b[?1;2c"[..],
        b"\x1b[<0;1;1M",
        b"\x1b[99~",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1b]11;rgb:0000/0000/0000\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b[57358u",
        b"\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20z",
    ] {
        let followed = [bytes, b"x"].concat();
        assert_eq!(decode(&followed), keys(&[character('x')]), "{bytes:?}");
    }
}

#[test]
fn a_control_key_works_in_the_middle_of_anything_but_a_paste() {
    for prefix in [&b"\x1b["[..], b"\x1b[1;", b"\x1bO", b"\x1b]0;t", b"\x1bPq", b"\x1b[["] {
        assert_eq!(decode(&[prefix, b"\x03"].concat()), keys(&[Key::control('c')]), "{prefix:?}");
    }
}

#[test]
fn broken_utf_8_is_replaced_and_what_follows_is_kept() {
    let replaced = character(char::REPLACEMENT_CHARACTER);
    assert_eq!(decode(b"\xc3a"), keys(&[replaced, character('a')]));
    assert_eq!(decode(b"\xff\r"), keys(&[replaced, Key::plain(Code::Enter)]));
    assert_eq!(decode(b"\xe2\x82"), keys(&[]), "half a character waits for its other half");
    assert_eq!(decode("\u{9b}x".as_bytes()), keys(&[character('x')]));
}

#[test]
fn a_lone_escape_is_a_matter_of_patience() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.timeout(), None);
    decoder.feed(b"\x1b");
    assert!(decoder.timeout().is_some() && decoder.inputs.is_empty());
    decoder.feed(b"[A");
    assert_eq!(
        (decoder.timeout(), Vec::from(decoder.inputs)),
        (None, keys(&[Key::plain(Code::Up)]))
    );
}

#[test]
fn a_marker_of_a_paste_in_two_pieces_is_waited_for() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b");
    let escape = decoder.timeout().unwrap();
    decoder.feed(b"[20");
    let (second, half) = (Duration::from_secs(1), Duration::from_millis(500));
    assert!(decoder.timeout().unwrap() >= second && escape >= half, "a slow line is that slow");
    decoder.feed(b"0~line one\rline two\x1b[201~");
    assert_eq!(Vec::from(decoder.inputs), [Input::Paste("line one\nline two".to_owned())]);
}

#[test]
fn a_paste_is_one_input_whatever_is_in_it() {
    let paste = |text: &str| vec![Input::Paste(text.to_owned())];
    assert_eq!(decode(b"\x1b[200~one\rtwo\r\nthree\n\x1b[201~"), paste("one\ntwo\nthree\n"));
    assert_eq!(decode(b"\x1b[200~\x03\x1b[A\x1b\x1b[201~"), paste("\x03\x1b[A\x1b"));
    assert_eq!(decode(b"\x1b[200~lost end"), paste("lost end"));
    assert_eq!(decode(b"\x1b[200~\x1b[201~"), paste(""));
}

#[test]
fn a_paste_is_bounded_and_the_keyboard_lives_on() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[200~");
    for _ in 0..MAX_PASTE / 1024 + 2 {
        decoder.feed(&[b'x'; 1024]);
        assert!(decoder.held.len() <= MAX_PASTE + PASTE_END.len());
    }
    decoder.feed(b"\x1b[201~y");
    assert_eq!(decoder.inputs, [Input::PasteTooLong, Input::Key(character('y'))]);
}

/// Bytes as terminals send them, and some that they never should.
fn terminal_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "\\PC{1,3}".prop_map(String::into_bytes),
        any::<u8>().prop_map(|byte| vec![byte]),
        proptest::sample::select(vec![
            "\x1b",
            "\x1b[",
            "\x1b[200~",
            "\x1b[201~",
            "\x1bO",
            "\x1b]0;",
            "\x07",
            "\x1b\\",
            "A",
            "~",
            "1;5",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_keys(bytes in terminal_bytes(), cut in 1usize..9) {
        let mut decoder = Decoder::default();
        for piece in bytes.chunks(cut) {
            decoder.feed(piece);
        }
        decoder.flush();
        prop_assert_eq!(Vec::from(decoder.inputs), decode(&bytes));
    }

    #[test]
    fn after_a_flush_the_next_key_is_itself(bytes in terminal_bytes()) {
        let mut decoder = Decoder::default();
        decoder.feed(&bytes);
        decoder.flush();
        prop_assert_eq!(decoder.timeout(), None);
        decoder.feed(b"\r");
        prop_assert_eq!(decoder.inputs.back(), Some(&Input::Key(Key::plain(Code::Enter))));
    }
}
