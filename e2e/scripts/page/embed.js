// A host page with <undertone-demo>, and what strangers may try with its frame.
{
  const demo = (n = 0) => document.querySelectorAll("undertone-demo")[n];
  const events = [];
  for (const type of ["ready", "progress", "step", "image", "error", "settings"]) {
    addEventListener("undertone-" + type, (e) => events.push({ type, detail: e.detail, n: [...document.querySelectorAll("undertone-demo")].indexOf(e.target) }));
  }
  // What has moved from the beginning, whatever caused it.
  const moved = [];
  new PerformanceObserver((list) => list.getEntries().forEach((e) => {
    moved.push(e.value + ": " + e.sources.map(({ node, previousRect: a, currentRect: b }) => `${node?.nodeName} from ${a.y} to ${b.y}`).join(", "));
  })).observe({ type: "layout-shift", buffered: true });

  test.embed = {
    moved: async () => (await test.drawn(), await test.sleep(100), moved),
    // The details of the events of a type so far, of one element or of all.
    heard: (type, n) => events.filter((e) => e.type === type && (n === undefined || e.n === n)).map((e) => e.detail),
    facade(n) {
      const part = (name) => demo(n).shadowRoot.querySelector(`[part=${name}]`);
      return { caption: part("caption").textContent, button: part("button").textContent, note: part("note").textContent, poster: part("image").src, shown: part("figure").checkVisibility(), frames: demo(n).shadowRoot.querySelectorAll("iframe").length };
    },
    refused: (method, n) => test.refused(demo(n)[method]()),
    // Sets properties, and waits for the event that tells of it.
    async set(properties, type, n) {
      const told = new Promise((done) => demo(n).addEventListener("undertone-" + type, (e) => done(e.detail), { once: true }));
      Object.assign(demo(n), properties);
      return told;
    },
    // Draws in so many steps, and scrolls the element away after the first: what came of it
    // by then, and later, when a run that went on would be over, and after it has come back.
    // A frame out of view tells nothing, so what counts is that all steps are made anew then.
    async scrolledAway(steps) {
      const count = (type) => events.filter((e) => e.type === type).length;
      const before = { steps: count("step"), pictures: count("image") };
      const heard = () => ({ steps: count("step") - before.steps, pictures: count("image") - before.pictures });
      document.body.style.paddingBottom = "5000px";
      const begun = new Promise((done) => addEventListener("undertone-step", done, { once: true }));
      demo().steps = steps;
      await begun;
      scrollTo(0, 5000);
      await test.sleep(600);
      const out = heard();
      await test.sleep(1200);
      const later = heard();
      const back = new Promise((done) => addEventListener("undertone-image", done, { once: true }));
      const seen = performance.now();
      demo().scrollIntoView({ block: "center" });
      await back;
      return { milliseconds: performance.now() - seen, steps: out.steps, later: later.steps, pictures: later.pictures, after: heard().pictures };
    },
    // How far a style of the page reaches into the element: which of these parts it does not,
    // which there are beside them, the button's colour as the page wants it to be, and
    // what of the page stands in the places for a poster and for the button's words.
    styled(names) {
      const { shadowRoot } = demo();
      const style = new CSSStyleSheet();
      style.replaceSync(names.map((name) => `undertone-demo::part(${name}) { --reached: ${name} }`).join("") + "undertone-demo { --undertone-button: rgb(1, 2, 3) }");
      document.adoptedStyleSheets = [style];
      const reached = (name) => getComputedStyle(shadowRoot.querySelector(`[part=${name}]`) ?? document.body).getPropertyValue("--reached").trim() === name;
      const unreached = names.filter((name) => !reached(name)); // the poster's picture too, before another stands there
      const own = ["poster", "label"].map((slot) => Object.assign(document.createElement("span"), { slot, textContent: slot }));
      demo().append(...own);
      const got = {
        unreached,
        others: Array.from(shadowRoot.querySelectorAll("[part]"), (e) => e.getAttribute("part")).filter((name) => !names.includes(name)),
        button: getComputedStyle(shadowRoot.querySelector("button")).backgroundColor,
        slotted: Array.from(shadowRoot.querySelectorAll("slot"), (slot) => slot.assignedElements()[0]?.textContent),
        says: shadowRoot.querySelector("button").lastChild.data,
      };
      own.forEach((e) => e.remove());
      document.adoptedStyleSheets = [];
      return got;
    },
    // Which parts are on paper.
    printed() {
      const seen = (part) => demo().shadowRoot.querySelector(`[part=${part}]`).checkVisibility();
      return { figure: seen("figure"), image: seen("image"), caption: seen("caption"), button: seen("button"), note: seen("note"), frame: seen("frame") };
    },
    generate: (n) => demo(n).generate(),
    file: async (n) => test.base64(await demo(n).toBlob()),
    // How the frame and its document fit: the heights of both.
    height: (n) => demo(n).shadowRoot.querySelector("iframe").clientHeight,
    add(attributes) {
      const e = Object.assign(document.createElement("undertone-demo"), attributes);
      document.querySelector("main").append(e);
    },
    remove: (n) => demo(n).remove(),
    // Puts each string wherever the element takes words; returns the first that did not arrive.
    async attributes(words) {
      const wrong = [];
      for (const [i, word] of words.entries()) {
        Object.assign(demo(), { prompt: word, preset: word, guidance: word + " | " + word, controls: "guidance another compare open", schedule: word, weight: word, model: word, precision: word, poster: "data:," + word });
        if (i % 8) continue;
        await test.sleep(0);
        const { caption } = test.embed.facade();
        if (caption !== `“${word}”`) wrong.push(`the caption of ${word} is ${caption}`);
      }
      return wrong.slice(0, 5);
    },
    // Sends the frame what no honest host would: as messages of the window, with the port of
    // another, and as replays of what connects.
    async fuzz(count, words) {
      const target = demo().shadowRoot.querySelector("iframe").contentWindow;
      let seed = 1;
      const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
      const pick = (list) => list[random(list.length)];
      const value = (depth) => pick([
        () => pick(words), () => random(1e9) - 5e8, () => pick([NaN, Infinity, -1, 2 ** 53, null, undefined, true]), () => "x".repeat(random(70_000)),
        () => Array.from({ length: random(4) }, () => (depth ? value(depth - 1) : 0)),
        () => Object.fromEntries(Array.from({ length: random(5) }, () => [pick(["type", "id", "value", "undertone", "version", "nonce", "__proto__", "constructor", "data"]), depth ? value(depth - 1) : pick(["set", "look", "generate", "stop", "blob", "hello", "connect", "tell"])])),
        () => ({ undertone: pick(["connect", "hello", "set"]), version: pick([0, 1, "1"]), nonce: pick(words) }), () => ({ type: pick(["set", "look", "generate", "stop", "blob"]), value: pick(words), id: random(100) }),
      ])();
      for (let i = 0; i < count; i++) {
        const ports = i % 3 ? [] : [new MessageChannel().port1];
        target.postMessage(value(3), i % 2 ? "*" : new URL(target === window ? location.href : test.embed.origin).origin, ports);
        if (i % 500 === 0) await test.sleep(0);
      }
    },
    // What the frame said when it began is caught, and said again to the frame, by this page
    // and by another frame of it.
    watch(origin) {
      test.embed.origin = origin;
      addEventListener("message", ({ data }) => data?.undertone === "hello" && (test.embed.hello = data));
    },
    async replay() {
      const target = demo().shadowRoot.querySelector("iframe").contentWindow;
      const heard = [];
      for (let i = 0; i < 20; i++) {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => heard.push(data.type);
        target.postMessage({ ...test.embed.hello, undertone: "connect" }, "*", [port2]);
        port1.postMessage({ type: "set", value: "prompt=replayed" });
      }
      // The element hears nobody but its frame.
      for (const data of [{ undertone: "hello", version: 1, nonce: "x" }, { ...test.embed.hello }]) window.postMessage(data, "*");
      await test.sleep(300);
      return heard;
    },
  };
}
