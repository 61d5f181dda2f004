"""Rules that the tree itself keeps."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked(*patterns):
    """Files of the repository that match."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split()]


def test_files_stay_short():
    """A file that needs more than 500 lines wants to be two."""
    suffixes = ("*.cpp", "*.h", "*.td", "*.py", "*.c", "*.cmake")
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked(*suffixes)
        if (count := len(path.read_text().splitlines())) > 500
    }
    assert not long, long


def test_every_pass_has_a_lit_test():
    """A pass's argument occurs in some lit file."""
    lit = "\n".join(path.read_text() for path in tracked("test/*.mlir", "test/*.test"))
    missing = [
        argument
        for source in tracked("*.td")
        for argument in re.findall(r"def \w+\s*:\s*(?:Interface)?Pass<\s*\"([\w-]+)\"", source.read_text())
        if not re.search(rf"(?<!\w)(?<!\w-){re.escape(argument)}(?![\w-])", lit)
    ]
    assert not missing, missing


def test_no_machine_paths():
    """Nothing in the tree knows the machine that it was written on."""
    words = "(" + "|".join(["/wor" + "k/", "/roo" + "t/", "deb" + r"\.debian", "pypi" + r"\.org"]) + ")"
    found = subprocess.run(
        ["git", "grep", "-nIE", words], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert not found, found


def test_formatted():
    """C++ looks as .clang-format says."""
    sources = tracked("*.cpp", "*.h", "*.c")
    done = subprocess.run(
        ["clang-format-22", "--dry-run", "-Werror", *sources], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_folders_say_what_they_are_for():
    """A CMakeLists.txt of the compiler, the runtime or the tests begins with a
    sentence."""
    folders = tracked("*CMakeLists.txt")
    silent = [
        str(path.relative_to(ROOT))
        for path in folders
        if path.parent != ROOT and not path.read_text().startswith("# ")
    ]
    assert not silent, silent
