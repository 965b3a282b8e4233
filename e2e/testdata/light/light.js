// A page that only registers its service worker. Behind it stands the number of its version.
import * as offline from "./offline.js";
import * as store from "./store.js";
import { compiled } from "./wasm.js";
globalThis.undertone = { offline, store, compiled };
offline.register(import.meta.url);
