// Starts the page: its WebAssembly program (wasm/page). Everything the page does goes
// through the public API, which fetches the engine when a model is loaded.
import * as offline from "./offline.js";
import * as png from "./png.js";
import { Undertone } from "./undertone.js";
import { compiled } from "./wasm.js";
import "./wasm_exec.js";

const program = new URL("./page.wasm", import.meta.url).href;

globalThis.undertone = {
  Undertone, offline, png,
  comparison: () => import("./comparison.js"),
  film: () => import("./film.js"),
  folder: async (entry, most) => (await import("./folder.js")).walk(entry, most),
};

try {
  document.documentElement.dataset.state = "loading"; // web/boot.js waits for no more than this
  const go = new Go();
  const instance = await WebAssembly.instantiate(await compiled(program), go.importObject);
  offline.register(import.meta.url);
  await go.run(instance);
  throw new Error("The page's program has ended.");
} catch (error) {
  console.error(error);
  document.documentElement.dataset.state = "failed"; // web/boot.js says so
  offline.listen?.(() => {}); // nobody is left who could show it
}
