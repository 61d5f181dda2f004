"""Regular languages over bytes, and what of JSON is one.

A language is built from `text`, `one_of`, `either`, `follow` and `many`;
`Automaton` is its deterministic machine, with the shortest way to an end from
every state."""

import json
from collections import deque

import numpy as np


class Language:
    """A nondeterministic machine: `edges[state]` holds (bytes, state), `free`
    holds steps that read nothing."""

    def __init__(self):
        self.edges, self.free = [], []

    def state(self):
        """A new state's number."""
        self.edges.append([])
        self.free.append([])
        return len(self.edges) - 1


# A part of a language is a function of (machine, state) to the state after it.


def one_of(*ranges):
    """One byte of the ranges: pairs of a first and a last byte."""
    allowed = frozenset(byte for first, last in ranges for byte in range(first, last + 1))

    def build(machine, state):
        after = machine.state()
        machine.edges[state].append((allowed, after))
        return after

    return build


def text(value):
    """Exactly these letters."""
    return follow(*(one_of((byte, byte)) for byte in value.encode()))


def follow(*parts):
    """One part after the other."""

    def build(machine, state):
        for part in parts:
            state = part(machine, state)
        return state

    return build


def either(*parts):
    """One of the parts."""

    def build(machine, state):
        after = machine.state()
        for part in parts:
            begin = machine.state()
            machine.free[state].append(begin)
            machine.free[part(machine, begin)].append(after)
        return after

    return build


def many(part):
    """The part any number of times, never included."""

    def build(machine, state):
        again, after = machine.state(), machine.state()
        machine.free[state].append(again)
        machine.free[part(machine, again)].append(again)
        machine.free[again].append(after)
        return after

    return build


class Automaton:
    """The deterministic machine of a language.

    table: int32 [states, 256], the state after a byte. State 0 is the dead end,
    state 1 the beginning.
    distance: int64 [states], how many bytes the shortest way to the end has;
    0 where the text may end."""

    FAR = np.iinfo(np.int32).max

    def __init__(self, language):
        machine = Language()
        first = machine.state()
        last = language(machine, first)
        numbers = {frozenset(): 0}
        rows, ends = [], []

        def number(states):
            found, left = set(states), list(states)
            while left:
                for state in machine.free[left.pop()]:
                    if state not in found:
                        found.add(state)
                        left.append(state)
            return numbers.setdefault(frozenset(found), len(numbers))

        number([first])
        waiting = deque(numbers)
        while waiting:
            states = waiting.popleft()
            targets = [set() for _ in range(256)]
            for state in states:
                for allowed, after in machine.edges[state]:
                    for byte in allowed:
                        targets[byte].add(after)
            known = len(numbers)
            rows.append([number(target) for target in targets])
            ends.append(last in states)
            waiting.extend(list(numbers)[known:])
        self.table = np.array(rows, np.int32)
        self.distance = self._distances(ends)

    def _distances(self, ends):
        distance = np.where(ends, 0, self.FAR).astype(np.int64)
        while True:
            nearer = np.minimum(distance, distance[self.table].min(1) + 1)
            if np.array_equal(nearer, distance):
                return np.minimum(distance, self.FAR)
            distance = nearer

    def after(self, states, letters):
        """The states after one more byte each; arrays of one length."""
        return self.table[states, letters]


def _utf8():
    """A letter beyond ASCII, well formed."""
    tail = one_of((0x80, 0xBF))
    return either(
        follow(one_of((0xC2, 0xDF)), tail),
        follow(one_of((0xE0, 0xE0)), one_of((0xA0, 0xBF)), tail),
        follow(one_of((0xE1, 0xEC), (0xEE, 0xEF)), tail, tail),
        follow(one_of((0xED, 0xED)), one_of((0x80, 0x9F)), tail),
        follow(one_of((0xF0, 0xF0)), one_of((0x90, 0xBF)), tail, tail),
        follow(one_of((0xF1, 0xF3)), tail, tail, tail),
        follow(one_of((0xF4, 0xF4)), one_of((0x80, 0x8F)), tail, tail),
    )


def string():
    """A JSON string."""
    plain = one_of((0x20, 0x21), (0x23, 0x5B), (0x5D, 0x7E))
    escape = follow(text("\\"), either(*(text(letter) for letter in '"\\/bfnrt')))
    return follow(text('"'), many(either(plain, escape, _utf8())), text('"'))


def integer():
    """A JSON number without a fraction."""
    digits = follow(one_of((0x31, 0x39)), many(one_of((0x30, 0x39))))
    return either(text("0"), digits, follow(text("-"), digits))


def number():
    """A JSON number without an exponent."""
    digit = one_of((0x30, 0x39))
    fraction = follow(text("."), digit, many(digit))
    return follow(integer(), either(follow(), fraction))


def choice(values):
    """One of some strings, as JSON."""
    return either(*(text(json.dumps(value, ensure_ascii=False)) for value in values))


def array(part):
    """A JSON array of at least one part."""
    return follow(text("["), part, many(follow(text(", "), part)), text("]"))


def record(fields):
    """A JSON object with exactly these fields, in this order: {name: part}."""
    parts = []
    for name, part in fields.items():
        parts += [text(", ") if parts else text("{"), text(json.dumps(name) + ": "), part]
    return follow(*(parts or [text("{")]), text("}"))
