// What a comparison shows: tables behind those of web/bench.js, and sentences.
import { median } from "../web/bench.js";

const round = (x, digits = 3) => (x === null || x === undefined ? "–" : Number(x.toPrecision(digits)).toLocaleString("en", { maximumSignificantDigits: digits }));
const times = (x) => (x ? `${x.toFixed(2)} ×` : "–");

/** The tables of what the others take; r is a report of compared.js. */
export function besideTables(r) {
  const all = [];
  const ms = r.clock === "cpu" ? "CPU ms" : "ms";
  if (r.rows.length) {
    all.push({
      title: "Beside others: kernels", head: ["operation", "shape", "weights", `ours, ${ms}`, "spread", "onnxruntime-web", "jax-js", "tfjs", "the best of them ÷ ours"],
      rows: r.rows.map((x) => [x.op, `${x.shape}: ${x.size}`, x.op === "MatMul" ? x.dtype : "", round(x.ours_ms), `${(100 * x.spread).toFixed(0)} %`, round(x.peers.ort), round(x.peers.jaxjs), round(x.peers.tfjs), times(x.ratio)]),
    });
  }
  for (const [title, of] of [["Beside others: a whole picture", r.model], ["Beside others: a picture without a GPU", r.cpu]]) {
    if (!of.ours_ms) continue;
    const { ours, ...beside } = of.beside;
    const line = (name, x, psnr) => [name, x.error ?? round(x.ms), x.error ? "" : round(x.wall_ms), x.error ? "" : `${(100 * x.spread).toFixed(0)} %`, psnr ? `${psnr.toFixed(0)} dB` : "", x.error ? "" : times(x.ms / of.ours_ms)];
    all.push({
      title, head: ["on", ms, "passed, ms", "spread", "like ours", "÷ ours"],
      rows: [line("ours", ours ?? { ms: of.ours_ms, wall_ms: of.ours_wall_ms, spread: of.spread }), ...Object.entries(beside).map(([name, x]) => line(name, x, of.psnr[name]))],
    });
  }
  if (r.notes.length) all.push({ title: "Notes", head: ["what to know"], rows: r.notes.map((n) => [n]) });
  return all;
}

/** A spread of all rows beyond which a run is called noisy. */
export const noisy = 0.25;

/** What the report shows beside its aims, in sentences. */
export function found(r) {
  const out = [];
  const rows = r.rows.filter((x) => x.ratio);
  if (rows.length) {
    const low = rows.filter((x) => x.ratio < 1);
    out.push(`Kernels: ${rows.length} rows, the best of the others ÷ ours ${times(Math.min(...rows.map((x) => x.ratio)))} to ${times(Math.max(...rows.map((x) => x.ratio)))}, median ${times(median(rows.map((x) => x.ratio)))} (aim: none below 1, median 1.5).`);
    for (const x of low) out.push(`  below 1: ${x.op} ${x.shape} ${x.dtype}, ${times(x.ratio)}`);
  }
  const { model: m, cpu } = r;
  if (m.ours_ms) {
    out.push(`A picture: onnxruntime-web f32 ${times(m.ort_ms / m.ours_ms)} ours (aim 10), 8-bit ${times(m.ort_q8_ms / m.ours_ms)} (aim 8); memory on the GPU ${round(m.ours_mb)} of ${round(m.ort_mb)} MB, ${(m.ours_mb / m.ort_mb).toFixed(2)} (aim 0.5).`);
  }
  if (cpu.ours_ms && cpu.ort_ms) out.push(`Without a GPU: onnxruntime-web's best (${cpu.ort_kind}) ${times(cpu.ort_ms / cpu.ours_ms)} ours (aim 1.5); live ${round(cpu.live?.perSecond)} pictures a second.`);
  const spreads = [...rows.map((x) => x.spread), m.spread, cpu.spread].filter((x) => x !== undefined);
  if (spreads.length && median(spreads) > noisy) {
    out.push(`Warning: measurements of the same thing differ by ${(100 * median(spreads)).toFixed(0)} %: other programs were busy. Only large differences mean something.`);
  }
  return out;
}
