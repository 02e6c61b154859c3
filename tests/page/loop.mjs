// The page that shows the loop, as someone reads it who has never seen one: what a turn is, which
// connection is slow, and why its next line waits.
//
//   node loop.mjs SERVER CHROMIUM DIRECTORY [PICTURES]

import { Page, failed, faults, kill, launch, nc, start, step, until } from './harness.mjs';

let browser;
const open = (width, scheme) => Page.open('/loop', width, 900, scheme);

/** Users who are welcome. */
async function users(...nicks) {
  const sockets = nicks.map((nick) => nc(nick, '/join #lab', '/fence'));
  for (const socket of sockets) await until('a welcome', () => socket.said.includes('/fence'));
  return sockets;
}

/** Nothing is wider than the page. */
async function isNarrow({ page }) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) throw new Error(`the page is ${wide} pixels too wide`);
}

async function quiet(page) {
  await page.sees('Nothing waits', '#verdict');
  await page.sees('epoll_wait', '#about');
  await page.sees('2 connections', '#connections-title');
  await page.picture('loop-quiet');
  step('a quiet room: nothing waits, and the page says what it shows');
}

async function busy(page, tom) {
  for (let count = 0; count < 40; count++) tom.write(`message ${count}\n`);
  await page.sees('record', '#turns');
  await page.page.click('#pause');
  await page.page.evaluate(() => [...document.querySelectorAll('#turns li')].find((one) => one.textContent.includes('record')).click());
  await page.sees('of tom', '#records');
  await page.sees('was saved. Only then it counts', '#way');
  await page.sees('written once into memory', '#way');
  await page.picture('loop-busy');
  await page.press('ArrowLeft');
  await page.press('Space');
  await page.sees('live', '#status');
  step('a busy room: a message is followed from its socket to the others');
}

/** It does not say that no one is there. */
async function mentioned(page, tom) {
  await until('a line with a bell', async () => {
    tom.write('hello ada\n');
    return (await page.text('#story')).includes('gets a line with a bell');
  });
  step('a mention is written for the one whom it mentions');
}

async function stopped(page, tom, ada) {
  ada.pause();
  ada.write('can you hear me?\n');
  const line = `${'x'.repeat(1000)}\n`;
  await until('a queue', async () => {
    tom.write(line.repeat(100));
    return (await page.text('#verdict')).includes('--outbox-soft), so R is off');
  });
  await page.sees('ada is slow', '#verdict');
  await until('a red column', () => page.page.evaluate(() => [...document.querySelectorAll('#columns .slow strong')].some((one) => one.textContent === 'ada')));
  ada.write('and now?\n');
  await page.page.evaluate(() => [...document.querySelectorAll('#columns button')].find((one) => one.textContent.startsWith('ada')).click());
  await page.sees('its own next line waits until it reads', '#detail');
  await page.picture('loop-stopped');
  const narrow = await open(400, 'dark');
  await narrow.sees('ada is slow', '#verdict');
  await isNarrow(narrow);
  await narrow.picture('loop-stopped-phone');
  // The first thing to be seen is what is wrong.
  const top = await narrow.page.evaluate(() => document.querySelector('#verdict').getBoundingClientRect().top);
  if (top > 200) throw new Error(`what is slow is told ${top} pixels down`);
  await narrow.page.close();
  step('a stopped reader: its name, its queue, and why its next line waits');
}

async function crowded(page, ada) {
  const crowd = await users(...Array.from({ length: 1000 }, (_, number) => `user${number}`));
  await page.sees('1,002 connections', '#connections-title');
  await page.sees('1 with something that waits', '#strip-text');
  await page.sees('ada is slow', '#verdict');
  await page.page.evaluate(() => scrollTo(0, 0));
  await page.picture('loop-crowd');
  await page.page.focus('#strip');
  await page.press('ArrowRight');
  await page.sees('Nothing of it waits', '#detail');
  await page.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await page.picture('loop-crowd-dark');
  const narrow = await open(400, 'light');
  await narrow.sees('1 with something that waits', '#strip-text');
  await isNarrow(narrow);
  await narrow.page.focus('#strip');
  await narrow.picture('loop-crowd-phone');
  await narrow.page.close();
  ada.resume();
  await page.sees('Nothing waits', '#verdict');
  crowd.forEach((socket) => socket.destroy());
  step('1,000 members: a stroke for each, the slow one in red; the arrow keys choose one; it reads, and nothing waits');
}

async function stepped() {
  await kill();
  await start('--step', '--fault', 'short-write=0.3,eagain=0.2');
  const page = await open(1280, 'dark');
  const tom = nc('tom', 'hello');
  await page.sees('the loop waits', '#status');
  const own = await page.text('#story');
  if (own.includes('on purpose')) throw new Error(`a fault of the page itself is shown: ${own}`);
  await page.picture('loop-step');
  await until('a welcome', async () => {
    await page.press('s');
    return tom.said.includes('connected as');
  });
  await page.page.click('#run');
  await until('the message', () => tom.said.includes('now known as tom'));
  // What was not ready after all is read in the next turn: a turn with a fault is hardly ever the newest.
  await until('a fault', async () => (await page.text('#turns')).includes('fault') || (tom.write('more\n'), false));
  await page.page.click('#pause');
  await page.page.evaluate(() => [...document.querySelectorAll('#turns li')].find((one) => one.textContent.includes('fault')).click());
  await page.sees('on purpose', '#story');
  await page.picture('loop-fault');
  tom.destroy();
  step('step mode: a turn for each key; faults are told as such');
}

try {
  await start('--outbox-soft', '256k', '--outbox-hard', '64M', '--stall-timeout', '600');
  browser = await launch();
  const [tom, ada] = await users('tom', 'ada');
  const page = await open(1280, 'light');
  await quiet(page);
  await isNarrow(page);
  await busy(page, tom);
  await mentioned(page, tom);
  await stopped(page, tom, ada);
  await crowded(page, ada);
  await page.page.close();
  await stepped();
  const unexpected = faults.filter((text) => !/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/.test(text));
  if (unexpected.length) throw new Error(`a browser complains: ${unexpected[0]}`);
  step('the browser has nothing to complain about');
} catch (error) {
  failed(error);
} finally {
  await browser?.close();
  await kill();
}
process.exit();
