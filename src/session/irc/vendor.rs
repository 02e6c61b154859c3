//! Commands that no specification of IRC has: `CHATLOOP`, with a command of plain text, and the
//! `SEARCH` of the capability soju.im/search.

use super::{Caps, Context, history};
use crate::chat::{Command, Event, Moment, Past, Point, Range, Scope, Viewpoint};
use crate::session::plain;
use crate::wire::irc::{Message, Tags};
use std::sync::Arc;

/// The command in which the others are.
pub(super) const NAME: &str = "CHATLOOP";

/// `CHATLOOP command [argument …]`: the line as it would be typed in plain text, without its `/`.
pub(super) fn chatloop(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let line = message.parameters.as_slice().join(" ");
    let rooms = context.user().map_or(&[][..], |user| user.rooms());
    match plain::parse_lent(&line, rooms, context.view.now) {
        Ok(action) => context.actions.push(action),
        Err(why) => context.fail("INVALID_PARAMS", &[], &why),
    }
}

/// `SEARCH attributes`, which are written like tags: `text`, `in`, `from`, `before`, `after`.
pub(super) fn search(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [attributes] = message.words();
    let attributes = Tags::new(attributes);
    let word = |key| attributes.get(key).filter(|value| !value.is_empty());
    let Some(words) = word("text") else {
        return context.fail("INVALID_PARAMS", &["text"], "Missing text");
    };
    let time = |key| -> Option<Point> {
        let time: jiff::Timestamp = word(key)?.parse().ok()?;
        Some(Point::Time(Moment(time.as_millisecond())))
    };
    let range = match (time("after"), time("before")) {
        (Some(after), Some(before)) => Range::Between(after, before),
        (Some(after), None) => Range::After(after),
        (None, Some(before)) => Range::Before(before),
        (None, None) => Range::Latest,
    };
    let given = |key| word(key).map(|value| Arc::from(&*value));
    context.run(Command::Search(Arc::from(&*words), given("in"), given("from"), range));
}

/// Answers what CHATLOOP or SEARCH asked; `false` if `event` is no answer to them.
pub(super) fn answered(context: &mut Context<'_, '_>, event: &Event, viewpoint: Viewpoint) -> bool {
    match (context.session.command, event) {
        ("SEARCH", Event::Past(past)) if is_search(past) => {
            let caps = context.session.render_caps().caps();
            let me = context.session.nick(context.view);
            let batch = ("found", &["soju.im/search"][..]);
            context.reply().page_of_batch(batch, history::place(past), |reply| {
                for entry in &past.entries {
                    history::write(entry, caps, me.as_str(), &mut reply.lines);
                }
            });
            context.continue_list(event);
        }
        (NAME, Event::Past(past))
            if is_search(past)
                // Other clients have a batch for it.
                || (is_thread(past) && !context.session.caps.has(Caps::CHATHISTORY)) =>
        {
            tell(context, event, viewpoint);
            context.continue_list(event);
        }
        (NAME, Event::Kept { .. } | Event::ServerBan { .. }) => tell(context, event, viewpoint),
        (NAME, Event::Connections(_) | Event::ServerBans(_)) => {
            tell(context, event, viewpoint);
            context.continue_list(event);
        }
        _ => return false,
    }
    true
}

fn is_search(past: &Past) -> bool {
    matches!(past.query.scope, Scope::Search { .. })
}

fn is_thread(past: &Past) -> bool {
    matches!(past.query.scope, Scope::Thread { .. })
}

/// The lines that a plain client would see, as notices.
fn tell(context: &mut Context<'_, '_>, event: &Event, viewpoint: Viewpoint) {
    let mut out = Vec::new();
    plain::render(plain::Theme::default(), event, viewpoint, &mut out);
    let text = String::from_utf8_lossy(&out);
    let mut reply = context.reply();
    for line in text.lines() {
        reply.notice(line.strip_prefix("* ").unwrap_or(line));
    }
}
