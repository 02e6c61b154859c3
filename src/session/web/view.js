// What a person sees and does: the page's elements, and the keys.
//
// Every text of a stranger becomes a text node; no markup is ever made of one.

import { Chat, fold, isRoom } from './client.js';
import { command } from './commands.js';
import { notifyOf, showSettings, store } from './settings.js';
import { share } from './share.js';
import { element, icon, name, rich } from './text.js';

const $ = (selector) => document.querySelector(selector);
const REACTIONS = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '👀'];
const GROUP = 5 * 60_000;   // messages of one user within this time stand under one name
const NEAR = 60;            // pixels from an end that count as being there

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
const chat = new Chat(url, changed);
const [scroll, log, pending] = [$('#scroll'), $('#log'), $('#pending')];
const text = $('#composer textarea');
let replying = null;
let stick = true;       // the newest message is in sight
let selected = null;    // the message that the keys act upon

// Entering.

function showEntry(fault = '') {
  const { nick, rooms } = store.all;
  $('#chat').hidden = true;
  $('#entry').hidden = false;
  const form = $('#login');
  $('#where').textContent = location.host;
  // `guest1` and the like are the server's to give.
  form.nick.value ||= nick ?? `visitor${Math.floor(Math.random() * 9000) + 1000}`;
  if (location.hash.length > 1) {
    try { form.room.value = decodeURIComponent(location.hash); } catch { form.room.value = location.hash; }
  } else if (rooms?.length) form.room.value = rooms.join(' ');
  if (!globalThis.crypto?.subtle) {
    form.password.disabled = true;
    $('#why').textContent = 'To log in, open this page by HTTPS or on localhost: elsewhere a browser has no '
      + 'cryptography, and the password would be readable on the network. You can join as a guest.';
  }
  if (/requires a password|server password/.test(fault)) {
    $('#gate').hidden = false;
    form.server.focus();
  } else if (/or register/.test(fault)) {
    $('#register').hidden = form.password.disabled;
    if (!form.password.disabled) $('#why').textContent = 'To register, it is sent to the server.';
    form.password.focus();
  } else {
    form.nick.focus();
  }
  $('#fault').textContent = fault;
}

$('#login').onsubmit = (event) => {
  event.preventDefault();
  const form = event.target;
  const rooms = form.room.value.split(/[\s,]+/).filter(Boolean).map((name) => (isRoom(name) ? name : `#${name}`));
  $('#fault').textContent = 'connecting…';
  const registers = event.submitter?.id === 'register';
  const nick = form.nick.value.trim();
  const login = { nick, account: nick, password: form.password.value, serverPassword: form.server.value, registers };
  store.set({ nick });
  chat.enter(login, rooms.length ? rooms : ['#lobby']);
};

// What has changed.

function changed(what, room, detail) {
  switch (what) {
    case 'state': return showState(detail);
    case 'notice': return notice(detail);
    case 'nick': return store.set({ nick: detail });
    case 'rooms': return showRooms();
    case 'typing': return room === chat.current && showTyping();
    case 'pending': return room === chat.current && showPending();
    case 'message': return showMessage(room, detail);
    case 'opened': return open(room);
    case 'emptied': return room === chat.current && log.replaceChildren();
    case 'changed': return room === chat.current && redraw(detail.message);
    case 'room':
      showRooms();
      if (room && room !== chat.current) return;
      showHead();
      fill();
  }
}

function showState(detail) {
  const { state } = chat;
  if (state === 'failed' || (state === 'offline' && !$('#chat').hidden)) return showEntry(detail);
  if (state === 'online' && $('#chat').hidden) {
    $('#login').password.value = '';
    $('#entry').hidden = true;
    $('#chat').hidden = false;
    open(chat.current);
  }
  $('#me').textContent = chat.nick;
  $('#state').textContent = state;
  $('#chat').dataset.state = state;
  $('#banner').hidden = state === 'online';
  $('#banner').textContent = state === 'waiting'
    ? `The connection is lost${detail ? `: ${detail}` : ''}. Reconnecting; what you write is sent then.` : 'Connecting…';
}

/** Notices that are shown at a time: more would hide what they are about. */
const MOST_NOTICES = 4;

function notice(words) {
  if (!words) return;
  const line = element('p', { textContent: words, title: 'Click to close', onclick: () => line.remove() });
  $('#notices').append(line);
  while ($('#notices').children.length > MOST_NOTICES) $('#notices').firstChild.remove();
  setTimeout(() => line.remove(), 4000 + words.length * 60);
}

function showRooms() {
  const rooms = [...chat.rooms.values()].sort((a, b) => isRoom(b.name) - isRoom(a.name) || a.name.localeCompare(b.name));
  if (chat.current && !rooms.includes(chat.current)) open(rooms[0] ?? chat.join('#lobby'));
  const items = rooms.map((room) => {
    const button = element('button', { type: 'button', onclick: () => open(room) },
      element('span', { textContent: room.name, className: room.unread ? 'unread' : '' }));
    button.setAttribute('aria-current', room === chat.current);
    const count = room.mentions || room.unread;
    if (count) {
      const hidden = element('span', { className: 'hidden', textContent: room.mentions ? ' mentions' : ' unread' });
      button.append(element('span', { className: room.mentions ? 'count mentions' : 'count' }, `${count}`, hidden));
    }
    return element('li', {}, button);
  });
  const direct = rooms.findIndex((room) => !isRoom(room.name));
  if (direct >= 0) items.splice(direct, 0, element('li', { className: 'heading', textContent: 'Direct messages' }));
  $('#list').replaceChildren(...items);
  const mentions = rooms.reduce((sum, room) => sum + room.mentions, 0);
  $('#menu').dataset.count = mentions || '';
  document.title = `${mentions ? `(${mentions}) ` : ''}${chat.current?.name ?? 'chatloop'}`;
  if (chat.state === 'online') store.set({ rooms: rooms.map((room) => room.name).filter(isRoom) });
}

function showHead() {
  const room = chat.current;
  if (!room) return;
  $('#me').textContent = chat.nick;
  $('#name').textContent = room.name;
  $('#topic').textContent = $('#topic').title = room.topic;
  $('#leave').ariaLabel = $('#leave').title = isRoom(room.name) ? 'Leave this room' : 'Close this conversation';
  text.placeholder = room.refused ? `You are not in ${room.name} (/join ${room.name})` : `Message ${room.name}`;
  showStart();
  $('#live').ariaLive = room.since ? 'off' : 'polite';
  const rank = (member) => (member.prefix === '@' ? 0 : member.prefix === '+' ? 1 : 2);
  const members = [...room.members.values()].sort((a, b) => rank(a) - rank(b) || a.nick.localeCompare(b.nick));
  $('#members').hidden = $('#people').hidden = !isRoom(room.name);
  $('#members h2').textContent = `${members.length} ${members.length === 1 ? 'member' : 'members'}`;
  $('#members ul').replaceChildren(...members.map((member) => element('li', {}, element('button', {
    type: 'button', className: member.away ? 'away' : '',
    title: member.away ? `${member.nick} is away` : `message ${member.nick}`, onclick: () => open(chat.room(member.nick)),
  }, element('span', { className: 'prefix', textContent: member.prefix }), name(member.nick, member.nick)))));
}

function showStart() {
  const room = chat.current;
  $('#start').textContent = room.refused && !room.messages.length ? room.refused : room.loading ? 'Loading…' : !room.atStart ? '' : room.messages.length
    ? 'The history begins here.' : `Nothing has been said in ${room.name} yet.`;
}

function open(room) {
  if (!room) return;
  if (chat.current && chat.current !== room) chat.current.draft = text.value;
  chat.current = room;
  text.value = room.draft;
  reply(null);
  room.marker = room.unread ? room.read : Infinity;
  log.replaceChildren(...room.messages.map((message, place) => draw(message, room.messages[place - 1])));
  stick = true;
  closeDrawers();
  history.replaceState(null, '', isRoom(room.name) ? room.name : '#');
  if (!isRoom(room.name) && !room.messages.length && chat.connection?.isOpen) chat.catchUp(room);
  showRooms();
  showHead();
  showPending();
  showTyping();
  grow();
  seen();
  if (matchMedia('(hover: hover)').matches) text.focus();
}

/** The newest message is in sight: it has been read. */
function seen() {
  if (stick) scroll.scrollTop = scroll.scrollHeight;
  seen.depth = depth();
  $('#down').hidden = stick;
  if (stick && document.visibilityState === 'visible' && document.hasFocus() && chat.current) chat.markRead(chat.current);
}

/** Asks for more as long as there is nothing to scroll: a history may be all comings and goings. */
async function fill() {
  const room = chat.current;
  for (let tries = 0; tries < 5 && room && room === chat.current && !room.since && !room.atStart; tries++) {
    if (scroll.scrollHeight > scroll.clientHeight || room.loading || !room.joined) return;
    await chat.older(room);
  }
}

// Messages.

function showMessage(room, { message, place, news, trimmed }) {
  if (news && message.mention && (document.hidden || room !== chat.current)) notifyOf(room, message, () => open(room));
  if (news) queueMicrotask(showRooms);
  if (room !== chat.current) return;
  if (trimmed) {
    log.replaceChildren(...room.messages.map((one, at) => draw(one, room.messages[at - 1])));
  } else {
    if (room.messages.length === 1) showStart();
    const next = log.children[place] ?? null;
    log.insertBefore(draw(message, room.messages[place - 1]), next);
    if (next) redraw(room.messages[place + 1]);
  }
  if (message.own) showPending();
  showTyping();
}

const elements = new WeakMap();

function redraw(message) {
  const { messages } = chat.current;
  const place = messages.indexOf(message);
  const old = elements.get(message);
  if (place < 0 || !old?.isConnected) return;
  const focused = old === document.activeElement;
  const made = draw(message, messages[place - 1]);
  old.replaceWith(made);
  if (focused) made.focus();
}

function draw(message, before) {
  const date = new Date(message.time);
  const time = element('time', {
    dateTime: date.toISOString(), title: date.toLocaleString(),
    textContent: date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  });
  const item = element('li', { tabIndex: -1 }, time);
  elements.set(message, item);
  item.message = message;
  if (!before || new Date(before.time).toDateString() !== date.toDateString()) {
    item.classList.add('day');
    item.dataset.day = date.toLocaleDateString([], { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' });
  }
  const { marker } = chat.current;
  if (message.time > marker && !message.own && !(before?.time > marker)) item.classList.add('new');
  if (message.event) {
    item.classList.add('event');
    item.append(element('span', { className: 'text', dir: 'auto', textContent: message.text }));
    return item;
  }
  const follows = before && !before.event && before.nick === message.nick && before.kind === message.kind
    && message.kind !== 'action' && !message.reply && message.time - before.time < GROUP
    && !item.classList.contains('day') && !item.classList.contains('new');
  item.classList.toggle('follows', !!follows);
  item.classList.toggle('mention', !!message.mention && isRoom(chat.current.name));
  item.classList.add(message.kind);
  if (message.reply) item.append(quote(message.reply));
  const nick = name(message.nick, message.kind === 'action' ? `* ${message.nick}` : message.nick);
  nick.onclick = () => address(message.nick);
  item.append(nick);
  const body = element('span', { className: 'text', dir: 'auto' });
  if (message.deleted) {
    item.classList.add('deleted');
    body.textContent = 'deleted';
  } else {
    body.append(...rich(message.text, chat.filehost, seen));
    if (message.edited) body.append(element('small', { textContent: ' (edited)' }));
  }
  item.append(body);
  if (message.reactions.size) item.append(reactions(message));
  return item;
}

function quote(id) {
  const quoted = chat.current.messages.findLast((one) => one.id === id);
  const shown = quoted ? `${quoted.nick}: ${quoted.deleted ? 'deleted' : quoted.text}` : 'an earlier message';
  return element('button', {
    type: 'button', className: 'quote', dir: 'auto', textContent: shown,
    onclick: () => quoted && select(elements.get(quoted)),
  });
}

function reactions(message) {
  const row = element('div', { className: 'reactions' });
  for (const [emoji, people] of message.reactions) {
    const button = element('button', {
      type: 'button', textContent: `${emoji} ${people.size}`, title: [...people].join(', '),
      onclick: () => chat.react(chat.current, message, emoji),
    });
    button.setAttribute('aria-pressed', people.has(chat.nick));
    row.append(button);
  }
  return row;
}

function showPending() {
  const room = chat.current;
  if (!room) return;
  pending.replaceChildren(...[...room.pending.values()].map((message) => {
    const item = element('li', { className: message.failed ? 'failed' : '' }, name(message.nick, message.nick),
      element('span', { className: 'text', textContent: message.text }));
    if (message.failed) {
      const again = () => {
        text.value = chat.withdraw(room, message);
        grow();
        text.focus();
      };
      item.append(` — not sent: ${message.failed} `, element('button', { type: 'button', textContent: 'Edit', onclick: again }));
    }
    return item;
  }));
  seen();
}

function showTyping() {
  clearTimeout(showTyping.timer);
  const room = chat.current;
  if (!room) return;
  for (const [nick, until] of room.typing) if (until <= Date.now()) room.typing.delete(nick);
  const nicks = [...room.typing.keys()];
  const shown = nicks.length > 3 ? 'several people' : nicks.join(', ');
  $('#typing').textContent = nicks.length ? `${shown} ${nicks.length > 1 ? 'are' : 'is'} typing…` : '';
  if (nicks.length) showTyping.timer = setTimeout(showTyping, Math.min(...room.typing.values()) - Date.now() + 10);
}

// Acting on a message: by the pointer, or by the keys.

const tools = element('div', { className: 'tools', ariaHidden: 'true' },
  ...[['Reply', reply], ['React', pick], ['Delete', remove]].map(([what, act]) => element('button', {
    type: 'button', title: what, ariaLabel: what, tabIndex: -1, onclick: () => act(selected),
  }, icon(what.toLowerCase()))));

function mayDelete(message) {
  const me = chat.current.members.get(fold(chat.nick));
  return message.own || me?.prefix === '@';
}

function point(item) {
  const message = item?.message;
  if (!message?.id || message.deleted) return tools.remove();
  selected = message;
  tools.lastChild.hidden = !mayDelete(message);
  item.append(tools);
}

function select(item) {
  if (!item) return;
  item.focus();
  item.scrollIntoView({ block: 'nearest' });
}

log.onmouseover = (event) => point(event.target.closest('li'));
log.onfocus = () => select(log.lastElementChild);
log.addEventListener('focusin', (event) => {
  point(event.target.closest('li'));
  // Or a step back from a message would lead into the log, and on to a message again.
  if (event.target !== log) log.tabIndex = -1;
});
log.addEventListener('focusout', () => { log.tabIndex = 0; });
log.onkeydown = (event) => {
  const item = event.target.closest('li');
  const message = item?.message;
  if (!item || event.ctrlKey || event.metaKey || event.altKey || event.target !== item) return;
  const moves = { ArrowUp: item.previousElementSibling, ArrowDown: item.nextElementSibling, Home: log.firstElementChild, End: log.lastElementChild };
  if (event.key in moves) select(moves[event.key]);
  else if (event.key === 'Escape') text.focus();
  else if (!message.id) return;
  else if (event.key === 'r' || event.key === 'Enter') reply(message);
  else if (event.key === 'e') pick(message);
  else if (event.key === 'Delete' && mayDelete(message)) remove(message);
  else return;
  event.preventDefault();
};

function reply(message) {
  replying = message;
  $('#replying').hidden = !message;
  if (!message) return;
  $('#replying span').textContent = `Replying to ${message.nick}: ${message.text}`;
  text.focus();
}

/** Whether there is a connection; if not, that is told. */
function isOnline() {
  if (!chat.connection?.isOpen) notice('not connected');
  return chat.connection?.isOpen;
}

function remove(message) {
  if (isOnline() && confirm('Delete this message for everyone?')) chat.redact(chat.current, message);
}

function pick(message) {
  if (!isOnline()) return;
  selected = message;
  $('#picker').showModal();
}

$('#picker div').append(...REACTIONS.map((emoji) => element('button', { value: emoji, textContent: emoji, ariaLabel: `React with ${emoji}` })));
$('#picker form').onsubmit = (event) => {
  const { value } = event.submitter ?? {};
  const typed = event.target.text.value.trim();
  event.target.text.value = '';
  if (selected && (value || typed)) chat.react(chat.current, selected, typed || value);
};
// A handler that returns false would cancel the click on a reaction.
$('#picker').onclick = (event) => { if (event.target === $('#picker')) $('#picker').close(); };
$('#replying button').onclick = () => reply(null);

// Writing.

let typingSince = 0;

function send() {
  const words = text.value.replace(/\s+$/, '');
  if (!words.trim() || !chat.current) return;
  const room = chat.current;
  text.value = '';
  typingSince = 0;
  stick = true;
  if (words.startsWith('/') && !words.startsWith('//')) {
    const may = /^\/(me|msg|help|quit)\b/.test(words) || isOnline();
    const fault = may && command(chat, room, words);
    notice(fault);
    if (!may || fault) {
      text.value = words;
      text.select();   // to be mended, or written over
    }
  } else {
    chat.say(room, words.replace(/^\/\//, '/'), replying?.id);
    reply(null);
  }
  grow();
}

function grow() {
  text.style.height = 'auto';
  text.style.height = `${text.scrollHeight + 2}px`;
  seen();
}

text.oninput = () => {
  grow();
  const now = Date.now();
  const types = text.value && !text.value.startsWith('/');
  if (types && now - typingSince > 3000) {
    typingSince = now;
    chat.type(chat.current, 'active');
  } else if (!types && typingSince) {
    typingSince = 0;
    chat.type(chat.current, 'done');
  }
};

text.onkeydown = (event) => {
  if (event.isComposing) return;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    send();
  } else if (event.key === 'Escape') {
    reply(null);
  } else if (event.key === 'ArrowUp' && !text.value) {
    event.preventDefault();
    select(log.lastElementChild);
  } else if (event.key === 'Tab' && !event.shiftKey && complete()) {
    event.preventDefault();
  }
};

/** Begins a message, or goes on with one, to a user. */
function address(nick) {
  text.setRangeText(text.selectionStart ? `${nick} ` : `${nick}: `, text.selectionStart, text.selectionEnd, 'end');
  text.focus();
}

/** Completes a nick, or the next one that fits; whether there is one. */
function complete() {
  const at = text.selectionStart;
  const start = text.value.slice(0, at).search(/\S*$/);
  const { last } = complete;
  const again = last && last.value === text.value;
  const word = again ? last.word : text.value.slice(start, at).toLowerCase();
  const from = again ? last.start : start;
  if (!word) return false;
  const nicks = [...chat.current.members.values()].map((member) => member.nick).sort();
  const fits = nicks.filter((nick) => nick.toLowerCase().startsWith(word) && nick !== chat.nick);
  if (!fits.length) return false;
  const number = again ? (last.number + 1) % fits.length : 0;
  text.setRangeText(fits[number] + (from === 0 ? ': ' : ' '), from, at, 'end');
  complete.last = { word, start: from, number, value: text.value };
  return true;
}

// Files: from the button, dropped, or pasted.

function shareAll(files) {
  if (!chat.connection?.isOpen) return notice('not connected: files can be sent when the connection is back');
  for (const file of files ?? []) share(chat, file, $('#uploads'));
}

$('#attach').onclick = () => $('#file').click();
$('#file').onchange = ({ target }) => {
  shareAll([...target.files]);
  target.value = '';
};
$('#room').addEventListener('dragover', (event) => {
  event.preventDefault();
  $('#room').classList.add('drop');
});
$('#room').addEventListener('dragleave', () => $('#room').classList.remove('drop'));
$('#room').addEventListener('drop', (event) => {
  event.preventDefault();
  $('#room').classList.remove('drop');
  shareAll(event.dataTransfer.files);
});
text.onpaste = (event) => {
  const files = [...event.clipboardData?.files ?? []];
  if (!files.length) return;
  event.preventDefault();
  shareAll(files);
};

$('#composer').onsubmit = (event) => {
  event.preventDefault();
  send();
};

$('#join').onsubmit = (event) => {
  event.preventDefault();
  const target = event.target.room.value.trim();
  event.target.room.value = '';
  if (isRoom(target)) notice(command(chat, chat.current, `/join ${target}`));
  else if (target) open(chat.room(target));
};

$('#join input').onfocus = async () => {
  const answer = await chat.connection.ask('LIST').catch(() => []);
  $('#known').replaceChildren(...answer.filter(({ command }) => command === '322').map(({ params: [, value, count, topic] }) =>
    element('option', { value, label: `${count} ${count === '1' ? 'user' : 'users'}${topic && `: ${topic}`}` })));
};

// Scrolling.

/** How far down there is to scroll. */
const depth = () => scroll.scrollHeight - scroll.clientHeight;

scroll.onscroll = async () => {
  // A scroll because messages came or went is no one's wish to look elsewhere.
  if (depth() - scroll.scrollTop < NEAR) stick = true;
  else if (depth() === seen.depth) stick = false;
  $('#down').hidden = stick;
  if (stick) seen();
  const room = chat.current;
  if (scroll.scrollTop < NEAR && room && !room.loading && !room.atStart && room.messages.length) {
    $('#live').ariaLive = 'off';
    const below = scroll.scrollHeight - scroll.scrollTop;
    const more = await chat.older(room);
    if (room === chat.current && more && !stick) scroll.scrollTop = scroll.scrollHeight - below;
    showHead();
  }
};
$('#down').onclick = () => {
  stick = true;
  seen();
};

// The page around it.

const DRAWERS = [['#menu', '#rooms'], ['#people', '#members']];

function closeDrawers() {
  for (const [button, drawer] of DRAWERS) {
    $(drawer).classList.remove('open');
    $(button).setAttribute('aria-expanded', 'false');
  }
}

for (const [button, drawer] of DRAWERS) {
  $(button).onclick = () => {
    const opens = !$(drawer).classList.contains('open');
    closeDrawers();
    $(drawer).classList.toggle('open', opens);
    $(button).setAttribute('aria-expanded', opens);
  };
}
$('#room').addEventListener('click', (event) => !event.target.closest('header') && closeDrawers());
$('#leave').onclick = () => chat.part(chat.current);

addEventListener('keydown', (event) => {
  if ($('#chat').hidden) return;
  const opened = document.querySelector('[aria-expanded=true]');
  if (event.key === 'Escape' && opened) {
    closeDrawers();
    opened.focus();
  } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    const buttons = [...$('#list').querySelectorAll('button')];
    const at = buttons.findIndex((button) => button.getAttribute('aria-current') === 'true');
    buttons.at((at + (event.key === 'ArrowDown' ? 1 : -1)) % buttons.length)?.click();
  } else if (event.ctrlKey && event.key === 'k') {
    event.preventDefault();
    $('#rooms').classList.add('open');
    $('#join input').focus();
  }
});
addEventListener('focus', seen);
addEventListener('blur', () => { if (chat.current?.last) chat.current.marker = chat.current.last.time; });
new ResizeObserver(seen).observe(log);
addEventListener('resize', seen);
document.addEventListener('visibilitychange', seen);
addEventListener('pagehide', () => chat.connection?.send('QUIT', ['page closed']));

showSettings(notice);
showEntry();
