//! Whatever comes, and whatever is typed.

use super::*;
use proptest::prelude::*;

proptest! {
    /// Whatever a text is, its lines fit with our prefix in front, and together they are the text.
    #[test]
    fn no_line_is_cut_on_its_way(text in "[a-zé👩‍👧 ]{1,2000}", multiline: bool, host in "[a-z.]{1,60}") {
        let offered = if multiline { "batch message-tags draft/multiline=max-bytes=9000" } else { "" };
        let mut talk = Talk::with(offered);
        talk.hear(&format!(":ada!~ada@{host} MODE #x +t"));
        talk.session.typed(&[&format!("/say x{text}")], talk.now);
        let mut whole = String::new();
        for line in talk.sent() {
            let body = line.split_once(" PRIVMSG ").map_or(line.as_str(), |(_, body)| body);
            let body = body.strip_prefix("PRIVMSG ").unwrap_or(body);
            if let Some(text) = body.strip_prefix("#x :") {
                let arrives = format!(":ada!~ada@{host} PRIVMSG #x :{text}\r\n");
                prop_assert!(arrives.len() <= 512, "{}", arrives.len());
                whole += text;
            }
        }
        // Blank pieces say nothing and are not sent.
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(squeezed(&whole), squeezed(&format!("x{text}")));
    }

    #[test]
    fn whatever_comes_nothing_harmful_is_shown(
        lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
    ) {
        let mut talk = Talk::with("batch message-tags draft/chathistory draft/multiline=max-bytes=100");
        for line in &lines {
            talk.session.receive(line, talk.now);
        }
        check_harmless(&mut talk)?;
    }

    /// Lines that are nearly right find more than noise does.
    #[test]
    fn near_misses_are_harmless(lines in proptest::collection::vec(near_miss(), 0..30)) {
        let mut talk = Talk::with("batch message-tags draft/chathistory draft/multiline=max-bytes=100");
        for line in &lines {
            talk.session.receive(line.as_bytes(), talk.now);
        }
        check_harmless(&mut talk)?;
    }

    #[test]
    fn whatever_is_typed_each_line_is_one_line(
        lines in proptest::collection::vec("(/[a-z]{1,8} )?[ -~é\\t\u{1}\u{7}\r\0:#@x1]{0,30}", 1..10), multiline: bool,
    ) {
        let offered = if multiline { "batch message-tags draft/chathistory draft/multiline=max-bytes=100" } else { "" };
        let mut talk = Talk::with(offered);
        lines.iter().for_each(|line| talk.session.typed(&[line], talk.now));
        let pasted: Vec<&str> = lines.iter().map(String::as_str).collect();
        talk.session.typed(&pasted, talk.now);
        for line in talk.sent() {
            prop_assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        }
        check_harmless(&mut talk)?;
    }
}

fn near_miss() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("#x".to_owned()),
        Just("ada".to_owned()),
        Just("bob".to_owned()),
        Just("+o".to_owned()),
        Just("a".to_owned()),
        Just("+a".to_owned()),
        Just("-a".to_owned()),
        Just("chathistory".to_owned()),
        Just("draft/multiline".to_owned()),
        Just("*".to_owned()),
        "[\\x01-\\x1f€a-z]{0,5}",
    ];
    let command = prop_oneof![
        Just("PRIVMSG"),
        Just("NOTICE"),
        Just("BATCH"),
        Just("JOIN"),
        Just("PART"),
        Just("QUIT"),
        Just("NICK"),
        Just("MODE"),
        Just("KICK"),
        Just("TOPIC"),
        Just("CAP"),
        Just("TAGMSG"),
        Just("REDACT"),
        Just("FAIL"),
        Just("AUTHENTICATE"),
        Just("001"),
        Just("005"),
        Just("353"),
        Just("366"),
        Just("322"),
        Just("317"),
        Just("404"),
        Just("ERROR"),
        Just("PING"),
        Just("CHGHOST"),
    ];
    let tags = prop_oneof![
        Just(""),
        Just("@batch=a "),
        Just("@batch=a;msgid=1;time=2026-02-02T10:00:00Z "),
        Just("@label=1 ")
    ];
    let source = prop_oneof![Just(""), Just(":ada!a@h "), Just(":bob!b@h "), Just(":srv ")];
    (tags, source, command, proptest::collection::vec(word, 0..5)).prop_map(
        |(tags, source, command, words)| {
            let (last, words) =
                words.split_last().map_or((String::new(), String::new()), |(last, words)| {
                    (last.clone(), words.join(" "))
                });
            format!("{tags}{source}{command} {words} :{last}")
        },
    )
}

fn check_harmless(talk: &mut Talk) -> Result<(), TestCaseError> {
    for item in talk.session.take_shown() {
        let text = match item {
            DisplayItem::Message(heard) => {
                format!("{}{}", heard.nick, heard.text.replace('\n', "")) + &heard.reply_prefix()
            }
            DisplayItem::ServerText(text) => text,
            DisplayItem::Event(event) => event.shown + &event.nick + &event.target + &event.text,
            DisplayItem::Notice(notice) => notice.text,
            DisplayItem::Line(_)
            | DisplayItem::Row(..)
            | DisplayItem::Bell
            | DisplayItem::Clear => continue,
        };
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\t'), "{:?}", text);
    }
    Ok(())
}
