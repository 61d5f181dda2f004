"""What SmolLM2 says after a few prompts: PyTorch's tokens, committed with the
script that made them (smollm2/make_tokens.py), and how others compare."""

import json

import harness

CASES = json.loads((harness.ROOT / "test" / "e2e" / "smollm2" / "tokens.json").read_text())
# Where the reference's two largest logits lie nearer, rounding may decide.
UNDECIDED = 1e-4


def continued(session, cases):
    """The likeliest continuation of every case, all of them together."""
    rows = [(session.sequence(), case["ids"]) for case in cases]
    found = [[] for _ in cases]
    for _ in range(len(cases[0]["tokens"])):
        logits = session.step(rows)
        for tokens, choice in zip(found, logits.argmax(1)):
            tokens.append(int(choice))
        rows = [(sequence, tokens[-1:]) for (sequence, _), tokens in zip(rows, found)]
    return found


def first_difference(case, tokens):
    """Where the tokens leave the reference; None if nowhere."""
    pairs = enumerate(zip(tokens, case["tokens"]))
    return next((place for place, (got, want) in pairs if got != want), None)


def wrong(cases, found):
    """One line for every case that leaves the reference where it is decided."""
    lines = []
    for case, tokens in zip(cases, found):
        place = first_difference(case, tokens)
        if place is not None and case["gaps"][place] >= UNDECIDED:
            gap = case["gaps"][place]
            lines.append(f"{case['prompt']!r}: token {place} differs, the gap is {gap}")
    return lines
