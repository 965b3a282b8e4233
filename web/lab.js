// Starts the Lab: a program of its own (wasm/lab), which asks its questions through the
// public API, in this page's own engine.
import * as experiments from "./experiments.js";
import { run } from "./program.js";
import { Undertone } from "./undertone.js";

const program = [new URL("./lab.wasm", import.meta.url).href, "./lab.wasm#integrity"];

/** Waits while another page of this site makes a picture that somebody asked for. */
async function giveWay(signal) {
  try {
    await navigator.locks.request("undertone picture", { signal }, () => {});
  } catch {
    // There are no locks, or the wait was given up.
  }
}

/** What of a picture's result measures need, as JSON. */
const facts = ({ seed, timings, geometry, probe }) => JSON.stringify({ seed, timings, geometry, probe: probe && { blocks: probe.blocks } });

await run({ Undertone, experiments, giveWay, facts }, () => {}, program);
