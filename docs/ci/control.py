"""Steers a running voltergeist from a test, with the standard library alone: control.py SOCKET"""

import http.client
import json
import socket
import sys


class Voltergeist(http.client.HTTPConnection):
    """The control API on a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, body, {"Accept": "application/json"})
        response = self.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise RuntimeError(text.strip())
        return text

    def command(self, line):
        """Runs a command line, as after `:` in the console."""
        return json.loads(self.ask("POST", "/v1/commands", line))["result"]

    def state(self):
        return json.loads(self.ask("GET", "/v1/state"))

    def entries(self, after=0):
        return [json.loads(line) for line in self.ask("GET", f"/v1/entries?after={after}").splitlines()]


if __name__ == "__main__":
    ghost = Voltergeist(sys.argv[1])
    before = ghost.state()["journal"]["next"] - 1
    print(ghost.command('arm mount: fail "device busy" once as busy'))
    # Here the test runs docker, and looks at what that says.
    print(ghost.command("disarm busy"))
    commands = [entry["command"] for entry in ghost.entries(before) if entry["kind"] == "command"]
    print(len(commands), "commands,", ghost.state()["counters"]["mount"], "mounts")
    try:
        ghost.command("arm mont: fail")
    except RuntimeError as error:
        print("refused:", error)
