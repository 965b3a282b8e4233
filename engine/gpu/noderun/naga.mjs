// Gives WGSL files to naga, the compiler of Firefox's WebGPU, as the npm package
// naga-wasm has it. Prints what is refused and exits with 1:
//
//   node engine/gpu/noderun/naga.mjs FILE.wgsl...
import { readFileSync } from "node:fs";
import { parseWgsl, validate } from "naga-wasm";

for (const file of process.argv.slice(2)) {
  try {
    const module = parseWgsl(readFileSync(file, "utf8"));
    validate(module).free();
    module.free();
  } catch (error) {
    console.log(`${file}: ${error.formatted ?? error.stack}`);
    process.exitCode = 1;
  }
}
