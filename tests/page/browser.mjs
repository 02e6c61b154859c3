// The page in two browsers, in one room with users of nc and irssi: looks, keys, history, and a server
// that is killed.
//
//   node browser.mjs SERVER CHROMIUM DIRECTORY [SCREENSHOTS]
//
// DIRECTORY is written to, and its node_modules has puppeteer-core; SCREENSHOTS is a directory for
// pictures of what a person would see.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';

const [program, chromium, directory, pictures] = process.argv.slice(2);
const puppeteer = createRequire(`${directory}/`)('puppeteer-core');
const PATIENCE = 60_000;
const PASSWORD = 'secret-of-bob';

let port = 0;
let server;
let browser;
const faults = [];      // what a browser has complained about

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

async function until(what, holds) {
  const deadline = Date.now() + PATIENCE;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function step(what) { console.log(`ok: ${what}`); }

/** A user of nc; `said` is what they have received. */
function nc(nick, ...lines) {
  const socket = connect(port, '127.0.0.1');
  socket.said = '';
  socket.on('data', (data) => { socket.said += data; });
  socket.on('error', () => {});
  socket.write([`/nick ${nick}`, ...lines, ''].join('\n'));
  return socket;
}

/** A user of irssi, on a terminal of script(1); the log of all that it has shown is `said`. */
function irssi(nick) {
  const home = `${directory}/irssi`;
  mkdirSync(home);
  writeFileSync(`${home}/config`, `
    servers = ({ address = "127.0.0.1"; port = "${port}"; chatnet = "loop"; autoconnect = "yes"; });
    chatnets = { loop = { type = "IRC"; nick = "${nick}"; }; };
    settings = { core = { user_name = "${nick}"; nick = "${nick}"; }; };
    logs = { "${home}/said" = { auto_open = "yes"; level = "ALL"; }; };`);
  const command = `echo $$ >${home}/pid; stty cols 120 rows 40; exec irssi --home=${home}`;
  const terminal = spawn('script', ['-qfc', command, `${home}/screen`], {
    stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, TERM: 'xterm', LC_ALL: 'C.UTF-8', HOME: home },
  });
  return {
    get said() { return existsSync(`${home}/said`) ? readFileSync(`${home}/said`, 'utf8') : ''; },
    type(line) { terminal.stdin.write(`${line}\n`); },
    end() { process.kill(Number(readFileSync(`${home}/pid`, 'utf8'))); },
  };
}

/** One page, in a browser profile of its own. */
class Page {
  static async open(width, height, scheme) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(`http://127.0.0.1:${port}/#lab`);
    return Object.assign(new Page(), { page, keyboard: page.keyboard });
  }

  /** What is shown there; nothing if there is no such element. */
  text(selector) { return this.page.evaluate((at) => document.querySelector(at)?.textContent ?? '', selector); }

  sees(text, selector = '#log') {
    return until(`'${text}' in ${selector}`, async () => (await this.text(selector)).includes(text));
  }

  /** Presses keys, one after the other; "Shift+Enter" is one. */
  async press(...keys) {
    for (const key of keys) {
      const held = key.split('+').slice(0, -1);
      for (const one of held) await this.keyboard.down(one);
      await this.keyboard.press(key.split('+').at(-1));
      for (const one of held) await this.keyboard.up(one);
    }
  }

  /** Goes through the page by Tab to what is called so. */
  async tabTo(name) {
    const focus = () => this.page.evaluate(() => {
      const { ariaLabel, labels, textContent } = document.activeElement;
      return ariaLabel || labels?.[0]?.textContent || textContent;
    });
    for (let steps = 0; steps < 60; steps++) {
      if ((await focus()).trim() === name) return;
      await this.press('Tab');
    }
    throw new Error(`Tab does not lead to '${name}'`);
  }

  async fill(name, value) {
    await this.tabTo(name);
    await this.press('Control+a');
    await this.keyboard.type(value);
  }

  async say(text) {
    await this.tabTo('Message');
    await this.keyboard.type(text);
    await this.press('Enter');
  }

  async picture(name) { if (pictures) await this.page.screenshot({ path: `${pictures}/${name}.png` }); }

  /** Nothing is cut off or lies over something else: neither the page nor a line is too wide. */
  async isNeat() {
    const wide = await this.page.evaluate(() => [document.documentElement, ...document.querySelectorAll('#log li')]
      .filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => element.textContent));
    if (wide.length) throw new Error(`wider than its place: ${wide[0].slice(0, 200)}`);
    const covered = await this.page.evaluate(() => {
      const boxes = (item, selector) => item.querySelector(selector)?.getBoundingClientRect();
      return [...document.querySelectorAll('#log li:not(.follows)')].filter((item) => {
        const [time, nick] = [boxes(item, 'time'), boxes(item, '.nick')];
        return nick && time.left < nick.right && nick.left < time.right && time.top < nick.bottom && nick.top < time.bottom;
      }).map((item) => item.textContent);
    });
    if (covered.length) throw new Error(`time and nick overlap: ${covered[0]}`);
  }
}

// The steps.

async function entering({ tom, iris, ada, bob }) {
  tom.write(`/topic tea at five\n`);
  const account = nc('bob', `/register ${PASSWORD}`);
  await until('an account', () => account.said.includes('account bob created'));
  account.end('/quit\n');
  await until('its end', () => account.readableEnded || account.destroyed);
  await ada.picture('entry');
  await ada.press('Enter'); // the name that is offered is one that the server takes
  await ada.sees('online', '#state');
  await ada.say('/nick ada');
  await ada.sees('ada', '#me');
  await bob.fill('Name', 'bob');
  await bob.fill('Password', 'wrong');
  await bob.press('Enter');
  await bob.sees('wrong name or password', '#fault');
  await bob.fill('Password', PASSWORD);
  await bob.press('Enter');
  await bob.sees('online', '#state');
  await until('irssi', () => iris.said.includes('Welcome to the'));
  iris.type('/join #lab');
  await until('irssi in the room', () => tom.said.includes('iris joined #lab'));
  tom.write('/whois bob\n');
  await until('the login', () => tom.said.includes('logged in as bob'));
  step('a guest enters by Enter alone; a wrong password is told, the right one logs in by SCRAM');
}

async function chatting({ tom, iris, ada, bob }) {
  await ada.sees('tea at five', '#topic');
  tom.write('hello ada, see https://example.org/x?y=1.\n');
  await ada.sees('hello ada');
  if (await ada.page.$eval('#log li.mention a', (link) => link.href) !== 'https://example.org/x?y=1') throw new Error('not the link');
  await bob.sees('hello ada');
  iris.type('grüße from irssi');
  for (const page of [ada, bob]) await page.sees('grüße from irssi');
  await ada.say('<b>from ada</b> ❤');
  await bob.say('from bob');
  for (const one of [tom, iris]) await until('both', () => one.said.includes('<b>from ada</b> ❤') && one.said.includes('from bob'));
  await ada.sees('from bob');
  await bob.tabTo('Message');
  await bob.keyboard.type('one `two`');
  await ada.sees('bob is typing', '#typing');
  await bob.press('Shift+Enter');
  await bob.keyboard.type('three');
  await bob.press('Enter');
  await ada.sees('one two\nthree');
  await until('one message of two lines', async () => !(await ada.text('#typing')));
  iris.type('/me waves');
  await ada.sees('iris waves'.slice(5));
  step('messages between two browsers, nc and irssi; a mention, a link, typing, several lines, an action');
}

/** By the keys alone: to the messages and back. */
async function acting({ tom, ada, bob }) {
  tom.write('which backend?\n');
  await ada.sees('which backend?');
  await ada.tabTo('Message');
  await ada.press('ArrowUp', 'r');
  await ada.keyboard.type('epoll here');
  await ada.picture('reply');
  await ada.press('Enter');
  await bob.sees('tom: which backend?', '#log .quote');
  await until('a reply', () => tom.said.includes('[ada]: re ') && tom.said.includes('epoll here'));
  await bob.tabTo('Message');
  await bob.press('ArrowUp', 'e');
  await bob.picture('picker');
  await bob.press('Tab', 'Enter');
  await ada.sees('❤️ 1', '#log .reactions');
  await ada.page.click('#log .reactions button');
  await bob.sees('❤️ 2', '#log .reactions');
  ada.page.once('dialog', (dialog) => dialog.accept());
  await ada.say('a slip');
  await bob.sees('a slip');
  await until('its echo', async () => !(await ada.text('#pending')));
  await ada.press('ArrowUp', 'Delete');
  await bob.sees('deleted', '#log .deleted');
  await ada.press('Escape');
  await ada.say('/nope');
  await ada.sees('unknown command /nope', '#notices');
  step('reply, reaction and deletion, by the keys and by the mouse; an unknown command');
}

async function moving({ tom, ada, bob }) {
  await ada.press('Control+k');
  await ada.keyboard.type('#den');
  await ada.press('Enter');
  await ada.sees('#den', '#name');
  tom.write('ada: where are you?\n');
  await ada.sees('1', '#list .mentions');
  await ada.picture('mention');
  await ada.press('Alt+ArrowDown');
  await ada.sees('#lab', '#name');
  if (!await ada.page.$('#log li.new')) throw new Error('what is new is not marked');
  await bob.say('/msg ada psst');
  await bob.sees('ada', '#name');
  await ada.sees('bob', '#list');
  await bob.say('/join #lab');
  await bob.sees('#lab', '#name');
  step('another room and back by the keys; a mention is counted; what is new is marked; a direct message');
}

/** By the button and by drag and drop; what is shown of it, and of what is not ours. */
async function sharing({ tom, iris, ada, bob }) {
  const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  writeFileSync(`${directory}/a dot.png`, Buffer.from(dot, 'base64'));
  await (await ada.page.$('#file')).uploadFile(`${directory}/a dot.png`);
  for (const one of [tom, iris]) await until('a file', () => one.said.includes('shared a dot.png (70 bytes): http://'));
  await until('its picture', () => bob.page.evaluate(() => {
    const image = document.querySelector('#log .picture img');
    return image?.complete && image.naturalWidth === 1;
  }));
  await ada.page.evaluate(() => {
    const dropped = new DataTransfer();
    dropped.items.add(new File(['x'.repeat(5000)], 'notes.txt'));
    const event = (type) => new DragEvent(type, { dataTransfer: dropped, bubbles: true, cancelable: true });
    for (const type of ['dragover', 'drop']) document.querySelector('#composer').dispatchEvent(event(type));
  });
  await until('a dropped file', () => tom.said.includes('shared notes.txt (5.0 kB): http://'));
  await until('no bar', async () => !(await ada.page.$('#uploads li')));
  await ada.picture('shared');
  tom.write('elsewhere: http://example.org/files/0123456789abcdef0123456789abcdef/a.png\n');
  await bob.sees('elsewhere: ');
  if ((await bob.page.$$('#log .picture')).length !== 1) throw new Error('a picture from elsewhere');
  step('files by the button and by drag and drop; a picture of this server is shown, no other');
}

async function scrolling({ tom, ada }) {
  tom.write(`${numbered(250, 'old ').join('\n')}\n`);
  await ada.sees('old 249.');
  await ada.page.reload();
  await ada.press('Enter');
  await ada.sees('old 249.');
  const before = await ada.page.evaluate(() => document.querySelectorAll('#log li').length);
  if (before > 120) throw new Error(`a reload asks for ${before} messages at once`);
  await until('the beginning', async () => {
    await ada.page.$eval('#scroll', (scroll) => { scroll.scrollTop = 0; });
    return ada.page.$eval('#start', (start) => !start.hidden);
  });
  await once(ada, numbered(250, 'old '));
  await ada.page.click('#down');
  step('after a reload the history scrolls back to its beginning');
}

/** Each of these texts is shown once. */
async function once({ page }, texts) {
  const shown = await page.evaluate(() => [...document.querySelectorAll('#log .text')].map((one) => one.textContent));
  for (const text of texts) {
    const count = shown.filter((one) => one === text).length;
    if (count !== 1) throw new Error(`'${text}' is shown ${count} times`);
  }
}

const numbered = (count, text) => Array.from({ length: count }, (_, number) => `${text}${number}.`);

async function reconnecting({ ada, bob }) {
  for (let round = 0; round < 2; round++) {
    await ada.say(`racing ${round}.`); // it may be committed, or not
    server.removeAllListeners('exit');
    server.kill('SIGKILL');
    for (const page of [ada, bob]) await page.sees('waiting', '#state');
    await ada.picture('offline');
    await ada.say(`offline ${round}.`);
    await start();
    const tom = nc('tom', '/join #lab');
    tom.write(`${numbered(120, `away ${round}.`).join('\n')}\n`);
    for (const page of [ada, bob]) {
      await page.sees('online', '#state');
      await page.sees(`away ${round}.119.`);
      await page.sees(`offline ${round}.`);
      await until('nothing pending', async () => !(await page.text('#pending')));
      await once(page, [...numbered(120, `away ${round}.`), `racing ${round}.`, `offline ${round}.`]);
    }
    tom.destroy();
  }
  await ada.say('/whois bob');
  await ada.sees('logged in as bob', '#notices');
  step('after each of two kills everything is there once, in both browsers');
}

async function looking({ ada, bob }) {
  await ada.tabTo('Message');
  await ada.keyboard.type('```');
  await ada.press('Shift+Enter');
  await ada.keyboard.type('fn main() {}');
  await ada.press('Shift+Enter');
  await ada.say('```');
  await bob.sees('fn main() {}', '#log pre code');
  await ada.say(`a long word: ${'x'.repeat(300)}`);
  for (const page of [ada, bob]) {
    await page.sees('xxx');
    await until('the newest in sight', () => page.page.$eval('#down', (down) => down.hidden));
  }
  for (const [page, name] of [[ada, 'desk'], [bob, 'phone']]) {
    const grounds = [];
    for (const scheme of ['light', 'dark']) {
      await page.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      grounds.push(await page.page.$eval('body', (body) => getComputedStyle(body).backgroundColor));
      await page.isNeat();
      await page.picture(`${name}-${scheme}`);
    }
    if (grounds[0] === grounds[1]) throw new Error('dark is as light');
  }
  for (const [button, drawer] of [['Rooms', '#rooms'], ['Members', '#members']]) {
    const shown = () => bob.page.$eval(drawer, (element) => element.checkVisibility());
    if (await shown()) throw new Error(`${drawer} is open on a phone`);
    await bob.tabTo(button);
    await bob.press('Enter');
    if (!await shown()) throw new Error(`${drawer} does not open`);
    await bob.picture(`phone-${button}`);
    await bob.press('Enter');
  }
  step('light and dark, on a desk and on a phone: nothing is cut off, and the drawers open by the keys');
}

const users = {};
try {
  await start();
  browser = await puppeteer.launch({
    executablePath: chromium, headless: true, userDataDir: `${directory}/profile`,
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
  users.tom = nc('tom', '/join #lab');
  users.iris = irssi('iris');
  users.ada = await Page.open(1280, 800, 'light');
  users.bob = await Page.open(400, 800, 'dark');
  for (const act of [entering, chatting, acting, sharing, moving, scrolling]) await act(users);
  users.tom.destroy();
  await reconnecting(users);
  await looking(users);
  const unexpected = faults.filter((text) => !/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/.test(text));
  if (unexpected.length) throw new Error(`a browser complains: ${unexpected[0]}`);
  step('the browsers have nothing to complain about');
} catch (error) {
  console.error(error.message);
  for (const [name, page] of Object.entries(users)) {
    if (page instanceof Page) console.error(name, await page.page.$eval('body', (body) => body.innerText.slice(-1500)).catch(() => ''));
  }
  process.exitCode = 1;
} finally {
  users.iris?.end();
  await browser?.close();
  server.kill('SIGKILL');
}
process.exit();
