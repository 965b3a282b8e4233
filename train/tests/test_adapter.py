"""The distillation of a pooled adapter: against the reference's losses and gradients, and on a network of a few numbers."""
import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402

from undertone import adapter, bundle_edit, cosmos, export, loop, pathless, precision, shipped  # noqa: E402
from undertone.config import GRID, MODEL  # noqa: E402

PUBLISHED = Path(__file__).resolve().parents[2] / "engine" / "testdata" / "published"
PARTS = ["scales", *(f"text_embedder_clip.linear_{i}.{p}" for i in (1, 2) for p in ("bias", "weight"))]
TINY = {"in_channels": 2, "out_channels": 2, "num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2, "mlp_ratio": 2.0,
        "text_embed_dim": 6, "adaln_lora_dim": 4, "rope_scale": [1.0, 4.0, 4.0], "concat_padding_mask": True, "extra_pos_embed_type": None}


def reference():
    """-> the network in float64, its adapter's tensors, and what the reference stored."""
    cfg = json.loads((PUBLISHED / "cosmos_predict2.json").read_text())["config"]
    state = {k: v.double() for k, v in export.read_safetensors(PUBLISHED / "cosmos_predict2.safetensors").items()}
    own = {k: state.pop(k) for k in list(state) if k == "scales" or k.startswith("text_embedder_clip.")}
    net = cosmos.Cosmos(cfg).double()
    net.load_state_dict(state)
    cases = {k: v.double() for k, v in export.read_safetensors(PUBLISHED / "train_cosmos_adapter.cases.safetensors").items()}
    return net.requires_grad_(False), own, cases


class Reference(unittest.TestCase):
    """Stored in float32, of a run in float64."""

    @classmethod
    def setUpClass(cls):
        cls.net, cls.own, cls.c = reference()
        sigma = cls.c["in.sigma"]
        cls.t = sigma / (1 + sigma)
        cls.x = adapter.noised(cls.c["in.x0"], cls.c["in.noise"], cls.t)
        cls.base = SimpleNamespace(velocity=lambda x, t, tokens, shift=None: cls.net(x, t, tokens, shift))

    def close(self, got, want, name):
        off = (got - want).abs().max() / want.abs().max().clamp(min=1e-30)
        self.assertLess(off.item(), 1e-6, name)

    def adapter(self, zero):
        a = adapter.Adapter(40, 192, 4).double()
        a.load_state_dict({**self.own, **({"scales": torch.zeros(4, 192)} if zero else {})})
        return a

    def lesson(self, a):
        return adapter.distance(self.base, a, self.x, self.t, self.c["in.pooled"], self.c["in.text_uncond"], self.c["teacher"])

    def test_teacher_and_student(self):
        self.close(self.base.velocity(self.x, self.t, self.c["in.text"]), self.c["teacher"], "teacher")
        student = self.base.velocity(self.x, self.t, self.c["in.text_uncond"].expand(2, -1, -1), self.adapter(True)(self.c["in.pooled"]))
        self.close(student, self.c["student_scales0"], "student")

    def run_steps(self, name, zero, optimizer, steps):
        a = self.adapter(zero)
        opt = optimizer(a.parameters())
        for k in range(steps):
            opt.zero_grad()
            loss = self.lesson(a)
            loss.backward()
            at = f"{name}.step{k}."
            self.close(loss.detach()[None], self.c[at + "loss"], at + "loss")
            grads = {k: p.grad for k, p in a.named_parameters()}
            norms = torch.stack([grads[p].norm() for p in PARTS])
            self.close(norms, self.c[at + "grad_norms"], at + "grad_norms")
            if k == 0 and zero:
                self.assertEqual(norms[1:].abs().max().item(), 0)  # the scales move first
            self.close(grads["scales"], self.c[at + "grad.scales"], at + "scales")
            for i in (1, 2):
                self.close(grads[f"text_embedder_clip.linear_{i}.bias"], self.c[f"{at}grad.linear_{i}.bias"], at + "bias")
                self.close(grads[f"text_embedder_clip.linear_{i}.weight"].sum(-1), self.c[f"{at}grad.linear_{i}.weight.row_sums"], at + "weight")
            opt.step()
        return a

    def test_three_steps_from_scales_of_zero(self):
        a = self.run_steps("zero", True, lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0), 3)
        self.close(a.scales.detach(), self.c["zero.after3.scales"], "scales after three steps")
        self.close(self.lesson(a).detach()[None], self.c["zero.after3.loss"], "loss after three steps")

    def test_two_steps_from_given_scales(self):
        self.run_steps("file", False, lambda p: torch.optim.SGD(p, lr=0.1), 2)


class Small(unittest.TestCase):
    """A run of a second on a Cosmos of a few numbers."""

    def setUp(self):
        torch.manual_seed(0)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.at = Path(self.folder.name)
        net = cosmos.Cosmos(TINY)
        for p in net.parameters():
            torch.nn.init.normal_(p, std=0.3)
        (self.at / "model").mkdir()
        export.write_safetensors(self.at / "model" / "model.safetensors", net.state_dict())
        (self.at / "model" / "config.json").write_text(json.dumps(TINY))
        prompts = {"tokens": torch.randn(6, 3, 6), "pooled": torch.randn(6, 5), "empty": torch.zeros(1, 3, 6)}
        export.write_safetensors(self.at / "prompts.safetensors", prompts)
        for module in (adapter, loop):
            patch = mock.patch.object(module, "STATE", self.at / "state")
            patch.start()
            self.addCleanup(patch.stop)

    def run_once(self, *more):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            adapter.main([str(self.at / "model"), "--prompts", str(self.at / "prompts.safetensors"), "--out", str(self.at / "a.safetensors"),
                          "--samples", "12", "--bins", "4", "--steps", "3", "--cfg", "2", "--latent", "4", "4", "--batch", "6",
                          "--minutes", "0.03", "--lr", "0.02", *more])
        return [json.loads(line) for line in said.getvalue().splitlines()]

    def test_a_run_learns_exports_and_goes_on(self):
        first = self.run_once()
        self.assertEqual([x["done"] for x in first if x.get("stage") == "lessons"], [6, 12])
        last = first[-1]
        self.assertLess(last["held out"]["adapter"], last["held out"]["plain"])
        made = export.read_safetensors(self.at / "a.safetensors")
        self.assertEqual({k: tuple(v.shape) for k, v in made.items()}, {
            "scales": (2, 72), "text_embedder_clip.linear_1.weight": (72, 5), "text_embedder_clip.linear_1.bias": (72,),
            "text_embedder_clip.linear_2.weight": (72, 72), "text_embedder_clip.linear_2.bias": (72,)})
        self.assertGreater(made["scales"].abs().max(), 0)
        self.assertTrue((self.at / "a.png").exists())
        again = self.run_once()  # what is done is not done again
        self.assertEqual([x for x in again if "stage" in x], [])
        self.assertEqual(again[-1]["held out"], last["held out"])

    def test_lessons_are_the_networks_own_and_fixed(self):
        base = adapter.CosmosBase(self.at / "model", 4, 4)
        tokens, _ = base.encode(self.at / "prompts.safetensors")
        a = SimpleNamespace(samples=4, bins=3, batch=4, steps=2, cfg=1.0, seed=3, times=None)
        n, t = adapter.noises(base, 2, 3, 3), adapter.bins(3)
        # In float32 on every processor: bf16 products of a batch of another size are rounded differently.
        with torch.no_grad(), mock.patch.object(precision, "bf16", lambda: False):
            x0, said = adapter.lessons(base, tokens, self.at / "lessons", a)
            v = base.velocity(adapter.noised(x0[2:3].float(), n[1:2], t[1:2]), t[1:2], tokens[2:3])
        self.assertLess((v - said[2, 1].float()).abs().max() / v.abs().max(), 0.01)  # of a sample rounded to 16 bits
        self.assertTrue(torch.equal(n, adapter.noises(base, 2, 3, 3)))
        self.assertEqual(adapter.bins(3, [1.0, 0.5]).tolist(), [1.0, 0.5, 1.0])

    def test_what_cannot_be_trained_is_refused(self):
        (self.at / "model" / "config.json").write_text(json.dumps({**TINY, "extra_pos_embed_type": "learnable"}))
        with self.assertRaisesRegex(ValueError, "extra_pos_embed_type is 'learnable'"):
            adapter.CosmosBase(self.at / "model", 4, 4)
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            self.run_once("--samples", "1")


class Bundles(unittest.TestCase):
    """The shipped model without its pooled path, and with an adapter in its place."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        at = Path(cls.folder.name)
        bundle_edit.cut(MODEL, at / "plain")
        cls.plain = shipped.Shipped(at / "plain", exact=True)
        torch.manual_seed(1)
        own = adapter.Adapter(cls.plain.encode([""])[1].shape[1], 256, cls.plain.blocks)
        torch.nn.init.normal_(own.scales, std=0.1)
        export.write_safetensors(at / "adapter.safetensors", {k: v.to(torch.bfloat16) for k, v in own.state_dict().items()})
        bundle_edit.join(at / "plain", at / "adapter.safetensors", at / "joined")
        cls.joined = shipped.Shipped(at / "joined", exact=True)

    def test_without_its_path_it_is_the_shipped_one_of_no_words_vector(self):
        model = shipped.Shipped(MODEL, exact=True)
        tokens, pooled = model.encode(["a red car at night"])
        noise = shipped.noise_of([3])
        a = model.latents(tokens, model.empty[1], noise)
        b = self.plain.latents(tokens, pooled, noise)
        self.assertLess((a - b).abs().max() / a.abs().max(), 0.02)  # one bias is rounded to bf16

    def test_an_adapter_adds_its_shares_and_guidance_more_of_them(self):
        a = self.joined.adapter
        delta = self.joined.directions(["at night"], ["by day"])
        want = a.scales[:, None] * (a.psi(self.joined.encode(["at night"])[1]) - a.psi(self.joined.encode(["by day"])[1]))
        got = self.joined.shift(delta, 2.0, start=2, head=3.0)
        self.assertTrue(torch.equal(got[:2], torch.zeros_like(got[:2])))
        self.assertTrue(torch.equal(got[-1], torch.zeros_like(got[-1])))  # an adapter has no share for the head
        self.assertLess((got[2:-1] - 2 * want[2:]).abs().max(), 1e-6)
        tokens, pooled = self.joined.encode(["a frog"])
        x, t = shipped.noise_of([4]), torch.ones(1)
        base = torch.cat([a(pooled), torch.zeros(1, 1, 256)])
        with torch.no_grad():
            by_hand = self.plain.net(x, tokens, t, None, GRID, GRID, shift=base + got)
        self.assertLess((self.joined.velocity(x, t, tokens, pooled, got) - by_hand).abs().max(), 1e-5)
        self.assertGreater((self.plain.velocity(x, t, tokens, pooled, None) - by_hand).abs().max(), 1e-2)

    def test_a_bundle_with_an_adapter_gets_no_second_one(self):
        with self.assertRaisesRegex(ValueError, "has an adapter already"):
            adapter.FluxBase(Path(self.folder.name) / "joined")

    def test_prompts_are_the_same_every_time(self):
        some = pathless.prompts(40)
        self.assertEqual(some, pathless.prompts(40))
        self.assertGreater(len(set(some)), 30)


if __name__ == "__main__":
    unittest.main()
