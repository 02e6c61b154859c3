// Files: uploaded over HTTP beside the chat, with a token that the chat has given; and which links
// lead to files that this server has.

import { clean } from './irc.js';

const FILE = /^\/files\/[0-9a-f]{32}\/([^/?#]+)$/i;
const PICTURE = /\.(png|jpe?g|gif|webp|avif)$/i;

/** The file of this server that a link leads to, by TLS or without; nothing for other links. */
export function ours(link, filehost) {
  const bare = (url) => url.replace(/^https?:\/\//, '');
  const hosts = [location.host, filehost && bare(filehost).replace(/\/upload$/, '')].filter(Boolean);
  const host = hosts.find((one) => bare(link).startsWith(`${one}/`));
  const path = host && bare(link).slice(host.length);
  const [, encoded] = FILE.exec(path ?? '') ?? [];
  if (!encoded) return undefined;
  let name = encoded;
  try { name = clean(decodeURIComponent(encoded)); } catch { /* It is shown as it is. */ }
  return { path, name, isPicture: PICTURE.test(name) };
}

/** The path of one upload, to be shared in a room or not. */
async function ask(chat, room) {
  const answer = await chat.connection.ask('UPLOAD', room ? [room] : [], {}, true);
  const url = answer.find((one) => one.command === 'NOTE' && one.params[1] === 'URL')?.params[2];
  if (!url) throw new Error(answer.at(-1)?.params?.at(-1) ?? 'this server takes no files');
  return new URL(url).pathname;
}

/**
 * Uploads a file; its URL. `progress` is told which part is sent, and given what ends the upload.
 * Rejected: fetch, which cannot tell how far an upload has come.
 */
export async function upload(chat, room, file, progress) {
  const path = await ask(chat, room);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    progress(0, () => request.abort());
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 1);
    request.onload = () => {
      const words = request.responseText.trim();
      if (request.status === 201) resolve(words);
      else reject(new Error(words || `the server answered ${request.status}`));
    };
    request.onerror = () => reject(new Error('the connection broke'));
    request.onabort = () => reject(new Error('cancelled'));
    request.open('PUT', `${path}/${encodeURIComponent(file.name || 'file')}`);
    request.send(file);
  });
}
