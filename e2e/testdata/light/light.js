// A page that only registers its service worker. Behind it stands the number of its version.
import * as offline from "./offline.js";
import * as store from "./store.js";
import { compiled } from "./wasm.js";
const program = new URL("./page.wasm", import.meta.url).href;
globalThis.undertone = { offline, store, compiled: () => compiled(program, "./page.wasm#integrity") };
offline.register(import.meta.url);
