"""One user of a Python library for IRC: logs in by SASL, joins #lab, says all of a text, and quits.

  python python.py LIBRARY PORT NICK PASSWORD TEXT
"""

import sys

library, port, nick, password, text = sys.argv[1:]
HOST, ROOM = "127.0.0.1", "#lab"


def full_lines(text):
    """The text in lines that fill the 512 bytes of IRC to the last, as libraries cut that know no better."""
    most = 510 - len(f"PRIVMSG {ROOM} :")
    return [text[at : at + most] for at in range(0, len(text), most)]


def jaraco():
    import irc.client

    reactor = irc.client.Reactor()
    connection = reactor.server().connect(HOST, int(port), nick, password=password, sasl_login=nick)

    def on_join(connection, _):
        for line in full_lines(text):
            connection.privmsg(ROOM, line)
        connection.quit("done")

    connection.add_global_handler("welcome", lambda connection, _: connection.join(ROOM))
    connection.add_global_handler("join", on_join)
    connection.add_global_handler("disconnect", lambda *_: sys.exit())
    reactor.process_forever()


def irc3():
    import irc3 as library

    @library.plugin
    class Speaker:
        def __init__(self, bot):
            self.bot = bot

        @library.event(r":(?P<mask>\S+) JOIN :?(?P<channel>\S+)")
        def join(self, mask, channel):
            if mask.nick == self.bot.nick:
                self.bot.privmsg(ROOM, text)
                self.bot.quit("done")

        @library.event(r"^ERROR")
        def end(self, **_):
            sys.exit()

    # Plugins are looked for in modules.
    globals()["Speaker"] = Speaker
    bot = library.IrcBot.from_config({
        "nick": nick, "host": HOST, "port": int(port), "ssl": False, "autojoins": [ROOM], "includes": ["irc3.plugins.core", "irc3.plugins.autojoins", __name__],
        "sasl_username": nick, "sasl_password": password, "flood_burst": 10, "flood_rate": 9, "flood_rate_delay": 1,
    })
    bot.run()


def miniirc():
    import miniirc as library

    irc = library.IRC(HOST, int(port), nick, channels=[ROOM], ns_identity=(nick, password), ssl=False,
                      persist=False, auto_connect=False)

    @irc.Handler("JOIN", colon=False)
    def on_join(irc, hostmask, _):
        if hostmask[0] == nick:
            for line in full_lines(text):
                irc.msg(ROOM, line)
            irc.disconnect("done")

    irc.connect()
    irc.wait_until_disconnected()


def pydle():
    import asyncio
    import pydle as library

    class Speaker(library.Client):
        logged_in = False

        async def on_raw_900(self, _):
            self.logged_in = True

        async def on_connect(self):
            await super().on_connect()
            await self.join(ROOM)

        async def on_join(self, channel, user):
            await super().on_join(channel, user)
            if user == self.nickname:
                await self.message(ROOM, text)
                await self.quit("done")

    async def speak():
        client = Speaker(nick, sasl_username=nick, sasl_password=password, sasl_mechanism="PLAIN")
        await client.connect(HOST, int(port), tls=False)
        while client.connected:
            await asyncio.sleep(0.05)
        # It ends the negotiation before it asks for SASL, and so comes to the chat under another nick.
        sys.exit(0 if client.logged_in else "pydle has not logged in")

    asyncio.run(speak())


{"irc": jaraco, "irc3": irc3, "miniirc": miniirc, "pydle": pydle}[library]()
