// A stranger's words as elements: each becomes a text node, and no markup is ever made of one.

import { ours } from './files.js';

const LINK = /\bhttps?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}]/gi;
const SHARED = /^shared .+?(?: \(([\d.]+ \w+)\))?: (\S+)$/;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** One of the drawings in the page. */
export function icon(id) {
  const space = 'http://www.w3.org/2000/svg';
  const [drawing, use] = [document.createElementNS(space, 'svg'), document.createElementNS(space, 'use')];
  use.setAttribute('href', `#i-${id}`);
  drawing.append(use);
  return drawing;
}

/** A nick in a colour of its own, as light or dark as all others. */
export function name(nick, shown) {
  const made = element('span', { className: 'nick', textContent: shown });
  let hue = 0;
  for (const letter of nick.toLowerCase()) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  made.style.color = `light-dark(oklch(.48 .13 ${hue}), oklch(.78 .11 ${hue}))`;
  return made;
}

/** A text with its `code`, its links and its files; `loaded` is told when a picture has its size. */
export function rich(words, filehost, loaded) {
  const [, size, link] = SHARED.exec(words) ?? [];
  const file = link && ours(link, filehost);
  if (file) return ['shared ', ...card(file, size, loaded)];
  const parts = words.split(/```\n?([^]*?)```|`([^`\n]+)`/);
  const made = [];
  for (let at = 0; at < parts.length; at += 3) {
    made.push(...linked(parts[at], filehost, loaded));
    const [block, code] = [parts[at + 1], parts[at + 2]];
    if (block !== undefined) made.push(element('pre', {}, element('code', { textContent: block.replace(/\n$/, '') })));
    else if (code !== undefined) made.push(element('code', { textContent: code }));
  }
  return made;
}

function linked(words, filehost, loaded) {
  const parts = [];
  const pictures = [];
  let end = 0;
  for (const { 0: link, index } of words.matchAll(LINK)) {
    parts.push(words.slice(end, index), element('a', {
      href: link, textContent: link, target: '_blank', rel: 'noopener noreferrer nofollow',
    }));
    end = index + link.length;
    const file = ours(link, filehost);
    if (file?.isPicture) pictures.push(picture(file, loaded));
  }
  return [...parts, words.slice(end), ...pictures];
}

/** A file of this server: its name and size, and itself if it is a picture. */
function card(file, size, loaded) {
  const link = element('a', { href: file.path, target: '_blank', rel: 'noopener', className: 'file' },
    icon('clip'), element('strong', { textContent: file.name }), element('small', { textContent: size ?? '' }));
  return file.isPicture ? [link, picture(file, loaded)] : [link];
}

function picture({ path, name: alt }, onload) {
  const image = element('img', { src: path, alt, loading: 'lazy', onload });
  return element('a', { href: path, target: '_blank', rel: 'noopener', className: 'picture' }, image);
}
