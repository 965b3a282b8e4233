// The controls: what the page asks the API for while they are used.
{
  const seem = { ms: 50, busy: 0, most: 0 }; // how long pictures seem to take, how many are made at once
  const seen = { stop: 0, bar: 0, blank: 0 };
  let watch;
  const slide = (value, kind = "input") => {
    const s = document.querySelector("#weight-slider");
    s.value = value;
    s.dispatchEvent(new Event(kind));
  };
  const stopped = (signal) => new Promise((_, failed) => signal.addEventListener("abort", () => failed(signal.reason)));
  const bars = () => [...document.querySelectorAll("#bars > span")];

  test.controls = {
    requests: [],
    // From now on lists the requests, and has pictures seem to take so long.
    record() {
      const { prototype } = undertone.Undertone, { generate } = prototype;
      prototype.generate = async function (request) {
        test.controls.requests.push({ prompt: request.prompt, seed: request.seed, listens: typeof request.onStep === "function", guidance: request.guidance });
        seem.most = Math.max(seem.most, ++seem.busy);
        try {
          if (seem.held) await Promise.race([seem.held, stopped(request.signal)]);
          const result = await generate.call(this, request);
          result.timings = { ...result.timings, totalMs: seem.ms, prepareMs: 0 };
          return result;
        } finally {
          seem.busy--;
        }
      };
    },
    pretend: (ms) => { seem.ms = ms; },
    // Keeps pictures that are asked for from now on from being begun, until they are let go or stopped.
    hold() { seem.held = new Promise((done) => { seem.letGo = done; }); },
    letGo() {
      seem.held = undefined;
      seem.letGo();
    },
    mostAtOnce: () => seem.most,
    // Waits until no picture that record or countAnswers knows of is made, and none follows.
    async settle() {
      for (let quiet = 0; quiet < 3; quiet++) {
        await test.drawn();
        await test.sleep(0); // what the page itself put off
        for (; seem.busy || test.running; quiet = 0) await test.sleep(10);
      }
    },
    bars: async () => {
      await test.drawn();
      return bars().map((b) => Number(b.getAttribute("aria-valuenow")));
    },
    focusedBar: () => bars().indexOf(document.activeElement),
    // Where the bars are on the screen, scrolled to its middle.
    async box() {
      const c = document.querySelector("#bars");
      c.scrollIntoView({ block: "center" });
      await test.drawn();
      const { left, top, width, height } = c.getBoundingClientRect();
      return { left, top, width, height };
    },
    // Presses keys on the bars within one frame.
    async keys(...list) {
      document.querySelector('#bars > [tabindex="0"]').focus();
      await test.drawn();
      for (const key of list) document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    },
    slide,
    // Moves the slider from 0 to 1.5.
    async sweep() {
      for (let i = 0; i <= 30; i++) { slide(i / 20); await test.sleep(8); }
    },
    // Keeps the slider moving for so long; how long it took.
    async drag(ms) {
      const begin = performance.now();
      for (let i = 0; performance.now() < begin + ms; i++) { slide((i % 40) / 20); await test.sleep(16); }
      return performance.now() - begin;
    },
    // Moves the slider to each weight and lets it go there.
    async release(...weights) {
      for (const w of weights) {
        slide(w);
        slide(w, "change");
        await test.drawn();
      }
    },
    // Counts how often a button to stop, a bar of progress, or no picture is seen.
    watchFlicker() {
      const c = document.querySelector("#pane-picture canvas");
      watch = setInterval(() => {
        if (!document.querySelector("#stop").hidden) seen.stop++;
        if (!document.querySelector("#pane-picture .bar").hidden) seen.bar++;
        if (c.getContext("2d").getImageData(0, 0, 1, 1).data[3] !== 255) seen.blank++;
      }, 5);
    },
    flicker() {
      clearInterval(watch);
      return seen;
    },
    // The unknown words of the prompt.
    marked: async () => {
      await test.drawn();
      return Array.from(document.querySelectorAll("#unknown-words:not([hidden]) mark"), (m) => m.textContent);
    },
    // Does to the page what Google Translate does: a <font> stands for every text.
    async translatePage() {
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), list = [];
      while (walk.nextNode()) if (/\p{L}{2}/u.test(walk.currentNode.data) && walk.currentNode.parentElement.closest("[translate]")?.translate !== false) list.push(walk.currentNode);
      for (const node of list) {
        const font = document.createElement("font");
        font.append(Object.assign(document.createElement("font"), { textContent: "translated " + node.data }));
        node.replaceWith(font);
      }
      await test.drawn();
      if (!document.querySelector("#generate font")) throw new Error("the page undoes a translation at once");
      if (document.querySelector("#prompt-examples font")) throw new Error("words of the prompt are translated");
    },
    // What remains in Latin letters alone, beside names, the prompt's words and numbers.
    untranslated: () => Array.from(document.querySelectorAll("[data-text], h2, label, .tab, .panel p.muted"), (e) => e)
      .filter((e) => !e.querySelector('[translate="no"]')).map((e) => e.textContent.trim())
      .filter((s) => s.length > 3 && !/[\u4e00-\u9fff]/.test(s) && /[a-z]{4}/.test(s)),
  };
}
