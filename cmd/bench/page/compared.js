// The bench of web/bench.js with others beside: the same shapes, the same report, and in
// it what the others take.
import { Bench, sizes } from "../web/bench.js";
import { contenders, start } from "./peers.js";
import { Pictures, inputs } from "./picture.js";
import { best, timed, turns } from "./turns.js";

const types = ["F32", "Q8_0", "Q4_0"];
const others = ["ort", "jaxjs", "tfjs"];

// How far two results lie apart, in root mean squares of the second.
function apart(a, b) {
  let difference = 0, square = 0;
  for (let i = 0; i < b.length; i++) {
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    square += b[i] * b[i];
  }
  return difference / Math.sqrt(square / b.length);
}

export class Compared extends Bench {
  constructor(options) {
    super(options);
    Object.assign(this, { rounds: options.rounds, clock: options.clock });
    Object.assign(this.report, { versions: options.versions, clock: "wall", notes: [], loads: [] });
  }

  async adapter() {
    await super.adapter();
    const { cpuMs } = await this.clock();
    if (this.report.software && cpuMs !== null) this.report.clock = "cpu";
    this.peers = await start();
    this.report.failed.push(...this.peers.failed);
  }

  async turns(list, more = {}) {
    const by = this.report.clock;
    const results = await turns(list, { rounds: this.rounds, clock: this.clock, by, enough: by === "cpu" ? 150 : 20, ...more });
    this.report.loads.push((await this.clock()).load);
    return results;
  }

  note(text) {
    if (this.report.notes.includes(text)) return;
    this.report.notes.push(text);
    this.emit({ note: text });
  }

  // Products, attention and convolutions, ours beside those of the others that have them.
  async kernels() {
    await this.api.open({ hardware: false });
    const rows = this.list(false).filter((r) => types.includes(r.DType) && ["MatMul", "Attention", "Conv3x3"].includes(r.op));
    for (const r of rows) await this.part(`${r.op} ${r.name} ${r.DType}`, () => this.kernel(r));
  }

  async kernel(r) {
    const held = await this.api.hold(r);
    const list = [{ name: "ours", run: (runs) => this.api.runs({ runs }) }];
    const failed = {};
    for (const c of contenders(this.peers, r)) {
      try {
        list.push(await c.make());
      } catch (error) {
        failed[c.name] = { error: String(error?.message ?? error) };
      }
    }
    const wrong = r.op === "Attention" ? await this.wrongAttention(list) : 0;
    const results = { ...failed, ...(await this.turns(list)) };
    if (wrong) results["ort MultiHeadAttention"].wrong = wrong;
    const { ours, ...beside } = results;
    if (!ours || ours.error) throw new Error(ours?.error ?? "ours did not run");
    const peers = Object.fromEntries(others.map((o) => [o, best(beside, o)?.ms ?? null]));
    const fastest = Math.min(...Object.values(peers).filter((ms) => ms !== null));
    const { f32 } = this.report.peaks;
    const row = {
      op: r.op, shape: r.name, size: sizes(r), dtype: r.DType, variant: "usual",
      ours_ms: ours.ms, peers, ratio: Number.isFinite(fastest) ? fastest / ours.ms : null, spread: ours.spread, beside,
      least_ms: ours.least, most_ms: ours.most, wall_ms: ours.wall_ms, cpu_ms: ours.cpu_ms, clock: this.report.clock,
      gflops: held.flops / ours.ms / 1e6, share: f32 ? held.flops / ours.wall_ms / 1e6 / f32 : null, gbps: held.bytes / ours.ms / 1e6,
      max_err: held.maxErr, of_tolerance: held.tolerance, compile_ms: held.compileMs,
    };
    this.report.rows.push(row);
    this.emit({ row });
  }

  // onnxruntime-web's fused attention is not attention on every adapter: how far it is off,
  // in root mean squares, 0 if it is right.
  async wrongAttention(list) {
    const [fused, plain] = ["ort MultiHeadAttention", "ort MatMul, Softmax, MatMul"].map((name) => list.find((c) => c.name === name));
    if (!fused || !plain) return 0;
    const off = apart(await fused.result(), await plain.result());
    if (off < 1e-2) return 0;
    this.note("onnxruntime-web's MultiHeadAttention is wrong on this adapter (see wrong in bench.json): its MatMul, Softmax, MatMul counts in its place, and in the picture.");
    return off;
  }

  // The whole picture beside the same model on onnxruntime-web: first that the pictures are
  // the same, then memory, then times.
  async model() {
    const { api, report } = this;
    const { ort } = this.peers;
    if (!ort) throw new Error("there is no onnxruntime-web");
    const of = report.model;
    const before = globalThis.gpuDevices.length;
    const loaded = await api.load({ name: "gpu", device: "webgpu" });
    const device = globalThis.gpuDevices[before];
    Object.assign(of, { name: loaded.info.model, precision: loaded.info.precision, plan: loaded.info.plan, load_ms: loaded.loadMs, psnr: {}, beside: {} });
    of.first_ms = (await api.picture({ name: "gpu", ...this.asked(0) })).wallMs;
    of.dispatches = (await api.picture({ name: "gpu", ...this.asked(1) })).dispatches;
    of.ours_mb = globalThis.gpuBytes(device) / 1e6;
    this.emit({ model: { ...of } });

    // Of 8 bits, the faster of what onnxruntime-web offers.
    const kinds = { "ort f32": {}, "ort 8-bit, accuracy 0": { weights: "blocks", accuracy: 0 }, "ort 8-bit, accuracy 4": { weights: "blocks", accuracy: 4 } };
    const list = [{ name: "ours", run: () => api.picture({ name: "gpu", ...this.asked() }) }];
    for (const [name, options] of Object.entries(kinds)) {
      const own = await Pictures.load(ort, { provider: "webgpu", ...options });
      await this.same(name, "gpu", own);
      if (name === "ort f32") of.ort_mb = globalThis.gpuBytes(await ort.env.webgpu.device) / 1e6;
      const drawn = this.drawn(name, own);
      const once = await timed(this.clock, () => drawn.run(1));
      list.push({ ...drawn, once: report.clock === "cpu" ? once.cpu : once.wall });
    }
    const slower = list.filter((c) => c.name.startsWith("ort 8-bit")).sort((a, b) => a.once - b.once)[1];
    await slower.end();
    list.splice(list.indexOf(slower), 1);
    this.emit({ psnr: of.psnr, ours_mb: of.ours_mb, ort_mb: of.ort_mb });
    const results = await this.turns(list, { enough: 0 });
    Object.assign(of, {
      ours_ms: results.ours.ms, least_ms: results.ours.least, most_ms: results.ours.most, ours_wall_ms: results.ours.wall_ms, spread: results.ours.spread,
      ort_ms: results["ort f32"].ms, ort_q8_ms: best(results, "ort 8-bit").ms, beside: results,
    });
    this.emit({ model: { ours_ms: of.ours_ms, ort_ms: of.ort_ms, ort_q8_ms: of.ort_q8_ms } });
  }

  // Without a GPU: the CPU device beside onnxruntime-web on one thread and on as many as
  // there are processors. Each frame starts one of them.
  async cpuDevice(processors) {
    const { api, report } = this;
    await api.load({ name: "cpu", device: "cpu" });
    report.cpu = { psnr: {}, beside: {} };
    report.cpu.first_ms = (await api.picture({ name: "cpu", ...this.asked(0) })).wallMs;
    const list = [{ name: "ours", run: async (times) => { for (let i = 0; i < times; i++) await api.picture({ name: "cpu", ...this.asked() }); } }];
    const frames = [];
    for (const threads of processors > 1 ? [1, processors] : [1]) {
      const frame = document.createElement("iframe");
      frame.src = `frame.html?threads=${threads}`;
      document.body.append(frame);
      frames.push(frame);
      while (!frame.contentWindow.undertonePeer) await new Promise((done) => setTimeout(done, 50));
      for (const [kind, options] of Object.entries({ f32: {}, "8-bit": { weights: "blocks", accuracy: 4 } })) {
        const name = `ort ${kind}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
        const own = await frame.contentWindow.undertonePeer.load(options);
        await this.same(name, "cpu", own);
        list.push(this.drawn(name, own));
      }
    }
    this.emit({ psnr: report.cpu.psnr });
    const { ours, ...beside } = await this.turns(list, { enough: 600 });
    const fastest = best(beside, "ort");
    const clock = ours.cpu_ms === null ? "wall" : report.clock;
    Object.assign(report.cpu, { ours_ms: ours.ms, ort_ms: fastest?.ms ?? null, ort_kind: fastest?.name, spread: ours.spread, clock, ours_wall_ms: ours.wall_ms, beside });
    report.cpu.live = await api.live({ name: "cpu", seconds: 5 });
    for (const f of frames) f.remove();
    this.emit({ cpu: { ...report.cpu, beside: undefined } });
  }

  // A picture that nobody asked for before, so that its words are encoded.
  asked(seed = (this.pictures = (this.pictures ?? 100) + 1)) {
    return { prompt: `${this.prompt} ${seed}`, seed };
  }

  // One of onnxruntime-web's pictures, with what it reads made beforehand.
  drawn(name, own) {
    const { prompt, seed } = this.asked(7);
    let given;
    return {
      name,
      run: async (times) => {
        given ??= await inputs(prompt, seed);
        for (let i = 0; i < times; i++) await own.make(given);
      },
      end: () => own.release(),
    };
  }

  // How like ours the other's picture is, told before any time.
  async same(name, machine, own) {
    const a = { name: machine, ...this.asked(5) };
    // A frame's arrays are of another kind than this window's, to Go.
    const pixels = Uint8ClampedArray.from(await own.make(await inputs(a.prompt, a.seed)));
    const { psnr } = await this.api.compare({ a, pixels });
    const into = machine === "cpu" ? this.report.cpu.psnr : this.report.model.psnr;
    into[name] = psnr;
    this.emit({ picture: name, psnr });
    if (psnr < 35) this.note(`The picture of ${name} is not ours (${psnr.toFixed(1)} dB): its time is of something else.`);
  }
}
