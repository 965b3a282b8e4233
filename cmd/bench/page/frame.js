// onnxruntime-web without a GPU, in a frame of its own, since how many threads it has is
// settled when it starts: frame.html?threads=2. The window's undertonePeer is what it
// offers, once it is there.
import * as ort from "/peers/onnxruntime-web/dist/ort.wasm.min.mjs";
import { Pictures } from "./picture.js";

Object.assign(ort.env.wasm, { wasmPaths: "/peers/onnxruntime-web/dist/", numThreads: +new URLSearchParams(location.search).get("threads") });
globalThis.undertonePeer = { load: (options) => Pictures.load(ort, { provider: "wasm", ...options }) };
globalThis.undertonePeerReady?.();
