"""What a terminal shows of work that takes long."""

from __future__ import annotations

import sys
import time
from typing import Optional, Union


class Bar:
    """A bar on standard error, which is gone when the work is done."""

    WIDTH = 30

    def __init__(self, title: str):
        self._title = title
        self._shown = 0.0

    @classmethod
    def on_terminal(cls, title: str, wanted: Union[None, bool]) -> Optional[Bar]:
        """A bar if it is wanted (None: if there is a terminal)."""
        if wanted is None:
            wanted = sys.stderr is not None and sys.stderr.isatty()
        return cls(title) if wanted else None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __call__(self, phase: str, fraction: float) -> None:
        now = time.monotonic()
        if now - self._shown < 0.05:
            return
        self._shown = now
        share = min(max(fraction, 0.0), 1.0)
        bar = ("#" * int(share * self.WIDTH)).ljust(self.WIDTH, ".")
        line = f"\r{self._title} [{bar}] {int(100 * share):3}% {phase[:40]}\033[K"
        print(line, end="", file=sys.stderr, flush=True)
