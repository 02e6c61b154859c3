// The page in two browsers, in one room with users of nc and irssi: looks, keys, history, and a server
// that is killed.
//
//   node browser.mjs SERVER CHROMIUM DIRECTORY [PICTURES]

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Page, directory, failed, faults, kill, launch, nc, port, start, step, until } from './harness.mjs';

const PASSWORD = 'secret-of-bob';
const DATA = ['--data', `${directory}/data`, '--file-max', '1M'];
let browser;

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
  await ada.say('/nick tom');
  await ada.sees('tom: ', '#notices');
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
  if (!await bob.page.$('#members[hidden]')) throw new Error('a direct message has members');
  await ada.sees('bob', '#list');
  await bob.say('/join #lab');
  await bob.sees('#lab', '#name');
  await bob.say('/msg ada,tom to both');
  await until('a message to both', () => tom.said.includes('bob -> you]: to both'));
  for (const nick of ['tom', 'ada']) await bob.sees(nick, '#list');
  await until('nothing pending', async () => !(await bob.text('#pending')));
  await bob.say('/msg NickServ IDENTIFY wrong');
  await bob.sees('you are already logged in as bob', '#notices');
  if ((await bob.text('body')).includes('IDENTIFY')) throw new Error('a password is shown');
  await bob.say('/msg #nowhere hello');
  await bob.sees('you are not in #nowhere', '#notices');
  await bob.say('/join rust');
  await bob.sees('room names begin with # (try #rust)', '#notices');
  if (await bob.page.$eval('textarea', (text) => text.value) !== '/join rust') throw new Error('a faulty command is lost');
  await bob.say('/join #left');
  await bob.sees('#left', '#name');
  await until('the room', () => bob.page.$eval('#log', (log) => log.textContent.includes('bob') || document.querySelectorAll('#members li').length > 0));
  await bob.say('my last words');
  await bob.say('/part');
  await bob.say('/join #lab');
  await bob.sees('#lab', '#name');
  await bob.say('after all that');
  await until('its echo', async () => !(await bob.text('#pending')));
  if ((await bob.text('#list')).includes('#left')) throw new Error('a room that was left comes back');
  await ada.say('/nick adele');
  await bob.sees('adele', '#list');
  await ada.say('/nick ada');
  await bob.sees('ada', '#list');
  step('another room and back by the keys; a mention is counted; what is new is marked; direct messages');
}

/** What was corrected, what is looked for, and a room that does not let one in. */
async function correcting({ tom, ada, bob }) {
  await ada.say('the meating');
  await until('its echo', async () => !(await ada.text('#pending')));
  await ada.say('/edit the meeting is here');
  for (const page of [ada, bob]) await page.sees('the meeting is here (edited)');
  if ((await bob.text('#log')).includes('meating')) throw new Error('the old text is there');
  await bob.say('/search meeting');
  await bob.sees('#lab ada: the meeting is here', '#notices');
  const guard = nc('guard', '/join #vault', '/lock invite');
  await until('a room', () => guard.said.includes('invite-only'));
  await ada.press('Control+k');
  await until('the rooms that there are', () => ada.page.$('#known option[value="#vault"]'));
  await ada.keyboard.type('#vault');
  await ada.press('Enter');
  await ada.sees('(+i)', '#start');
  await ada.say('let me in');
  await ada.sees('not sent: Cannot join channel (+i)', '#pending');
  await ada.say('/part');
  tom.write('/mute #lab ada\n');
  await until('the mute', () => tom.said.includes('tom muted ada'));
  await ada.say('am I heard?');
  await ada.sees('not sent: Cannot send to channel: you are muted', '#pending');
  if ((await ada.text('#notices')).includes('muted')) throw new Error('that one may not type is told as well');
  tom.write('/unmute #lab ada\n/kick #lab ada\n');
  await until('the kick', () => tom.said.includes('tom kicked ada'));
  await ada.say('still there?');
  await ada.sees('not sent: you are no longer in #lab', '#pending');
  await ada.picture('kicked');
  await ada.say('/join #lab');
  for (const text of ['am I heard?', 'still there?']) {
    await ada.tabTo('Edit');
    await ada.press('Enter');
    await ada.press('Enter');
    await bob.sees(text);
  }
  guard.end('/quit\n');
  step('an edit, a search; what is written where one may not be is not sent later');
}

/** Someone without an account, where one is needed. */
async function requiring() {
  await kill();
  await start('--require-account');
  const eve = await Page.open('/#lab', 1280, 800, 'light');
  await eve.press('Enter');
  await eve.sees('or register', '#fault');
  await eve.fill('Name', 'eve');
  await eve.fill('Password', PASSWORD);
  await eve.tabTo('Register this name');
  await eve.picture('register');
  await eve.press('Enter');
  await eve.sees('online', '#state');
  await eve.page.reload();
  await eve.fill('Password', PASSWORD);
  await eve.press('Enter');
  await eve.sees('online', '#state');
  step('a server that requires an account lets one register on the page');
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
  await bob.sees('notes.txt5.0 kB', '#log .file:not([href*=png])');
  await ada.picture('shared');
  tom.write('elsewhere: http://example.org/files/0123456789abcdef0123456789abcdef/a.png\n');
  await bob.sees('elsewhere: ');
  if ((await bob.page.$$('#log .picture')).length !== 1) throw new Error('a picture from elsewhere');
  const [link] = /http:.*a%20dot\.png/.exec(tom.said);
  tom.write(`by TLS: ${link.replace('http:', 'https:')}\n`); // the same port, so the same file
  await until('its picture again', async () => (await bob.page.$$('#log .picture')).length === 2);
  await ada.page.evaluate(() => {
    const dropped = new DataTransfer();
    dropped.items.add(new File(['x'.repeat(1_500_000)], 'large.bin'));
    document.querySelector('#composer').dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
  });
  await ada.sees('--file-max', '#uploads .failed');
  await ada.picture('upload-failed');
  await ada.tabTo('Close');
  await ada.press('Enter');
  await until('no line', async () => !(await ada.page.$('#uploads li')));
  step('files by the button and by drag and drop; one that is too large; a picture of this server is shown, no other');
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
    return (await ada.text('#start')).includes('begins here');
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
  await bob.say('/nick bobby');
  await bob.sees('bobby', '#me');
  for (let round = 0; round < 2; round++) {
    await ada.say(`racing ${round}.`); // it may be committed, or not
    await kill();
    for (const page of [ada, bob]) await page.sees('waiting', '#state');
    await ada.picture('offline');
    await ada.say(`offline ${round}.`);
    await ada.say('/whois bob');
    await ada.sees('not connected', '#notices');
    await start(...DATA);
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
  await ada.say('/whois bobby');
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

/** What comes with a login, read markers for example, is not the answer; and notices do not fill the page. */
async function registering({ bob }) {
  const eve = await Page.open('/#lab', 1280, 800, 'light');
  await eve.press('Enter');
  await eve.sees('online', '#state');
  await eve.say('/nick eve');
  await eve.sees('eve', '#me');
  await bob.say('hello eve');
  await eve.sees('hello eve');
  await eve.say('/register secret-of-eve');
  await eve.sees('Account created', '#notices');
  for (let count = 0; count < 6; count++) await eve.say(`/nope${count}`);
  await eve.sees('/nope5', '#notices');
  const shown = await eve.page.$$('#notices p');
  if (shown.length !== 4) throw new Error(`${shown.length} notices`);
  await kill();
  await eve.sees('waiting', '#state');
  await start(...DATA);
  await eve.sees('online', '#state');
  await eve.say('/whois eve');
  await eve.sees('logged in as eve', '#notices');
  await eve.page.close();
  step('a nick is registered from the page and logged in from then on; the latest notices stay in sight');
}

const users = {};
try {
  await start(...DATA);
  browser = await launch();
  users.tom = nc('tom', '/join #lab');
  users.iris = irssi('iris');
  users.ada = await Page.open('/#lab', 1280, 800, 'light');
  users.bob = await Page.open('/#lab', 400, 800, 'dark');
  for (const act of [entering, chatting, acting, correcting, sharing, moving, scrolling]) await act(users);
  users.tom.destroy();
  await reconnecting(users);
  await looking(users);
  await registering(users);
  await requiring();
  const unexpected = faults.filter((text) => !/WebSocket connection to .* failed|ERR_CONNECTION_(REFUSED|RESET)|status of 413/.test(text));
  if (unexpected.length) throw new Error(`a browser complains: ${unexpected[0]}`);
  step('the browsers have nothing to complain about');
} catch (error) {
  failed(error);
  for (const [name, page] of Object.entries(users)) {
    if (page instanceof Page) console.error(name, await page.page.$eval('body', (body) => body.innerText.slice(-1500)).catch(() => ''));
  }
} finally {
  users.iris?.end();
  await browser?.close();
  await kill();
}
process.exit();
