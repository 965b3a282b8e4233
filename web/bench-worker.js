// The worker in which the bench runs: its program measures, bench.js says what.
import { Bench } from "./bench.js";
import "./replay.js";
import { compiled } from "./wasm.js";
import "./wasm_exec.js";

const program = [new URL("./bench.wasm", import.meta.url).href, "./bench.wasm#integrity"];

async function start() {
  const ready = new Promise((done) => (globalThis.undertoneBenchReady = done));
  const go = new Go();
  const instance = await WebAssembly.instantiate(await compiled(...program), go.importObject);
  globalThis.wasm = { instance };
  go.run(instance);
  await ready;
  return globalThis.undertoneBench;
}

// The model's files, by the paths in its model.json.
async function files(address) {
  const get = async (path) => {
    const response = await fetch(new URL(path, address));
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const all = { "model.json": await get("model.json") };
  const { files } = JSON.parse(new TextDecoder().decode(all["model.json"]));
  await Promise.all(files.filter((f) => f.role !== "judge").map(async (f) => (all[f.path] = await get(f.path))));
  return all;
}

self.addEventListener("message", async ({ data: { seconds, parts, matrices, model: address } }) => {
  const say = (line) => self.postMessage({ line, report: bench?.report });
  let bench;
  try {
    if (!navigator.gpu) throw new Error("This browser has no WebGPU, or not on this page.");
    say({ part: "loading" });
    const api = await start();
    const given = parts.includes("model") ? await files(address) : null;
    bench = new Bench({ api, gpu: navigator.gpu, budget: seconds, emit: say, matrices });
    await bench.adapter();
    await bench.part("peaks", () => bench.peaks());
    const kernels = async (spare) => parts.includes("kernels") && bench.part("kernels", () => bench.kernels(false, spare));
    const model = async () => {
      if (!given) return;
      await bench.part("model", async () => {
        await api.files(given);
        await bench.model();
      });
      api.close().catch(() => {}); // a picture that had no time left may still be in the making
    };
    // A picture on a software adapter may take all the time there is.
    const others = parts.includes("variants") ? seconds / 3 : 1;
    if (bench.report.software) {
      await kernels(given ? seconds / 2 : others);
      await model();
    } else {
      await model();
      await kernels(others);
    }
    if (parts.includes("variants")) await bench.part("variants", () => bench.kernels(true, 1));
    self.postMessage({ done: true, report: bench.report });
  } catch (error) {
    self.postMessage({ failed: String(error?.message ?? error), report: bench?.report });
  }
});
