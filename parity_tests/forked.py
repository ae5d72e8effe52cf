"""A process that has imported a framework and forks for every script: one start for all of them.

Each script sees the process as it was behind the imports, whatever those before it did. No
operation may run in the imports: a framework's threads would not be there behind the fork.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

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
