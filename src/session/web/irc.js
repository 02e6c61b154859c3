// IRC over a WebSocket: lines to messages and back, registration, labels and batches.
//
// One line a message. What belongs together (a history, a message of several lines) comes in a batch
// and is handed on as one; what answers a command of ours bears its label.

const CAPS = [
  'account-notify', 'account-tag', 'away-notify', 'batch', 'cap-notify', 'draft/account-registration',
  'draft/channel-rename', 'draft/chathistory', 'draft/event-playback', 'draft/message-redaction',
  'draft/multiline', 'draft/read-marker', 'echo-message', 'extended-join', 'labeled-response',
  'message-tags', 'multi-prefix', 'sasl', 'server-time', 'setname', 'soju.im/search', 'standard-replies',
];

const ESCAPES = { ':': ';', s: ' ', r: '\r', n: '\n', '\\': '\\' };
const UNESCAPES = { ';': '\\:', ' ': '\\s', '\r': '\\r', '\n': '\\n', '\\': '\\\\' };

/** Parses one line. Tags are a Map: their names are a stranger's. */
export function parse(line) {
  const tags = new Map();
  let rest = line;
  if (rest.startsWith('@')) {
    const end = rest.indexOf(' ');
    for (const tag of rest.slice(1, end).split(';')) {
      const [key, value = ''] = tag.split(/=(.*)/s);
      tags.set(key, value.replace(/\\(.?)/gs, (_, letter) => ESCAPES[letter] ?? letter));
    }
    rest = rest.slice(end + 1).trimStart();
  }
  let source = '';
  if (rest.startsWith(':')) {
    const end = rest.indexOf(' ');
    source = rest.slice(1, end);
    rest = rest.slice(end + 1).trimStart();
  }
  const colon = rest.indexOf(' :');
  const words = (colon < 0 ? rest : rest.slice(0, colon)).split(' ').filter(Boolean);
  if (colon >= 0) words.push(rest.slice(colon + 2));
  const command = (words.shift() ?? '').toUpperCase();
  return { tags, source, nick: source.split('!')[0], command, params: words };
}

const escaped = (value) => value.replace(/[;\s\\]/g, (letter) => UNESCAPES[letter] ?? ' ');

/** Tags, or the attributes of SEARCH, as one word. */
export const attributes = (tags) =>
  Object.entries(tags).map(([key, value]) => (value === '' ? key : `${key}=${escaped(value)}`)).join(';');

/** Writes one line; the last parameter may have spaces. */
export function format(command, params, tags = {}) {
  const section = attributes(tags);
  const words = params.map((word, place) => {
    const clean = String(word).replace(/[\r\n\0]/g, ' ');
    const last = place === params.length - 1;
    return last && (clean === '' || clean.startsWith(':') || clean.includes(' ')) ? `:${clean}` : clean;
  });
  return [section && `@${section}`, command, ...words].filter(Boolean).join(' ');
}

/** Without the control characters that IRC clients send for colours and the like. */
export function clean(text) {
  return text.replace(/\x03(\d{1,2}(,\d{1,2})?)?|\x04([0-9a-f]{6})?|[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/gi, '');
}

export const isError = ({ command }) => command === 'FAIL' || /^[45]\d\d$/.test(command);

/** Cuts a text so that no piece has more than `most` bytes, and no character is cut. */
export function pieces(text, most) {
  const found = [];
  let piece = '';
  let size = 0;
  for (const character of text) {
    const bytes = new TextEncoder().encode(character).length;
    if (size + bytes > most) {
      found.push(piece);
      [piece, size] = ['', 0];
    }
    piece += character;
    size += bytes;
  }
  return [...found, piece];
}

/**
 * One connection, until it closes. `on` has: `welcome()`, `message(message)`, `batch(batch)`,
 * `failed(text)` before the welcome, `closed(text)`.
 */
export class Connection {
  constructor(url, login, on) {
    Object.assign(this, { login, on, caps: new Set(), batches: new Map(), labels: new Map(), label: 0 });
    this.nick = login.nick;
    this.tries = 0;
    this.welcomed = false;
    this.socket = new WebSocket(url, ['text.ircv3.net']);
    this.socket.onopen = () => this.register();
    this.socket.onmessage = ({ data }) => this.take(parse(data));
    this.socket.onclose = ({ reason }) => {
      for (const { reject } of this.labels.values()) reject(new Error('disconnected'));
      this.labels.clear();
      on.closed(this.lastWords ?? reason);
    };
  }

  get isOpen() { return this.welcomed && this.socket.readyState === WebSocket.OPEN; }

  send(command, params = [], tags = {}) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(format(command, params, tags));
  }

  /** Sends a command, and waits for all of its answer: messages and batches. Errors of a quiet one are the asker's alone. */
  ask(command, params = [], tags = {}, quiet = false) {
    // Of a socket that has closed no one would tell the promise.
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error('not connected'));
    const label = `c${++this.label}`;
    return new Promise((resolve, reject) => {
      this.labels.set(label, { resolve, reject, quiet });
      this.send(command, params, { ...tags, label });
    });
  }

  close() { this.socket.close(1000); }

  register() {
    this.send('CAP', ['LS', '302']);
    if (this.login.serverPassword) this.send('PASS', [this.login.serverPassword]);
    this.send('NICK', [this.nick]);
    this.send('USER', [this.login.nick.replace(/[^a-zA-Z0-9]/g, '') || 'web', '0', '*', this.login.nick]);
  }

  fail(text) {
    this.on.failed(text);
    this.close();
  }

  take(message) {
    const { tags, command, params } = message;
    if (command === 'BATCH') return this.takeBatch(message);
    const batch = this.batches.get(tags.get('batch'));
    if (batch) return void batch.messages.push(message);
    const label = tags.get('label');
    if (label) {
      const quiet = this.labels.get(label)?.quiet;
      this.answer(label, [message]);
      if (command === 'ACK' || (quiet && isError(message))) return;
    }
    if (!this.welcomed && this.takeRegistration(message)) return;
    switch (command) {
      case 'PING': return this.send('PONG', params);
      case 'PONG': return;
      case 'ERROR': this.lastWords = params[0].replace(/^Closing link: \((.*)\)$/, '$1'); return;
      case 'NICK':
        if (message.nick === this.nick) this.nick = params[0];
    }
    this.on.message(message);
  }

  answer(label, messages) {
    this.labels.get(label)?.resolve(messages);
    this.labels.delete(label);
  }

  takeBatch(message) {
    const [reference, type, ...params] = message.params;
    const name = reference.slice(1);
    if (reference.startsWith('+')) {
      this.batches.set(name, { ...message, type, params, messages: [], outer: message.tags.get('batch') });
      return;
    }
    const batch = this.batches.get(name);
    if (!batch) return;
    this.batches.delete(name);
    const outer = this.batches.get(batch.outer);
    if (outer) return void outer.messages.push(batch);
    const label = batch.tags.get('label');
    if (batch.type === 'labeled-response') {
      for (const inner of batch.messages) this.hand(inner);
      this.answer(label, batch.messages);
    } else {
      this.hand(batch);
      if (label) this.answer(label, [batch]);
    }
  }

  hand(one) { if (one.type) this.on.batch(one); else this.on.message(one); }

  /** Whether the message was about registration. */
  takeRegistration({ command, params }) {
    switch (command) {
      case 'CAP': this.takeCap(params); return true;
      case 'AUTHENTICATE': this.scram(params[0]); return true;
      case '900': return true;
      case 'REGISTER': this.login.registers = false;
      // falls through
      case '903': this.send('CAP', ['END']); return true;
      case '902': case '904': case '905': case '906': case '908':
        this.fail('wrong name or password'); return true;
      case '433': case '432': case '437': case '436':
        if (command === '432' || this.login.password || ++this.tries > 9) {
          this.fail(params.at(-1));
        } else {
          this.nick = `${this.login.nick.slice(0, 28)}_${this.tries + 1}`;
          this.send('NICK', [this.nick]);
        }
        return true;
      case '464': this.fail(this.login.serverPassword ? 'wrong server password' : 'this server requires a password'); return true;
      case '001':
        this.nick = params[0];
        this.welcomed = true;
        this.on.welcome();
        return true;
      case 'FAIL':
        // The server's words are for IRC clients.
        this.fail(params[1] !== 'ACCOUNT_REQUIRED_TO_CONNECT' ? params.at(-1)
          : `this server requires an account: log in with its name and password${this.mayRegister ? ', or register' : ''}`);
        return true;
    }
    return false;
  }

  takeCap([, sub, ...rest]) {
    if (sub === 'LS') {
      for (const cap of rest.at(-1).split(' ')) this.caps.add(cap.split('=')[0]);
      this.mayRegister ||= rest.at(-1).includes('draft/account-registration=before-connect');
      if (rest[0] === '*') return;
      const wanted = CAPS.filter((cap) => this.caps.has(cap));
      this.caps = new Set();
      this.send('CAP', ['REQ', wanted.join(' ')]);
    } else if (sub === 'ACK') {
      for (const cap of rest.at(-1).split(' ')) this.caps.add(cap);
      if (this.login.registers) this.send('REGISTER', ['*', '*', this.login.password]);
      else if (this.login.password) this.authenticate();
      else this.send('CAP', ['END']);
    } else if (sub === 'NAK') {
      this.send('CAP', ['END']);
    }
  }

  async authenticate() {
    const { Scram } = await import('./scram.js');
    this.proof = new Scram(this.login.account, this.login.password);
    this.send('AUTHENTICATE', ['SCRAM-SHA-256']);
  }

  /** One step of SCRAM; a challenge of 400 bytes goes on in the next line. */
  async scram(piece) {
    this.challenge = (this.challenge ?? '') + (piece === '+' ? '' : piece);
    if (piece.length === 400) return;
    const challenge = atob(this.challenge);
    this.challenge = '';
    try {
      const answer = btoa(await this.proof.next(challenge));
      for (let at = 0; at <= answer.length; at += 400) {
        this.send('AUTHENTICATE', [answer.slice(at, at + 400) || '+']);
      }
    } catch (error) {
      this.fail(error.message);
    }
  }
}
