"""The number format of matrix products and convolutions in training."""
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import torch


@cache
def bf16():
    """Whether this processor multiplies bf16 in hardware; without it bf16 is 10 to 30 times slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def device():
    """Where new tensors lie: "cpu", or "cuda" after torch.set_default_device."""
    return torch.empty(0).device.type


def products():
    """The context in which training computes: bf16 products where that is fast, else float32."""
    return torch.autocast(device(), torch.bfloat16) if device() != "cpu" or bf16() else nullcontext()
