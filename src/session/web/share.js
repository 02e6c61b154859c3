// A file that is being uploaded: its line above the composer, from the first byte to the last, or to
// what went wrong.

import { isRoom } from './client.js';
import { upload } from './files.js';
import { element } from './text.js';

/** Uploads a file to the room that is looked at. */
export async function share(chat, file, list, room = chat.current) {
  const bar = element('progress', { max: 1, value: 0, ariaLabel: `Upload of ${file.name}` });
  const part = element('span', { className: 'part', textContent: '0 %' });
  const stop = element('button', { type: 'button', textContent: '✕', title: 'Cancel', ariaLabel: `Cancel ${file.name}` });
  const line = element('li', {}, element('span', { textContent: file.name }), bar, part, stop);
  list.append(line);
  try {
    const url = await upload(chat, isRoom(room.name) ? room.name : null, file, (sent, cancel) => {
      bar.value = sent;
      part.textContent = sent < 1 ? `${Math.floor(sent * 100)} %` : 'saving…';
      if (cancel) stop.onclick = cancel;
    });
    if (!isRoom(room.name)) chat.say(room, `shared ${file.name}: ${url}`, null, 'action');
  } catch (error) {
    if (error.message !== 'cancelled') return failed(line, error.message, stop, () => share(chat, file, list, room));
  }
  line.remove();
}

/** It stays until it is seen: the reason, and how to try again. */
function failed(line, reason, stop, retry) {
  line.className = 'failed';
  const again = element('button', { type: 'button', textContent: 'Try again' });
  again.onclick = () => {
    line.remove();
    retry();
  };
  Object.assign(stop, { title: 'Close', ariaLabel: 'Close', onclick: () => line.remove() });
  line.replaceChildren(line.firstChild, element('strong', { textContent: reason, role: 'alert' }), again, stop);
}
