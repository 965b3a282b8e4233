// Starts the page: the engine's WebAssembly in the window, where it is the page
// (wasm/page). Everything the page does goes through the public API.
import * as offline from "./offline.js";
import { Undertone } from "./undertone.js";
import { compiled } from "./wasm.js";
import "./wasm_exec.js";

globalThis.undertone = { role: "page", Undertone, offline };

try {
  const go = new Go();
  const instance = await WebAssembly.instantiate(await compiled(), go.importObject);
  offline.register(import.meta.url);
  await go.run(instance);
} catch (error) {
  console.error(error);
}
// Reached only when the page could not start or has ended: the shell says so. If a
// newer version is there, or comes now, it may well start, and nothing is lost by
// taking it.
document.documentElement.dataset.state = "failed";
offline.rescue(import.meta.url);
