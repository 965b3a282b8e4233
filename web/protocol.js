// What the window and the engine's worker say to each other: the JavaScript twin
// of wasm/protocol/protocol.go, where the messages are described. A test holds
// the two equal, number for number and word for word.

export const version = 10;

/** The messages, by name. */
export const messages = Object.freeze({
  init: "init",
  load: "load",
  describe: "describe",
  save: "save",
  generate: "generate",
  judge: "judge",
  encode: "encode",
  abort: "abort",
  close: "close",
  ping: "ping",
  ready: "ready",
  progress: "progress",
  loaded: "loaded",
  described: "described",
  saved: "saved",
  step: "step",
  result: "result",
  judged: "judged",
  encoded: "encoded",
  tuned: "tuned",
  error: "error",
  alive: "alive",
});

/** Bounds of a request that hold for every model. */
export const limits = Object.freeze({
  promptBytes: 4096,
  seedMax: 4294967295,
  cfgMax: 30,
  terms: 8,
  blocks: 1000,
  scheduleFields: 8,
  scheduleText: 40,
  addressLength: 8192,
  files: 4096,
  pathLength: 1024,
  referenceSide: 4096,
  bodyBytes: 2097152,
});

/** The size in bytes of the pieces of which model.json has hashes; the last of a file may be shorter. */
export const pieceBytes = 4194304;

/** What may stand for parts of a prompt (ablate). */
export const ablations = Object.freeze({ pooled: Object.freeze(["zero", "random", "prompt", "off", "guided"]), tokens: Object.freeze(["empty"]) });

/** What the unconditional pass of classifier-free guidance can get of the directions, the default first. */
export const rows = Object.freeze(["both", "cond", "signed"]);

/** What to do about the faults that the window raises by itself. */
export const advice = Object.freeze({
  "internal": "Reload the page and try again; if it happens again, please report it with the details below.",
  "aborted": "Nothing is wrong: press Generate to make another picture.",
  "busy": "Wait for the picture that is being made, or stop it first.",
  "closed": "Load the model again.",
  "webgpu-missing": "Use a browser with WebGPU (a current Chrome, Edge, Safari or Firefox), or choose the CPU device, which is much slower.",
  "insecure-context": "Open the page over https or from localhost: browsers offer WebGPU only there.",
  "backend-missing": "Choose \"auto\", \"webgpu\" or \"cpu\".",
  "worker-failed": "Reload the page; in a sandboxed frame, open the full page instead.",
  "protocol-mismatch": "Reload the page, so that all its parts come from one version.",
  "prompt-too-long": "Shorten the prompt.",
  "prompt-not-text": "Type the prompt as plain text.",
  "seed-range": "Use a whole number from 0 to 4294967295 as the seed.",
  "steps-range": "Choose a number of steps inside the model's range.",
  "size-unsupported": "Choose one of the model's sizes.",
  "cfg-range": "Choose a guidance scale from 0 to 30.",
  "guidance-invalid": "Check the guidance weight and schedule.",
  "reference-refused": "Leave the reference picture out, or load a model that edits pictures.",
  "request-invalid": "Check the values that were given.",
  "storage-refused": "Pictures are made all the same; the weights are downloaded again next time. In an ordinary window of the full page they can be kept.",
  "encode-unsupported": "Choose image/png.",
});
