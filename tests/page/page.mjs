// The page's scripts against a real server, over its HTTP and its WebSocket: entering, chatting, history,
// and a server that is killed three times.
//
//   node page.mjs SERVER DIRECTORY      an executable, and an empty directory to write to

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { load } from './dom.mjs';

const [program, directory] = process.argv.slice(2);
const PATIENCE = 60_000;
const FILES = ['view.js', 'client.js', 'files.js', 'irc.js', 'scram.js'];

let port = 0;
let server;

/** Starts the server, at the port that it had before. */
function start() {
  const flags = ['127.0.0.1', String(port), '--quiet', '--no-console', '--data', `${directory}/data`];
  server = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let log = '';
    server.stderr.on('data', (data) => {
      log += data;
      const ready = /listening on 127\.0\.0\.1:(\d+) /.exec(log);
      if (ready) resolve(port = Number(ready[1]));
    });
    server.on('exit', () => reject(new Error(`the server has exited: ${log}`)));
  });
}

/** A user of nc in #lab; `said` is what they have received. */
function nc(nick) {
  const socket = connect(port, '127.0.0.1');
  socket.said = '';
  socket.on('data', (data) => { socket.said += data; });
  socket.on('error', () => {});
  socket.write(`/nick ${nick}\n/join #lab\n`);
  return socket;
}

const $ = (selector) => document.querySelector(selector);
const log = () => $('#log').textContent;
const state = () => $('#state').textContent;
const nothingPending = () => $('#pending').children.length === 0;

async function until(what, holds) {
  const deadline = Date.now() + PATIENCE;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}\n${$('#chat').textContent}\n${$('#fault').textContent}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function enter(values) {
  const form = $('#login');
  for (const [name, value] of Object.entries(values)) form[name].value = value;
  form.dispatch('submit');
}

function say(text) {
  $('#composer textarea').value = text;
  $('#composer').dispatch('submit');
}

function step(what) { console.log(`ok: ${what}`); }

async function entering(tom) {
  tom.write('/register secret-pass-1\n');
  await until('an account', () => tom.said.includes('account tom created'));
  enter({ nick: 'tom', room: '#lab', password: 'wrong' });
  await until('an error', () => $('#fault').textContent.includes('wrong name or password'));
  enter({ nick: 'ada', room: '#lab', password: '' });
  await until('entering', () => state() === 'online' && tom.said.includes('ada joined #lab'));
  step('a wrong password is told; a guest enters');
}

async function chatting(tom) {
  tom.write('hello ada, see http://example.org/x?y=1.\n');
  await until('a message', () => log().includes('hello ada'));
  const message = $('#log').lastElementChild;
  if (!message.classList.contains('mention')) throw new Error('a mention is not shown');
  if (message.querySelectorAll('a')[0].href !== 'http://example.org/x?y=1') throw new Error('not the link');
  say('<b>not bold</b>');
  await until('the own message', () => nothingPending() && tom.said.includes('[ada]: <b>not bold</b>'));
  say(`one\ntwo ${'x'.repeat(900)}`);
  await until('several lines', () => nothingPending() && log().includes(`one\ntwo ${'x'.repeat(900)}`));
  const key = (name) => $('#log').dispatch('keydown', { target: message, key: name });
  key('r');
  say('a reply');
  await until('a reply', () => nothingPending() && $('#log').lastElementChild.textContent.includes('hello ada'));
  key('e');
  $('#picker form').dispatch('submit', { submitter: { value: '👍' } });
  await until('a reaction', () => log().includes('👍 1'));
  say('/nope');
  await until('an error', () => $('#notices').textContent.includes('unknown command /nope'));
  say('/msg tom psst');
  await until('a direct message', () => nothingPending() && log().includes('psst') && $('#name').textContent === 'tom');
  say('/join #lab');
  await until('the room again', () => $('#name').textContent === '#lab');
  step('messages, links, several lines, a reply, a reaction, a direct message');
}

/** Enough of a browser's own, over fetch. */
globalThis.XMLHttpRequest = class {
  upload = {};
  open(method, path) { Object.assign(this, { method, path }); }
  async send(file) {
    const answer = await fetch(`http://${location.host}${this.path}`, { method: this.method, body: file });
    this.upload.onprogress?.({ loaded: file.size, total: file.size });
    [this.status, this.responseText] = [answer.status, await answer.text()];
    this.onload();
  }
};

async function uploading(tom) {
  const file = (name, size) => Object.assign(new Blob(['x'.repeat(size)]), { name });
  $('#file').dispatch('change', { target: { files: [file('a picture.png', 1500)] } });
  await until('a file', () => tom.said.includes('[ada] shared a picture.png (1.5 kB): http://'));
  await until('its picture', () => $('#log').lastElementChild.querySelectorAll('img').length === 1);
  const [image] = $('#log').lastElementChild.querySelectorAll('img');
  const answer = await fetch(`http://${location.host}${image.src}`);
  if ((await answer.text()).length !== 1500) throw new Error('not the file');
  if (answer.headers.get('content-type') !== 'image/png') throw new Error('not its type');
  await until('no bar', () => $('#uploads').children.length === 0);
  tom.write('not ours: http://example.org/files/0123456789abcdef0123456789abcdef/a.png\n');
  await until('a link', () => log().includes('not ours'));
  if ($('#log').lastElementChild.querySelectorAll('img').length) throw new Error('a picture from elsewhere');
  $('#room').dispatch('drop', { dataTransfer: { files: [file('..', 1)] } });
  await until('an error', () => $('#notices').textContent.includes('invalid file name'));
  step('a file is shared, and a picture of this server is shown, no other');
}

async function scrolling(tom) {
  for (let number = 0; number < 250; number++) tom.write(`old ${number}.\n`);
  await until('the newest', () => log().includes('old 249.'));
  say('/part');
  await until('another room', () => $('#name').textContent !== '#lab');
  say('/join #lab');
  await until('the newest', () => $('#name').textContent === '#lab' && log().includes('old 249.'));
  while ($('#start').hidden) {
    $('#scroll').scrollTop = 0;
    await $('#scroll').onscroll();
  }
  for (let number = 0; number < 250; number++) once(`old ${number}.`);
  step('the history scrolls back to its beginning');
}

function once(text) {
  const count = $('#log').children.filter((item) => item.message.text === text).length;
  if (count !== 1) throw new Error(`'${text}' is shown ${count} times`);
}

async function reconnecting() {
  for (let round = 0; round < 3; round++) {
    say(`racing ${round}.`); // it may be committed, or not
    server.removeAllListeners('exit');
    server.kill('SIGKILL');
    await until('the loss', () => state() === 'waiting');
    say(`offline ${round}.`);
    await start();
    const tom = nc('bob');
    for (let number = 0; number < 150; number++) tom.write(`away ${round}.${number}.\n`);
    await until('catching up', () => state() === 'online' && nothingPending() && log().includes(`away ${round}.149.`));
    for (let number = 0; number < 150; number++) once(`away ${round}.${number}.`);
    once(`racing ${round}.`);
    once(`offline ${round}.`);
    tom.destroy();
  }
  const times = $('#log').children.map((item) => item.message.time);
  if (times.some((time, place) => place && time < times[place - 1])) throw new Error('out of order');
  step('after each of three kills, everything is there once and in order');
}

try {
  await start();
  const tom = nc('tom');
  location.host = `127.0.0.1:${port}`;
  location.origin = `http://${location.host}`;
  writeFileSync(`${directory}/package.json`, '{"type":"module"}');
  for (const [name, path] of [['index.html', ''], ...FILES.map((file) => [file, file])]) {
    const answer = await fetch(`http://${location.host}/${path}`);
    writeFileSync(`${directory}/${name}`, await answer.text());
  }
  load(`${directory}/index.html`);
  await import(`${directory}/view.js`);
  await entering(tom);
  await chatting(tom);
  await uploading(tom);
  await scrolling(tom);
  tom.destroy();
  await reconnecting();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  server.kill('SIGKILL');
}
process.exit();
