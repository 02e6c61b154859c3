"""Starts chatloop-server for one test of irctest (https://github.com/progval/irctest).

irctest is not part of this repository and nothing here fetches it. How to run it is in
docs/PROTOCOL.md. CHATLOOP_SERVER names the server's binary; without it the one in PATH is used.
"""

import os
import shutil
import socket
from typing import Any, Optional, Tuple, Type

from irctest import patma
from irctest.basecontrollers import BaseServerController, DirectoryBasedController
from irctest.cases import BaseServerTestCase
from irctest.runner import NotImplementedByController
from irctest.specifications import Capabilities, OptionalBehaviors


class ChatloopController(BaseServerController, DirectoryBasedController):
    software_name = "chatloop"
    _port_wait_interval = 0.01
    supported_sasl_mechanisms = {"PLAIN", "SCRAM-SHA-256"}
    supports_sts = False
    extban_mute_char = "m"
    _place: Optional[Tuple[str, int]] = None

    capabilities = frozenset(
        (
            Capabilities.ACCOUNT_NOTIFY,
            Capabilities.ACCOUNT_TAG,
            Capabilities.AWAY_NOTIFY,
            Capabilities.BATCH,
            Capabilities.ECHO_MESSAGE,
            Capabilities.EXTENDED_JOIN,
            Capabilities.LABELED_RESPONSE,
            Capabilities.MESSAGE_REDACTION,
            Capabilities.MESSAGE_TAGS,
            Capabilities.MULTILINE,
            Capabilities.MULTI_PREFIX,
            Capabilities.SERVER_TIME,
            Capabilities.SETNAME,
        )
    )

    optional_behaviors = frozenset(
        (
            OptionalBehaviors.BAN_EXCEPTION_MODE,
            OptionalBehaviors.CAP_REQ_MINUS,
            OptionalBehaviors.ELIST_C,
            OptionalBehaviors.ELIST_M,
            OptionalBehaviors.ELIST_N,
            OptionalBehaviors.ELIST_T,
            OptionalBehaviors.ELIST_U,
            OptionalBehaviors.INVITE_EXCEPTION_MODE,
            OptionalBehaviors.INVITE_LIST,
            OptionalBehaviors.INVITE_OVERRIDES_LIMIT,
            OptionalBehaviors.MULTI_JOIN,
            OptionalBehaviors.MULTI_KICK,
            OptionalBehaviors.MULTI_NAMES_COMMAND,
            OptionalBehaviors.MULTI_PRIVMSG,
            OptionalBehaviors.SASL_AFTER_REGISTRATION,
        )
    )

    isupport = {
        "BOT": "B",
        "CASEMAPPING": "ascii",
        "ELIST": "CMNTU",
        "EXCEPTS": "e",
        "INVEX": "I",
        "MONITOR": "100",
        "MSGREFTYPES": "msgid,timestamp",
        "PREFIX": "(ov)@+",
        "STATUSMSG": "@+",
        "TARGMAX": patma.ANYSTR,
        "UTF8ONLY": None,
        "WHOX": None,
    }

    def get_hostname_and_port(self) -> Tuple[str, int]:
        """The same for all protocols: there is one port for everyone."""
        if self._place is None:
            self._place = super().get_hostname_and_port()
        return self._place

    def run(
        self,
        hostname: str,
        port: int,
        *,
        password: Optional[str],
        ssl: bool,
        run_services: bool,
        faketime: Optional[str],
        websocket_hostname: Optional[str] = None,
        websocket_port: Optional[int] = None,
        **unused: Any,
    ) -> None:
        if self.test_config.account_registration_requires_email:
            raise NotImplementedByController("registration of accounts by email")
        self.create_config()
        assert self.directory
        motd = self.directory / "motd"
        motd.write_text("Welcome\n")
        self.hostname, self.port = hostname, port
        command = [
            os.environ.get("CHATLOOP_SERVER", "chatloop-server"),
            hostname,
            str(port),
            "--quiet",
            "--name=My.Little.Server",
            "--network=ChatloopTest",
            # A slow test machine must not make a client a plain one.
            "--greeting-delay=5000",
            "--oper=operuser:operpassword",
            "--password-length=1",
            f"--motd={motd}",
        ]
        if self.test_config.account_registration_before_connect:
            command.append("--registration=early")
        if password is not None:
            command.append(f"--password={password}")
        if faketime and shutil.which("faketime"):
            command = ["faketime", "-f", faketime, *command]
            self.faketime_enabled = True
        self.proc = self.execute(command)

    def wait_for_services(self) -> None:
        """Accounts are the server's own: nothing to wait for."""

    def registerUser(
        self,
        case: BaseServerTestCase,
        username: str,
        password: Optional[str] = None,
    ) -> None:
        """As a plain client on the same port: its lines may be longer than IRC's."""
        self.wait_for_port()
        with socket.create_connection((self.hostname, self.port), timeout=20) as client:
            lines = client.makefile("rw", encoding="utf-8", newline="\n")
            lines.write(f"/nick {username}\n/register {password}\n")
            lines.flush()
            for line in lines:
                if f"account {username} created" in line:
                    break
                assert "usage:" not in line and "too " not in line, line
            lines.write("/quit\n")
            lines.flush()
            # Until the server has closed, its nick is not free.
            lines.read()


def get_irctest_controller_class() -> Type[ChatloopController]:
    return ChatloopController
