// The connection to one engine's worker, which is ended when it is no longer needed.
// What is said is in wasm/protocol/protocol.go.
import { aborted, show, told, UndertoneError } from "./errors.js";
import { limits, messages, version } from "./protocol.js";
import { script, unchanged, workerAddress } from "./trusted.js";
import { compiled } from "./wasm.js";

/** The engine's program. It is fetched with the first model, and compiled in the window,
 * which keeps it for the worker that takes the place of one that has died. */
const program = new URL("./engine.wasm", import.meta.url).href;

/** How long an abort waits for the engine to say that it has stopped, in milliseconds. */
const abortPatience = 400;

/** Where there are no locks, the worker is asked every so many milliseconds whether it
 * lives, while something is waited for, and is taken for dead after so many questions
 * without an answer. It is busy for seconds where it prepares a large model, and a page
 * in the background runs late, so this is slow. */
const beat = 10_000;
const silentBeats = 6;

/** How long a worker whose lock is free has to answer, in milliseconds. */
const lastWord = 3000;

export class Link {
  #worker;
  #waiting = new Map(); // request id → { resolve, reject, onProgress, onStep, onLoaded }
  #next = 1;
  #over; // the error with which everything after the end rejects
  #locked = false; // the worker's lock is waited for
  #heart; // the timer of the beats
  #silent = 0; // beats without an answer
  #heard = 0; // messages
  #unwatch = new AbortController(); // gives up waiting for the worker's lock

  async start(signal) {
    if (signal?.aborted) throw aborted();
    // Both at the same time; the worker starts once its scripts are known to be whole.
    const fetched = Promise.all([compiled(program, "./engine.wasm#integrity"), unchanged().then(() => this.#open())]).catch((error) => {
      if (error instanceof UndertoneError) throw error;
      throw new UndertoneError("worker-failed", `The engine could not be fetched: ${told(error)}`, "Reload the page: its host may have a newer version.");
    });
    const [module] = await unlessAborted(signal, fetched);
    await this.request(messages.init, undefined, { signal, module });
    this.#listen();
  }

  /** Starts the worker, which waits for the program. */
  #open() {
    if (this.#over) return; // while its scripts were on their way
    const failed = (why) => this.end(new UndertoneError("worker-failed", `The engine's worker has failed: ${why}`));
    try {
      this.#worker = new Worker(script(workerAddress), { type: "module", name: "undertone" });
    } catch (error) {
      throw new UndertoneError("worker-failed", `The browser did not start the engine's worker: ${told(error)}`);
    }
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onmessageerror = () => failed("what it said could not be read");
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      failed(event.message || "its script could not be loaded");
    };
  }

  /** Sends a request; resolves to the answer, or rejects with an UndertoneError. */
  request(type, body, { signal, module, blobs, folder, pixels, ...listeners } = {}) {
    if (this.#over) return Promise.reject(this.#over);
    if (signal?.aborted) return Promise.reject(aborted());
    const text = body && JSON.stringify(body);
    if (text?.length > limits.bodyBytes) {
      return Promise.reject(new UndertoneError("request-invalid", `The request has ${text.length} bytes; ${limits.bodyBytes} are possible.`));
    }
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      let timer;
      const onAbort = () => {
        if (type === messages.init) return refuse(aborted()); // nothing to stop yet
        this.#post(messages.abort, id);
        timer = setTimeout(() => refuse(aborted()), abortPatience);
      };
      const settle = (then) => (value) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        then(value);
      };
      const refuse = settle(reject);
      // Whoever has stopped gets no picture, even if it was on its way by then.
      const give = (value) => (signal?.aborted ? refuse(aborted()) : settle(resolve)(value));
      this.#waiting.set(id, { resolve: give, reject: refuse, ...listeners });
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        this.#post(type, id, text, { module, files: blobs, folder, pixels });
      } catch (error) {
        refuse(new UndertoneError("worker-failed", `The engine's worker could not be told: ${told(error)}`));
      }
    });
  }

  end(error = new UndertoneError("closed", "This model was closed.")) {
    if (this.#over) return;
    this.#over = error;
    clearInterval(this.#heart);
    this.#unwatch.abort();
    for (const w of [...this.#waiting.values()]) w.reject(error);
    if (!this.#worker) return;
    // The engine frees the GPU and ends the worker; if it hangs, the worker is ended here.
    this.#post(messages.close, 0);
    setTimeout(() => this.#worker.terminate(), 1000);
  }

  #post(type, id, body, more) {
    this.#worker.postMessage({ v: version, type, id, body, ...more });
  }

  /** Hears what the worker says. What is not of the protocol is not from the engine, and is let pass. */
  #receive(message) {
    if (typeof message?.v !== "number" || !Object.hasOwn(messages, message.type)) return;
    const { v, type, id, body, pixels, ...seen } = message;
    if (v !== version) {
      this.end(new UndertoneError("protocol-mismatch", `The engine speaks version ${show(v)} of the protocol, the page ${version}.`));
      return;
    }
    this.#silent = 0;
    this.#heard++;
    const waiting = this.#waiting.get(id);
    try {
      this.#understand(type, id, body ? JSON.parse(body) : undefined, pixels, seen, waiting);
    } catch (error) {
      waiting?.reject(new UndertoneError("internal", `The engine's answer cannot be read: ${told(error)}`));
    }
  }

  #understand(type, id, content, pixels, seen, waiting) {
    switch (type) {
      case messages.alive:
        if (content?.lock) this.#watch(content.lock);
        break;
      case messages.ready:
      case messages.described:
      case messages.saved:
      case messages.result:
      case messages.judged:
      case messages.encoded:
        waiting?.resolve({ body: content, pixels, seen });
        break;
      case messages.loaded: // also sent within a generate that had to open the device again
        if (waiting?.onLoaded) waiting.onLoaded(content);
        else waiting?.resolve({ body: content });
        break;
      case messages.tuned:
        if (!this.#over) call(this.onTuned, content);
        break;
      case messages.progress:
        call(waiting?.onProgress, content);
        break;
      case messages.step: {
        const preview = pixels && new ImageData(new Uint8ClampedArray(pixels), content.width, content.height);
        call(waiting?.onStep, { step: content.step, steps: content.steps, preview });
        break;
      }
      case messages.error: {
        const error = new UndertoneError(content.code, content.message, content.advice);
        if (id === 0) this.end(error);
        else waiting?.reject(error);
        break;
      }
    }
  }

  /** Waits for the lock that the worker holds for as long as it lives: browsers say
   * nothing when a worker dies, but give what it held to whoever waits. They also do
   * once the site's data was cleared, so the worker is asked first. */
  async #watch(lock) {
    try {
      this.#locked = true;
      await navigator.locks.request(lock, { signal: this.#unwatch.signal }, () => {});
      const heard = this.#heard;
      this.#post(messages.ping, 0);
      await new Promise((done) => setTimeout(done, lastWord));
      if (this.#heard === heard) this.#die();
    } catch {
      // The browser refuses locks, or this link has ended.
    }
    this.#locked = false;
    this.#listen();
  }

  /** Finds out without a lock. */
  #listen() {
    clearInterval(this.#heart);
    if (this.#over) return;
    this.#silent = 0;
    this.#heart = setInterval(() => {
      if (this.#locked || this.#waiting.size === 0) this.#silent = 0;
      else if (++this.#silent > silentBeats) this.#die();
      else this.#post(messages.ping, 0);
    }, beat);
  }

  #die() {
    this.end(new UndertoneError("worker-failed", "The engine's worker has ended unexpectedly.", "Load the model again."));
  }
}

/** Resolves with the promise, unless there is an abort first. */
function unlessAborted(signal, promise) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted());
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal?.removeEventListener("abort", stop));
  });
}

/** Calls a listener of the host; what it throws is the host's affair, not the picture's. */
function call(listener, value) {
  if (typeof listener !== "function") return;
  try {
    listener(value);
  } catch (error) {
    reportError(error);
  }
}
