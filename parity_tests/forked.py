"""An interpreter whose processes are forks of one that has imported a framework.

One start serves them all. Each sees what the imports left, whatever those before it did. No
operation may run in the imports: a framework's threads would not be there behind the fork.
"""

import contextlib
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from parity.workers.environment import environment

ROOT = Path(__file__).parents[1]
_SERVER = """
import contextlib, gc, json, os, runpy, select, socket, sys, traceback
imports, descriptor = sys.argv[1:]
exec(imports, {})
gc.freeze()  # the imports stay, and no fork need look at them when it collects
listener = socket.socket(fileno=int(descriptor))
while listener in select.select([listener, 0], [], [])[0]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:  # what has ended, whose time is then this one's
            pass
    connection, _ = listener.accept()
    if os.fork():
        connection.close()
        continue
    words, streams, _, _ = socket.recv_fds(connection, 2**18, 3)
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
    folder, option, what, *rest = json.loads(words)
    os.chdir(folder)
    sys.argv = [option, *rest]
    try:
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
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
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
words = json.dumps([os.getcwd(), *sys.argv[2:]]).encode()
socket.send_fds(server, [words], [0, 1, 2])
code = int(server.recv(16) or 1)
if code < 0:  # by a signal, and so does this one
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}


@contextlib.contextmanager
def forked_python(imports: str) -> Iterator[str]:
    """The path of an interpreter, of which ``-m MODULE …`` and ``-c CODE …`` are understood.

    What it runs has the streams and the working directory of whoever starts it, a worker's
    environment, and the imports done. It does not wait for them: who comes before does.
    """
    with TemporaryDirectory() as folder:
        path, python = f"{folder}/socket", Path(folder, "python")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            server = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", _SERVER, imports, str(listener.fileno())],
                cwd=ROOT,
                env=environment() | _ENVIRONMENT,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )
        client = [sys.executable, "-I", "-S", "-c", _CLIENT, path]
        python.write_text(f'#!/bin/sh\nexec {shlex.join(client)} "$@"\n', "utf-8")
        python.chmod(0o700)
        with server:
            yield str(python)
            server.stdin.close()


def script(python: str, imports: str) -> Callable[[str], str]:
    """``run(code)`` → what it printed; `code` knows the names of `imports`.

    `run` asserts that the script ended well, with the end of its standard error as the message.
    """

    def run(code: str) -> str:
        command = [python, "-c", f"{imports}\n{code}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
