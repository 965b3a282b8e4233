// The scripts that need no browser, under Node, with what little of one they touch
// put in its place (e2e/modules_test.go copies them beside a package.json).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const web = new URL("../../web/", import.meta.url);

// Under Node a channel keeps the process alive.
delete globalThis.BroadcastChannel;

// The smallest module there is.
globalThis.fetch = async () => new Response(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), { headers: { "Content-Type": "application/wasm" } });
globalThis.document = { baseURI: "https://example.org/" };
globalThis.ImageData = class {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};

/** Answers as the engine does: at once, except that pictures wait where hold is set. */
class Engine {
  static posted = [];
  static hold = false;
  static steersHead = false;

  static answer(version, type, id, body, more) {
    Engine.current.onmessage({ data: { v: version, type, id, body: body && JSON.stringify(body), ...more } });
  }

  constructor() {
    Engine.current = this;
  }

  postMessage({ v, type, id, body }) {
    Engine.posted.push({ v, type, id, body: body && JSON.parse(body) });
    const answer = (...rest) => queueMicrotask(() => Engine.answer(v, ...rest));
    if (type === "init") answer("ready", id);
    if (type === "load") answer("loaded", id, { maxSteps: 12, sizes: [16, 24, [24, 16]], steersHead: Engine.steersHead, edits: { bytes: 1 } });
    if (type === "generate" && !Engine.hold) answer("result", id, { width: 2, height: 1, seed: 1 }, { pixels: new ArrayBuffer(8) });
  }

  terminate() {}
}
globalThis.Worker = Engine;

/** Loads a model, which is closed when the test ends: an open one may keep the process alive. */
async function load(t) {
  const { Undertone } = await import(new URL("undertone.js", web));
  // Without a digest, as on an insecure page, it is fetch that compares with the hash that the builder writes.
  const { crypto } = globalThis;
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true }));
  const u = await Undertone.load("models/small/model.json", { device: "cpu" });
  t.after(() => u.close());
  return u;
}

/** What the engine is asked for, or the code of the refusal. */
async function asked(u, request) {
  Engine.posted = [];
  try {
    await u.generate(request);
  } catch (error) {
    assert.equal(error.name, "UndertoneError", String(error.stack));
    return error.code;
  }
  return Engine.posted.find((m) => m.type === "generate").body;
}

test("limits: the last value that is possible, and the next", async (t) => {
  const u = await load(t);
  for (const [name, code, last, next] of [
    ["seed", "seed-range", [0, 1, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5, 2 ** 32 - 1], [-1, 0.5, 2 ** 32, 2 ** 53]],
    ["steps", "steps-range", [1, 12], [0, 13, 1.5]],
    ["size", "size-unsupported", [16, 24, [24, 16]], [15, 17, 25, [25, 16], [24, 17], [16, 24], [24], [24, 16, 1], [], [24, "16"], [[24], 16], "16", NaN]],
    ["cfg", "cfg-range", [0, 1, 30], [-1e-9, 30.000001, NaN]],
    ["prompt", "prompt-too-long", ["", "x".repeat(4096), "日".repeat(1365) + "x"], ["x".repeat(4097), "日".repeat(1366)]],
  ]) {
    for (const value of last) assert.deepEqual((await asked(u, { [name]: value }))[name], value, `${name} ${String(value).slice(0, 20)}`);
    for (const value of next) assert.equal(await asked(u, { [name]: value }), code, `${name} ${String(value).slice(0, 20)}`);
  }
  for (const side of ["positive", "negative"]) {
    const term = (text) => ({ guidance: [{ [side]: text, weight: 1 }] });
    assert.equal((await asked(u, term("x".repeat(4096)))).guidance[0][side].length, 4096);
    assert.equal(await asked(u, term("x".repeat(4097))), "prompt-too-long");
  }
});

test("size: a square is one number, and a refusal names what was asked for and what there is", async (t) => {
  const u = await load(t);
  assert.equal((await asked(u, { size: [24, 24] })).size, 24);
  for (const [size, says] of [[17, "The size is 17; this model makes 16, 24, [24,16]."], [[24, 17], "The size is [24, 17]; this"], [[1, 2, 3], "The size is a list; this"], ["16", 'The size is "16"; this']]) {
    await assert.rejects(u.generate({ size }), ({ code, message }) => code === "size-unsupported" && message.startsWith(says), says);
  }
});

test("probe: its small pictures are cut as wide as the engine says", async (t) => {
  const u = await load(t);
  Engine.hold = true;
  const making = u.generate({ size: [24, 16], probe: {} });
  Engine.hold = false;
  const { v, id } = Engine.posted.at(-1);
  const latents = Uint8Array.from({ length: 3 * 4 * 6 * 4 }, (_, i) => i).buffer;
  Engine.answer(v, "result", id, { width: 24, height: 16, latentWidth: 6, probe: { times: [1, 0.5, 0] } }, { pixels: new ArrayBuffer(4 * 24 * 16), attention: new ArrayBuffer(8), latents });
  const r = await making;
  assert.deepEqual(r.probe.latents.map((p) => [p.width, p.data.length, p.data[0]]), [[6, 96, 0], [6, 96, 96], [6, 96, 192]]);
  assert.deepEqual([r.image.width, r.image.height, r.latentWidth], [24, 16, undefined]);
});

test("reference: pixels, or the result that has them", async (t) => {
  const u = await load(t);
  const r = await u.generate({});
  for (const reference of [r, r.image, { width: 2, height: 1, data: new Uint8Array(8) }]) {
    assert.deepEqual((await asked(u, { prompt: "at night", reference })).reference, { width: 2, height: 1 });
  }
  for (const reference of [{ image: null }, { image: { width: 2 } }, { ...r, image: undefined }, {}, 7, null]) {
    assert.equal(await asked(u, { reference }), "request-invalid", JSON.stringify(reference));
  }
});

test("directions: arrive as they were given", async (t) => {
  const u = await load(t);
  const table = { kind: "table", table: [0, -1, 2.5] };
  const { guidance } = await asked(u, { guidance: [
    { positive: "a", negative: "b", weight: -3, head: -0.5, schedule: table },
    { positive: "c", weight: 0.25 },
    { negative: "d", weight: 0, head: 2, schedule: { kind: "step", start: 5, of: 57 } },
  ] });
  assert.deepEqual(guidance, [
    { positive: "a", negative: "b", weight: -3, head: -0.5, schedule: table },
    { positive: "c", negative: "", weight: 0.25, head: 0, schedule: { kind: "constant" } },
    { positive: "", negative: "d", weight: 0, head: 2, schedule: { kind: "step", start: 5, of: 57 } },
  ]);
  assert.equal(await asked(u, { guidance: [{ weight: 1 }, { weight: Infinity }] }), "guidance-invalid");
  assert.equal(await asked(u, { guidance: [{ weight: 1, schedule: { kind: "table", table: [1, NaN] } }] }), "guidance-invalid");
});

test("directions: steer the head where a model's own do", async (t) => {
  Engine.steersHead = true;
  t.after(() => (Engine.steersHead = false));
  const u = await load(t);
  const { guidance } = await asked(u, { guidance: [{ positive: "a", weight: 3 }, { positive: "b", weight: 3, head: 1 }] });
  assert.deepEqual(guidance.map(({ head }) => head), [3, 1]);
});

test("abort: the engine is told which request to stop", async (t) => {
  const u = await load(t);
  Engine.hold = true;
  try {
    const control = new AbortController();
    Engine.posted = [];
    const picture = u.generate({ prompt: "a", signal: control.signal });
    const { id } = Engine.posted.find((m) => m.type === "generate");
    control.abort();
    assert.deepEqual(Engine.posted.filter((m) => m.type === "abort").map((m) => m.id), [id]);
    await assert.rejects(picture, { name: "AbortError", code: "aborted" });
  } finally {
    Engine.hold = false;
  }
  assert.equal((await u.generate({ prompt: "b" })).image.width, 2);
});

test("replay: launches and copies go to the device as they were recorded", () => {
  runInThisContext(readFileSync(new URL("replay.js", web), "utf8"));
  const did = [];
  const pass = {
    setPipeline: (p) => did.push(p),
    setBindGroup: (at, g) => did.push(`${at}${g}`),
    dispatchWorkgroups: (...n) => did.push(n.join("×")),
    end: () => did.push("end"),
  };
  const encoder = {
    copyBufferToBuffer: (...a) => did.push(`copy ${a.join(" ")}`),
    beginComputePass: () => pass,
    finish: () => "list",
  };
  const queue = { submit: ([list]) => did.push(list), writeBuffer: (...a) => did.push(a) };
  const r = new globalThis.UndertoneReplay({ createCommandEncoder: () => encoder, queue });
  r.buffers = ["A", "B", "C"];
  r.pipelines = ["p", "q"];
  // Pipeline, bind group, workgroups.
  const words = new Uint32Array([0, 2, 7, 1, 1, 0, 1, 65535, 3, 2, 1, 0, 4294967295, 1, 1, 0, 2, 5, 1, 1]);
  const program = r.program(words, ["f", "g", "h"]);
  words.fill(9); // Go's memory may move on
  const run = (...args) => {
    did.length = 0;
    r.run(program, ...args);
    return did.join(", ");
  };
  assert.equal(run(0, 4), "p, 0h, 7×1×1, 0g, 65535×3×2, q, 0f, 4294967295×1×1, p, 0h, 5×1×1, end, list");
  assert.equal(run(1, 3), "p, 0g, 65535×3×2, q, 0f, 4294967295×1×1, end, list");
  assert.equal(run(2, 2, 0, 4, 1, 8, 64, 2, 0, 0, 256, 16), "copy A 4 B 8 64, copy C 0 A 256 16, list");

  did.length = 0;
  const { buffer } = new Uint8Array(64);
  globalThis.wasm = { instance: { exports: { mem: { buffer } } } };
  r.write(1, 12, 20, 8);
  assert.deepEqual(did, [["B", 12, buffer, 20, 8]]);
});

/** As much of a private file system as store.js uses. */
class Folder {
  entries = new Map();

  async getDirectoryHandle(name, { create = false } = {}) {
    return this.#get(name, create && (() => new Folder()));
  }

  async getFileHandle(name, { create = false } = {}) {
    return this.#get(name, create && (() => new File()));
  }

  #get(name, make) {
    if (!this.entries.has(name)) {
      if (!make) throw new DOMException(name, "NotFoundError");
      this.entries.set(name, make());
    }
    return this.entries.get(name);
  }

  async removeEntry(name) {
    if (!this.entries.delete(name)) throw new DOMException(name, "NotFoundError");
  }

  async *keys() {
    yield* [...this.entries.keys()];
  }
}

class File {
  bytes = Buffer.alloc(0);

  async getFile() {
    return new Blob([this.bytes]);
  }

  async createWritable() {
    return { write: async (text) => (this.bytes = Buffer.from(text)), close: async () => {} };
  }

  async createSyncAccessHandle() {
    return { write: (bytes) => (this.bytes = Buffer.from(bytes)).length, truncate() {}, flush() {}, close() {} };
  }
}

test("store: a piece is what its name says, and belongs to the models that list it", async () => {
  const root = new Folder();
  const storage = { getDirectory: async () => root, estimate: async () => ({ usage: 0, quota: 1e9 }), persisted: async () => false };
  Object.defineProperty(globalThis, "navigator", { value: { storage }, configurable: true });
  const store = await import(new URL("store.js", web));
  const PIECE = 4 << 20;
  const piece = (fill, length) => {
    const bytes = new Uint8Array(length).fill(fill);
    return { bytes, length, hash: createHash("sha256").update(bytes).digest("hex") };
  };
  const [both, one, two, last] = [piece(1, PIECE), piece(2, PIECE), piece(3, PIECE), piece(4, 5)];
  const model = (name, ...pieces) =>
    JSON.stringify({ name, title: name, revision: "1", files: [{ bytes: pieces.reduce((n, p) => n + p.length, 0), pieces: pieces.map((p) => p.hash) }] });
  const first = { address: "https://example.org/1/model.json", manifest: model("first", both, one, last) };
  const second = { address: "https://example.org/2/model.json", manifest: model("second", both, two) };
  for (const { address, manifest } of [first, second]) await store.remember(address, manifest, true);
  for (const p of [both, one, two, last]) await store.write(p.hash, p.bytes);

  // Compared by hand: a message that shows millions of bytes takes minutes.
  const reads = async (p, bytes) => {
    const got = await store.read(p.hash, p.length);
    return bytes ? got !== null && Buffer.compare(got, bytes) === 0 : got === null;
  };
  for (const p of [both, last]) assert.ok(await reads(p, p.bytes), `a piece of ${p.length} bytes`);
  assert.equal(await store.recall(first.address), first.manifest);
  assert.equal(await store.present([both, two, last, piece(9, 7)].map((p) => [p.hash, p.length])), 2 * PIECE + 5);
  const survey = await store.survey();
  assert.deepEqual(survey.models.map((m) => [m.name, m.bytes, m.stored]).sort(), [["first", 2 * PIECE + 5, 2 * PIECE + 5], ["second", 2 * PIECE, 2 * PIECE]]);
  assert.equal(survey.used, 3 * PIECE + 5);

  // The last byte of a piece counts like the first.
  const pieces = root.entries.get("undertone").entries.get("pieces");
  for (const at of [0, PIECE - 1]) {
    await store.write(one.hash, one.bytes);
    pieces.entries.get(one.hash).bytes[at] ^= 1;
    assert.ok(await reads(one, null), `a piece with a wrong byte ${at}`);
    assert.ok(!pieces.entries.has(one.hash), "a damaged piece stays");
  }
  pieces.entries.get(last.hash).bytes = Buffer.alloc(6, 4);
  assert.ok(await reads(last, null), "a piece with a byte too many");

  // Until a newer version is there as a whole, the older one's pieces are needed.
  await store.write(one.hash, one.bytes);
  await store.write(last.hash, last.bytes);
  await store.remember(first.address, model("first", both, last), false);
  await store.sweep();
  assert.deepEqual([...pieces.entries.keys()].sort(), [both.hash, one.hash, two.hash, last.hash].sort());
  assert.equal(await store.recall(first.address), first.manifest);
  await store.remove(first.address);
  assert.deepEqual([...pieces.entries.keys()].sort(), [both.hash, two.hash].sort());
  assert.equal(await store.recall(first.address), null);
  assert.equal(await store.recall(second.address), second.manifest);
});
