// The app that tests build with each bundler, as docs/bundlers.md says.
import { importUndertone } from "undertone";

const { Undertone } = await importUndertone("undertone/");
const u = await Undertone.load("undertone/models/sprites/model.json", { device: "cpu" });
const r = await u.generate({ prompt: "a red frog at night", seed: 7 });
u.close();
globalThis.drawn = r;
