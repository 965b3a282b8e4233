// Starts the page. Everything it does goes through the public API, which fetches the
// engine when a model is loaded.
import * as offline from "./offline.js";
import * as png from "./png.js";
import { run } from "./program.js";
import { find, picture } from "./reference.js";
import { turn } from "./turn.js";
import { Undertone } from "./undertone.js";

const parts = {
  Undertone, offline, png, picture, find, turn,
  comparison: () => import("./comparison.js"),
  element: () => import("./element.js"),
  film: () => import("./film.js"),
  folder: async (entry, most) => (await import("./folder.js")).walk(entry, most),
};

// A stage that is higher than the window scrolls with the page until its foot is in sight.
const stage = document.querySelector("#stage");
new ResizeObserver(() => stage.style.setProperty("--tall", stage.offsetHeight + "px")).observe(stage);

await run(parts, () => offline.register(import.meta.url));
offline.listen?.(() => {}); // nobody is left who could show it
