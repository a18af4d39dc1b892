#!/usr/bin/env python3
"""T, the unit in which this project tells times: one forward of MiniLM 8×64 in PyTorch with two threads.

    /tmp/reference/bin/python scripts/bench_torch.py encoders/minilm-l6

prints JSON like `keci bench encoder`; run both after one another on the same machine.
"""

import argparse
import json
import os
import platform
import statistics
import time

import torch
import transformers


def measure(model, batch, seq, seconds):
    ids = torch.arange(1000, 1000 + batch * seq).reshape(batch, seq)
    mask = torch.ones_like(ids)
    times = []
    with torch.inference_mode():
        for _ in range(3):
            model(ids, attention_mask=mask)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(times) < 5:
            start = time.perf_counter()
            model(ids, attention_mask=mask)
            times.append((time.perf_counter() - start) * 1000)
    return {
        "batch": batch,
        "seq": seq,
        "runs": len(times),
        "medianMs": round(statistics.median(times), 2),
        "minMs": round(min(times), 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="Hugging Face folder of the encoder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3, help="for each shape")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    model = transformers.BertModel.from_pretrained(args.folder).eval()
    shapes = [(1, 32), (1, 64), (8, 64), (32, 64), (1, 512)]
    print(json.dumps({
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count(), "threads": args.threads},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "forward": [measure(model, b, s, args.seconds) for b, s in shapes],
    }, indent=2))


if __name__ == "__main__":
    main()
