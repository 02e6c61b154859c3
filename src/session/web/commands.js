// The commands of the page: lines that begin with a slash.

import { LINE, isRoom } from './client.js';
import { isError, pieces } from './irc.js';

const isService = (nick) => /serv(@.*)?$/i.test(nick);

/** A line that begins with a slash; what is to be shown, or nothing. */
export function command(chat, room, line) {
  const [, word, rest] = /^\/(\S*)\s*(.*)$/s.exec(line);
  const words = rest.split(/\s+/).filter(Boolean);
  const here = isRoom(room.name) ? room.name : undefined;
  const target = words[0]?.startsWith('#') ? words.shift() : here;
  const tail = rest.replace(/^#\S+\s*/, '');
  if (!target && /^(topic|kick|invite|(de)?(op|voice))$/i.test(word)) return `usage here: /${word} #room …`;
  switch (word.toLowerCase()) {
    case 'me': return void chat.say(room, rest, null, 'action');
    case 'msg': {
      const [to, text] = [rest.split(/\s/, 1)[0], rest.replace(/^\S+\s*/, '')];
      if (!to || !text) return 'usage: /msg NICK TEXT';
      const out = to.split(',').find((one) => isRoom(one) && !chat.room(one, false)?.joined);
      if (out) return `you are not in ${out}: /join ${out}`;
      if (isService(to)) {
        // It may be a password: not shown, and not sent again.
        return chat.connection?.isOpen ? void chat.connection.send('PRIVMSG', [to, text]) : 'not connected';
      }
      for (const one of to.split(',').filter(Boolean)) {
        chat.say(chat.room(one), text);
        chat.changed('opened', chat.room(one));
      }
      return;
    }
    case 'edit': {
      const last = room.messages.findLast((one) => one.own && one.id && !one.deleted);
      if (!rest || !last || !here) return 'usage: /edit TEXT, for your last message';
      if (pieces(rest, LINE).length > 1) return `an edited message has at most ${LINE} bytes`;
      return void chat.connection.send('CHATLOOP', ['edit', here, `id:${last.id}`, rest]);
    }
    case 'search':
      if (!rest) return 'usage: /search WORDS';
      return void chat.search(rest).then((lines) => chat.tell(lines), () => {});
    case 'join': {
      const [names, keys] = rest.split(/\s+/).map((word) => word.split(','));
      const odd = names.find((one) => !isRoom(one));
      if (odd === '') return 'usage: /join #room [KEY]';
      if (odd) return `invalid room name "${odd}": room names begin with # (try #${odd})`;
      names.forEach((one, place) => chat.changed('opened', chat.join(one, keys?.[place])));
      return;
    }
    case 'part': return void chat.part(chat.room(target ?? room.name), tail);
    case 'nick':
      if (!words[0]) return 'usage: /nick NAME';
      return void chat.connection.send('NICK', [words[0]]);
    case 'topic': return void chat.connection.send('TOPIC', tail ? [target, tail] : [target]);
    case 'kick': return void chat.connection.send('KICK', [target, words[0] ?? '', words.slice(1).join(' ')]);
    case 'invite': return void chat.connection.send('INVITE', [words[0] ?? '', target]);
    case 'op': case 'deop': case 'voice': case 'devoice': {
      const sign = word.startsWith('de') ? '-' : '+';
      return void chat.connection.send('MODE', [target, sign + (word.endsWith('op') ? 'o' : 'v'), words[0] ?? '']);
    }
    case 'whois': return void chat.connection.ask('WHOIS', [words[0] ?? '']).then(
      (all) => chat.tell(all.flatMap(described).join('\n')), () => {});
    case 'away': case 'back': return void chat.connection.send('AWAY', rest ? [rest] : []);
    case 'register':
      if (!rest) return 'usage: /register PASSWORD';
      if (!globalThis.crypto?.subtle) return 'your password would be sent unencrypted: open this page with https:// to register';
      return void chat.connection.ask('REGISTER', ['*', '*', rest], {}, true).then((all) => {
        // What else a login brings, such as read markers, is among it.
        const said = all.find((one) => ['REGISTER', 'FAIL'].includes(one.command));
        // From here on the nick is the account's, and a new connection has to log in.
        if (said?.params[0] === 'SUCCESS') Object.assign(chat.login, { account: said.params[1], password: rest });
        chat.tell(said?.params.at(-1));
      }, () => {});
    case 'quit': return void chat.leave(rest);
    case 'irc': return void chat.connection.socket.send(rest);
    case 'help':
      return void chat.tell('/me /msg /edit TEXT (your last message) /search WORDS /join /part /nick /topic /kick /invite /op /deop /voice /devoice /whois /away /back '
        + '/register /quit /irc; // sends a text that begins with a slash\n'
        + 'Keys: Ctrl+K joins a room, Alt+↑ and Alt+↓ change rooms, ↑ leads to the messages, where R replies, '
        + 'E reacts and Delete deletes; Tab completes a name, Shift+Enter begins a new line.');
    default: return `unknown command /${word} (try /help; to send it as text, type //${word})`;
  }
}

/** What a line of WHOIS says of a user. */
function described({ command, params: [, nick, ...rest] }) {
  switch (command) {
    case '311': return `${nick} (${rest.at(-1)}), ${rest[0]}@${rest[1]}`;
    case '313': return 'operator of this server';
    case '317': return `here since ${new Date(rest[1] * 1000).toLocaleString()}, idle for ${rest[0]} s`;
    case '319': return `in ${rest[0]}`;
    case '330': return `logged in as ${rest[0]}`;
    default: return [];
  }
}
