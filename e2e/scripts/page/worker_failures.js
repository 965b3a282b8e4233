// Workers that get nonsense, die and do not start. before/foreign_first_message.js lists
// them in workers.
{
  let u;
  const load = async () => (await test.api()).Undertone.load("/models/sprites/model.json", { device: "cpu" });
  // The fault with which a promise rejects, and after how long.
  const timed = async (promise) => {
    const at = performance.now();
    return { fault: await test.refused(promise), ms: performance.now() - at };
  };

  test.workerFailures = {
    // The fault of a picture that is asked for after all kinds of messages that are none.
    async nonsense() {
      u = await load();
      const nonsense = [null, undefined, 5, "text", [], {}, { type: null }, { type: "generate" }, { type: "generate", id: "x" }, { type: 5, id: 5 },
        { type: "generate", id: 77, body: 5 }, { type: "load", id: 78 }, { type: "generate", id: 79, body: "{" },
        { type: "generate", id: 80, body: '{"prompt":"' + "x".repeat(3 << 20) + '"}' },
        { type: "abort", id: 1e9 }, { type: "init", id: 1 }, { type: "surprise", id: 81 }];
      for (const m of nonsense) workers[0].postMessage(m);
      for (let id = 1000; id < 1200; id++) workers[0].postMessage({ type: "generate", id: id >> 1, body: "{}" });
      return test.refused(u.generate({ steps: 1 }));
    },
    async worksAgain() {
      while (await test.refused(u.generate({ steps: 1 }))) await test.sleep(50);
    },
    // What pictures came to that were stopped before they were there, other than an AbortError.
    async abort(times) {
      const wrong = [];
      for (let i = 0; i < times; i++) {
        const stop = new AbortController();
        const making = u.generate({ steps: 1, signal: stop.signal });
        let there = false;
        making.then(() => { there = true; }, () => {});
        if (i % 2) await test.sleep(i / 10);
        const late = there;
        stop.abort();
        const name = await making.then(() => "a picture", (e) => e.name);
        if (name !== "AbortError" && !late) wrong.push(name);
      }
      return wrong;
    },
    // Ends the worker while it makes a picture.
    async terminate() {
      const making = timed(u.generate({ steps: 12 }));
      workers.at(-1).terminate();
      return making;
    },
    generateAgain: () => timed(u.generate({})),
    async anotherModel() {
      const v = await load();
      const fault = await test.refused(v.generate({ steps: 1 }));
      v.close();
      return fault;
    },
    loadWithin: (ms) => timed(Promise.race([load(), test.sleep(ms)])),
    // What a worker answers to this program in the place of its own; nothing after so long.
    foreignProgram(worker, ms) {
      const w = new Worker(worker, { type: "module" });
      const answer = new Promise((done) => (w.onmessage = ({ data }) => data.type !== "alive" && done(data)));
      w.postMessage({ type: "init", id: 1, module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) });
      return Promise.race([answer, test.sleep(ms)]);
    },
  };
}
