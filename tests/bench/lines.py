"""Makes the log files that the benchmark reads: lines as a shop writes them, about 200 bytes, all different, the same for each run."""

import json
import random

WORDS = ("priced", "model", "order", "accepted", "queued", "printed", "cancelled", "material", "volume", "retry", "customer", "operator",
         "machine", "calibrated", "uploaded", "sliced", "layer", "support", "surface", "delivery", "invoice", "refund", "basket")
LEVELS = ("INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR")
BLOCK = 50_000  # different lines; their numbers and times go on


def _line(rng, form, number):
    ms = number % 1000
    second = number // 1000
    time = f"2026-11-22T{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{ms:03d}Z"
    level = rng.choice(LEVELS)
    text = (f"{rng.choice(WORDS)} {rng.choice(WORDS)} {rng.choice(WORDS)} id={rng.randrange(10 ** 8)} {rng.choice(WORDS)} "
            f"path=\"/models/{rng.randrange(16 ** 8):08x}.stl\" price={rng.randrange(10 ** 6) / 100:.2f}")
    if form == "json":
        return json.dumps({"timestamp": time, "level": level.lower(), "logger": f"shop.worker{rng.randrange(32)}", "message": text,
                           "trace_id": f"{rng.getrandbits(64):016x}", "duration_ms": rng.randrange(5000) / 10}, separators=(",", ":"))
    return f"{time} {level} [worker-{rng.randrange(32)}] {text} trace={rng.getrandbits(64):016x} took {rng.randrange(5000) / 10} ms for {rng.choice(WORDS)}"


def make_file(path, form, mib):
    """Writes about `mib` MiB of lines; returns (lines, bytes)."""
    rng = random.Random(7)
    block = [_line(rng, form, n) for n in range(BLOCK)]
    data = ("\n".join(block) + "\n").encode()
    repeats = max(1, (mib << 20) // len(data))
    with open(path, "wb") as f:
        for _ in range(repeats):
            f.write(data)
    return repeats * BLOCK, repeats * len(data)
