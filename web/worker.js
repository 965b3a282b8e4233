// The dedicated worker in which the engine runs. It receives the compiled engine,
// starts it, and leaves all further messages to it (wasm/worker).
import { messages, version } from "./protocol.js";
import "./wasm_exec.js";
import "./replay.js";
import * as store from "./store.js";

self.onmessage = async ({ data }) => {
  if (data.type !== messages.init) return;
  let message = "The engine has stopped.";
  try {
    const go = new Go();
    const instance = await WebAssembly.instantiate(data.module, go.importObject);
    // The WebGPU binding reads and writes the engine's memory through this object.
    globalThis.wasm = { instance };
    globalThis.undertone = { role: "worker", store };
    await go.run(instance); // returns only when the engine has ended
  } catch (error) {
    message = `The engine could not start: ${error.message}`;
  }
  const body = JSON.stringify({ code: "worker-failed", message, advice: "Load the model again." });
  self.postMessage({ v: version, type: messages.error, id: 0, body });
};
