// What run.mjs and bench.mjs share: Node becomes a place where js/wasm programs of Go find
// WebGPU, from Dawn.
//
// VK_DRIVER_FILES chooses the Vulkan driver (default: Chromium's SwiftShader).
// UNDERTONE_DAWN adds Dawn's own options, separated by spaces ("backend=opengl").
// UNDERTONE_WASM_EXEC is Go's wasm_exec.js where there is no Go to ask.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// Chromium has relaxed SIMD since 114, Node only from 21 on without asking.
if (parseInt(process.versions.node) < 21) setFlagsFromString("--experimental-wasm-relaxed-simd");

const require = createRequire(import.meta.url);

// Offers WebGPU and loads what every program needs.
export async function prepare() {
  process.env.VK_DRIVER_FILES ??= "/usr/lib/chromium/vk_swiftshader_icd.json";
  const { create, globals } = await import("webgpu");
  const options = ["disable-dawn-features=timestamp_quantization", ...(process.env.UNDERTONE_DAWN ?? "").split(" ").filter(Boolean)];
  Object.assign(globalThis, globals);
  const gpu = create(options);
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true, writable: true });
  globalThis.fs = require("node:fs");
  globalThis.path = require("node:path");
  require(process.env.UNDERTONE_WASM_EXEC ?? join(execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim(), "lib", "wasm", "wasm_exec.js"));
  require("../../../web/replay.js");
  return gpu;
}

// Starts a program; ended is settled when it ends.
export async function start(file, args) {
  const go = new globalThis.Go();
  go.argv = args;
  // Go refuses more than 12 KiB of arguments and environment together.
  const keep = /^(UNDERTONE_|GO|TMPDIR$|HOME$|PWD$)/;
  go.env = Object.fromEntries(Object.entries(process.env).filter(([name]) => keep.test(name)));
  go.exit = (code) => process.exit(code);
  const { instance, module } = await WebAssembly.instantiate(readFileSync(file), go.importObject);
  globalThis.wasm = { instance, module };
  return { go, ended: go.run(instance) };
}
