// The chat as a browser keeps it: rooms, members, messages, what is unread, and how all of it is kept
// complete over a lost connection.
//
// Catching up: what was missed is asked for from the time of the last message on, and what is here
// already is known by its id and time. A message of ours bears a tag of its own until the server has
// sent it back; when a connection breaks, what has not come back by the end of the catching up is sent
// again.

import { Connection, attributes, clean, isError, pieces } from './irc.js';

const PAGE = 100;       // messages of one request, the most that the server sends
const KEPT = 2000;      // messages of one room; older ones are asked for again
const OWN = '+chatloop/id';
export const LINE = 350; // bytes of text in one line, so that source and target fit beside it
const EVENTS = 60_000;  // milliseconds in which comings and goings are told in one line
const TYPING = 6000;    // milliseconds after which someone no longer types
const RETRY = 5000;     // milliseconds after which a history is asked for again that the server did not send

/** The name by which nicks and rooms are told apart: CASEMAPPING=ascii. */
export const fold = (name) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
/** Whether `one` comes after `other`: by the server's time, and of the same millisecond by its order. */
const isAfter = (one, other) => one.time - other.time > 0 || (one.time === other.time && one.order > other.order);
export const isRoom = (name) => name.startsWith('#');

class Room {
  constructor(name) {
    this.name = name;
    this.messages = [];
    this.known = new Set();     // of all messages: id and time
    this.pending = new Map();   // ours that have not come back, by their tag
    this.members = new Map();   // nick in lower case → { nick, prefix, away }
    this.typing = new Map();    // nick → when it ends
    this.topic = '';
    this.joined = false;
    this.refused = '';          // why it is not
    this.unread = 0;
    this.mentions = 0;
    this.read = 0;              // the time up to which it was read
    this.since = 0;             // the time to catch up from; 0: nothing is here yet
    this.oldest = '';           // the id from which on all is here
    this.most = KEPT;           // messages that are kept; more of them after scrolling back
    this.atStart = false;
    this.draft = '';
    this.marker = Infinity;     // the time after which messages are new to who looks
  }

  get last() { return this.messages.at(-1); }
  get isIn() { return this.joined || !isRoom(this.name); }
}

export class Chat {
  /** `changed(what, room, detail)` is told of everything: `state`, `rooms`, `room`, `message`, `notice`. */
  constructor(url, changed) {
    Object.assign(this, { url, changed, rooms: new Map(), current: null, state: 'offline', wait: 0 });
    addEventListener('online', () => this.state === 'waiting' && this.connect());
  }

  get nick() { return this.connection?.nick ?? this.login?.nick ?? ''; }

  room(name, create = true) {
    const key = fold(name);
    if (!this.rooms.has(key) && create) {
      this.rooms.set(key, new Room(name));
      this.changed('rooms');
    }
    return this.rooms.get(key);
  }

  // The connection.

  enter(login, rooms) {
    this.login = login;
    this.current = null;
    this.rooms.clear();     // those of an attempt before
    for (const name of rooms) this.room(name);
    this.current = this.room(rooms[0]);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.setState('connecting');
    const current = (act) => (one) => connection === this.connection && act.call(this, one);
    const connection = new Connection(this.url, this.login, {
      welcome: current(this.welcome), message: current(this.take), batch: current(this.takeBatch),
      failed: current(this.failed), closed: current(this.closed),
    });
    this.connection = connection;
  }

  tell(text) { this.changed('notice', null, text); }

  setState(state, text = '') {
    this.state = state;
    this.changed('state', null, text);
  }

  welcome() {
    this.wait = 0;
    this.lost = '';
    this.entered = true;
    this.setState('online');
    for (const room of this.rooms.values()) {
      if (isRoom(room.name)) this.join(room.name, room.key);
      else this.catchUp(room);
    }
    if (this.login.password) this.findConversations();
  }

  failed(text) {
    if (this.entered && !/password/.test(text)) return;   // the nick may be free again later
    this.entered = false;
    this.login = null;
    this.setState('failed', text);
  }

  closed(text) {
    for (const room of this.rooms.values()) {
      room.since ||= room.last?.time ?? 0;
      room.joined = false;
      room.typing.clear();
    }
    if (!this.login) return this.state !== 'failed' && this.setState('offline', text);
    // Nothing but an operator ends a ban, or its time.
    if (!this.entered || /you are banned/.test(text)) {
      this.entered = false;
      return this.failed(text || 'could not connect');
    }
    this.wait = Math.min(this.wait ? this.wait * 2 : 1000, 30_000);
    const wait = this.wait * (0.75 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), wait);
    this.lost = text || this.lost;
    this.setState('waiting', this.lost);
  }

  leave(reason) {
    this.login = null;
    this.entered = false;
    clearTimeout(this.timer);
    this.connection.send('QUIT', reason ? [reason] : []);
    this.connection.close();
    this.setState('offline');
  }

  // History.

  /** Asks for a part of the history; the messages and events that have come, newest last. */
  async history(room, subcommand, point) {
    const answer = await this.connection.ask('CHATHISTORY', [subcommand, room.name, point, PAGE], {}, true);
    // Other errors say that there is none for us.
    if (answer.some((one) => isError(one) && one.params[1] === 'MESSAGE_ERROR')) throw new Error('not sent now');
    const got = answer.find((one) => one.type === 'chathistory')?.messages ?? [];
    if (got.length && subcommand !== 'AFTER') room.oldest = got[0].tags.get('msgid');
    return got;
  }

  /** Everything since the last message that is here; then what of ours has not arrived is sent again. */
  async catchUp(room) {
    const { connection } = this;
    room.loading = !room.since;
    this.changed('room', room);
    try {
      if (!room.since || !await this.takeMissed(room)) {
        const got = await this.history(room, 'LATEST', '*');
        room.atStart = got.length < PAGE;
      }
      room.since = 0;
      for (const message of room.pending.values()) {
        if (!message.failed && message.via !== connection) this.transmit(room, message);
      }
    } catch {
      // If the connection broke again, `since` says where to go on.
      if (connection.isOpen) setTimeout(() => connection === this.connection && room.isIn && this.catchUp(room), RETRY);
    }
    room.loading = false;
    this.changed('room', room);
  }

  /** What was said since; `false`, and nothing is here any more, if it is more than is kept. */
  async takeMissed(room) {
    // A millisecond earlier: two messages may have the same time.
    let point = `timestamp=${new Date(room.since - 1).toISOString()}`;
    for (let pages = KEPT / PAGE; pages > 0; pages--) {
      const got = await this.history(room, 'AFTER', point);
      if (got.length < PAGE) return true;
      point = `msgid=${got.at(-1).tags.get('msgid')}`;
    }
    room.messages.length = 0;
    room.known.clear();
    this.changed('emptied', room);
    return false;
  }

  /** Older messages; how many have come. */
  async older(room) {
    if (room.atStart || room.loading || !room.oldest || !this.connection?.isOpen) return 0;
    room.loading = true;
    const before = room.messages.length;
    try {
      const got = await this.history(room, 'BEFORE', `msgid=${room.oldest}`);
      room.atStart = got.length < PAGE;
      room.most = room.messages.length + KEPT;
    } catch { /* It is asked for again at the next scroll. */ }
    room.loading = false;
    return room.messages.length - before;
  }

  /** The latest messages with all these words, as lines. */
  async search(text) {
    const answer = await this.connection.ask('SEARCH', [attributes({ text })]);
    if (answer.some(isError)) return '';   // it has been told
    const lines = answer[0].messages?.map((one) => (one.type ? joined(one) : one)).map(({ tags, nick, params }) =>
      `${new Date(tags.get('time')).toLocaleString()} ${params[0]} ${nick}: ${clean(params[1])}`);
    return lines?.slice(-20).join('\n') || `nothing with "${text}" was found`;
  }

  /** Direct messages that came while we were away. */
  async findConversations() {
    const from = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const points = [`timestamp=${from}`, `timestamp=${until}`];
    const answer = await this.connection.ask('CHATHISTORY', ['TARGETS', ...points, 20]).catch(() => []);
    const batch = answer.find((one) => one.type === 'draft/chathistory-targets');
    for (const { params } of batch?.messages ?? []) {
      if (!isRoom(params[1]) && !this.room(params[1], false)) this.catchUp(this.room(params[1]));
    }
  }

  // What comes.

  takeBatch(batch) {
    if (batch.type === 'draft/multiline') return this.take(joined(batch));
    if (batch.type === 'soju.im/search') return;   // `search` shows it, and it is no news
    for (const message of batch.messages) {
      if (batch.type === 'chathistory') this.take(message.type ? joined(message) : message, batch.params[0]);
      else if (message.type) this.takeBatch(message);
      else this.take(message);
    }
  }

  /** Takes one message; `past` is the room whose history it comes from. */
  take(message, past) {
    const { command, nick, params, tags } = message;
    const own = fold(nick) === fold(this.nick);
    switch (command) {
      case 'PRIVMSG': case 'NOTICE': return this.takeMessage(message, own, past);
      case 'TAGMSG': return this.takeTags(message, own, past);
      case 'REDACT': return this.takeDeletion(params);
      case 'MARKREAD': return this.takeMarker(params);
    }
    if (past) return;   // who came and went long ago
    const room = params[0] && isRoom(params[0]) ? this.room(params[0], false) : null;
    switch (command) {
      case 'JOIN': {
        const joined = own ? this.room(params[0]) : room;
        if (own) {
          joined.joined = true;
          joined.refused = '';
          joined.members.clear();
          this.catchUp(joined);
        }
        joined?.members.set(fold(nick), { nick, prefix: '' });
        if (!own) this.event(joined, `${nick} joined`, message);
        return this.changed('room', joined);
      }
      case 'PART': case 'KICK': return this.takeDeparture(message, room);
      case 'QUIT':
        for (const one of this.rooms.values()) {
          one.typing.delete(nick);
          if (one.members.delete(fold(nick))) this.event(one, `${nick} quit`, message);
        }
        // The nick that we wanted may be free now.
        if (this.login && fold(nick) === fold(this.login.nick) && !own) this.connection.send('NICK', [nick]);
        return this.changed('room');
      case 'NICK':
        // `guest1` and the like are the server's to give, and cannot be asked for again.
        if ((own || fold(params[0]) === fold(this.nick)) && this.login && !/^guest\d+$/i.test(params[0])) {
          this.login.nick = params[0];
          this.changed('nick', null, params[0]);
        }
        this.follow(nick, params[0]);
        for (const one of this.rooms.values()) {
          const member = one.members.get(fold(nick));
          if (!member) continue;
          one.members.delete(fold(nick));
          one.members.set(fold(params[0]), { ...member, nick: params[0] });
          this.event(one, `${nick} is now known as ${params[0]}`, message);
        }
        return this.changed('room');
      case 'TOPIC':
        if (!room) return;
        room.topic = params[1];
        this.event(room, `${nick} set the topic to “${params[1]}”`, message);
        return this.changed('room', room);
      case '005':
        for (const token of params) {
          if (token.startsWith('soju.im/FILEHOST=')) this.filehost = token.slice('soju.im/FILEHOST='.length);
        }
        return;
      case '332': {
        const named = this.room(params[1], false);
        if (named) named.topic = params[2];
        return this.changed('room', named);
      }
      case '353': return this.takeNames(params);
      case 'MODE':
        if (!room) return;
        this.event(room, `${nick} set ${params.slice(1).join(' ')}`, message);
        return this.connection.send('NAMES', [room.name]);
      case 'AWAY':
        for (const one of this.rooms.values()) {
          const member = one.members.get(fold(nick));
          if (member) member.away = params.length > 0;
        }
        return this.changed('room');
      case 'RENAME': return this.takeRename(message);
      case 'INVITE': return this.tell(`${nick} invited you to ${params[1]}: /join ${params[1]}`);
      case 'NOTE': if (params[0] === 'UPLOAD') return;   // the answer to a question of ours
      // falls through
      case 'FAIL': case 'WARN': return this.tell(params.at(-1));
    }
    // Errors, and answers to what was asked by hand.
    if (isError(message) && command !== '422') {
      const about = params.slice(1, -1).join(' ');
      const asked = this.room(about, false);
      if (asked && isRoom(about) && !asked.joined) this.refuse(asked, params.at(-1));
      this.tell(about ? `${about}: ${params.at(-1)}` : params.at(-1));
    }
    if (command === '301') this.tell(`${params[1]} is away: ${params[2]}`);
  }

  /** Nothing that was written there is sent. */
  refuse(room, why) {
    room.refused = why;
    for (const message of room.pending.values()) message.failed ??= why;
    this.changed('pending', room);
    this.changed('room', room);
  }

  takeMessage({ command, source, nick, params, tags }, own, past) {
    const target = targetOf(params);
    if (!source.includes('!') && !past) return this.tell(params[1]);
    const name = past ?? (isRoom(target) ? target : own ? target : nick);
    const room = this.room(name, !isRoom(name));
    if (!room) return;   // it has been left
    const time = Date.parse(tags.get('time')) || Date.now();
    const id = tags.get('msgid') ?? '';
    const key = id && `${id} ${time}`;
    const tag = tags.get(OWN);
    if (own && tag) room.pending.delete(tag);
    if (key && room.known.has(key)) return;
    const edited = !past && room.messages.findLast((one) => one.id && one.id === tags.get('chatloop/edit'));
    if (edited) {
      // Other clients show it as a message with a star.
      Object.assign(edited, { text: clean(params[1]).replace(/^\* /, ''), edited: true });
      return this.changed('changed', room, { message: edited });
    }
    const action = /^\x01ACTION (.*?)\x01?$/s.exec(params[1]);
    const message = {
      id, time, nick, own, tag, key, order: order(id),
      kind: action ? 'action' : command === 'NOTICE' ? 'notice' : 'message',
      text: clean(action ? action[1] : params[1]),
      reply: replyOf(tags),
      reactions: new Map(),
    };
    message.mention = !own && this.mentions(message.text, room);
    this.insert(room, message, past);
  }

  insert(room, message, past) {
    if (message.key) room.known.add(message.key);
    let place = room.messages.length;
    while (place > 0 && isAfter(room.messages[place - 1], message)) place--;
    room.messages.splice(place, 0, message);
    room.typing.delete(message.nick);
    const trimmed = room.messages.length > room.most && (!past || room.since > 0);
    if (trimmed) {
      for (const old of room.messages.splice(0, room.messages.length - KEPT + PAGE)) room.known.delete(old.key);
      room.most = KEPT;
      room.atStart = false;
      room.oldest = room.messages.find((one) => one.id)?.id;
    }
    // What a first visit is shown of the past is no news; what was missed since is.
    const news = !message.event && !message.own && message.time > room.read && (!past || room.since);
    if (news) {
      room.unread++;
      if (message.mention) room.mentions++;
    }
    this.changed('message', room, { message, place, news, trimmed });
  }

  event(room, text, { tags, command }) {
    // In a large room, who comes and goes would hide what is said.
    if (room?.members.size > 20 && ['JOIN', 'PART', 'QUIT', 'NICK'].includes(command)) return;
    const time = Date.parse(tags.get('time')) || Date.now();
    const { last } = room ?? {};
    if (last?.event && time - last.time < EVENTS && last.text.length < 200) {
      last.text += `, ${text}`;
      return this.changed('changed', room, { message: last });
    }
    const event = { event: true, time, order: order(tags.get('msgid')), text, reactions: new Map() };
    if (room) this.insert(room, event);
  }

  takeTags({ nick, params, tags }, own, past) {
    const target = targetOf(params);
    const room = this.room(past ?? (isRoom(target) || own ? target : nick), false);
    if (!room) return;
    const typing = tags.get('+typing');
    if (typing && !own && !past) {
      if (typing === 'active') room.typing.set(nick, Date.now() + TYPING);
      else room.typing.delete(nick);
      this.changed('typing', room);
    }
    const reply = replyOf(tags);
    const message = reply && room.messages.findLast((one) => one.id === reply);
    const on = tags.get('+draft/react');
    const off = tags.get('+draft/unreact');
    if (!message || !(on || off)) return;
    const people = message.reactions.get(on ?? off) ?? new Set();
    if (on) people.add(nick);
    else people.delete(nick);
    if (people.size) message.reactions.set(on ?? off, people);
    else message.reactions.delete(off);
    this.changed('changed', room, { message });
  }

  takeDeletion([target, id]) {
    for (const room of isRoom(target) ? [this.room(target, false)] : this.rooms.values()) {
      const message = room?.messages.findLast((one) => one.id === id);
      if (!message) continue;
      Object.assign(message, { text: '', deleted: true });
      message.reactions.clear();
      this.changed('changed', room, { message });
    }
  }

  takeDeparture(message, room) {
    const { command, nick, params } = message;
    const who = command === 'KICK' ? params[1] : nick;
    const own = fold(who) === fold(this.nick);
    // The answer to /part may come when the room was joined anew, and that not answered yet.
    if (!room || (own && !room.joined)) return;
    const reason = params[command === 'KICK' ? 2 : 1];
    room.members.delete(fold(who));
    const text = command === 'KICK' ? `${nick} kicked ${who}` : `${who} left`;
    this.event(room, reason ? `${text} (${reason})` : text, message);
    if (own) {
      room.joined = false;
      room.since = room.last?.time ?? 0;
      this.refuse(room, `you are no longer in ${room.name}`);
    }
    this.changed('room', room);
  }

  takeNames([, , name, list]) {
    const room = this.room(name, false);
    if (!room) return;
    for (const entry of list.split(' ').filter(Boolean)) {
      const [, prefix, nick] = /^([@+]*)(.*)$/.exec(entry);
      const known = room.members.get(fold(nick));
      room.members.set(fold(nick), { ...known, nick, prefix: prefix[0] ?? '' });
    }
    this.changed('room', room);
  }

  /** A conversation goes on under the new name of its other user. */
  follow(before, after) {
    const talk = this.rooms.get(fold(before));
    if (!talk || (this.rooms.has(fold(after)) && fold(after) !== fold(before))) return;
    this.rename(talk, after);
    this.changed('rooms');
  }

  rename(room, after) {
    this.rooms.delete(fold(room.name));
    room.name = after;
    this.rooms.set(fold(after), room);
  }

  takeRename(message) {
    const [before, after] = message.params;
    const room = this.room(before, false);
    if (!room) return;
    this.rename(room, after);
    this.event(room, `${before} is now ${after}`, message);
    this.changed('rooms');
  }

  takeMarker([target, point]) {
    const time = Date.parse(point?.replace('timestamp=', ''));
    const room = this.room(target, false);
    if (!room || !time || time <= room.read) return;
    room.read = time;
    const unread = room.messages.filter((one) => !one.own && !one.event && one.time > time);
    room.unread = Math.min(room.unread, unread.length);
    room.mentions = Math.min(room.mentions, unread.filter((one) => one.mention).length);
    this.changed('rooms');
  }

  mentions(text, room) {
    if (!isRoom(room.name)) return true;
    const nick = this.nick.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`(^|[^\\w-])${nick}($|[^\\w-])`, 'i').test(text);
  }

  // What we do.

  /** The room is looked at: all of it is read, here and on the user's other devices. */
  markRead(room) {
    const last = room.messages.findLast((one) => one.id);
    if (!last || last.time <= room.read) return;
    room.read = last.time;
    [room.unread, room.mentions] = [0, 0];
    this.connection?.send('MARKREAD', [room.name, `timestamp=${new Date(last.time).toISOString()}`]);
    this.changed('rooms');
  }

  say(room, text, reply, kind = 'message') {
    const tag = crypto.getRandomValues(new Uint32Array(3)).join('-');
    const message = {
      id: '', time: Date.now(), nick: this.nick, own: true, pending: true, tag, kind, text, reply,
      reactions: new Map(),
    };
    if (room.refused) message.failed = room.refused;
    room.pending.set(tag, message);
    this.changed('pending', room);
    if (!message.failed && this.connection?.isOpen && room.isIn && !room.since) this.transmit(room, message);
  }

  transmit(room, message) {
    const tags = { [OWN]: message.tag };
    if (message.reply) Object.assign(tags, { '+draft/reply': message.reply, '+reply': message.reply });
    const { connection } = this;
    message.via = connection;
    let answer;
    const lines = message.text.split('\n');
    const cut = lines.flatMap((line) => pieces(line, LINE).map((piece, place) => [piece, place > 0]));
    const action = message.kind === 'action';
    if (action || cut.length === 1) {
      const text = action ? `\x01ACTION ${message.text}\x01` : message.text;
      answer = connection.ask('PRIVMSG', [room.name, text], tags, true);
    } else {
      const reference = `b${message.tag}`;
      answer = connection.ask('BATCH', [`+${reference}`, 'draft/multiline', room.name], tags, true);
      for (const [piece, continues] of cut) {
        const inside = continues ? { batch: reference, 'draft/multiline-concat': '' } : { batch: reference };
        connection.socket.send(`@${Object.entries(inside).map(([key, value]) => (value ? `${key}=${value}` : key)).join(';')} PRIVMSG ${room.name} :${piece}`);
      }
      connection.send('BATCH', [`-${reference}`]);
    }
    answer.then((messages) => {
      // The echo has been taken by now; an ACK alone says that no one has it.
      const error = messages.find(isError)?.params.at(-1);
      if (error || messages[0]?.command === 'ACK') message.failed = error ?? 'the server did not deliver it';
      else room.pending.delete(message.tag);
      this.changed('pending', room);
    }, () => { /* The connection broke: it is sent again. */ });
  }

  /** A message that was not sent is given up; its text. */
  withdraw(room, message) {
    room.pending.delete(message.tag);
    this.changed('pending', room);
    return message.text;
  }

  react(room, message, text) {
    const off = message.reactions.get(text)?.has(this.nick);
    const tags = { '+draft/reply': message.id, '+reply': message.id, [off ? '+draft/unreact' : '+draft/react']: text };
    this.connection.send('TAGMSG', [room.name], tags);
  }

  redact(room, message) { this.connection.send('REDACT', [room.name, message.id]); }

  type(room, state) {
    if (this.connection?.isOpen && room.isIn) {
      this.connection.ask('TAGMSG', [room.name], { '+typing': state }, true).catch(() => {});
    }
  }

  join(name, key) {
    const room = this.room(name);
    if (key) room.key = key;
    if (this.connection?.isOpen && !room.joined) {
      room.refused = '';
      this.connection.send('JOIN', key ? [room.name, key] : [room.name]);
    }
    return room;
  }

  part(room, reason = '') {
    if (room.joined) this.connection.send('PART', [room.name, reason]);
    this.rooms.delete(fold(room.name));
    this.changed('rooms');
  }
}

/** Whom or which room a message is for; `@#room` are the operators there. */
const targetOf = ([target]) => target.replace(/^[@+](?=#)/, '');
const replyOf = (tags) => tags.get('+draft/reply') ?? tags.get('+reply');

/** The place of a message among all: its id, or behind all that have one. */
function order(id) { return id ? Number(id.split('.')[0]) : Infinity; }

/** One message out of the lines of a batch. */
function joined({ tags, source, nick, params, messages }) {
  const text = messages.reduce((text, one, place) =>
    text + (place && !one.tags.has('draft/multiline-concat') ? '\n' : '') + one.params[1], '');
  const command = messages[0]?.command ?? 'PRIVMSG';
  return { tags, source, nick, command, params: [params[0], text] };
}
