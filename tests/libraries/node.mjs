// One user of a node library for IRC: logs in by SASL, joins #lab, says all of a text, and quits.
//
//   node node.mjs DIRECTORY LIBRARY PORT NICK PASSWORD TEXT
//
// DIRECTORY has the libraries in its node_modules. `websocket` is irc-framework as in a browser: over a
// WebSocket, which node 20 has with --experimental-websocket.

import { createRequire } from 'node:module';

const [directory, library, port, nick, password, text] = process.argv.slice(2);
const require = createRequire(`${directory}/`);
const [host, room] = ['127.0.0.1', '#lab'];

function framework(options) {
  const { Client } = require('irc-framework');
  const client = new Client({ auto_reconnect: false });
  client.on('registered', () => client.join(room));
  client.on('join', (event) => {
    if (event.nick !== nick) return;
    client.say(room, text);
    client.quit('done');
  });
  client.on('close', () => process.exit());
  client.connect({ host, port: Number(port), nick, username: nick, account: { account: nick, password }, ...options });
}

function matrix() {
  const { Client } = require('matrix-org-irc');
  const client = new Client(host, nick, {
    port: Number(port), userName: nick, password, sasl: true, channels: [room], retryCount: 0, floodProtection: false,
  });
  client.on('join', async (channel, who) => {
    if (who !== nick) return;
    await client.say(room, text);
    client.disconnect('done', () => process.exit());
  });
  client.on('error', (error) => console.error(error));
}

const users = {
  'irc-framework': () => framework({}),
  'matrix-org-irc': matrix,
  websocket: () => framework({
    transport: require('irc-framework/src/transports/websocket'), websocket_protocol: 'text.ircv3.net', path: '/',
  }),
};
users[library]();
