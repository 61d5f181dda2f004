"""Asks SmolLM2 for a JSON object with given fields, and gets one for certain.

    fields.py "Describe a cat." name:string age:integer colours:strings \\
        indoor:boolean mood:happy|sleepy

Before each token a logits processor forbids all that would lead out of the
language of such objects, or so deep into it that the tokens that are left would
not suffice to end it."""

import argparse
import json
import pathlib
import sys

import numpy as np

import languages as lang

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "smollm2"))

import smollm2  # noqa: E402

TYPES = {
    "string": lang.string(),
    "strings": lang.array(lang.string()),
    "integer": lang.integer(),
    "number": lang.number(),
    "boolean": lang.either(lang.text("true"), lang.text("false")),
}


def language(fields):
    """The language of objects with the fields {name: type or "a|b|c"}."""
    if not fields or not all(name and kind for name, kind in fields.items()):
        raise ValueError("fields are written as NAME:TYPE")
    unknown = [kind for kind in fields.values() if "|" not in kind and kind not in TYPES]
    if unknown:
        raise ValueError(f"no type {unknown[0]}; known are {', '.join(TYPES)} and a|b|...")
    return lang.record({
        name: lang.choice(kind.split("|")) if "|" in kind else TYPES[kind]
        for name, kind in fields.items()
    })  # fmt: skip


class Constraint:
    """Which ids may come, by what came."""

    def __init__(self, automaton, vocabulary):
        """vocabulary: the bytes of each id; one without bytes may never come."""
        self._automaton = automaton
        lengths = np.array([len(word) for word in vocabulary])
        # From short to long: what has a byte at some place is a tail of the list.
        self._order = np.argsort(lengths, kind="stable")
        self._lengths = lengths[self._order]
        self._letters = np.zeros((len(vocabulary), lengths.max()), np.uint8)
        for place, id in enumerate(self._order):
            self._letters[place, : lengths[id]] = list(vocabulary[id])
        self._known = {}

    def targets(self, state):
        """int32 [ids]: the state after each id."""
        if state not in self._known:
            states = np.full(len(self._order), state, np.int32)
            states[self._lengths == 0] = 0
            for place in range(self._letters.shape[1]):
                tail = slice(np.searchsorted(self._lengths, place, "right"), None)
                states[tail] = self._automaton.after(states[tail], self._letters[tail, place])
            self._known[state] = np.empty_like(states)
            self._known[state][self._order] = states
        return self._known[state]

    def processor(self, prompt_length, budget):
        """A logits processor for one generation of at most `budget` tokens."""
        distance = self._automaton.distance
        if distance[1] > budget:
            raise ValueError(
                f"{budget} tokens may not suffice: the shortest object has {distance[1]} bytes"
            )
        state = 1

        def process(ids, logits):
            nonlocal state
            written = len(ids) - prompt_length
            if written:
                state = self.targets(state)[ids[-1]]
            if distance[state] == 0:
                return True  # An object has no continuation.
            # Every byte is a token too: so many tokens always suffice.
            fits = distance[self.targets(state)] <= budget - written - 1
            logits[: len(fits)][~fits] = -np.inf
            logits[len(fits) :] = -np.inf
            return None

        return process


def generate(session, words, constraint, question, names, budget, **sampling):
    """The object's text, as the model writes it, part by part."""
    question += " Answer with a JSON object with the fields " + ", ".join(names) + "."
    prompt = words.message("system", smollm2.SYSTEM)
    prompt += words.message("user", question) + words.answer()
    decode = words.stream()
    processor = constraint.processor(len(prompt), budget)
    # One token more, so that the processor sees the last one.
    for id in session.generate(prompt, budget + 1, logits_processor=processor, **sampling):
        yield decode(id)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("question")
    parser.add_argument("fields", nargs="+", metavar="NAME:TYPE")
    smollm2.add_model_options(parser)
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        fields = dict(field.partition(":")[::2] for field in options.fields)
        if len(fields) < len(options.fields):
            raise ValueError("a field is given twice")
        automaton = lang.Automaton(language(fields))
        words = smollm2.Words(options.spelling)
        constraint = Constraint(automaton, words.bytes)
        constraint.processor(0, options.max_tokens)
    except ValueError as error:
        parser.error(str(error))
    session = smollm2.session(options.spelling, options.threads, options.artifact)
    parts = generate(
        session, words, constraint, options.question, fields, options.max_tokens,
        temperature=options.temperature, seed=options.seed,
    )  # fmt: skip
    whole = ""
    for part in parts:
        print(part, end="", flush=True)
        whole += part
    print()
    json.loads(whole)


if __name__ == "__main__":
    smollm2.run(main)
