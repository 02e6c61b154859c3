// What this browser remembers: name, rooms, colours, and whether it notifies.

const $ = (selector) => document.querySelector(selector);
const THEMES = ['auto', 'light', 'dark'];

export const store = {
  get all() { try { return JSON.parse(localStorage.getItem('chatloop')) ?? {}; } catch { return {}; } },
  set(values) { try { localStorage.setItem('chatloop', JSON.stringify({ ...this.all, ...values })); } catch { /* private */ } },
};

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $('#theme').title = $('#theme').ariaLabel = `Theme: ${theme}`;
}

const mayNotify = () => globalThis.Notification?.permission === 'granted' && !!store.all.notify;

function showNotify() {
  $('#notify').ariaPressed = mayNotify();
  $('#notify').title = mayNotify() ? 'Mentions are notified' : 'Notify me of mentions';
}

/** Shows them, and lets them be changed; `notice` tells why not. */
export function showSettings(notice) {
  const theme = () => store.all.theme ?? 'auto';
  showTheme(theme());
  $('#theme').onclick = () => {
    store.set({ theme: THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] });
    showTheme(theme());
  };
  $('#notify').hidden = !globalThis.Notification;
  showNotify();
  $('#notify').onclick = async () => {
    const permission = await Notification.requestPermission();
    store.set({ notify: permission === 'granted' && !store.all.notify });
    if (permission === 'denied') notice('the browser does not allow notifications for this page');
    showNotify();
  };
}

/** Notifies of a message, if that is wanted; a click on it leads to the room. */
export function notifyOf(room, message, open) {
  if (!mayNotify()) return;
  const title = room.name.startsWith('#') ? `${message.nick} in ${room.name}` : message.nick;
  const shown = new Notification(title, { body: message.text, tag: message.id, icon: '/icon.svg' });
  shown.onclick = () => {
    focus();
    open();
    shown.close();
  };
}
