//! Whatever strangers put into an event reaches a plain peer as harmless lines, exactly as many as
//! there are to be.

use super::*;
use crate::chat::{
    AccountChange, AccountLine, BanTarget, DirectMessage, Identity, Kind, ModeChange, Page, Past,
    Person, Quoted, RoomLine, RoomMessage, ServerBanLine, Target, Topic, Whois,
};
use std::sync::Arc;

fn page<T>(line: T) -> Page<T> {
    Page { total: Some(1), lines: vec![line], more: None }
}

/// Events with `text` wherever a text can be, and the lines that each is rendered as.
#[allow(clippy::too_many_lines)] // a list: splitting it would hide what is missing
fn events(text: &str) -> Vec<(Event, usize)> {
    let shared: Arc<str> = text.into();
    let (name, room) = (|| Name::new(text), || Name::new(&format!("#{text}")));
    let some = || Some(Arc::clone(&shared));
    let who = Arc::new(Identity {
        session: SessionId(1),
        nick: name(),
        named: false,
        label: text.into(),
        names: Default::default(),
        account: Some(name()),
        bot: false,
    });
    let w = || Arc::clone(&who);
    let (id, time) = (RecordId(1), Moment(0));
    let quoted = || {
        Box::new(Quoted {
            id,
            number: 3,
            root: id,
            from: Name::new(&format!("x{text}")),
            text: some(),
        })
    };
    let topic = || Topic { text: shared.clone(), by: name(), time };
    let person =
        Person { who: w(), op: true, voice: false, operator: true, away: some(), since: time };
    let stored = StoredMessage {
        target: Target::Room(room()),
        reply: Some(*quoted()),
        reactions: vec![(shared.clone(), 2)],
        ..stored_by(&who, text)
    };
    let query = |scope| Query { scope, range: Range::Latest, limit: None, events: false };
    let past = |scope| {
        let entries = vec![stored.clone(), stored.clone()];
        Event::Past(Box::new(Past::whole(query(scope), entries, Vec::new(), Some(id))))
    };
    let message = RoomMessage {
        id,
        time,
        room: room(),
        number: 7,
        who: w(),
        kind: Kind::Notice,
        text: shared.clone(),
        reply: Some(quoted()),
        mention: true,
        tags: some(),
        status: None,
        continuations: None,
    };
    let direct = DirectMessage {
        id,
        time,
        who: w(),
        to: name(),
        account: None,
        session: None,
        kind: Kind::Action,
        text: shared.clone(),
        waits: true,
        away: some(),
        tags: None,
        continuations: None,
    };
    let of_text = text.split('\n').count();
    let ban = || BanTarget::Address(text.to_owned());
    vec![
        (Event::Welcome { who: w(), online: 2 }, 1),
        (Event::Left { who: w(), departure: QuitReason::Message(shared.clone()), online: 1 }, 1),
        (Event::Left { who: w(), departure: QuitReason::Error(text.to_owned()), online: 1 }, 1),
        (Event::Renamed { who: w(), before: w() }, 1),
        (Event::Ignoring { nick: name(), on: true }, 1),
        (Event::Parted { who: w(), room: room(), reason: some() }, 1),
        (Event::Kicked { who: w(), room: room(), target: w(), reason: some() }, 1),
        (Event::RoomRenamed { who: w(), before: room(), room: room(), reason: some() }, 1),
        (Event::Invited { who: w(), room: room(), nick: name() }, 1),
        (
            Event::ModesSet {
                who: w(),
                room: room(),
                changes: vec![ModeChange::Key(some()), ModeChange::Ban(text.to_owned(), true)],
            },
            2,
        ),
        (Event::Kept { room: room(), on: true }, 1),
        (Event::RoomMessage(Box::new(message)), of_text),
        (Event::DirectMessage(Box::new(direct)), of_text),
        (Event::Wallops { who: w(), text: shared.clone() }, 1),
        (
            Event::Reacted {
                who: w(),
                room: room(),
                message: quoted(),
                text: shared.clone(),
                on: true,
                tags: some(),
            },
            1,
        ),
        (Event::Edited { who: w(), room: room(), message: quoted(), text: shared.clone() }, 1),
        (Event::Deleted { who: w(), room: room(), message: quoted(), reason: some() }, 1),
        (Event::Announced { who: w(), text: shared.clone() }, 1),
        (Event::ServerBan { target: ban(), on: true, until: None }, 1),
        (Event::Refused(Refusal::BadMask(shared.clone())), 1),
        (Event::Refused(Refusal::BadAddress(shared.clone())), 1),
        (Event::Refused(Refusal::NoSuchNick(name())), 1),
        (Event::Closed { why: Refusal::ServerBanned { reason: some(), until: None } }, 1),
        (
            Event::Rooms(page(RoomLine {
                room: room(),
                members: 1,
                topic: some(),
                joined: true,
                created: time,
            })),
            2,
        ),
        (Event::Who { room: Some(room()), people: page(person.clone()) }, 2),
        (
            Event::Whois(Box::new(Whois {
                person: person.clone(),
                rooms: vec![(room(), true, false)],
                last: time,
                now: time,
            })),
            6,
        ),
        (Event::TopicIs { room: room(), topic: Some(topic()) }, 1),
        (Event::Bans { room: room(), bans: vec![(text.to_owned(), name(), time)] }, 2),
        (Event::Ignored(vec![name()]), 1),
        (
            Event::ServerBans(page(ServerBanLine {
                target: ban(),
                by: name(),
                reason: some(),
                until: None,
            })),
            2,
        ),
        (Event::Connections(page(person)), 2),
        (
            Event::AccountManaged {
                account: name(),
                what: AccountChange::Deleted { erases: true, since: id },
            },
            1,
        ),
        (
            Event::Accounts(page(AccountLine {
                name: name(),
                created: time,
                seen: Some(time),
                sessions: 0,
                rooms: 1,
            })),
            2,
        ),
        (past(Scope::Private { account: name(), peer: name() }), 3),
        (past(Scope::Search { rooms: Vec::new(), words: shared.clone(), from: None }), 4),
    ]
}

fn stored_by(who: &Identity, text: &str) -> StoredMessage {
    StoredMessage {
        id: RecordId(1),
        time: Moment(0),
        target: Target::Room(Name::lobby()),
        number: 1,
        from: who.nick.clone(),
        account: None,
        username: None,
        host: None,
        bot: false,
        kind: Kind::Message,
        text: text.into(),
        tags: None,
        continuations: None,
        reply: None,
        edited: true,
        reactions: Vec::new(),
    }
}

/// The line without what its style puts around it.
fn inside(line: &str) -> &str {
    let line = line.strip_prefix("\x1b[0m").unwrap_or(line);
    let line = line.strip_prefix('\r').unwrap_or(line);
    let colour = line.strip_prefix("\x1b[").and_then(|rest| rest.split_once('m'));
    let line = colour.map_or(line, |(_, rest)| rest);
    line.strip_prefix('\x07').unwrap_or(line)
}

fn check(text: &str) -> Result<(), TestCaseError> {
    for style in [Style::Plain, Style::Classic] {
        let theme = Theme { style, numbers: true, bell: Bell::All };
        for (event, expected) in events(text) {
            for viewpoint in [Viewpoint::Observer, Viewpoint::Actor] {
                let mut out = Vec::new();
                render(theme, &event, viewpoint, &mut out);
                let out = String::from_utf8(out).unwrap();
                let bare = out.strip_suffix("\x1b[0m").unwrap_or(&out);
                let lines: Vec<&str> = bare.split_terminator('\n').map(inside).collect();
                let hidden = |c: char| (c.is_control() && c != '\t') || c == '\u{202e}';
                for line in &lines {
                    prop_assert!(!line.contains(hidden), "{event:?} as {style:?}: {line:?}");
                }
                // What one does oneself may show nothing, or one line more (who is away).
                let own = viewpoint == Viewpoint::Actor;
                prop_assert!(
                    lines.len() == expected || (own && [0, expected + 1].contains(&lines.len())),
                    "{event:?} as {style:?}: {} lines, not {expected}",
                    lines.len()
                );
            }
        }
    }
    Ok(())
}

/// A reaction that set the clipboard, renamed the window and forged lines.
#[test]
fn an_event_shows_no_escape_and_forges_no_line() {
    check("{\u{1b}]52;c;cm0=\u{7}\u{1b}]0;owned\u{7} 1}\r\n* announcement by server: hi\u{202e}")
        .unwrap();
}

proptest! {
    #[test]
    fn any_text_is_harmless(text in any::<String>()) {
        check(&text)?;
    }
}
