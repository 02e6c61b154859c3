//! The commands of server operators: kill, server bans, announcements.

use super::applying::Applying;
use super::checks::{checked_reason, given, operates};
use crate::chat::api::{Command, Decision, Event, Purpose, Work};
use crate::chat::log::{BanTarget, Change, Entry, QuitReason};
use crate::chat::model::{
    Audience, Claim, Field, Moment, Name, Origin, Refusal, Result, SessionId, below, limits,
    require,
};
use crate::chat::state::{Hub, ServerBan, User};
use std::sync::Arc;

impl Hub {
    pub(super) fn decide_administration(
        &self,
        user: &User,
        command: Command,
        now: Moment,
    ) -> Result<Decision> {
        if let Command::Oper(name, secret) = command {
            let purpose = Purpose::Oper(name, None);
            let work =
                Work::Verify { secret, hash: None, former: None, lacks_keys: false, purpose };
            return Ok(Decision::Work(work));
        }
        operates(user)?;
        let change = match command {
            Command::Kill(nick, reason) => {
                self.session_of(&nick).ok_or_else(|| Refusal::NoSuchNick(Name::new(&nick)))?;
                Change::Kill { nick: Name::new(&nick), reason: checked_reason(reason)? }
            }
            Command::ServerBan(target, duration, reason) => {
                let target = checked_target(target)?;
                self.ban_fits(&target, now)?;
                let until = duration.map(|span| Moment(now.0.saturating_add(span.max(0))));
                Change::Ban { target, reason: checked_reason(reason)?, until }
            }
            Command::ServerUnban(target) => {
                let wanted = canonical(target);
                let mut bans = self.server_bans.iter().map(|ban| &ban.target);
                // A ban from before origins were known has the address as it was written.
                let known = bans.find(|known| canonical((*known).clone()) == wanted);
                Change::Unban { target: known.ok_or_else(|| no_such_ban(&wanted))?.clone() }
            }
            Command::Announce(text) => {
                given(Field::Text, &text)?;
                Change::Announce { text }
            }
            Command::Wallops(text) => {
                given(Field::Text, &text)?;
                Change::Wallops { text }
            }
            _ => return Err(Refusal::NotHere),
        };
        Ok(Decision::Change(change))
    }

    /// Whether connections from this address are accepted.
    pub fn admits(&self, host: &str, now: Moment) -> Result<()> {
        self.admit(
            now,
            |target| matches!(target, BanTarget::Address(mask) if Origin::ban_matches(mask, host)),
        )
    }

    /// Whether a user may connect, from this address and as this account.
    ///
    /// # Errors
    /// Why not: also an account that was proved long ago may be another by now.
    pub fn admits_entry(&self, entry: &Entry, now: Moment) -> Result<()> {
        self.admits(entry.host(), now)?;
        let Some(account) = entry.account.clone() else { return Ok(()) };
        let as_of = entry.as_of.unwrap_or_default();
        self.may_act_for(&Claim { account, as_of }, now).map(drop)
    }

    /// Whether logins to this account are accepted.
    pub fn admits_account(&self, account: &Name, now: Moment) -> Result<()> {
        self.admit(now, |target| matches!(target, BanTarget::Account(name) if name == account))
    }

    fn admit(&self, now: Moment, means: impl Fn(&BanTarget) -> bool) -> Result<()> {
        let ban = self.server_bans.iter().find(|ban| ban.in_force(now) && means(&ban.target));
        ban.map_or(Ok(()), |ban| Err(ban.refusal()))
    }

    fn ban_fits(&self, target: &BanTarget, now: Moment) -> Result<()> {
        let others = self.server_bans.iter();
        let others = others.filter(|ban| ban.in_force(now) && ban.target != *target).count();
        below(others, limits::SERVER_BANS, Refusal::TooManyBans)
    }

    fn operator(&self, at: &Applying<'_>) -> Result<&User> {
        let user = self.origin(at)?;
        operates(user).map(|()| user)
    }

    pub(super) fn oper(&mut self, at: &mut Applying<'_>, name: Arc<str>) -> Result<()> {
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        user.extras_mut().operator = Some(name);
        at.tell_origin(Event::Operator);
        Ok(())
    }

    pub(super) fn kill(
        &mut self,
        at: &mut Applying<'_>,
        nick: &Name,
        reason: Option<Arc<str>>,
    ) -> Result<()> {
        let by = Arc::clone(&self.operator(at)?.identity);
        let user = self.users.called(nick.as_str());
        let user = user.ok_or_else(|| Refusal::NoSuchNick(nick.clone()))?;
        let (nick, session) = (user.identity.nick.clone(), user.identity.session);
        self.close(at, session, Refusal::Killed { nick, by, reason });
        Ok(())
    }

    /// Ends a session from this side: the connection follows.
    fn close(&mut self, at: &mut Applying<'_>, session: SessionId, why: Refusal) {
        let words: Arc<str> = match &why {
            Refusal::Killed { reason: Some(reason), .. }
            | Refusal::ServerBanned { reason: Some(reason), .. } => Arc::clone(reason),
            _ => "".into(),
        };
        at.tell(Audience::One(session), Event::Closed { why });
        self.leave(at, session, QuitReason::Killed(words));
    }

    pub(super) fn server_ban(
        &mut self,
        at: &mut Applying<'_>,
        target: BanTarget,
        reason: Option<Arc<str>>,
        until: Option<Moment>,
    ) -> Result<()> {
        let by = self.operator(at)?.identity.nick.clone();
        self.ban_fits(&target, at.time)?;
        let now = at.time;
        self.server_bans.retain(|ban| ban.in_force(now) && ban.target != target);
        let ban = ServerBan { target: target.clone(), by, reason, until };
        let why = ban.refusal();
        self.server_bans.push(ban);
        at.tell_origin(Event::ServerBan { target: target.clone(), on: true, until });
        // Operators stay: who bans a whole network may sit in it.
        let meant = |user: &&User| {
            !user.is_operator()
                && match &target {
                    BanTarget::Address(mask) => Origin::ban_matches(mask, user.identity.host()),
                    BanTarget::Account(name) => user.identity.account.as_ref() == Some(name),
                }
        };
        let sessions: Vec<SessionId> =
            self.users.values().filter(meant).map(|user| user.identity.session).collect();
        for session in sessions {
            self.close(at, session, why.clone());
        }
        Ok(())
    }

    pub(super) fn server_unban(&mut self, at: &mut Applying<'_>, target: BanTarget) -> Result<()> {
        self.operator(at)?;
        let before = self.server_bans.len();
        self.server_bans.retain(|ban| ban.target != target);
        require(self.server_bans.len() < before, || no_such_ban(&target))?;
        at.tell_origin(Event::ServerBan { target, on: false, until: None });
        Ok(())
    }

    pub(super) fn wallops(&mut self, at: &mut Applying<'_>, text: Arc<str>) -> Result<()> {
        let who = Arc::clone(&self.operator(at)?.identity);
        let wants = self.users.values().filter(|user| user.extras().wallops);
        let to = wants.map(|user| user.identity.session).collect();
        let audience = Audience::Private { to, from: at.origin };
        at.tell(audience, Event::Wallops { who, text });
        Ok(())
    }

    pub(super) fn announce(&mut self, at: &mut Applying<'_>, text: Arc<str>) -> Result<()> {
        let who = Arc::clone(&self.operator(at)?.identity);
        at.tell(Audience::All, Event::Announced { who, text });
        Ok(())
    }
}

fn checked_target(target: BanTarget) -> Result<BanTarget> {
    if let BanTarget::Address(mask) = &target
        && (mask.len() > limits::MASK_LENGTH || Origin::ban_of(mask).is_none())
    {
        return Err(Refusal::BadAddress(mask.as_str().into()));
    }
    Ok(canonical(target))
}

/// A ban of one IPv6 address is one of its /64, and says so: its owner has the others as well.
fn canonical(target: BanTarget) -> BanTarget {
    match target {
        BanTarget::Address(mask) => BanTarget::Address(Origin::ban_of(&mask).unwrap_or(mask)),
        account => account,
    }
}

fn no_such_ban(target: &BanTarget) -> Refusal {
    Refusal::NoSuchBan(match target {
        BanTarget::Address(mask) => mask.as_str().into(),
        BanTarget::Account(name) => name.as_str().into(),
    })
}
