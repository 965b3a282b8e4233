// The dedicated worker in which the engine runs. It receives the compiled engine,
// starts it, and leaves further messages to it (wasm/engine) but those that ask
// whether it lives. Whatever ends the engine, the window is told.
import { messages, version } from "./protocol.js";
import "./wasm_exec.js";
import "./replay.js";
import * as store from "./store.js";

let started = false;

self.addEventListener("message", ({ data }) => {
  if (data?.type === messages.ping) say(messages.alive, {});
  if (data?.type !== messages.init || started) return;
  started = true;
  start(data.module).catch((error) => fail(`The engine did not start: ${error?.message ?? error}`));
});
self.addEventListener("messageerror", () => fail("The engine could not read what it was sent."));
hold();

async function start(module) {
  const go = new Go();
  // An exception out of the engine's program is its end, but where the browser calls it
  // back for a promise, nobody hears of it. Quirk: worker-exception.
  const resume = go._resume;
  go._resume = () => {
    try {
      resume.call(go);
    } catch (error) {
      fail(`The engine has stopped: ${error?.message ?? error}`);
      throw error;
    }
  };
  const instance = await WebAssembly.instantiate(module, go.importObject);
  // The WebGPU binding reads and writes the engine's memory through this object.
  globalThis.wasm = { instance };
  globalThis.undertone = { store };
  await go.run(instance); // returns only when the engine has ended
  fail("The engine has stopped.");
}

/** Holds a lock until this worker ends, which the window waits for: see web/link.js. */
function hold() {
  const lock = `undertone engine ${Date.now()} ${Math.random()}`;
  const held = () => {
    say(messages.alive, { lock });
    return new Promise(() => {});
  };
  try {
    navigator.locks.request(lock, held).catch(() => {});
  } catch {
    // Where there are no locks, the window asks by ping.
  }
}

function fail(message) {
  say(messages.error, { code: "worker-failed", message, advice: "Load the model again." });
}

function say(type, body) {
  self.postMessage({ v: version, type, id: 0, body: JSON.stringify(body) });
}
