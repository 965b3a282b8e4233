// The public API in Node, beside a worker that only pretends: what the window's scripts
// do by themselves. Run by window_test.go with the folder of the scripts; writes one
// line of JSON for every check: its name, and what is wrong or null.
const folder = process.argv[2];

Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true, writable: true });
globalThis.document = { baseURI: "https://example.org/" };
globalThis.fetch = async () => new Response(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]), { headers: { "Content-Type": "application/wasm" } });
// Without a digest, as on an insecure page, it is fetch that compares with the hash that the builder writes.
Object.defineProperty(globalThis, "crypto", { value: {} });
globalThis.ImageData = class {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};

const { version } = await import(`${folder}/protocol.js`);

/** Answers by `answer`, which a check may replace. */
class Worker {
  static answer;
  static last;
  heard = [];
  constructor() {
    Worker.last = this;
  }
  say(type, id, body, more) {
    this.onmessage?.({ data: { v: version, type, id, body: JSON.stringify(body), ...more } });
  }
  postMessage(m) {
    this.heard.push(structuredClone(m));
    if (!this.dead) setImmediate(() => Worker.answer(this, m));
  }
  terminate() {
    this.dead = true;
  }
}
globalThis.Worker = Worker;

const picture = { width: 1, height: 1, parameters: {} };
function proper(worker, { type, id }) {
  if (type === "init") worker.say("ready", id);
  if (type === "load") worker.say("loaded", id, { maxSteps: 30, sizes: [16, 24, [24, 16]] });
  if (type === "describe") worker.say("described", id, {});
  if (type === "generate") worker.say("result", id, picture, { pixels: new ArrayBuffer(4) });
  if (type === "abort") worker.say("error", id, { code: "aborted", message: "stopped", advice: "-" });
  if (type === "ping") worker.say("alive", 0, {});
}

const { Undertone, UndertoneError } = await import(`${folder}/undertone.js`);
const M = "models/sprites/model.json";
const cpu = { device: "cpu" };
const load = () => Undertone.load(M, cpu);

function check(ok, what) {
  if (!ok) throw new Error(what);
}

/** How a promise ends: its error, or undefined. Waits at most `ms`. */
async function end(promise, ms = 3000) {
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, ms, new Error(`nothing for ${ms} ms`))));
  const error = await Promise.race([promise.then(() => undefined, (e) => e), late]);
  clearTimeout(timer);
  return error;
}

function isOurs(error, code) {
  check(error instanceof UndertoneError, `not an UndertoneError: ${error}`);
  check(!code || error.code === code, `the code is ${error.code}, wanted ${code}: ${error.message}`);
  check(error.message && error.advice && error.message.length < 1000, `message ${error.message.slice(0, 2000)}, advice ${error.advice}`);
}

const throws = () => {
  throw new Error("not for you");
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const huge = 3e7;
const values = {
  "undefined": undefined,
  "null": null,
  "true": true,
  "0": 0,
  "5": 5,
  "-1": -1,
  "NaN": NaN,
  "a BigInt": 10n ** 100000n,
  "a symbol": Symbol("x".repeat(1000)),
  "empty text": "",
  "text": "spiral",
  "huge text": "x".repeat(huge),
  "a list": [],
  "a list of null": [null],
  "a huge list": new Array(huge),
  "lists in lists": [[[[1]]]],
  "numbers": new Float64Array(huge),
  "a text object": Object("x".repeat(1e6)),
  "a map": new Map([[1, 2]]),
  "a function": () => {},
  "a proxy that throws": new Proxy({}, { get: throws, has: throws, ownKeys: throws, getPrototypeOf: throws, getOwnPropertyDescriptor: throws }),
  "a list that throws": new Proxy([1], { get: throws }),
  "a list that lies": new Proxy([1], { get: (t, k) => (k === "length" ? huge : t[k]) }),
  "a revoked proxy": revoked(),
  "an object that throws": { toString: throws, valueOf: throws, toJSON: throws, get aborted() { throw new Error("no"); }, get href() { throw new Error("no"); } },
  "a signal that is none": { aborted: false, addEventListener() {}, removeEventListener() {} },
  "many fields": Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, i])),
};

/** Every argument of every public function, and which of the values it takes. */
function places(u, r) {
  const term = (more) => u.generate({ guidance: [{ weight: 1, ...more }] });
  const schedule = (more) => term({ schedule: { kind: "step", ...more } });
  const anything = Object.keys(values);
  const objects = ["a function", "a map", "an object that throws", "a signal that is none", "many fields", "a list", "a list of null", "a huge list", "lists in lists", "numbers", "a text object", "a list that lies"];
  const plain = objects.filter((name) => name !== "a function");
  const numbers = ["0", "5", "-1"];
  const words = ["empty text", "text"];
  return {
    "load(v)": [(v) => Undertone.load(v, cpu), words],
    "load(M, v)": [(v) => Undertone.load(M, v), []],
    "load signal": [(v) => Undertone.load(M, { ...cpu, signal: v }), ["undefined"]],
    "load files": [(v) => Undertone.load({ files: v }, cpu), []],
    "load a file": [(v) => Undertone.load({ files: [v] }, cpu), ["text"]],
    "a file's path": [(v) => Undertone.load({ files: [{ path: v, file: new Blob(["x"]) }] }, cpu), ["text"]],
    "the file at a path": [(v) => Undertone.load({ files: [{ path: "a.gguf", file: v }] }, cpu), words],
    "describe(v)": [(v) => Undertone.describe(v), words],
    "load address": [(v) => Undertone.load({ href: v }, cpu), []],
    "load device": [(v) => Undertone.load(M, { device: v }), []],
    "load store": [(v) => Undertone.load(M, { ...cpu, store: v }), ["undefined", "true"]],
    "load onProgress": [(v) => Undertone.load(M, { ...cpu, onProgress: v }), ["undefined", "a function"]],
    "remove(v)": [(v) => Undertone.remove(v), []],
    "storage(v)": [(v) => Undertone.storage(v), anything],
    "persist(v)": [(v) => Undertone.persist(v), anything],
    "blob(v)": [(v) => r.blob(v), []],
    "generate(v)": [(v) => u.generate(v), plain.filter((name) => name !== "a map")], // which has a size
    "prompt": [(v) => u.generate({ prompt: v }), ["undefined", ...words]],
    "seed": [(v) => u.generate({ seed: v }), ["undefined", "0", "5"]],
    "steps": [(v) => u.generate({ steps: v }), ["undefined", "5"]],
    "size": [(v) => u.generate({ size: v }), ["undefined"]],
    "cfg": [(v) => u.generate({ cfg: v }), ["undefined", "0", "5"]],
    "onStep": [(v) => u.generate({ onStep: v }), ["undefined", "a function"]],
    "signal": [(v) => u.generate({ signal: v }), ["undefined"]],
    "probe": [(v) => u.generate({ probe: v }), ["undefined", ...plain]],
    "probe.word": [(v) => u.generate({ probe: { word: v } }), ["undefined", ...numbers]],
    "guidance": [(v) => u.generate({ guidance: v }), ["undefined", "a list"]],
    "a direction": [(v) => u.generate({ guidance: [v] }), []],
    "positive": [(v) => term({ positive: v }), ["undefined", ...words]],
    "negative": [(v) => term({ negative: v }), ["undefined", ...words]],
    "weight": [(v) => term({ weight: v }), numbers],
    "head": [(v) => term({ head: v }), ["undefined", ...numbers]],
    "schedule": [(v) => term({ schedule: v }), ["undefined"]],
    "kind": [(v) => schedule({ kind: v }), [...numbers, ...words, "a list"]], // the engine knows which
    "table": [(v) => schedule({ table: v }), [...numbers, ...words, "a list"]],
    "an interval": [(v) => schedule({ intervals: [v] }), [...numbers, ...words]],
    "a field of it": [(v) => schedule({ intervals: [{ from: v }] }), [...numbers, ...words]],
  };
}

const checks = {
  async arguments() {
    const u = await load();
    const r = await u.generate({});
    const wrong = [];
    for (const [place, [call, takes]] of Object.entries(places(u, r))) {
      for (const [name, value] of Object.entries(values)) {
        if (place === "remove(v)" && value === undefined) continue; // all models
        if (place === "blob(v)" && value === undefined) continue; // a PNG
        const at = performance.now();
        try {
          const promise = call(value);
          check(promise instanceof Promise, "no promise");
          const error = await end(promise);
          const ms = performance.now() - at;
          check(ms < 1000, `it took ${ms.toFixed(0)} ms`);
          if (takes.includes(name)) check(!error || error.code === "insecure-context", `refused: ${error?.message}`);
          else {
            isOurs(error);
            check(error.code !== "internal" && error.code !== "busy" && error.code !== "worker-failed", `the code is ${error.code}: ${error.message}`);
          }
        } catch (error) {
          wrong.push(`${place} with ${name}: ${error.message.slice(0, 300)}`);
        }
      }
    }
    isOurs(await end(u.generate({ steps: 99 })), "steps-range"); // not "busy"
    check(!(await end(u.generate({}))), "no picture afterwards");
    check(wrong.length === 0, wrong.join("\n"));
  },

  async methods() {
    const made = () => new Undertone();
    for (const f of [made, () => new Undertone({}, {}), () => Undertone.prototype.info, () => Undertone.prototype.close.call(undefined)]) {
      let error;
      try {
        f();
      } catch (e) {
        error = e;
      }
      isOurs(error, "request-invalid");
    }
    const u = await load();
    const { generate } = u;
    isOurs(await end(generate({})), "request-invalid");
    const { load: free } = Undertone;
    (await free(new URL("https://example.org/other/model.json"), cpu)).close();
    check(JSON.parse(Worker.last.heard.find((m) => m.type === "load").body).address === "https://example.org/other/model.json", "another address is loaded");
    u.close();
    u.close();
    isOurs(await end(u.generate({})), "closed");
    isOurs(await end(u.generate(null)), "request-invalid");
  },

  /** Reference pictures are refused by models that read none; what is sent is a copy of the very pixels. */
  async references() {
    const plain = await load();
    const pixels = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 128) };
    isOurs(await end(plain.generate({ reference: pixels })), "reference-refused");
    Worker.answer = (worker, m) => (m.type === "load" ? worker.say("loaded", m.id, { maxSteps: 30, sizes: [16], edits: { bytes: 1 } }) : proper(worker, m));
    const u = await load();
    // A PNG of one pixel of grey and alpha, whose colours under the alpha no canvas would give back.
    const png = new Blob([Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=", "base64")]);
    for (const [reference, sides, bytes] of [
      [pixels, { width: 2, height: 1 }, [1, 2, 3, 255, 4, 5, 6, 128]],
      [{ width: 1, height: 1, data: new Uint8ClampedArray(4) }, { width: 1, height: 1 }, [0, 0, 0, 0]],
      [png, { width: 1, height: 1 }, undefined],
    ]) {
      check(!(await end(u.generate({ reference, prompt: "make it night" }))), "a reference that can be read is refused");
      const sent = Worker.last.heard.findLast((m) => m.type === "generate");
      check(JSON.stringify(JSON.parse(sent.body).reference) === JSON.stringify(sides), `the body is ${sent.body}`);
      const got = [...new Uint8Array(sent.pixels)];
      check(bytes ? String(got) === String(bytes) : got.length === 4, `the pixels are ${got}`);
    }
    for (const [reference, says] of [
      [{ ...pixels, width: 3 }, "8 bytes"],
      [{ ...pixels, width: 4097 }, "4097"],
      [{ ...pixels, height: 0.5 }, "0.5"],
      [{ ...pixels, data: [1, 2, 3, 4, 5, 6, 7, 8] }, "a list"],
      [{ width: 1, height: 1, sha256: "00" }, "undefined"],
      [null, "null"],
      ["picture.png", "picture.png"],
      [new Blob(["not a picture"]), "cannot be read"],
      [new Blob([await png.slice(0, 40).arrayBuffer()]), "cannot be read"],
    ]) {
      const error = await end(u.generate({ reference }));
      isOurs(error, "request-invalid");
      check(error.message.includes(says), `${error.message}, wanted ${says}`);
    }
    Worker.answer = proper;
  },

  /** What is sent is within the limits, and is what was checked. */
  async bounded() {
    const u = await load();
    const list = (n, value) => Array.from({ length: n }, () => value);
    const term = (schedule) => u.generate({ guidance: list(8, { weight: 1, schedule }) });
    const most = { kind: "intervals", table: list(1000, -1.23e-200), centers: list(1000, 5), intervals: list(1000, { from: 1, to: 2, weight: 3 }) };
    check(!(await end(term(most))), "what the engine may take is refused");
    for (const [schedule, says] of [
      [{ kind: "table", table: list(1001, 1) }, "1001"],
      [{ kind: "x".repeat(41) }, "41"],
      [Object.fromEntries(list(9, 0).map((v, i) => [`f${i}`, v])), "9 fields"],
      [{ kind: "table", table: [[1]] }, "a list"],
      [{ kind: "intervals", intervals: [{ from: { to: 1 } }] }, "an object"],
    ]) {
      const error = await end(term(schedule));
      isOurs(error, "guidance-invalid");
      check(error.message.includes(says), error.message);
    }
    isOurs(await end(u.generate({ guidance: list(9, { weight: 1 }) })), "guidance-invalid");
    isOurs(await end(Undertone.load(`/${"x".repeat(8192)}`, cpu)), "request-invalid");
    isOurs(await end(u.generate({ guidance: list(8, { weight: 1, schedule: { ["k".repeat(1e6)]: 1 } }) })), "request-invalid");
    const longest = Math.max(...Worker.last.heard.map((m) => m.body?.length ?? 0));
    check(longest > 1e5 && longest <= 2 << 20, `the longest message has ${longest} characters`);
    let reads = 0;
    const fickle = { get seed() { return reads++ ? NaN : 7; } };
    await u.generate(fickle);
    check(JSON.parse(Worker.last.heard.at(-1).body).seed === 7 && reads === 1, `read ${reads} times`);
  },

  /** Published files are sent as the Blobs that they are, beside their paths and addresses. */
  async "published files"() {
    const sent = () => {
      const { body, files } = Worker.last.heard.find((m) => m.type === "load" || m.type === "describe");
      return { ...JSON.parse(body), blobs: files };
    };
    const file = new File(["abc"], "ae.safetensors");
    const files = [file, "parts/clip_l.safetensors?x=1", { path: "/model/tokenizer/vocab.json", file: new Blob(["{}"]) }, { path: "t5.gguf", file: new URL("https://example.org/b/t5") }];
    await Undertone.load({ files }, { ...cpu, store: true });
    let { files: told, blobs, address, store } = sent();
    check(JSON.stringify(told) === JSON.stringify([
      { path: "ae.safetensors" }, { path: "parts/clip_l.safetensors", address: "https://example.org/parts/clip_l.safetensors?x=1" },
      { path: "model/tokenizer/vocab.json" }, { path: "t5.gguf", address: "https://example.org/b/t5" }]), JSON.stringify(told));
    check(blobs.length === 2 && blobs[0].size === 3 && blobs[1].size === 2 && address === undefined && store, "other files were sent");
    const folder = Object.defineProperty(new File(["abc"], "x.gguf"), "webkitRelativePath", { value: "not the browser's" });
    await Undertone.describe({ files: [folder] });
    ({ files: told } = sent());
    check(told[0].path === "x.gguf", told[0].path);
    for (const [given, path] of [["https://hub.example/who/model/resolve/main/vae/a%20b.safetensors?download=true", "who/model/vae/a b.safetensors"], ["x.gguf", "x.gguf"]]) {
      await Undertone.describe(given);
      ({ files: told, address } = sent());
      check(told.length === 1 && told[0].path === path && told[0].address.startsWith("https://") && address === undefined, JSON.stringify(told));
    }
    await Undertone.load("stored:flux1-dev-01234567", cpu);
    ({ files: told, address } = sent());
    check(told === undefined && address === "stored:flux1-dev-01234567", address);
    isOurs(await end(Undertone.load("stored:A/B", cpu)), "request-invalid");
    isOurs(await end(Undertone.load({ files: Array.from({ length: 4097 }, () => file) }, cpu)), "request-invalid");
    isOurs(await end(Undertone.load({ files: [{ path: "x".repeat(1025), file }] }, cpu)), "request-invalid");
    isOurs(await end(Undertone.load({ files: ["file:///etc/passwd"] }, cpu)), "request-invalid");
  },

  async "abort wins"() {
    const u = await load();
    for (let i = 0; i < 100; i++) {
      const stop = new AbortController();
      // At once, just before the picture comes, and when it has but just come.
      Worker.answer = (worker, m) => {
        if (m.type === "abort") return;
        proper(worker, m);
        stop.abort();
      };
      if (i % 3 === 1) setImmediate(() => stop.abort());
      const making = u.generate({ signal: stop.signal });
      if (i % 3 === 0) stop.abort();
      const error = await end(making);
      isOurs(error, "aborted");
      check(error.name === "AbortError", error.name);
    }
    Worker.answer = proper;
    check(!(await end(u.generate({}))), "no picture afterwards");
    for (const hangs of ["init", "load"]) {
      Worker.answer = (worker, m) => m.type !== hangs && proper(worker, m);
      for (const wait of [0, 20]) {
        const stop = new AbortController();
        const loading = Undertone.load(M, { ...cpu, signal: stop.signal });
        setTimeout(() => stop.abort(), wait);
        isOurs(await end(loading, 1000), "aborted");
      }
    }
  },

  async "garbage is passed over"() {
    const u = await load();
    const garbage = [null, undefined, 5, "text", [], {}, { v: version }, { v: version, type: "surprise", id: 1 }, { v: version, type: "toString", id: 1 },
      { type: "result", id: 2 }, { v: version, type: "error", id: 99, body: "{" }, { v: version, type: "step", id: 99 }, { v: version, type: "alive", id: 0 }];
    Worker.answer = (worker, m) => {
      for (const data of garbage) worker.onmessage({ data });
      proper(worker, m);
    };
    check(!(await end(u.generate({ onStep() {} }))), "garbage ended the engine");
    Worker.answer = (worker, m) => worker.onmessage({ data: { v: version, type: "result", id: m.id, body: "{" } });
    isOurs(await end(u.generate({})), "internal");
    Worker.answer = proper;
    check(!(await end(u.generate({}))), "an answer that cannot be read ended the engine");
    Worker.answer = (worker, m) => worker.onmessage({ data: { v: 99, type: "result", id: m.id } });
    isOurs(await end(u.generate({})), "protocol-mismatch");
  },

  async "failures of the worker"() {
    for (const fail of [(w) => w.onerror({ message: "boom" }), (w) => w.onmessageerror({}), (w) => w.say("error", 0, { code: "worker-failed", message: "stopped", advice: "-" })]) {
      Worker.answer = proper;
      const u = await load();
      Worker.answer = fail;
      isOurs(await end(u.generate({})), "worker-failed");
      isOurs(await end(u.generate({})), "worker-failed");
    }
    Worker.answer = proper;
    const u = await load();
    Worker.last.postMessage = throws;
    isOurs(await end(u.generate({})), "worker-failed");
    const real = globalThis.Worker;
    globalThis.Worker = throws;
    isOurs(await end(load()), "worker-failed");
    Object.defineProperty(globalThis, "Worker", { get: throws, configurable: true });
    isOurs(await end(load()), "worker-failed");
    Object.defineProperty(globalThis, "Worker", { value: real, configurable: true, writable: true });
  },

  /** The lock that the worker held comes free. */
  async "death with locks"() {
    let free;
    navigator.locks = { request: (name, { signal }, got) => new Promise((done, failed) => {
      check(name === "held", name);
      free = () => done(got());
      signal.addEventListener("abort", () => failed(signal.reason));
    }) };
    Worker.answer = (worker, m) => {
      if (m.type === "init") worker.say("alive", 0, { lock: "held" });
      proper(worker, m);
    };
    const u = await load();
    Worker.answer = () => {};
    const making = u.generate({});
    setTimeout(() => free(), 10);
    isOurs(await end(making, 6000), "worker-failed");
    // It comes free while the worker lives, when the site's data was cleared.
    Worker.answer = (worker, m) => {
      if (m.type === "init") worker.say("alive", 0, { lock: "held" });
      proper(worker, m);
    };
    const lives = await load();
    free();
    await new Promise((done) => setTimeout(done, 3500));
    check(!(await end(lives.generate({}))), "a worker that answers was taken for dead");
    delete navigator.locks;
  },

  /** There are no locks, or they are refused: nothing is heard for a minute. */
  async "death without locks"() {
    const { setInterval } = globalThis;
    let beat;
    globalThis.setInterval = (f) => {
      beat = f;
      return setInterval(() => {}, 1e9);
    };
    for (const locks of [undefined, { request: async () => throws() }, { request: throws }]) {
      navigator.locks = locks;
      beat = undefined;
      Worker.answer = (worker, m) => {
        if (m.type === "init" && locks) worker.say("alive", 0, { lock: "held" });
        proper(worker, m);
      };
      const u = await load();
      await new Promise(setImmediate);
      for (let i = 0; i < 20; i++) beat(); // nobody waits for anything
      check(!(await end(u.generate({}))), "an idle worker was taken for dead");
      let hold;
      Worker.answer = (worker, m) => (m.type === "generate" ? (hold = () => proper(worker, m)) : proper(worker, m));
      let making = u.generate({});
      for (let i = 0; i < 20; i++) {
        beat();
        await new Promise((done) => setTimeout(done, 1));
      }
      hold();
      check(!(await end(making)), "a worker that answers was taken for dead");
      Worker.answer = () => {};
      making = u.generate({});
      for (let i = 0; i < 10; i++) beat();
      isOurs(await end(making), "worker-failed");
    }
    globalThis.setInterval = setInterval;
    delete navigator.locks;
  },
};

for (const [name, run] of Object.entries(checks)) {
  Worker.answer = proper;
  const wrong = await run().then(() => null, (error) => error.stack);
  console.log(JSON.stringify({ name, wrong }));
}
process.exit(0); // closed workers are given a second
