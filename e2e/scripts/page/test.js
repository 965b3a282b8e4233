// The object test is there in every document that a test opens. This file has what all
// tests use; the other files of this folder each add one part to it.
globalThis.test = {
  // To worker/count_submits.js; made when it is wanted, since browsers may refuse it.
  get channel() {
    const channel = new BroadcastChannel("test");
    Object.defineProperty(test, "channel", { value: channel });
    return channel;
  },
  // The API, which lies beside every page of the tests.
  api: () => import(new URL("undertone.js", location.href).href),
  async digest(bytes) {
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("");
  },
  // The bytes of a canvas, also where before/canvas_noise.js disturbs who reads it.
  pixels: (canvas) => (globalThis.readCanvas ?? ((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height)))(canvas).data,
  canvasHash: (selector) => test.digest(test.pixels(document.querySelector(selector))),
  // What is on the i-th canvas of the page: its hash, and how many colours there are.
  async canvas(i) {
    const c = document.querySelectorAll("canvas")[i];
    const data = test.pixels(c);
    return { width: c.width, height: c.height, hash: await test.digest(data), colours: new Set(new Uint32Array(data.buffer)).size };
  },
  // What a test compares of a result of the API.
  picture: async (r) => ({ hash: await test.digest(r.image.data), seed: r.seed, timings: r.timings, colours: new Set(new Uint32Array(r.image.data.buffer)).size }),
  fault: (e) => ({ name: e.name, code: e.code, message: e.message, advice: e.advice }),
  // The fault with which a promise rejects, or null.
  refused: (promise) => promise.then(() => null, test.fault),
  submits: () => new Promise((done) => {
    test.channel.addEventListener("message", ({ data }) => done(data.submits), { once: true });
    test.channel.postMessage("count");
  }),
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
  // Resolves when what has been changed by now is drawn, or when a browser that shows the page nowhere makes no frames.
  drawn: async () => { for (let i = 0; i < 3; i++) await Promise.race([new Promise(requestAnimationFrame), test.sleep(1000)]); },
  async base64(blob) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
  },
  bytes: (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)),
};
