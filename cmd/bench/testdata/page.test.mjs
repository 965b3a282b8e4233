// The scripts of the page, under Node, with others of whom the times are known.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Compared } from "../page/compared.js";
import { besideTables, found } from "../page/found.js";
import { best, spread, turns } from "../page/turns.js";
import { table } from "../web/bench.js";

// A clock of CPU time that goes as far as each run says.
let now = 0;
const clock = async () => ({ cpuMs: now, load: 1 });
const contender = (name, ...took) => {
  let calls = 0;
  return { name, order: [], async run(times) { for (let i = 0; i < times; i++) now += took[Math.min(calls++, took.length - 1)]; } };
};

test("medians of turns", async () => {
  const order = [];
  const a = contender("a", 500, 10, 30, 10, 20); // compiles, is tried, then measured three times
  const b = contender("b", 4);
  for (const c of [a, b]) {
    const { run } = c;
    c.run = async (times) => (order.push(c.name + times), run(times));
  }
  const r = await turns([a, b], { rounds: 3, clock, by: "cpu", enough: 10 });
  assert.deepEqual(order, ["a1", "a1", "b1", "b1", "a1", "b3", "b3", "a1", "a1", "b3"]);
  assert.deepEqual([r.a.ms, r.a.least, r.a.most, r.a.spread], [20, 10, 30, 1]);
  assert.equal(r.b.ms, 4);
  assert.equal(r.b.spread, 0);
  assert.ok(r.a.wall_ms < 20, "time that passes is told beside");
});

test("one that does not run leaves the others", async () => {
  const broken = { name: "ort x", async run() { throw new Error("no such kernel"); } };
  const r = await turns([broken, contender("ort y", 3)], { rounds: 7, clock, by: "cpu", enough: 1 });
  assert.equal(r["ort x"].error, "no such kernel");
  assert.equal(best(r, "ort").name, "ort y");
  assert.equal(best(r, "tfjs"), null);
  assert.equal(best({ "ort z": { ms: 1, wrong: 2 }, ...r }, "ort").ms, 3, "what is wrong is not the best");
});

test("without a clock of CPU time, time that passes counts", async () => {
  const r = await turns([{ name: "a", run: () => new Promise((done) => setTimeout(done, 5)) }], { rounds: 7, clock: async () => ({ cpuMs: null, load: 0 }), by: "cpu", enough: 1 });
  assert.equal(r.a.cpu_ms, null);
  assert.ok(r.a.ms >= 4 && r.a.ms === r.a.wall_ms);
});

test("spread", () => assert.equal(spread([1, 2, 4]), 1.5));

// An engine and others that take known times; what they would compute is not looked at.
function bench() {
  globalThis.GPUBufferUsage = { STORAGE: 1, COPY_DST: 2, COPY_SRC: 4 };
  const device = { createBuffer: () => ({ destroy() {} }), queue: { writeBuffer() {}, async onSubmittedWorkDone() {} } };
  const ours = {};
  globalThis.gpuDevices = [];
  globalThis.gpuBytes = (d) => (d === ours ? 30e6 : 90e6);
  globalThis.fetch = async (address) => new Response(address.startsWith("/inputs") ? JSON.stringify({ ids: [1, 2], eos: 1, latent: [0, 0], times: [[0]], dts: [-1], rows: 1, channels: 2 }) : address);
  const api = {
    async open() {}, async files() {},
    async hold() { return { flops: 2e9, bytes: 1e6, maxErr: 1e-6, tolerance: 0.02, compileMs: 5 }; },
    async runs({ runs }) { now += 10 * runs; },
    async load() { globalThis.gpuDevices.push(ours); return { loadMs: 5, info: { model: "m", precision: "Q8_0", plan: "p" } }; },
    async picture() { now += 100; return { wallMs: 100, dispatches: 9 }; },
    async compare({ pixels }) { assert.equal(pixels.length, 8); return { psnr: 60 }; },
    async live() { return { perSecond: 3 }; },
  };
  const cost = { f32: 1200, blocks: 900 };
  const ort = {
    env: { webgpu: { device } },
    Tensor: Object.assign(class { dispose() {} }, { fromGpuBuffer: () => ({}) }),
    InferenceSession: {
      async create(given) {
        const address = typeof given === "string" ? given : new TextDecoder().decode(given);
        const weights = new URLSearchParams(address.split("?")[1]).get("weights");
        return {
          async release() {},
          async run() {
            if (!weights) now += 15;
            else if (address.includes("part=decode")) now += cost[weights] + (address.includes("accuracy=4") ? 50 : 0);
            const t = { dispose() {}, data: new Float32Array(6), getData: async () => Float32Array.of(address.includes("Plain%22%3Atrue") ? 1 : 2) };
            return { y: t, txt: t, psi: t, next: t, rgb: t };
          },
        };
      },
    },
  };
  const tensor = { dispose() {} };
  const tf = { tensor: () => tensor, tidy: (f) => f(), backend: () => ({ endComputePassEncoder() {}, submitQueue() {}, device }) };
  for (const f of ["matMul", "conv2d", "softmax", "mul"]) tf[f] = () => ((now += 4), tensor);
  const lines = [];
  const b = new Compared({ api, gpu: null, budget: 1000, rounds: 7, clock, versions: { "onnxruntime-web": "1" }, emit: (l) => lines.push(l) });
  Object.assign(b.report, { adapter: "made up", software: true, clock: "cpu", peaks: { f32: 1000 } });
  Object.assign(b, { peers: { ort, tf }, prompt: "a ball", lines });
  return b;
}

test("the report has what it should", async () => {
  const b = bench();
  await b.model();
  await b.kernels();
  assert.deepEqual(b.report.failed, []);
  const { model, rows } = b.report;
  assert.deepEqual([model.ours_ms, model.ort_ms, model.ort_q8_ms, model.ours_mb, model.ort_mb, model.first_ms], [100, 1200, 900, 30, 90, 100]);
  assert.ok(!("ort 8-bit, accuracy 4" in model.beside), "of 8 bits the faster is measured");
  const said = b.lines.findIndex((l) => l.psnr), timed = b.lines.findIndex((l) => l.model?.ours_ms);
  assert.ok(said >= 0 && said < timed, "how like ours the pictures are is told before any time");

  assert.equal(rows.length, 26); // six products in three types, three attentions, five convolutions
  for (const r of rows) {
    for (const k of ["op", "shape", "dtype", "variant", "ours_ms", "peers", "gflops", "share", "max_err"]) assert.ok(r[k] !== undefined, `${r.op} has ${k}`);
    assert.deepEqual(Object.keys(r.peers), ["ort", "jaxjs", "tfjs"]);
    assert.deepEqual([r.ours_ms, r.peers.ort, r.peers.jaxjs, r.gflops], [10, 15, null, 200]);
    assert.equal(r.peers.tfjs === null, r.dtype !== "F32", "tfjs has no blocks");
  }
  const attention = rows.find((r) => r.op === "Attention");
  assert.equal(attention.beside["ort MultiHeadAttention"].wrong, 1, "fused attention is held to the plain one");
  assert.equal(b.report.notes.length, 1);

  const text = table(b.report, besideTables(b.report));
  for (const part of ["## Beside others: kernels", "## Beside others: a whole picture", "| ort f32 | 1,200 |", "60 dB"]) assert.ok(text.includes(part), part);
  const sentences = found(b.report).join("\n");
  assert.match(sentences, /26 rows, the best of the others ÷ ours 0\.40 × to 1\.50 ×/);
  assert.match(sentences, /below 1: MatMul shipped model linear1 F32, 0\.40 ×/);
  assert.match(sentences, /f32 12\.00 × ours \(aim 10\), 8-bit 9\.00 ×/);
  assert.doesNotMatch(sentences, /Warning/);
  for (const r of rows) r.spread = 0.5;
  assert.match(found(b.report).join("\n"), /Warning: .* 50 %/, "a noisy run is called so");
});
