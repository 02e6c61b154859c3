// What the server sends of its loop, row by row, as turns and as the states of connections. No document.

const ROW = 24;
// From here on numbers are those of descriptors that are no connections.
export const FIXED = 2 ** 20 - 256;
export const NO_CLIENT = 2 ** 32 - 1;
const MOST_ROWS = 60000;
const MOST_TURNS = 1000;

export const PHASES = [
  ['read', 'takes in new connections, and reads once from each socket that has something'],
  ['commands', 'cuts what was read into lines and decides what each one asks for'],
  ['timers', 'does what is due by now'],
  ['journal', 'saves the changes, then tells them to everyone concerned: bytes are queued, none is sent'],
  ['answers', 'hands out what the history has answered'],
  ['flush', 'writes what is queued, once for each connection'],
  ['reap', 'closes the sockets that are done with'],
  ['show', 'shows what has come'],
];
export const REASONS = [
  'its own records are being saved',
  'the answer to its last command has not come',
  'its send queue is too full: it does not read what it is sent',
  'it has sent more lines than its flood limit allows',
  'the disk is behind with its upload',
  'other work of its address is not finished',
  'it has had its share of this turn; the rest comes in the next',
];
const FAULTS = ['short write', 'short read', 'interrupted (EINTR)', 'not ready after all (EAGAIN)', 'reset', 'no descriptor (EMFILE)'];
const OUTCOMES = ['', ', and its inbox is full', 'nothing (EAGAIN: readiness is a hint)', 'the end of its input'];

const KIND = {
  1: 'turn', 2: 'waited', 3: 'phase', 4: 'accepted', 5: 'read', 6: 'lines', 7: 'record', 8: 'run', 9: 'written',
  10: 'watch', 11: 'timer', 12: 'closed', 13: 'waits', 14: 'queue', 15: 'ready', 16: 'fault', 17: 'totals', 32: 'lost',
  33: 'state', 34: 'name', 35: 'text', 40: 'snapshot', 41: 'now', 42: 'deadline', 43: 'held', 48: 'hello',
};
const WITH_TEXT = new Set(['name', 'text', 'deadline']);

export function decode(buffer) {
  const view = new DataView(buffer), rows = [];
  const number = at => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  for (let at = 0; at + ROW <= buffer.byteLength; at += ROW) {
    const row = {
      kind: KIND[view.getUint8(at)], a: view.getUint8(at + 1), b: view.getUint16(at + 2, true),
      client: view.getUint32(at + 4, true), x: number(at + 8), y: number(at + 16),
    };
    if (row.kind === 'queue') {
      row.slices = [8, 12, 16, 20].map(it => [view.getUint16(at + it, true), view.getUint16(at + it + 2, true) * 64]);
      row.slices = row.slices.filter(([, bytes]) => bytes > 0);
    }
    if (WITH_TEXT.has(row.kind)) {
      row.text = new TextDecoder().decode(new Uint8Array(buffer, at + ROW, row.b));
      at += Math.ceil(row.b / ROW) * ROW;
    }
    rows.push(row);
  }
  return rows;
}

export function bytes(count) {
  if (count < 1024) return `${count} bytes`;
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 ** 2).toFixed(1)} MiB`;
}

export function time(nanoseconds) {
  if (nanoseconds < 1e3) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(nanoseconds < 1e4 ? 1 : 0)} µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(nanoseconds < 1e7 ? 1 : 0)} ms`;
  return `${(nanoseconds / 1e9).toFixed(1)} s`;
}

export const plural = (count, word) => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;

const fresh = name => ({ name, read: true, write: false, inbox: 0, outbox: 0, slices: [], reasons: 0, stuck: 0 });

// Does to the states what one row says.
function apply(states, row) {
  // A connection has its name just before it is there.
  if (row.kind === 'name') states.named = [row.client, row.text];
  if (row.kind === 'accepted') states.set(row.client, fresh(states.named?.[0] === row.client ? states.named[1] : '?'));
  if (row.kind === 'closed') states.delete(row.client);
  const it = states.get(row.client);
  switch (it && row.kind) {
    case 'name': it.name = row.text; break;
    case 'read': it.inbox = row.y; break;
    case 'lines': it.inbox = row.y; it.reasons = 0; break;
    case 'waits': it.inbox = row.x; it.reasons = row.a; break;
    case 'watch': it.read = !!(row.a & 1); it.write = !!(row.a & 2); break;
    case 'queue': it.slices = row.a === 0 ? row.slices : [...it.slices, ...row.slices]; break;
    case 'written':
      it.outbox = row.y;
      it.stuck = row.y > 0 && row.x === 0 ? it.stuck + 1 : 0;
      if (row.y === 0) it.slices = [];
  }
}

const copy = states => new Map([...states].map(([client, it]) => [client, { ...it }]));

export class Model {
  turns = [];
  states = new Map();
  timers = [];
  timerCount = 0;
  connections = 0;
  now = 0;
  lost = 0;
  held = false;
  hello = null;
  #base = new Map();
  #rows = 0;
  #kept = { turn: null, states: null };

  take(buffer) {
    let inSnapshot = false;
    for (const row of decode(buffer)) {
      if (inSnapshot && row.kind === 'state') {
        this.states.set(row.client, {
          ...fresh('?'), read: !!(row.a & 1), write: !!(row.a & 2), reasons: row.b, inbox: row.x, outbox: row.y,
        });
        continue;
      }
      if (inSnapshot && (row.kind === 'queue' || row.kind === 'name')) { apply(this.states, row); continue; }
      if (inSnapshot) { this.#base = copy(this.states); inSnapshot = false; }
      switch (row.kind) {
        case 'hello': this.hello = { steps: row.a === 1, inbox: row.client, soft: row.x, hard: row.y }; break;
        case 'lost': this.lost += row.x; break;
        case 'snapshot': this.states.clear(); this.turns = []; this.#rows = 0; inSnapshot = true; break;
        case 'now': this.now = row.x; this.timers = []; this.timerCount = row.client; this.connections = row.y; break;
        case 'deadline': this.timers.push({ client: row.client, due: row.x, what: row.text }); break;
        case 'held': this.held = row.a === 1; break;
        case 'turn': this.#begin(row); break;
        default: this.#add(row);
      }
    }
    if (inSnapshot) this.#base = copy(this.states);
  }

  #begin(row) {
    this.turns.push({ number: row.x, began: row.y, ready: row.client, waited: 0, phases: [], rows: [], done: false });
    while (this.turns.length > MOST_TURNS || (this.#rows > MOST_ROWS && this.turns.length > 1)) {
      const oldest = this.turns.shift();
      this.#rows -= oldest.rows.length;
      for (const old of oldest.rows) apply(this.#base, old);
    }
  }

  #add(row) {
    // Whose it is, also when that is gone at the end of the turn.
    row.name = this.states.get(row.client)?.name;
    apply(this.states, row);
    row.name ??= this.states.get(row.client)?.name;
    const turn = this.turns.at(-1);
    if (!turn) return void apply(this.#base, row);
    if (turn.done && row.kind !== 'name') return; // what was lost has its turn's beginning in it
    if (row.kind === 'totals') return;
    if (row.kind === 'waited') turn.waited = row.x;
    else if (row.kind === 'phase') {
      turn.phases.push({ phase: row.a, spent: row.x - (turn.spent ?? 0) });
      turn.spent = row.x;
      turn.done = row.a >= 6;
    } else { turn.rows.push(row); this.#rows++; }
  }

  // The states after the turn at this place. Those asked for last are kept: a replay asks for them again, or for the next.
  after(place) {
    if (place >= this.turns.length - 1) return this.states;
    const last = this.turns.indexOf(this.#kept.turn), goesOn = last >= 0 && last <= place;
    const states = goesOn ? this.#kept.states : copy(this.#base);
    for (const turn of this.turns.slice(goesOn ? last + 1 : 0, place + 1)) for (const row of turn.rows) apply(states, row);
    this.#kept = { turn: this.turns[place], states };
    return states;
  }
}

export function nameOf(states, client) {
  if (client === NO_CLIENT) return 'the server';
  if (client >= FIXED) {
    return { 200: 'the console', 8: 'a signal', 9: 'another thread (waker)' }[client - FIXED] ?? 'the listener (new connections)';
  }
  return states.get(client)?.name ?? `connection ${client}`;
}

const owner = (states, row) => row.name ?? nameOf(states, row.client);
const listed = words => (words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words[0] ?? '');

export const readyIn = turn => new Map(turn.rows.filter(row => row.kind === 'ready').map(row => [row.client, row.a]));
const how = bits => listed(['readable', 'writable'].filter((_, bit) => bits >> bit & 1));
const is = (bits, [is, has]) => listed([bits & 3 && `${is} ${how(bits)}`, bits & 4 && `${has} hung up`].filter(Boolean));

// A turn in two sentences.
export function summary(turn, states) {
  const of = kind => turn.rows.filter(row => row.kind === kind);
  const sum = (rows, key) => rows.reduce((all, row) => all + row[key], 0);
  const [ready, read, taken] = [of('ready'), of('read').filter(row => row.a < 2), of('lines')];
  const [accepted, closed, written] = [of('accepted').length, of('closed').length, of('written')];
  const [took, full] = [written.filter(row => row.x > 0), written.filter(row => row.x === 0 && row.y > 0)];
  const why = ready.length > 2 ? `${ready.length} connections were ready`
    : ready.length ? ready.map(row => `${owner(states, row)} ${is(row.a, ['was', 'had'])}`).join(' and ') : 'a timer was due';
  const isLeft = !ready.length && taken.length;
  const slept = isLeft ? 'The loop did not sleep: there were lines left from the turn before.' : `The loop slept for ${time(turn.waited)}, until ${why}.`;
  if (!turn.done) return slept;
  const did = [
    accepted && `let ${plural(accepted, 'new connection')} in`, read.length && `read ${bytes(sum(read, 'x'))}`,
    taken.length && `took ${plural(sum(taken, 'b'), 'line')}`, of('record').length && `saved ${plural(of('record').length, 'change')}`,
    took.length && `wrote ${bytes(sum(took, 'x'))} to ${plural(took.length, 'connection')}`,
    full.length && `found ${plural(full.length, 'socket')} full`, closed && `closed ${plural(closed, 'connection')}`,
  ].filter(Boolean);
  return `${slept} Then it ${listed(did) || 'had nothing to do on any connection'}, in ${time(turn.spent ?? 0)}.`;
}

// One sentence for each thing that happened on the way of a turn.
export function sentences(turn, states, most = 40) {
  const told = [];
  // Changes of one user, one after the other, are told at once.
  const rows = turn.rows.reduce((all, row) => {
    const last = all.at(-1);
    if (row.kind === 'record' && last?.kind === 'record' && last.client === row.client) last.upto = row.x;
    else all.push({ ...row });
    return all;
  }, []);
  const whole = turn.rows.filter(row => row.kind === 'written' && row.y === 0);
  const ready = turn.rows.filter(row => row.kind === 'ready');
  if (ready.length > 8) told.push(['wait', `${ready.length} are ready: ${ready.slice(0, 6).map(row => owner(states, row)).join(', ')} and ${ready.length - 6} more`]);
  for (const row of rows) {
    if (told.length >= most) { told.push(['', 'and more']); break; }
    const [who, name] = [row.client, owner(states, row)];
    const say = (phase, text) => told.push([phase, text, who]);
    switch (row.kind) {
      case 'ready': if (ready.length <= 8) say('wait', `${name} ${is(row.a, ['is', 'has'])}`); break;
      case 'accepted': say('read', `connection ${who} is new`); break;
      case 'read': say('read', `${name}: ${row.a < 2 ? bytes(row.x) + OUTCOMES[row.a] : OUTCOMES[row.a]}`); break;
      case 'lines': say('commands', `${name}: ${plural(row.b, 'line')}, ${bytes(row.x)}`); break;
      case 'waits': say('commands', `${name}: its next line waits, because ${reasons(row.a)}`); break;
      case 'record': say('journal', `${name} caused ${row.upto ? `records ${row.x} to ${row.upto}` : `record ${row.x}`}`); break;
      case 'text': say('journal', `${name}: “${row.text}”`); break;
      case 'run': say('journal', `${plural(row.x, 'event')}, written once (${bytes(row.y)}) and queued for ${who ? plural(who, 'connection') : 'no one: no one else is in the room, or the message mentions them, so that each gets a line with a bell'}`); break;
      case 'written':
        if (row.y > 0) say('flush', `${name}: the socket took ${bytes(row.x)}, ${bytes(row.y)} stay queued`);
        else if (whole.length <= 8) say('flush', `${name}: ${bytes(row.x)} written`);
        break;
      case 'watch': say('flush', `${name}: from now on the loop waits ${row.a & 3 ? `for it to be ${how(row.a)}` : 'for nothing from it'}`); break;
      case 'timer': say('timers', `${name}: its time has come`); break;
      case 'closed': say('reap', `${name} is closed`); break;
      case 'fault': say('fault', `${name}: ${FAULTS[row.a]}, on purpose`); break;
    }
  }
  if (whole.length > 8) {
    const all = whole.reduce((sum, row) => sum + row.x, 0);
    told.push(['flush', `${bytes(all)} written to ${plural(whole.length, 'connection')}`]);
  }
  return told;
}

export const reasons = bits => REASONS.filter((_, bit) => bits >> bit & 1).join(', and ');

// A little may be left for a turn or two: that is not slow yet.
export const isSlow = it => it.outbox > 16384 || it.stuck > 3;

// What keeps a connection waiting, in words; nothing, if nothing does.
export function trouble(it, { soft, hard, inbox }) {
  const told = [];
  if (it.outbox > 0) {
    const what = isSlow(it) ? `It does not read as fast as it is sent: ${bytes(it.outbox)} wait in its send queue.` : `Its socket did not take ${bytes(it.outbox)} yet.`;
    told.push(`${what} W is on: the loop waits until its socket takes more.`);
    if (it.outbox > soft) told.push(`That is above ${bytes(soft)} (--outbox-soft), so R is off: nothing is read from it, and its own next line waits until it reads. At ${bytes(hard)} (--outbox-hard) it is disconnected.`);
    else told.push(`Up to ${bytes(soft)} (--outbox-soft) its own messages still pass; at ${bytes(hard)} (--outbox-hard) it is disconnected.`);
  }
  if (it.reasons && it.inbox > 0) told.push(`Its next line waits, because ${reasons(it.reasons)}.`);
  else if (it.inbox >= inbox) told.push('Its inbox is full: nothing is read from it until lines have been taken.');
  else if (it.inbox > 0 && it.outbox <= soft) told.push(`${bytes(it.inbox)} of a line have come; its end has not.`);
  return told;
}

export const weight = it => it.outbox * 4 + (it.reasons && it.inbox > 0 ? 1e6 : 0) + it.inbox;
