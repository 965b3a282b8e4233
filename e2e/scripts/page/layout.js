// The sizes of what is shown.
{
  const rounded = (n) => n.toFixed(1);
  // Whether all of an element is in the window, and nothing before it.
  const inSight = (e) => {
    const r = e.getBoundingClientRect();
    return r.width > 0 && r.left >= 0 && r.right <= innerWidth + 1 && r.top >= 0 && r.bottom <= innerHeight && e.contains(document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2));
  };

  test.layout = {
    // What sticks out of the window or is too small for a finger, and hints that are cut off.
    async faults(dir) {
      document.documentElement.dir = dir;
      test.form.openDetails(true);
      await test.drawn();
      await test.sleep(100);
      const wrong = [];
      if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page is " + document.documentElement.scrollWidth + " wide");
      for (const e of document.querySelectorAll("button, select, textarea, input:not([type=checkbox], [type=radio]), label:has(input), summary")) {
        const r = e.getBoundingClientRect();
        if (!e.checkVisibility() || r.width === 0 || e.matches(".unseen")) continue;
        const name = e.tagName + "#" + e.id + " " + e.textContent.trim().slice(0, 20);
        if (r.height < 43.9 || r.width < 43.9) wrong.push(name + " is " + rounded(r.width) + " × " + rounded(r.height));
        const scrolls = e.closest("#prompt-examples, .presets, .tabs, .tiles.session");
        if (!scrolls && (r.left < -0.5 || r.right > innerWidth + 0.5)) wrong.push(name + " sticks out");
      }
      for (const field of document.querySelectorAll("textarea")) {
        const { value, placeholder } = field;
        field.value = placeholder; // which alone does not count for its height
        if (field.checkVisibility() && field.scrollHeight > field.clientHeight) wrong.push("cut off: " + placeholder);
        field.value = value;
      }
      return wrong;
    },
    // What can be pressed and is under 44 pixels high or wide. What lies within a line of
    // text is as high as the line.
    smallTargets() {
      return [...document.querySelectorAll("button, input, select, textarea, summary, [role=tab], [role=slider]")].map((e) => {
        // A hidden radio button or checkbox is pressed by its label.
        const box = /radio|checkbox/.test(e.type) ? e.closest("label") ?? e : e;
        const r = box.getBoundingClientRect();
        return { r, name: (e.id || e.className || e.name) + " " + (box.textContent || e.type || e.tagName).slice(0, 30) };
      }).filter(({ r }) => r.width > 1 && r.height > 1 && (r.height < 43.5 || r.width < 43.5)).map(({ r, name }) => name + ": " + rounded(r.width) + "×" + rounded(r.height));
    },
    // What of the welcome is cut off, broken into lines, or far from where it begins.
    async welcome() {
      await test.drawn();
      const wrong = [], load = document.querySelector("#load"), line = parseFloat(getComputedStyle(load).lineHeight);
      const text = document.createRange();
      text.selectNodeContents(load);
      if (text.getBoundingClientRect().height > 1.5 * line) wrong.push("the button has several lines: " + load.textContent);
      for (const label of document.querySelectorAll(".samples b")) {
        if (label.getBoundingClientRect().right > label.parentElement.getBoundingClientRect().right) wrong.push("cut off: " + label.textContent);
      }
      // On its side, a phone shows the button at once.
      if (innerWidth > innerHeight && innerHeight > 370 && load.getBoundingClientRect().bottom > innerHeight) wrong.push("the button is below the window, at " + rounded(load.getBoundingClientRect().bottom));
      return wrong;
    },
    // What cannot be read of the drawing of the data's way: texts that are small, or are
    // not inside their box or the drawing.
    flow() {
      const drawing = document.querySelector(".flow");
      const within = (a, b) => a.left >= b.left - 0.5 && a.right <= b.right + 0.5 && a.top >= b.top - 0.5 && a.bottom <= b.bottom + 0.5;
      const scale = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
      return [...drawing.querySelectorAll("text")].filter((text) => {
        const box = text.matches(".middle") ? text.previousElementSibling : drawing;
        return parseFloat(getComputedStyle(text).fontSize) * scale < 11 || !within(text.getBoundingClientRect(), box.getBoundingClientRect());
      }).map((text) => text.textContent);
    },
    // Whether the first two figures of a pane stand side by side.
    sideBySide(pane) {
      const [a, b] = document.querySelectorAll(pane + " figure");
      return a.getBoundingClientRect().right <= b.getBoundingClientRect().left;
    },
    // What axe finds in what is shown.
    async violations() {
      await test.drawn();
      await Promise.allSettled(document.getAnimations().map((a) => a.finished));
      const { violations } = await axe.run(document, { resultTypes: ["violations"] });
      return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 4).map(({ html, failureSummary }) => ({ html, failureSummary })) }));
    },
    // From now on lists what moves by itself, whoever caused it.
    watchShifts() {
      test.shifts = [];
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
          test.shifts.push(value.toFixed(4) + ": " + sources.map(({ node }) => node && (node.id || node.className || node.nodeName)).join(", "));
        }
      }).observe({ type: "layout-shift" });
    },
    // Where everything that can be pressed or typed into stands, by what it is.
    places() {
      const places = {}, seen = {};
      for (const e of document.querySelectorAll("button, input, select, textarea, summary, #pane-picture canvas")) {
        if (e.closest(".session")) continue; // a picture that is finished joins the others
        const name = e.id || e.dataset.preset || e.name || e.textContent, i = seen[name] = (seen[name] ?? 0) + 1;
        const { left, top, width, height } = e.getBoundingClientRect();
        if (e.checkVisibility({ visibilityProperty: true })) places[name + " " + i] = [left, top + scrollY, width, height].map(Math.round).join(" ");
      }
      return places;
    },
    // What of guidance and the picture cannot be seen without scrolling.
    unseen(...more) {
      scrollTo(0, 0);
      const wanted = more.length ? more : ["#pane-picture .picture canvas", "#weight-slider", "#weight", ...[...document.querySelectorAll("#guidance .large")].map((c) => `[data-preset="${c.dataset.preset}"]`)];
      return wanted.filter((selector) => !inSight(document.querySelector(selector)));
    },
    // What of the picture, and of all that stands under it, cannot be seen without scrolling.
    cutOff() {
      scrollTo(0, 0);
      const all = document.querySelectorAll("#pane-picture .picture canvas, #guidance :is(button, input), #session button, .toolbar button, #times");
      return Array.from(all).filter((e) => e.checkVisibility() && !inSight(e)).map((e) => e.id || e.textContent || e.tagName);
    },
    // In how many rows the presets stand.
    presetRows: () => new Set(Array.from(document.querySelectorAll(".presets > *"), (e) => { const r = e.getBoundingClientRect(); return Math.round(r.top + r.height / 2); })).size,
    focus() {
      const e = document.activeElement, c = getComputedStyle(e);
      return { id: e.id, outline: c.outlineStyle + " " + c.boxShadow, width: parseFloat(c.outlineWidth) };
    },
    // Resolves when the picture on the screen stands still: for screenshots.
    async still() {
      await test.drawn();
      const ending = document.getAnimations().filter((a) => a.effect.getComputedTiming().iterations !== Infinity).map((a) => a.finished);
      await Promise.allSettled([...ending, ...Array.from(document.images, (i) => i.decode())]);
      await test.sleep(50);
    },
  };
}
