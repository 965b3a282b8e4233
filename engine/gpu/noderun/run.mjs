// Runs a js/wasm binary under Node with WebGPU from Dawn (see start.mjs):
//
//   npm ci --prefix engine/gpu/noderun
//   GOOS=js GOARCH=wasm go test -exec "node $PWD/engine/gpu/noderun/run.mjs" ./engine/gpu
import { prepare, start } from "./start.mjs";

await prepare();
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
