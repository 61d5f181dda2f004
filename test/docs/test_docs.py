"""Runs what the documentation shows. In each page, in order:

- a fence after `<!-- file: NAME -->` is written to NAME;
- an `sh` fence is run by bash, and must succeed;
- a `text` fence right after it may show (part of) what it prints; it is run
  past the reader's eye only, since times and scores differ;
- a fence after `<!-- not run: WHY -->` is left alone.

Pages run in a folder of their own that looks like a clone after building:
build, models, examples and scripts are there, and `ingot` is on PATH."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"(?:<!-- (file|not run): (.+?) -->\n+)?^```(\w*)\n(.*?)^```$", re.M | re.S)
RUNNABLE = {"sh", "bash", "console", "shell"}


def steps(text):
    """The runnable parts of a page: ("file", name, body) and ("sh", "", body)."""
    for note, argument, language, body in FENCE.findall(text):
        if note == "file":
            yield "file", argument, body
        elif not note and language in RUNNABLE:
            yield "sh", "", body


def parameter(page):
    """A page; those that run ninja in the one build folder take turns."""
    builds = "scripts/build" in page.read_text()
    return pytest.param(page, id=page.name, marks=pytest.mark.xdist_group("build") if builds else [])


@pytest.mark.parametrize("page", map(parameter, PAGES))
def test_page(page, tmp_path):
    for name in ("build", "models", "examples", "scripts", "test", "include", "lib", "dialects"):
        (tmp_path / name).symlink_to(ROOT / name)
    path = [str(BUILD / "bin"), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(path), "HOME": str(tmp_path)}
    # Objects of the runtime that another test has compiled are the same.
    environment.setdefault("CCACHE_DIR", str(pathlib.Path.home() / ".cache" / "ccache"))
    for kind, name, body in steps(page.read_text()):
        if kind == "file":
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(body)
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", body], cwd=tmp_path, env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{body}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    """Links to files of the repository lead somewhere."""
    prose = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)#]+)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_reference_is_current():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "gen-docs", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
