// The page that shows the loop: the model's turns as pictures, with a text beside each.

import { FIXED, Model, PHASES, bytes, isSlow, nameOf, plural, readyIn, sentences, summary, time, trouble, weight } from './loop-model.js';

const $ = selector => document.querySelector(selector);
const MOST_COLUMNS = 24;
const NOTABLE = 12;
const MOST_LISTED = 200;
const PAUSE_BETWEEN = 50;

const model = new Model();
let socket = null;
let place = null; // of the turn that is shown; null: the newest
let progress = 1; // how much of that turn has been played
let chosen = null; // a connection
let followed = null; // a record
let owed = false; // the server waits to be told that we have shown what it sent
let toldAt = 0;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function svg(tag, attributes, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

// What is drawn already, by the place: an element that has not changed stays, and with it what is selected in it.
const drawn = new Map();
function redraw(selector, key, make) {
  if (drawn.get(selector) === key) return;
  drawn.set(selector, key);
  $(selector).replaceChildren(...make());
}

// The item that was clicked: it may have been drawn anew between the press and the click.
function clicked(event, selector) {
  return event.target.closest(selector) ?? document.elementFromPoint(event.clientX, event.clientY)?.closest(selector);
}

const short = count => (count < 1024 ? `${count}` : count < 1024 ** 2 ? `${Math.round(count / 1024)}K` : `${Math.round(count / 1024 ** 2)}M`);
const colour = chunk => `hsl(${chunk * 67 % 360} 60% 52%)`;
const speed = () => Number($('#speed').value);
const isLive = () => place === null;
const shown = () => (isLive() ? model.turns.length - 1 : place);

function connect() {
  const key = location.hash.slice(1);
  const address = new URL('/loop', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  address.search = key ? `key=${key}` : '';
  address.hash = '';
  socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  let opened = false;
  socket.onopen = () => { opened = true; };
  socket.onmessage = ({ data }) => { model.take(data); owed = true; draw(); };
  socket.onclose = () => {
    const why = opened ? 'The connection to the server has ended; reload the page to watch again.'
      : 'The server does not show its loop to this page. On the machine that it runs on, open /loop there; elsewhere, a server operator gets a link by typing /loop in the chat, which works once. It may also be shown to as many pages as it allows (--loop-pages).';
    $('#fault').textContent = why;
    $('#fault').hidden = false;
    socket = null;
    render();
  };
}

// The server sends on when it is told that all was shown; so a picture that stands still costs it nothing.
function tell() {
  if (!owed || !socket || !isLive()) return;
  const wait = toldAt + PAUSE_BETWEEN - performance.now();
  if (wait > 0) return void setTimeout(tell, wait);
  owed = false;
  toldAt = performance.now();
  socket.send('next');
}

let asked = false;
function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; render(); tell(); });
}

// The ring: the wait is grey, and never more than half of it.
function ring(turn) {
  const parts = turn.phases.map(({ phase, spent }) => [PHASES[phase][0], spent]);
  const took = parts.reduce((sum, [, spent]) => sum + spent, 0);
  const waited = Math.min(turn.waited, took || 1);
  const all = took + waited || 1;
  const drawn = [['wait', waited], ...parts];
  const point = (share, radius) => {
    const angle = share * 2 * Math.PI;
    return `${(radius * Math.sin(angle)).toFixed(2)} ${(-radius * Math.cos(angle)).toFixed(2)}`;
  };
  const made = [];
  let begin = 0;
  for (const [name, spent] of drawn) {
    const end = Math.min(begin + spent / all, 0.9999 + begin);
    if (end - begin > 0.001) {
      const large = end - begin > 0.5 ? 1 : 0;
      const now = progress < 1 && progress >= begin && progress < end;
      made.push(svg('path', {
        class: `p-${name}${now ? ' now' : ''}`,
        d: `M ${point(begin, 95)} A 95 95 0 ${large} 1 ${point(end, 95)} L ${point(end, 60)} A 60 60 0 ${large} 0 ${point(begin, 60)} Z`,
      }));
    }
    begin = end;
  }
  if (progress < 1) {
    const [x, y] = point(progress, 97).split(' ');
    made.push(svg('line', { x1: 0, y1: 0, x2: x, y2: y }));
  }
  made.push(
    svg('text', { y: -12 }, `turn ${turn.number.toLocaleString('en')}`),
    svg('text', { y: 10 }, turn.done ? time(took) : model.held ? 'waits for you' : 'under way'),
    svg('text', { y: 30, class: 'small' }, `slept ${time(turn.waited)}`),
  );
  $('#ring').replaceChildren(...made);
  const width = took && turn.waited > took ? ' (drawn shorter)' : '';
  let at = waited / all;
  const items = parts.map(([name, spent], index) => {
    const item = element('li', { className: `p-${name}` }, element('strong', {}, name), element('b', {}, time(spent)), element('span', {}, PHASES[turn.phases[index].phase][1]));
    const end = at + spent / all;
    if (progress < 1 && progress >= at && progress < end) item.classList.add('now');
    at = end;
    return item;
  });
  items.unshift(element('li', { className: 'p-wait' }, element('strong', {}, 'wait'), element('b', {}, time(turn.waited)), element('span', {}, `asleep until something is ready (epoll_wait, kevent or poll)${width}`)));
  $('#phases').replaceChildren(...items);
}

function bar(total, limit, pieces, label) {
  const made = element('span', { className: 'bar', title: label });
  let left = total;
  const piece = (size, background) => {
    const it = element('i');
    it.style.height = `${Math.min(100, size / limit * 100)}%`;
    if (background) it.style.background = background;
    made.append(it);
    left -= size;
  };
  for (const [chunk, size] of pieces) if (left > 0) piece(Math.min(size, left), colour(chunk));
  if (left > 0) piece(left, '');
  return made;
}

function column(client, it, ready) {
  const { hello } = model, bits = ready.get(client);
  const light = (on, name, what) => element('span', { className: `light${on ? ' on' : ''}`, title: `${on ? 'waits' : 'does not wait'} for it to be ${what}` }, name);
  const marks = element('span', { className: 'lights' }, light(it.read, 'R', 'readable'), light(it.write, 'W', 'writable'),
    bits === undefined ? '' : bits & 4 ? 'hung up' : bits & 1 ? 'readable' : 'writable');
  const out = bar(it.outbox, Math.max(hello.soft * 1.25, it.outbox), it.slices, 'send queue');
  if (it.outbox > 0) {
    const mark = element('em', { title: '--outbox-soft' });
    mark.style.bottom = `${hello.soft / Math.max(hello.soft * 1.25, it.outbox) * 100}%`;
    out.append(mark);
  }
  const slow = it.outbox > 0 || (it.reasons && it.inbox > 0);
  const why = it.outbox > hello.soft ? 'does not read; its line waits' : it.outbox > 0 ? (isSlow(it) ? 'reads slowly' : 'not all taken yet') : slow ? 'its line waits' : '';
  const button = element('button', { type: 'button', client },
    element('strong', {}, it.name), marks,
    element('span', { className: 'bars' }, bar(it.inbox, hello.inbox, [], 'inbox'), out),
    element('span', { className: 'small' }, element('span', {}, `in ${short(it.inbox)}`), element('span', {}, `out ${short(it.outbox)}`)),
    element('small', {}, why));
  if (bits !== undefined) button.classList.add('ready');
  if (slow) button.classList.add('slow');
  button.setAttribute('aria-pressed', chosen === client);
  return element('li', {}, button);
}

function connections(turn, states) {
  const ready = turn ? readyIn(turn) : new Map(), all = [...states].filter(([client]) => client < FIXED);
  const focus = document.activeElement?.closest('#columns li');
  const at = focus ? [...$('#columns').children].indexOf(focus) : -1;
  const many = all.length > MOST_COLUMNS;
  $('#strip').hidden = $('#strip-text').hidden = !many;
  let columns = all;
  if (many) {
    strip(all, ready);
    const interest = ([client, it]) => weight(it) + (client === chosen ? 1e12 : 0) + (ready.has(client) ? 1 : 0);
    columns = all.toSorted((one, other) => interest(other) - interest(one)).slice(0, NOTABLE);
  }
  $('#connections-title').textContent = `${plural(all.length, 'connection')}${many ? `, the ${NOTABLE} most notable below` : ''}`;
  $('#columns').replaceChildren(...columns.map(([client, it]) => column(client, it, ready)));
  if (at >= 0) $('#columns').children[at]?.querySelector('button').focus();
  const it = states.get(chosen);
  const words = !it ? [] : trouble(it, model.hello);
  redraw('#detail', it && `${it.name} ${words} ${it.slices}`, () => (!it ? [] : [
    element('h2', {}, it.name),
    element('p', {}, words.length ? words.join(' ') : 'Nothing of it waits: it has sent no more than was taken, and was sent all that there is.'),
    ...(it.slices.length ? [element('p', {}, 'Its send queue, from the front: ',
      ...it.slices.flatMap(([chunk, size]) => { const chip = element('span', { className: 'chip' }); chip.style.background = colour(chunk); return [chip, ` ${bytes(size)} of chunk ${chunk} `]; }),
      it.slices.length === 16 ? '…' : '')] : []),
  ]));
}

// A thousand connections: one stroke each, and what it says in words.
function strip(all, ready) {
  const canvas = $('#strip'), { hello } = model;
  const width = canvas.width = canvas.clientWidth * devicePixelRatio || 600, height = canvas.height = 48 * devicePixelRatio;
  const pen = canvas.getContext('2d'), looks = getComputedStyle(document.documentElement);
  const look = name => { pen.fillStyle = 'black'; canvas.style.color = `var(${name})`; return getComputedStyle(canvas).color; };
  const [accent, warn, faint, ground] = ['--accent', '--warn', '--sleep', '--side'].map(look);
  pen.fillStyle = ground;
  pen.fillRect(0, 0, width, height);
  const step = width / all.length;
  let slow = 0, lit = 0;
  all.forEach(([client, it], index) => {
    const x = index * step, w = Math.max(step - (step > 3 ? 1 : 0), 1);
    pen.fillStyle = faint;
    pen.fillRect(x, height - 2 * devicePixelRatio, w, 2 * devicePixelRatio);
    if (ready.has(client)) { lit++; pen.fillStyle = accent; pen.fillRect(x, 0, w, height / 4); }
    if (it.outbox > 0 || (it.reasons && it.inbox > 0)) {
      slow++;
      const tall = Math.max(0.15, Math.min(1, it.outbox / hello.soft)) * height * 0.7;
      pen.fillStyle = warn;
      pen.fillRect(x, height - tall, Math.max(w, 4 * devicePixelRatio), tall);
    }
    if (client === chosen) { // marked above and below, so that what it says stays to be seen
      const mark = 5 * devicePixelRatio;
      pen.fillStyle = looks.color;
      for (const y of [0, height - mark]) pen.fillRect(Math.max(0, x + w / 2 - mark), y, 2 * mark, mark);
    }
  });
  const text = `One stroke for each connection. ${lit} ready in this turn (upper part), ${slow} with something that waits (red, as high as the send queue is full), ${(all.length - slow).toLocaleString('en')} with nothing that waits.`;
  canvas.setAttribute('aria-label', `${text} The arrow keys choose one.`);
  $('#strip-text').textContent = text;
}

function verdict(states) {
  const worst = [...states].filter(([, it]) => it.outbox > 0 || (it.reasons && it.inbox > 0));
  worst.sort(([, one], [, other]) => weight(other) - weight(one));
  const made = worst.slice(0, 3).map(([, it]) => element('div', {}, element('strong', {}, `${it.name} ${it.outbox === 0 ? 'waits' : isSlow(it) ? 'is slow' : 'has not received everything yet'}. `), trouble(it, model.hello).join(' ')));
  if (worst.length > 3) made.push(element('div', { className: 'calm' }, `${plural(worst.length - 3, 'more connection')} with something that waits.`));
  if (!made.length) made.push(element('div', { className: 'calm' }, 'Nothing waits: every connection has been sent all that there is for it, and every line that has come was taken.'));
  redraw('#verdict', made.map(one => one.textContent).join(' '), () => made);
}

function story(turn, states) {
  const told = sentences(turn, states);
  const item = ([phase, text]) => element('li', { className: `p-${phase}` }, element('small', {}, phase), ` ${text}`);
  $('#story').replaceChildren(...(told.length ? told.map(item) : [element('li', {}, turn.done ? 'It had nothing to do on any connection.' : '')]));
}

// A message's way: read, line, record, memory, queues, sockets.
function follow(turn, states) {
  const records = turn.rows.filter(row => row.kind === 'record').slice(0, 24);
  $('#records').replaceChildren(...(records.length ? records.map(row => {
    const made = element('button', { type: 'button', record: row.x }, `${row.x} of ${row.name ?? nameOf(states, row.client)}`);
    made.setAttribute('aria-pressed', row.x === followed);
    return made;
  }) : ['No message was sent in this turn. Go back to one of the turns with a record.']));
  const record = records.find(row => row.x === followed) ?? records[0];
  if (!record) return $('#way').replaceChildren();
  const at = turn.rows.indexOf(record), of = kind => turn.rows.find(row => row.kind === kind && row.client === record.client);
  const text = turn.rows.slice(0, at).findLast(row => row.kind === 'text' && row.client === record.client);
  const run = turn.rows.slice(at).find(row => row.kind === 'run');
  const name = record.name ?? nameOf(states, record.client), read = of('read'), lines = of('lines');
  const way = [];
  const step = (phase, ...parts) => way.push(element('li', { className: `p-${phase}` }, element('small', {}, phase), ' ', ...parts));
  step('read', read ? `${bytes(read.x)} came from ${name}, into its inbox.` : `It was read from ${name} in an earlier turn.`);
  step('commands', lines ? `${plural(lines.b, 'line')} of ${name} became ${lines.b === 1 ? 'a change' : 'changes'} to the chat.` : `${name}'s line was taken.`);
  step('journal', `Record ${record.x}${text ? `, “${text.text}”,` : ''} was saved. Only then it counts.`);
  if (run) {
    const chip = element('span', { className: 'chip' });
    chip.style.background = colour(run.b);
    step('journal', `With ${run.x === 1 ? 'no other' : `${run.x - 1} others`} it was written once into memory, ${bytes(run.y)} of chunk ${run.b} `, chip, run.client ? `, and ${plural(run.client, 'send queue')} got a reference to it.` : '. It is queued for no one: no one else is in the room, or it mentions them, so that each gets a line with a bell.');
    const written = turn.rows.filter(row => row.kind === 'written'), short = written.filter(row => row.y > 0);
    const whole = written.length - short.length;
    step('flush', `${plural(written.length, 'connection')} ${written.length === 1 ? 'was' : 'were'} written to, ${whole} in full.`);
    for (const row of short.slice(0, 6)) step('flush', `${row.name ?? nameOf(states, row.client)} took ${bytes(row.x)}; ${bytes(row.y)} wait in its queue.`);
  } else step('journal', 'It concerned no room: no one was told by a shared line.');
  $('#way').replaceChildren(...way);
}

// The deadlines to the right of now; the scale is logarithmic.
function timers(states) {
  const line = $('#line'), far = 3600e9, near = 1e6;
  const x = left => `${Math.max(0, Math.min(1, Math.log(Math.max(left, near) / near) / Math.log(far / near))) * 88}%`;
  const marks = [['now', 0], ['10 ms', 1e7], ['1 s', 1e9], ['1 min', 60e9], ['1 h', far]].map(([text, left]) => {
    const made = element('s', {}, text);
    made.style.left = x(left);
    return made;
  });
  const due = model.timers.map(({ client, due, what }, index) => {
    const made = element('b', {}, client < FIXED ? `${what} (${nameOf(states, client)})` : what);
    made.style.left = x(due - model.now);
    made.style.height = `${0.9 + (index % 4) * 0.9}rem`;
    return made;
  });
  line.replaceChildren(...marks, ...due);
  const next = model.timers[0];
  $('#timers-text').textContent = next ? `${plural(model.timerCount, 'timer')}; the next, “${next.what}”, is due in ${time(Math.max(0, next.due - model.now))}. The loop sleeps no longer than that.`
    : 'No timer: if nothing is ready, the loop sleeps without an end.';
}

function turns() {
  const from = Math.max(0, Math.min(shown() - MOST_LISTED / 2, model.turns.length - MOST_LISTED));
  const items = model.turns.slice(from, from + MOST_LISTED).map((turn, index) => {
    const count = kind => turn.rows.filter(row => row.kind === kind).length;
    const [records, faults, took] = [count('record'), count('fault'), turn.spent ?? 0];
    const words = [plural(turn.ready, 'ready').replace('readys', 'ready'), records && plural(records, 'record'), faults && plural(faults, 'fault'), time(took)].filter(Boolean).join(', ');
    const item = element('li', { place: from + index }, `${turn.number.toLocaleString('en')}: ${words}`);
    item.setAttribute('aria-current', from + index === shown());
    return item;
  });
  $('#turns').replaceChildren(...items.toReversed());
  if (!isLive()) $('#turns').querySelector('[aria-current=true]')?.scrollIntoView({ block: 'nearest' });
}

function status() {
  const said = [];
  if (!socket) said.push('not connected');
  else if (model.held) said.push('the loop waits for you: press “take one turn”');
  else if (isLive()) said.push('live');
  else said.push(playing ? 'playing what was recorded' : 'stopped here; the server goes on');
  if (model.lost) said.push(`${plural(model.lost, 'event')} lost: this page was too slow for them`);
  if (model.connections > model.states.size + 8) said.push(`${model.connections.toLocaleString('en')} connections in all`);
  $('#status').textContent = said.join(' · ');
  $('#pause').textContent = isLive() || playing ? 'pause' : 'go live';
  $('#pause').setAttribute('aria-pressed', !isLive() && !playing);
  $('#back').disabled = shown() <= 0;
  $('#forward').disabled = isLive() || shown() >= model.turns.length - 1;
  $('#stepping').hidden = !model.hello?.steps;
}

function render() {
  status();
  if (!model.hello) return;
  const at = shown(), turn = model.turns[at], states = model.after(at);
  verdict(states);
  connections(turn, states);
  timers(states);
  turns();
  if (!turn) return void ($('#turn-title').textContent = 'No turn yet: nothing has happened since you came');
  $('#turn-title').textContent = `Turn ${turn.number.toLocaleString('en')}`;
  $('#summary').textContent = summary(turn, states);
  ring(turn);
  story(turn, states);
  follow(turn, states);
}

// Time: the newest turn, one of those recorded, or a replay of them.
function go(to) {
  place = Math.max(0, Math.min(to, model.turns.length - 1));
  progress = 1;
  draw();
}

let playing = null;
function play() {
  const factor = speed();
  playing = null;
  if (!factor) { place = null; progress = 1; return draw(); }
  place ??= 0;
  progress = 0;
  let begun = performance.now(), drawnAt = null;
  playing = function frame(now) {
    if (playing !== frame) return;
    const turn = model.turns[place];
    const lasts = Math.max(300, Math.min(4000, ((turn?.spent ?? 0) + Math.min(turn?.waited ?? 0, turn?.spent ?? 0)) * factor / 1e6));
    progress = Math.min(1, (now - begun) / lasts);
    if (progress === 1) {
      if (place >= model.turns.length - 1) { playing = null; return draw(); }
      place++; progress = 0; begun = now;
    }
    if (drawnAt === place) ring(model.turns[place]); // of a turn that is played, only the ring moves
    else { drawnAt = place; render(); }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(playing);
}

function stop() {
  playing = null;
  $('#speed').value = '0';
}

$('#pause').onclick = () => {
  if (playing) { stop(); return draw(); }
  if (isLive()) go(model.turns.length - 1);
  else { place = null; draw(); }
};
$('#back').onclick = () => { stop(); go(shown() - 1); };
$('#forward').onclick = () => { stop(); go(shown() + 1); };
$('#speed').onchange = play;
$('#step').onclick = () => { stop(); place = null; socket?.send('step'); draw(); };
$('#run').onclick = () => {
  const runs = $('#run').getAttribute('aria-pressed') !== 'true';
  $('#run').setAttribute('aria-pressed', runs);
  socket?.send(runs ? 'run' : 'hold');
};
$('#columns').onclick = event => {
  const { client } = clicked(event, '#columns button') ?? {};
  if (client === undefined) return;
  chosen = chosen === client ? null : client;
  draw();
};
$('#records').onclick = event => {
  followed = clicked(event, '#records button')?.record ?? followed;
  draw();
};
$('#turns').onclick = event => {
  const { place: to } = clicked(event, '#turns li') ?? {};
  if (to !== undefined) go(to);
};
$('#strip').onkeydown = event => {
  const all = [...model.after(shown()).keys()].filter(client => client < FIXED);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  chosen = all[(all.indexOf(chosen) + step + all.length) % all.length];
  draw();
};
$('#strip').onclick = event => {
  const all = [...model.after(shown()).keys()].filter(client => client < FIXED);
  chosen = all[Math.floor(event.offsetX / $('#strip').clientWidth * all.length)];
  draw();
};
document.onkeydown = event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('select, summary')) return;
  const onButton = event.target.closest('button');
  const listed = event.target.closest('#turns');
  const action = {
    ' ': !onButton && $('#pause'), ArrowLeft: $('#back'), ArrowRight: $('#forward'),
    ArrowUp: listed && $('#forward'), ArrowDown: listed && $('#back'), s: $('#step'),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  if (!action.disabled && !action.closest('[hidden]')) action.click();
};

// Who has closed the explanation knows it.
try {
  $('#about').open = !localStorage.getItem('loop-known');
  $('#about').ontoggle = () => localStorage.setItem('loop-known', $('#about').open ? '' : 'yes');
} catch { /* private */ }
matchMedia('(prefers-color-scheme: dark)').onchange = draw; // a canvas keeps its colours

connect();
