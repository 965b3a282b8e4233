// The bench: what is measured, in which order, and the table that is made of it. It runs
// in a page's worker and under Node alike: api is globalThis.undertoneBench, which
// wasm/bench offers; gpu is navigator.gpu.
import { peaks } from "./bench-peaks.js";

// Shapes of the shipped model, of SD3.5-medium and FLUX.1 at 512 × 512, and of the decoders
// of both. A software adapter gets what stands under software in place of them.
export const shapes = [
  { op: "MatMul", name: "FLUX linear1", M: 1536, K: 3072, N: 21504, software: { M: 96, K: 384, N: 1344 } },
  { op: "Attention", name: "FLUX, heads of 128", Rows: 1536, Heads: 24, D: 128, software: { Rows: 192, Heads: 4 } },
  { op: "Conv3x3", name: "decoder 256 at 256²", H: 256, W: 256, Cin: 256, Cout: 256, software: { H: 32, W: 32, Cin: 64, Cout: 64 } },
  { op: "MatMul", name: "SD3.5 MLP up", M: 1178, K: 1536, N: 6144, software: { M: 147, K: 384, N: 768 } },
  { op: "Attention", name: "SD3.5, heads of 64", Rows: 1178, Heads: 24, D: 64, software: { Rows: 147, Heads: 8 } },
  { op: "MatMul", name: "shipped model linear1", M: 96, K: 256, N: 1792 },
  { op: "MatMul", name: "shipped model linear2", M: 96, K: 1280, N: 256 },
  { op: "Attention", name: "shipped model", Rows: 96, Heads: 4, D: 64 },
  { op: "Conv3x3", name: "shipped decoder 32 at 64²", H: 64, W: 64, Cin: 32, Cout: 32 },
  { op: "Conv3x3", name: "shipped decoder 8 at 256²", H: 256, W: 256, Cin: 8, Cout: 8 },
  { op: "Conv3x3", name: "decoder 512 at 64²", H: 64, W: 64, Cin: 512, Cout: 512, software: { H: 16, W: 16, Cin: 128, Cout: 128 } },
  { op: "Conv3x3", name: "decoder 128 at 512²", H: 512, W: 512, Cin: 128, Cout: 128, software: { H: 64, W: 64, Cin: 32, Cout: 32 } },
  { op: "MatMul", name: "SD3.5 MLP down", M: 1178, K: 6144, N: 1536, software: { M: 147, K: 768, N: 384 } },
  { op: "MatMul", name: "FLUX modulation, 4 rows", M: 4, K: 3072, N: 18432, software: { K: 768, N: 4608 } },
  { op: "LayerNorm", name: "FLUX", M: 1536, N: 3072, software: { M: 192, N: 768 } },
  { op: "QKNormRoPE", name: "FLUX", Rows: 1536, Heads: 24, D: 128, software: { Rows: 192, Heads: 6 } },
  { op: "RMSNorm", name: "SD3.5", M: 1178, N: 1536, software: { M: 147, N: 384 } },
  { op: "GroupNorm", name: "decoder 256 at 128²", H: 128, W: 128, Cin: 256, software: { H: 32, W: 32, Cin: 64 } },
];

const types = ["F32", "Q8_0", "F16", "Q4_0"];
export const sizes = (s) => ["M", "K", "N", "Rows", "Heads", "D", "H", "W", "Cin", "Cout"].filter((k) => s[k]).map((k) => `${k} ${s[k]}`).join(", ");
export const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1];

// A run writes into its report, of which emit gets a line for whatever is new, as it comes.
export class Bench {
  // With matrices there are also the variants that multiply by subgroup matrices or in f16.
  constructor({ api, gpu, budget, emit, ops = null, matrices = false, now = () => performance.now() / 1000 }) {
    Object.assign(this, { api, gpu, emit, ops, matrices, now, end: now() + budget });
    this.report = { date: new Date().toISOString(), adapter: "", software: false, features: [], limits: {}, peaks: {}, rows: [], model: {}, cpu: {}, throttle: [], profile: [], failed: [] };
  }

  left() {
    return this.end - this.now();
  }

  // What fails is told and does not stop the rest.
  async part(name, run) {
    const begin = this.now();
    let timer;
    try {
      // What hangs, as a lost device may, is left behind.
      const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("no answer in time")), 1000 * Math.max(30, 0.9 * this.left()))));
      await Promise.race([run(), late]);
      this.emit({ part: name, seconds: +(this.now() - begin).toFixed(2) });
    } catch (error) {
      this.report.failed.push({ part: name, error: String(error?.message ?? error) });
      this.emit({ part: name, failed: String(error?.message ?? error) });
    } finally {
      clearTimeout(timer);
    }
  }

  // The adapter: asked for as a GPU, which a software adapter can be too, and slow at.
  async adapter() {
    const raw = await this.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!raw) throw new Error("there is no WebGPU adapter");
    const { info, caps, variants } = await this.api.open({ matrices: this.matrices });
    const { vendor, architecture, device, description } = raw.info ?? {};
    Object.assign(this.report, {
      adapter: info.adapter, software: info.software, plan: info.plan, caps, variants, info: { vendor, architecture, device, description },
      features: [...raw.features].sort(), language: [...(this.gpu.wgslLanguageFeatures ?? [])].sort(), limits: Object.fromEntries(Object.getOwnPropertyNames(Object.getPrototypeOf(raw.limits)).filter((k) => typeof raw.limits[k] === "number").map((k) => [k, raw.limits[k]])),
    });
    this.emit({ adapter: info.adapter, software: info.software, features: this.report.features, caps });
  }

  async peaks() {
    this.report.peaks = await peaks(this.gpu, this.report.software, () => {});
    this.emit({ peaks: this.report.peaks });
  }

  // All rows of a pass: first what the adapter gets of itself, then the other variants.
  list(others) {
    const rows = [];
    for (const s of shapes) {
      const { software, ...full } = s;
      const shape = this.report.software ? { ...full, ...software } : full;
      if (this.ops && !this.ops.includes(s.op)) continue;
      // What only takes other views than these is left out, and what would be the usual one again.
      const few = (v) => shape.M > 8 && shape.K >= 512 && shape.M * shape.N < (v.endsWith("64") ? 1 << 22 : 1 << 20);
      const names = (this.report.variants?.[s.op] ?? []).filter((v) =>
        !["views", "tile", "split"].includes(v) && (s.M <= 8 ? v !== "f16" && !v.startsWith("matrices") : v !== "gemv") && (!v.startsWith("split") || few(v)));
      for (const type of s.op === "MatMul" ? types : ["F32"]) {
        if (!others) rows.push({ ...shape, DType: type, Variant: "" });
        else if (names.length > 1 && (type === "F32" || type === "Q8_0")) for (const v of names) rows.push({ ...shape, DType: type, Variant: v });
      }
    }
    // Of matrices, first every shape in two types.
    return rows.sort((a, b) => (types.indexOf(a.DType) >> 1) - (types.indexOf(b.DType) >> 1));
  }

  // Measures rows as long as there is time until the budget has only spare seconds left.
  async kernels(others, spare = 0) {
    const rows = this.list(others);
    const { software } = this.report;
    await this.api.open({ matrices: this.matrices });
    for (const [i, r] of rows.entries()) {
      if (this.left() < spare) {
        this.report.failed.push({ part: others ? "variants" : "kernels", error: `no time for the last ${rows.length - i} of ${rows.length} rows` });
        this.emit({ skipped: rows.length - i });
        return;
      }
      await this.part(`${r.op} ${r.name} ${r.DType} ${r.Variant}`, async () => {
        const m = await this.api.kernel({ ...r, Rounds: 7, WarmMs: software ? 0 : 60 });
        const ms = median(m.ms), gflops = m.flops / ms / 1e6;
        const row = {
          op: r.op, shape: r.name, size: sizes(r), dtype: r.DType, variant: r.Variant || "usual", kernels: m.kernels, groups: m.groups,
          ours_ms: ms, least_ms: Math.min(...m.ms), most_ms: Math.max(...m.ms), wall_ms: median(m.wallMs), clock: m.clock,
          gflops, share: this.report.peaks.f32 ? gflops / this.report.peaks.f32 : null, gbps: m.bytes / ms / 1e6,
          max_err: m.maxErr, of_tolerance: m.tolerance, compile_ms: m.compileMs, peers: {},
        };
        this.report.rows.push(row);
        this.emit({ row });
      });
    }
  }

  // The shipped model: the first picture with all compiling, later ones by parts, and how
  // like the CPU's they are.
  async model() {
    const { api, report } = this;
    const of = report.model;
    let t = await api.load({ name: "gpu", device: "webgpu", matrices: this.matrices });
    Object.assign(of, { name: t.info.model, precision: t.info.precision, plan: t.info.plan, load_ms: t.loadMs, weights_mb: t.bytes / 1e6 });
    of.first_ms = (await api.picture({ name: "gpu" })).wallMs;
    this.emit({ model: of });
    const rounds = report.software ? 1 : 9;
    const whole = [], parts = [];
    for (let i = 0; i < rounds; i++) {
      whole.push((await api.picture({ name: "gpu", prompt: `a red ball ${i}`, weight: i % 3 })).wallMs);
      parts.push((await api.picture({ name: "gpu", prompt: `a blue ball ${i}`, parts: true })).timings);
    }
    Object.assign(of, { ours_ms: median(whole), least_ms: Math.min(...whole), most_ms: Math.max(...whole) });
    of.parts = {};
    for (const k of Object.keys(parts[0])) of.parts[k] = k === "stepsMs" ? median(parts.flatMap((p) => p[k])) : median(parts.map((p) => p[k]));
    const last = await api.picture({ name: "gpu", weight: 2, seed: 5 });
    Object.assign(of, { ours_mb: last.bytes / 1e6, dispatches: last.dispatches });
    this.emit({ model: of });
    of.live = await api.live({ name: "gpu", seconds: report.software ? 1 : 4 });
    of.same_bytes = (await api.compare({ a: { name: "gpu", seed: 5, weight: 2 }, b: { name: "gpu", seed: 5, weight: 2 } })).same;
    this.emit({ model: of });
    t = await api.load({ name: "cpu", device: "cpu" });
    const first = (await api.picture({ name: "cpu", seed: 5 })).wallMs;
    const later = [];
    for (let i = 0; i < (report.software ? 1 : 5); i++) later.push((await api.picture({ name: "cpu", seed: 5, weight: i })).wallMs);
    report.cpu = { ours_ms: median(later), first_ms: first };
    of.psnr_cpu = (await api.compare({ a: { name: "gpu", seed: 5, weight: 2 }, b: { name: "cpu", seed: 5, weight: 2 } })).psnr;
    of.zero_is_none = (await api.compare({ a: { name: "gpu", seed: 5, weight: 0 }, b: { name: "gpu", seed: 5 } })).same;
    this.emit({ model: of, cpu: report.cpu });
    await this.part("tuning", () => this.tuning());
    await this.part("profile", async () => {
      report.profile = await api.profile({ name: "gpu" });
      this.emit({ profile: report.profile });
    });
  }

  // The search for the fastest kernels, and pictures with what it found beside the usual ones.
  async tuning() {
    const { api } = this;
    const t = (this.report.tuning = await api.tune({ name: "gpu", budgetMs: 2000 }));
    this.emit({ tuning: t });
    if (Object.keys(t.choices).length === 0) return;
    t.plan = (await api.load({ name: "tuned", device: "webgpu", matrices: this.matrices, choices: t.choices })).info.plan;
    const times = { gpu: [], tuned: [] };
    for (let i = 0; i < 7; i++) for (const name in times) times[name].push((await api.picture({ name, weight: i % 3 })).wallMs);
    const same = { seed: 5, weight: 2 };
    Object.assign(t, { usual_ms: median(times.gpu), tuned_ms: median(times.tuned), psnr: (await api.compare({ a: { name: "gpu", ...same }, b: { name: "tuned", ...same } })).psnr });
    t.same_bytes = (await api.compare({ a: { name: "tuned", ...same }, b: { name: "tuned", ...same } })).same;
    t.zero_is_none = (await api.compare({ a: { name: "tuned", seed: 5, weight: 0 }, b: { name: "tuned", seed: 5 } })).same;
    this.emit({ tuning: t });
  }

  // The picture with other amounts of work in a submit.
  async throttle() {
    for (const gflop of this.report.software ? [1] : [0, 1, 4, 16, 1000]) { // 0: learned
      await this.part(`throttle ${gflop}`, async () => {
        await this.api.load({ name: "throttle", device: "webgpu", submit: gflop * 1e9 });
        await this.api.picture({ name: "throttle" });
        const seconds = this.report.software ? 1 : 1.5;
        const row = { gflop, ...(await this.api.live({ name: "throttle", seconds })) };
        this.report.throttle.push(row);
        this.emit({ throttle: row });
      });
    }
  }
}

const round = (x, digits = 3) => (x === null || x === undefined || Number.isNaN(x) ? "" : Number(x.toPrecision(digits)).toLocaleString("en", { maximumSignificantDigits: digits }));
const percent = (x) => (x === null || x === undefined ? "" : `${(100 * x).toFixed(1)} %`);
const kept = (rows) => rows.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== 0);
const ms = (x) => (x ? `${round(x)} ms` : "");

/** A report as tables: {title, head, rows}, those of what was measured. */
export function tables(r) {
  const { peaks: p, model: m, cpu } = r;
  const of = (x, unit, divisor = 1) => (x ? `${round(x / divisor)} ${unit}` : "");
  const all = [
    { title: "The adapter", head: ["what", "measured"], rows: kept([
      ["adapter", r.adapter], ["driver", r.driver], ["features", r.features.join(", ")], ["plan", r.plan],
      ["largest binding, buffer", `${of(r.limits.maxStorageBufferBindingSize, "MB", 1e6)}, ${of(r.limits.maxBufferSize, "MB", 1e6)}`],
      ["workgroup memory", of(r.limits.maxComputeWorkgroupStorageSize, "KB", 1024)],
    ]) },
    { title: "What it can do at most", head: ["peak", "measured"], rows: kept([
      ["f32 multiply-add", of(p.f32, "TFLOP/s", 1e3)], ["f16 multiply-add", of(p.f16, "TFLOP/s", 1e3)], ["8-bit dot product", of(p.i8, "TOP/s", 1e3)],
      ["memory, read and written", of(p.gbps, "GB/s")], ["submit until done", ms(p.roundTripMs)], ["submit until read", ms(p.readMs)], ["one dispatch of 1,000", of(p.dispatchUs, "µs")],
    ]) },
    { title: "The shipped model", head: ["what", "measured"], rows: m.first_ms ? kept([
      ["model", `${m.name}, ${m.precision}`], ["load", ms(m.load_ms)], ["first picture, compiling", ms(m.first_ms)],
      ["later picture", m.ours_ms && `${ms(m.ours_ms)} (${round(m.least_ms)}–${round(m.most_ms)})`],
      ["by parts, each waited for, in ms", m.parts && Object.entries(m.parts).map(([k, v]) => `${k.replace(/Ms(PerStep)?$/, "")} ${round(v)}`).join(" · ")],
      ["live, one after the other", m.live && `${round(m.live.perSecond)} pictures a second (p95 ${round(m.live.p95Ms)} ms)`],
      ["memory on the GPU", of(m.ours_mb, "MB")], ["like the CPU's picture", of(m.psnr_cpu, "dB")], ["same request twice: same bytes", m.same_bytes && "yes"], ["weight 0: bytes of no guidance", m.zero_is_none && "yes"],
      ["CPU device, a picture", ms(cpu.ours_ms)],
    ]) : [] },
    { title: "The search for the fastest kernels", head: ["what", "measured"], rows: r.tuning ? kept([
      ["shapes measured", `${r.tuning.trials.length} of ${r.tuning.shapes}, in ${round(r.tuning.ms)} ms`],
      ...r.tuning.trials.filter((t) => t.taken !== "usual").map((t) => [t.shape, `${t.taken}: ${round(t.ms[t.taken])} ms, usual ${round(t.ms.usual)} ms`]),
      ["a picture, usual and tuned", r.tuning.tuned_ms && `${ms(r.tuning.usual_ms)}, ${ms(r.tuning.tuned_ms)}`],
      ["plan", r.tuning.plan], ["like the usual picture", of(r.tuning.psnr, "dB")],
      ["same request twice: same bytes", r.tuning.same_bytes && "yes"], ["weight 0: bytes of no guidance", r.tuning.zero_is_none && "yes"],
    ]) : [] },
    { title: "Work in flight", head: ["most work in a submit", "pictures a second", "median", "p95"],
      rows: r.throttle.map((t) => [t.gflop ? `${t.gflop} GFLOP` : "learned", round(t.perSecond), ms(t.medianMs), ms(t.p95Ms)]) },
    { title: "Kernels", head: ["operation", "shape", "weights", "variant", "ms", "in flight", "GFLOP/s", "of f32 peak", "GB/s", "error", "of tolerance"],
      rows: r.rows.map((x) => [x.op, `${x.shape}: ${x.size}`, x.op === "MatMul" ? x.dtype : "", x.variant, round(x.ours_ms), round(x.wall_ms), round(x.gflops), percent(x.share), round(x.gbps), x.max_err.toExponential(1), percent(x.of_tolerance)]) },
    { title: "A picture by kernel", head: ["program", "operation", "kernel", "launches", "ms", "GFLOP/s"],
      rows: [...r.profile].sort((a, b) => b.Ms - a.Ms).map((s) => [s.Program, s.Op, s.Kernel, s.Launches, round(s.Ms), round((s.GFLOP / s.Ms) * 1e3)]) },
    { title: "Tests", head: ["tests", "passed", "failed", "skipped", "note"], rows: Object.entries(r.tests ?? {}).map(([name, t]) => [name, t.passed, t.failed, t.skipped, t.note ?? ""]) },
    { title: "Not measured", head: ["what", "why"], rows: r.failed.map((f) => [f.part, f.error]) },
  ];
  return all.filter((t) => t.rows.length > 0);
}

/** A report in Markdown, as it is kept in docs/speed/; more are tables behind its own. */
export function table(r, more = []) {
  const line = (list) => `| ${list.map((x) => String(x ?? "").replace(/\s*\n\s*/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
  const out = [`# ${r.adapter}`, "", `Measured ${r.date.slice(0, 10)}${r.software ? "; a software adapter, whose shapes are scaled down" : ""}.`];
  for (const t of [...tables(r), ...more]) out.push("", `## ${t.title}`, "", line(t.head), `|${"---|".repeat(t.head.length)}`, ...t.rows.map(line));
  return out.join("\n") + "\n";
}
