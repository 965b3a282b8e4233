"""The golden file of engine/judge: a small judge with random weights, by PyTorch.

    python3 train/golden_judge.py            (make golden)

writes engine/testdata/golden/judge.safetensors: the weights as engine/judge reads them, and
the logits of two pictures that both sides make of the same formula.
"""
import torch

import golden
from undertone import judge

SHAPE = {"size": 32, "side": 16, "patch": 2, "widths": [6, 8, 12], "places": 3, "features": 20}
VALUES = {"object": ("cat", "frog", "star"), "detail": (0, 1, 2), "style": ("flat", "neon")}


def picture(k, size):
    """uint8 [size, size, 3]: what test and golden file share instead of pixels."""
    y, x, c = torch.meshgrid(*(torch.arange(n) for n in (size, size, 3)))
    return ((x * (7 + k) + y * 13 + c * 29 + x * y % 31 * 5) % 256).to(torch.uint8).numpy()


def main():
    torch.manual_seed(3)
    net = judge.Judge(SHAPE, VALUES).double().eval()
    for p in net.parameters():
        p.data = golden.weight(*p.shape, scale=0.3 if p.dim() == 1 else p[0].numel() ** -0.5 * 1.5)
    size, side = SHAPE["size"], SHAPE["side"]
    with torch.no_grad():
        pictures = torch.stack([torch.from_numpy(picture(k, size)).long() for k in range(2)])
        small = (pictures.reshape(2, side, 2, side, 2, 3).sum((2, 4)) + 2) // 4
        x = small.permute(0, 3, 1, 2).double() / 255
        logits = torch.cat(list(net(x)[0].values()), 1)
        kept = {f"weights.{k}": v.bfloat16() for k, v in judge.weights(net).items()}
    golden.write(golden.HERE.parent / "engine/testdata/golden/judge.safetensors", {**kept, "logits": logits}, config=SHAPE)


if __name__ == "__main__":
    main()
