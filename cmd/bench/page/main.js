// Runs the bench beside others and tells the program that serves it (cmd/bench) what comes.
import { table } from "../web/bench.js";
import { Compared } from "./compared.js";
import { besideTables, found } from "./found.js";

const json = async (address) => (await fetch(address)).json();
const post = (address, body) => fetch(address, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

async function engine() {
  const go = new Go();
  const ready = new Promise((done) => (globalThis.undertoneBenchReady = done));
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/program/bench.wasm"), go.importObject);
  globalThis.wasm = { instance };
  go.run(instance);
  await ready;
  return globalThis.undertoneBench;
}

async function files() {
  const get = async (path) => new Uint8Array(await (await fetch(`/model/${path}`)).arrayBuffer());
  const all = { "model.json": await get("model.json") };
  const manifest = JSON.parse(new TextDecoder().decode(all["model.json"]));
  await Promise.all(manifest.files.filter((f) => f.role !== "judge").map(async (f) => (all[f.path] = await get(f.path))));
  return { all, manifest };
}

// A line of what is new, as a person reads it.
function said(line) {
  if (line.row) {
    const { op, shape, dtype, ours_ms, peers, ratio } = line.row;
    const of = Object.entries(peers).filter(([, ms]) => ms !== null).map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(", ");
    return `${op} ${shape} ${dtype}: ours ${ours_ms.toFixed(2)} ms; ${of}; best ÷ ours ${ratio?.toFixed(2)}`;
  }
  return JSON.stringify(line).slice(0, 2000);
}

const whole = (report) => ({ report, table: table(report, besideTables(report)), found: found(report) });

async function run() {
  if (!navigator.gpu) throw new Error("this browser has no WebGPU");
  const config = await json("/config");
  const api = await engine();
  const { all, manifest } = await files();
  await api.files(all);
  const bench = new Compared({
    api, gpu: navigator.gpu, budget: 24 * 3600, ops: config.ops?.length ? config.ops : null, rounds: config.rounds, clock: () => json("/clock"),
    versions: { ...config.versions, browser: navigator.userAgent.match(/Chrom\w*\/[\d.]+/)?.[0] ?? navigator.userAgent }, emit: (line) => {
      post("/line", said(line));
      if (bench.report.adapter) post("/report", whole(bench.report)); // a run that is cut short leaves what it has
    },
  });
  bench.prompt = manifest.defaults.prompt;
  await bench.adapter();
  const parts = { model: () => bench.model(), kernels: () => bench.kernels(), cpu: () => bench.cpuDevice(config.processors) };
  await bench.part("peaks", () => bench.peaks());
  // Memory is counted before others' kernels have left anything.
  for (const name of ["model", "kernels", "cpu"]) if (config.parts.includes(name)) await bench.part(name, parts[name]);
  await post("/done", whole(bench.report));
}

run().catch((error) => post("/done", { failed: String(error?.stack ?? error) }));
