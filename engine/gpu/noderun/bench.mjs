// Measures the GPU that Vulkan offers: `make bench-gpu`, or on a machine with nothing but
// Node what that target has packed:
//
//   node engine/gpu/noderun/bench.mjs --out DIR --budget SECONDS --bench bench.wasm
//     --model FOLDER [--tests gpu.test.wasm --in engine/gpu] [--parts peaks,model,…] [--ops MatMul,…] [--matrices]
//
// What is known so far is always in DIR: bench.json, table.md and, a line for each new
// thing, bench.jsonl. The tests run last, as far as there is time. --matrices is for subgroup
// matrices, which Dawn has where it may be unsafe.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Bench, table } from "../../../web/bench.js";
import { prepare, start } from "./start.mjs";

const { values: o } = parseArgs({ options: { out: { type: "string" }, budget: { type: "string" }, bench: { type: "string" }, model: { type: "string" }, tests: { type: "string" }, in: { type: "string" }, parts: { type: "string", default: "peaks,model,kernels,throttle,tests,variants" }, ops: { type: "string" }, probe: { type: "boolean" }, matrices: { type: "boolean" } } });
const begin = performance.now();

// Unless one was chosen, the drivers that are installed, which the tests do not take.
const installed = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"].filter(existsSync)
  .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => join(folder, name)));
if (installed.length) process.env.VK_DRIVER_FILES ??= installed.join(":");
if (o.matrices) process.env.UNDERTONE_DAWN = `${process.env.UNDERTONE_DAWN ?? ""} enable-dawn-features=allow_unsafe_apis`;
const gpu = await prepare();

if (o.probe) { // which adapter does this driver offer?
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, description } = adapter?.info ?? {};
  console.log(adapter ? `${description} (${vendor} ${architecture})` : "no adapter");
  process.exit(adapter && !/swiftshader|llvmpipe|lavapipe/i.test(description + architecture) ? 0 : 1);
}

mkdirSync(o.out, { recursive: true });
const lines = join(o.out, "bench.jsonl");
writeFileSync(lines, "");
const write = (name, text) => {
  writeFileSync(join(o.out, name + ".new"), text);
  renameSync(join(o.out, name + ".new"), join(o.out, name));
};

const b = new Bench({ api: null, gpu, budget: +(o.budget ?? 150), ops: o.ops?.split(","), matrices: o.matrices, emit });
const { report } = b;
function emit(line) {
  appendFileSync(lines, JSON.stringify(line) + "\n");
  write("bench.json", JSON.stringify(report, null, 1));
  write("table.md", table(report));
  const at = `${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s `;
  const r = line.row;
  console.log(at + (r ? `${r.ours_ms.toFixed(3)} ms  ${r.gflops.toFixed(0)} GFLOP/s  ${r.share === null ? "" : (100 * r.share).toFixed(1) + " %"}  in flight ${r.wall_ms.toFixed(3)} ms  of tolerance ${r.of_tolerance.toFixed(2)}  compile ${r.compile_ms.toFixed(0)} ms` : JSON.stringify(line).slice(0, 600)));
}

// Groups of tests in the order of what they tell, each in a process of its own that is
// ended when its time is up; what passed until then counts.
const groups = { "operations, all features": "^TestOps$", "whole networks": "^TestNetworks$", "operations, portable floor": "^TestOpsFloor$", "networks, portable floor": "^TestNetworksFloor$", "rounded operands": "^Test(Halves|Bytes|Matrices)$", "the rest": "^Test(Contract|ContractFloor|WriteRead|Profile|Throttle|Cut.*|Upload.*)$" };

async function tests(until) {
  report.tests = {};
  for (const [name, pattern] of Object.entries(groups)) {
    const seconds = until - b.now();
    const missing = /etworks/.test(name) && !existsSync(join(o.in, "../testdata"));
    if (seconds < 5 || missing) {
      report.tests[name] = { passed: 0, failed: 0, skipped: 0, note: missing ? "no golden files here" : "no time" };
      continue;
    }
    const t = (report.tests[name] = { passed: 0, failed: 0, skipped: 0 });
    const from = b.now();
    let rest = "";
    const child = spawn(process.execPath, [fileURLToPath(new URL("run.mjs", import.meta.url)), resolve(o.tests), "-test.v=test2json", "-test.run", pattern], { cwd: o.in, stdio: ["ignore", "pipe", "pipe"] });
    const take = (data) => {
      appendFileSync(join(o.out, "tests.log"), data);
      const all = (rest + data).split("\n");
      rest = all.pop();
      for (const line of all) {
        const m = /^\x16?\s*--- (PASS|FAIL|SKIP): (\S+)/.exec(line);
        if (!m) continue;
        t[{ PASS: "passed", FAIL: "failed", SKIP: "skipped" }[m[1]]]++;
        if (m[1] === "FAIL") (t.failures ??= []).push(m[2]);
      }
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => {
      t.note = "ended when its time was up";
      child.kill("SIGKILL");
    }, seconds * 1000);
    const code = await new Promise((done) => child.on("close", done));
    clearTimeout(timer);
    t.seconds = +(b.now() - from).toFixed(1);
    if (!t.note && code !== 0) t.note = `exit status ${code}`;
    emit({ tests: { [name]: t } });
  }
}

const ready = new Promise((done) => (globalThis.undertoneBenchReady = done));
await start(o.bench, ["bench"]);
await ready;
b.api = globalThis.undertoneBench;
const total = +(o.budget ?? 150);
report.driver = process.env.UNDERTONE_DRIVER ?? "";
await b.part("adapter", () => b.adapter());
const parts = {
  peaks: () => b.peaks(),
  async model() {
    await b.api.files(Object.fromEntries(readdirSync(o.model).map((name) => [name, new Uint8Array(readFileSync(join(o.model, name)))])));
    await b.model();
  },
  kernels: () => b.kernels(false, 0.45 * total),
  throttle: () => b.throttle(),
  async tests() {
    await b.api.close();
    await tests(b.end - 0.15 * total);
  },
  variants: () => b.kernels(true, 2),
};
if (!o.tests) delete parts.tests;
if (report.adapter) for (const name of o.parts.split(",")) if (parts[name]) await b.part(name, parts[name]);
report.seconds = +((performance.now() - begin) / 1000).toFixed(1);
emit({ done: report.seconds, failed: report.failed.length });
process.exit(report.adapter ? 0 : 1);
