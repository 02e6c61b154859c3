// What the tests of the pages share: a server, users of nc, and pages in headless browsers.
//
// Started as `node TEST SERVER CHROMIUM DIRECTORY [PICTURES]`: DIRECTORY is written to, and its node_modules
// has puppeteer-core; PICTURES is a directory for pictures of what a person would see.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:net';

export const [program, chromium, directory, pictures] = process.argv.slice(2);
const puppeteer = createRequire(`${directory}/`)('puppeteer-core');
const PATIENCE = 60_000;

export let port = 0;
export let server;
let browser;
export const faults = [];      // what a browser has complained about

/** Starts the server, at the port that it had before. */
export function start(...flags) {
  const fixed = ['127.0.0.1', String(port), '--quiet', '--no-console'];
  server = spawn(program, [...fixed, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
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

/** Ends the server as a kill does. Its port is free when it is gone, and not before. */
export async function kill() {
  server?.removeAllListeners('exit');
  if (server?.kill('SIGKILL')) await once(server, 'exit');
}

export async function launch() {
  browser = await puppeteer.launch({
    executablePath: chromium, headless: true, userDataDir: `${directory}/profile`,
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
  return browser;
}

export async function until(what, holds) {
  const deadline = Date.now() + PATIENCE;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The end of a test that has failed: 75 if it is the browser that has gone, which says nothing of the page. */
export function failed(error) {
  console.error(error.stack);
  process.exitCode = browser?.connected === false || /Target closed|Session closed|Connection closed/.test(error.message) ? 75 : 1;
}

export function step(what) { console.log(`ok: ${what}`); }

/** A user of nc; `said` is what they have received. */
export function nc(nick, ...lines) {
  const socket = connect(port, '127.0.0.1');
  socket.said = '';
  socket.on('data', (data) => { socket.said += data; });
  socket.on('error', () => {});
  socket.write([`/nick ${nick}`, ...lines, ''].join('\n'));
  return socket;
}

/** One page, in a browser profile of its own. */
export class Page {
  static async open(path, width, height, scheme) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(`http://127.0.0.1:${port}${path}`);
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
