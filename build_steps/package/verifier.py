from pathlib import Path


def make(keep: Path) -> dict[str, object]:
    raise NotImplementedError
