// Starts the Lab: a program of its own (wasm/lab), which asks its questions through the
// public API, in this page's own engine.
import * as experiments from "./experiments.js";
import { run } from "./program.js";
import { Undertone } from "./undertone.js";

const program = [new URL("./lab.wasm", import.meta.url).href, "./lab.wasm#integrity"];

/** The results that the tour shows (make tour), and their hashes. */
const records = {
  pooled: [new URL("./tour/pooled.json", import.meta.url).href, "./tour/pooled.json#integrity"],
  guidance: [new URL("./tour/guidance.json", import.meta.url).href, "./tour/guidance.json#integrity"],
  weight: [new URL("./tour/weight.json", import.meta.url).href, "./tour/weight.json#integrity"],
  block: [new URL("./tour/block.json", import.meta.url).href, "./tour/block.json#integrity"],
};

/** The Lab's texts in the languages that the program does not bring, and their hashes, by their tags. */
const languages = { "zh-Hans": [new URL("./lab.zh.json", import.meta.url).href, "./lab.zh.json#integrity"] };

async function read([address, integrity]) {
  const response = await fetch(address, { integrity });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.text();
}

const recorded = (name) => read(records[name]);
const words = (tag) => read(languages[tag]);

/** Waits while another page of this site makes a picture that somebody asked for. */
async function giveWay(signal) {
  try {
    await navigator.locks.request("undertone picture", { signal }, () => {});
  } catch {
    // There are no locks, or the wait was given up.
  }
}

/** What of a picture's result measures need, as JSON. */
const facts = ({ seed, timings, geometry, probe }) => JSON.stringify({ seed, timings, geometry, probe: probe && { blocks: probe.blocks, modulation: probe.modulation, tokens: probe.tokens, words: probe.words } });

/** The attention to each word in each block and step: the mean over the picture's cells. */
function shares({ probe: { attention, rows, cols } }) {
  const cells = rows * cols;
  return Float32Array.from({ length: attention.length / cells }, (_, i) => attention.subarray(i * cells, (i + 1) * cells).reduce((a, b) => a + b) / cells);
}

await run({ Undertone, experiments, giveWay, facts, shares, recorded, words }, () => {}, program);
