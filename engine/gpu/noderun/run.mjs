// Runs a js/wasm binary under Node with WebGPU from Dawn:
//
//   npm ci --prefix engine/gpu/noderun
//   GOOS=js GOARCH=wasm go test -exec "node $PWD/engine/gpu/noderun/run.mjs" ./engine/gpu
//
// VK_DRIVER_FILES chooses the Vulkan driver (default: Chromium's SwiftShader).
// UNDERTONE_DAWN adds Dawn's own options, separated by spaces ("backend=opengl").
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// Chromium has relaxed SIMD since 114, Node only from 21 on without asking.
if (parseInt(process.versions.node) < 21) setFlagsFromString("--experimental-wasm-relaxed-simd");

process.env.VK_DRIVER_FILES ??= "/usr/lib/chromium/vk_swiftshader_icd.json";
const require = createRequire(import.meta.url);
const { create, globals } = await import("webgpu");
const options = ["disable-dawn-features=timestamp_quantization", ...(process.env.UNDERTONE_DAWN ?? "").split(" ").filter(Boolean)];
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", { value: { gpu: create(options) }, configurable: true, writable: true });

globalThis.fs = require("node:fs");
globalThis.path = require("node:path");
const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
require(join(goroot, "lib", "wasm", "wasm_exec.js"));
require("../../../web/replay.js");

const go = new globalThis.Go();
go.argv = process.argv.slice(2);
// Go refuses more than 12 KiB of arguments and environment together.
const keep = /^(UNDERTONE_|GO|TMPDIR$|HOME$|PWD$)/;
go.env = Object.fromEntries(Object.entries(process.env).filter(([name]) => keep.test(name)));
go.exit = (code) => process.exit(code);

const { instance, module } = await WebAssembly.instantiate(readFileSync(process.argv[2]), go.importObject);
globalThis.wasm = { instance, module };
process.on("exit", (code) => {
  // Nothing is pending and Go has not ended: let it print its deadlock report.
  if (code === 0 && !go.exited) {
    go._pendingEvent = { id: 0 };
    go._resume();
  }
});
await go.run(instance);
process.exit(0);
