"""A process that has imported a framework and forks for every script: one start for all of them.

`forking` runs scripts one after the other; `forked_commands` makes command lines, for whatever
starts processes by itself. Each sees the process as it was behind the imports, whatever those
before it did. No operation may run in the imports: a framework's threads would not be there behind
the fork.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from parity.workers.environment import environment

ROOT = Path(__file__).parents[1]
_SERVER = """
import json, os, sys, traceback
imports, folder = sys.argv[1:]
names = {"__name__": "__main__"}
exec(imports, names)
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{folder}/{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        try:
            exec(compile(json.loads(line), "<string>", "exec"), names)
            code = 0
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}


@contextlib.contextmanager
def forking(imports: str, environment: Mapping[str, str] = os.environ) -> Iterator[Callable]:
    """``run(code)`` → what it printed; `code` knows the names of `imports`.

    `run` asserts that the script ended well, with the end of its standard error as the message.
    """
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _SERVER, imports, folder],
            cwd=ROOT,
            env={**environment, **_ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        assert server.stdout.readline() == "ready\n", "the imports failed: see standard error"

        def run(code: str) -> str:
            server.stdin.write(json.dumps(code) + "\n")
            server.stdin.flush()
            ended = server.stdout.readline().strip()
            assert ended == "0", Path(folder, "err").read_text("utf-8")[-3000:] or ended
            return Path(folder, "out").read_text("utf-8")

        yield run
        server.stdin.close()


_COMMANDS = """
import contextlib, json, os, runpy, select, socket, sys, traceback
imports, path = sys.argv[1:]
exec(imports, {})
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
print("ready", flush=True)
while listener in select.select([listener, 0], [], [])[0]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:  # what has ended, whose time is then this one's
            pass
    connection, _ = listener.accept()
    if os.fork():
        connection.close()
        continue
    words, streams, _, _ = socket.recv_fds(connection, 2**16, 3)
    child = os.fork()
    if child:  # what waits for it, and says how it ended
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.send(str(code).encode())
        os._exit(0)
    connection.close()
    listener.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    option, what, *rest = json.loads(words)
    sys.argv = [option, *rest]
    try:
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(what, {"__name__": "__main__"})
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""
_CLIENT = """
import json, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
socket.send_fds(server, [json.dumps(sys.argv[2:]).encode()], [0, 1, 2])
sys.exit(int(server.recv(16) or 1))
"""


@contextlib.contextmanager
def forked_commands(imports: str) -> Iterator[Callable[..., list[str]]]:
    """``command("-m", module, …)`` or ``command("-c", code, …)`` → a command line as Python's.

    What it starts has a worker's environment, and the imports done.
    """
    with TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _COMMANDS, imports, path],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdout.readline() == "ready\n", "the imports failed: see standard error"
            client = [sys.executable, "-I", "-S", "-c", _CLIENT, path]
            yield lambda *words: [*client, *words]
            server.stdin.close()
