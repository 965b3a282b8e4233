// Runs a js/wasm binary under Node with WebGPU from Dawn (see start.mjs):
//
//   npm ci --prefix engine/gpu/noderun
//   GOOS=js GOARCH=wasm go test -exec "node $PWD/engine/gpu/noderun/run.mjs" ./engine/gpu
import { prepare, start } from "./start.mjs";

await prepare();

// Dawn asks whether the GPU has answered with one setImmediate after another, which takes a
// processor from SwiftShader's threads. Where the answer is not there soon, let them have it.
const { setImmediate } = globalThis;
const never = new Int32Array(new SharedArrayBuffer(4));
let asking = false;
let asked = 0;
globalThis.setImmediate = (ask) => {
  asked = asking ? asked + 1 : 0;
  const wait = asked > 4 ? Math.min(1, asked / 100) : 0;
  return setImmediate(() => {
    if (wait) Atomics.wait(never, 0, 0, wait); // in milliseconds
    asking = true;
    try {
      ask();
    } finally {
      asking = false;
    }
  });
};

const { go, ended } = await start(process.argv[2], process.argv.slice(2));
process.on("exit", (code) => {
  // Nothing is pending and Go has not ended: let it print its deadlock report.
  if (code === 0 && !go.exited) {
    go._pendingEvent = { id: 0 };
    go._resume();
  }
});
await ended;
process.exit(0);
