// Keeps the page's workers in workers, and has something foreign be the first message
// that each of them gets.
globalThis.workers = [];
globalThis.Worker = class extends Worker {
  constructor(...a) { super(...a); workers.push(this); this.postMessage(null); }
};
