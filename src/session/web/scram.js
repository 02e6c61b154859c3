// SCRAM-SHA-256 (RFC 5802, RFC 7677) by the browser's own cryptography: the password stays here.

const bytes = (text) => new TextEncoder().encode(text);
const decode = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const encode = (array) => btoa(String.fromCharCode(...array));
const escape = (name) => name.replaceAll('=', '=3D').replaceAll(',', '=2C');
// The iterations that a server may ask for: fewer would make guessing cheap, more would hang the page.
const ITERATIONS = [4096, 2_000_000];

async function hmac(key, data) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data));
}

export class Scram {
  constructor(name, password) {
    this.password = password.normalize('NFKC');
    this.nonce = encode(crypto.getRandomValues(new Uint8Array(18)));
    this.first = `n=${escape(name)},r=${this.nonce}`;
    this.step = 0;
  }

  /** The answer to what the server has said, in bytes as characters. */
  async next(said) {
    switch (this.step++) {
      case 0: return `n,,${this.first}`;
      case 1: return this.prove(said);
      case 2:
        if (said !== `v=${this.signature}`) throw new Error('the server does not know the password');
        return '';
      default: throw new Error('login failed');
    }
  }

  async prove(challenge) {
    const fields = Object.fromEntries(challenge.split(',').map((field) => [field[0], field.slice(2)]));
    const iterations = Number(fields.i);
    if (!fields.r?.startsWith(this.nonce) || fields.r === this.nonce || !fields.s) {
      throw new Error('the server answered with a wrong nonce');
    }
    if (!(iterations >= ITERATIONS[0] && iterations <= ITERATIONS[1])) {
      throw new Error(`the server asks for ${fields.i} iterations`);
    }
    const key = await crypto.subtle.importKey('raw', bytes(this.password), 'PBKDF2', false, ['deriveBits']);
    const derived = { name: 'PBKDF2', hash: 'SHA-256', salt: decode(fields.s), iterations };
    const salted = new Uint8Array(await crypto.subtle.deriveBits(derived, key, 256));
    const clientKey = await hmac(salted, bytes('Client Key'));
    const storedKey = new Uint8Array(await crypto.subtle.digest('SHA-256', clientKey));
    const last = `c=biws,r=${fields.r}`;
    const all = bytes(`${this.first},${challenge},${last}`);
    const signed = await hmac(storedKey, all);
    const proof = clientKey.map((byte, place) => byte ^ signed[place]);
    this.signature = encode(await hmac(await hmac(salted, bytes('Server Key')), all));
    return `${last},p=${encode(proof)}`;
  }
}
