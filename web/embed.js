// Starts the embed: the page's program, which arranges its parts for a frame.
import * as frame from "./frame.js";
import * as png from "./png.js";
import { run } from "./program.js";
import { turn } from "./turn.js";
import { Undertone } from "./undertone.js";

if (origin === "null") {
  // A sandbox without an origin lets no worker start: web/boot.js says so.
  document.documentElement.dataset.state = "failed";
} else {
  await run({ Undertone, png, turn, frame });
}
frame.tell("error", { code: "embed-failed", message: "The demo's program has ended.", advice: "Reload the page." });
