// A stand-in for a browser's document: the elements of the page, without layout, style or paint.
// Enough to run the page's scripts in node; what only a browser can tell, it does not.

import { readFileSync } from 'node:fs';

class Node {
  constructor() { this.childNodes = []; this.parentNode = null; }
  get children() { return this.childNodes.filter((child) => child instanceof Element); }
  get firstElementChild() { return this.children[0] ?? null; }
  get lastElementChild() { return this.children.at(-1) ?? null; }
  get lastChild() { return this.childNodes.at(-1) ?? null; }
  get nextElementSibling() { return this.sibling(1); }
  get previousElementSibling() { return this.sibling(-1); }
  get isConnected() { return this === root || !!this.parentNode?.isConnected; }
  get textContent() { return this.childNodes.map((child) => child.textContent).join(''); }
  set textContent(text) { this.replaceChildren(...(text === '' ? [] : [String(text)])); }

  sibling(step) {
    const all = this.parentNode.children;
    return all[all.indexOf(this) + step] ?? null;
  }

  append(...nodes) { for (const node of nodes) this.insertBefore(node, null); }

  replaceChildren(...nodes) {
    for (const child of this.childNodes) child.parentNode = null;
    this.childNodes = [];
    this.append(...nodes);
  }

  insertBefore(node, next) {
    const child = node instanceof Node ? node : new Text(String(node));
    child.remove();
    const place = next ? this.childNodes.indexOf(next) : this.childNodes.length;
    if (place < 0) throw new Error('the next node is no child');
    this.childNodes.splice(place, 0, child);
    child.parentNode = this;
  }

  remove() {
    if (!this.parentNode) return;
    const all = this.parentNode.childNodes;
    all.splice(all.indexOf(this), 1);
    this.parentNode = null;
  }

  replaceWith(node) {
    this.parentNode.insertBefore(node, this);
    this.remove();
  }

  /** All elements below, in order. */
  *below() {
    for (const child of this.children) {
      yield child;
      yield* child.below();
    }
  }
}

class Text extends Node {
  constructor(text) { super(); this.text = text; }
  get textContent() { return this.text; }
}

class Element extends Node {
  constructor(name) {
    super();
    Object.assign(this, { tagName: name.toUpperCase(), attributes: new Map(), listeners: new Map() });
    Object.assign(this, { dataset: {}, style: {}, hidden: false, value: '', className: '' });
    Object.assign(this, { scrollTop: 0, scrollHeight: 1000, clientHeight: 500 });
    const words = () => this.className.split(' ').filter(Boolean);
    this.classList = {
      contains: (word) => words().includes(word),
      add: (word) => { this.className = [...new Set([...words(), word])].join(' '); },
      remove: (word) => { this.className = words().filter((one) => one !== word).join(' '); },
      toggle: (word, on = !words().includes(word)) => this.classList[on ? 'add' : 'remove'](word),
    };
  }

  setAttribute(name, value) { this.attributes.set(name, String(value)); }
  getAttribute(name) { return this.attributes.get(name) ?? null; }
  querySelectorAll(name) { return [...this.below()].filter((one) => one.tagName === name.toUpperCase()); }
  closest(name) { return this.tagName === name.toUpperCase() ? this : this.parentNode?.closest?.(name) ?? null; }
  addEventListener(type, listener) { this.listeners.set(type, [...this.listeners.get(type) ?? [], listener]); }
  click() { this.dispatch('click'); }
  scrollIntoView() {}
  showModal() {}
  get selectionStart() { return this.value.length; }
  setRangeText(text, from, to) { this.value = this.value.slice(0, from) + text + this.value.slice(to); }

  focus() {
    document.activeElement = this;
    for (let one = this; one?.dispatch; one = one.parentNode) one.dispatch('focusin', { target: this });
  }

  dispatch(type, values = {}) {
    const event = { type, target: this, preventDefault() {}, ...values };
    for (const listener of [this[`on${type}`], ...this.listeners.get(type) ?? []]) listener?.call(this, event);
  }
}

const root = new Element('html');

/** Reads the page's own markup, which closes every element. */
export function load(path) {
  const open = [root];
  const markup = readFileSync(path, 'utf8').replace(/^<!doctype html>\s*<html[^>]*>/, '').replace('</html>', '');
  for (const [, end, name, attributes, text] of markup.matchAll(/<(\/?)(\w+)([^>]*)>|([^<]+)/g)) {
    if (text !== undefined) {
      if (text.trim()) open.at(-1).append(text);
    } else if (end) {
      const closed = open.pop();
      if (closed.tagName !== name.toUpperCase()) throw new Error(`</${name}> closes ${closed.tagName}`);
    } else {
      const element = new Element(name);
      for (const [, key, value = ''] of attributes.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)) {
        element.setAttribute(key, value);
        if (key === 'id' || key === 'value') element[key] = value;
        if (key === 'hidden') element.hidden = true;
      }
      open.at(-1).append(element);
      if (!['meta', 'link', 'img', 'input'].includes(name)) open.push(element);
    }
  }
  for (const form of root.querySelectorAll('form')) {
    for (const one of form.below()) if (one.getAttribute('name')) form[one.getAttribute('name')] = one;
  }
}

function querySelector(selector) {
  const fits = (one, part) => (part[0] === '#' ? one.id === part.slice(1) : one.tagName === part.toUpperCase());
  const step = (all, part) => all.flatMap((one) => [...one.below()].filter((below) => fits(below, part)));
  const [found] = selector.split(' ').reduce(step, [root]);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const stored = new Map();
Object.assign(globalThis, {
  document: {
    documentElement: root, querySelector, activeElement: null, hidden: false, visibilityState: 'visible',
    createElement: (name) => new Element(name), addEventListener() {}, hasFocus: () => true,
  },
  localStorage: { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) },
  location: { protocol: 'http:', host: '', hash: '' },
  history: { replaceState() {} },
  addEventListener() {},
  matchMedia: () => ({ matches: true }),
  requestAnimationFrame: (draw) => setTimeout(draw, 1),
  cancelAnimationFrame: clearTimeout,
  confirm: () => true,
});
