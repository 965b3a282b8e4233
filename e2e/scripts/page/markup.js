// Strings that would do something if they were taken for more than text, put wherever words
// are expected; before/markup_trap.js catches what they do. Each function returns the first
// that did not arrive as they were.
{
  const value = (id) => document.querySelector("#" + id).value;
  const frame = () => new Promise(requestAnimationFrame);

  test.markup = {
    async caught() {
      await test.drawn();
      await test.sleep(50);
      return caughtMarkup();
    },
    // Through the address, and every fourth pasted or dropped too.
    async links(words) {
      const wrong = [];
      const arrived = async (word, way) => {
        await frame();
        if (value("prompt") !== word) wrong.push(way + ": the prompt " + word + " became " + value("prompt"));
        if (value("positive") !== word) wrong.push(way + ": the direction " + word + " became " + value("positive"));
      };
      for (const [i, word] of words.entries()) {
        const direction = encodeURIComponent(JSON.stringify([{ positive: word, negative: word, weight: 1 }]));
        const hash = "#prompt=" + encodeURIComponent(word) + "&seed=" + i + "&guidance=" + direction, link = "https://example.org/" + hash;
        const changed = new Promise((done) => addEventListener("hashchange", done, { once: true }));
        location.hash = hash;
        await changed;
        await arrived(word, "hash");
        if (i % 4) continue;
        test.form.type("prompt", "");
        if (i % 8) test.form.paste(document.body, link);
        else test.form.dropLink(link);
        await arrived(word, "pasted or dropped");
      }
      return wrong.slice(0, 5);
    },
    // Under the prompt, where unknown words are marked.
    async prompts(texts) {
      const wrong = [], repeat = document.querySelector("#unknown-words");
      document.activeElement.blur();
      for (const text of texts) {
        test.form.type("prompt", text);
        await test.drawn();
        if (repeat.hidden || !repeat.textContent.endsWith(text)) wrong.push("the repetition of " + text + " is " + repeat.textContent);
      }
      return wrong.slice(0, 5);
    },
    // In the text chunks of a picture's file.
    async file(name, content, { prompt, positive, model }) {
      const wrong = [];
      test.form.dropFiles([[name, content]]);
      for (let i = 0; i < 100 && value("prompt") !== prompt; i++) await frame();
      if (value("prompt") !== prompt) wrong.push("the prompt " + prompt + " became " + value("prompt"));
      if (value("positive") !== positive) wrong.push("the direction became " + value("positive"));
      if (!test.form.note().includes(model.slice(0, 15))) wrong.push("of the other model it says " + test.form.note());
      return wrong;
    },
    // In the model's presets.
    async presets(presets) {
      const wrong = [];
      for (const { id, title, positive, negative } of presets) {
        const chip = document.querySelector('[data-preset="' + id + '"]');
        chip.click();
        await frame();
        if (chip.textContent !== title) wrong.push("the title " + title + " became " + chip.textContent);
        if (value("positive") !== positive || value("negative") !== negative) wrong.push("the words " + positive + " became " + value("positive"));
      }
      return wrong.slice(0, 5);
    },
    // The words that the model says it understands.
    async understood() {
      document.querySelector("#understands").open = true;
      await test.drawn();
      return [...document.querySelectorAll("#understands .chips:first-of-type button")].map((e) => e.textContent);
    },
    async pressExamples() {
      for (const e of document.querySelectorAll("#prompt-examples button")) { e.click(); await test.drawn(); }
    },
    // How many texts and attributes of the page are one of the words.
    count(words) {
      const all = new Set(words);
      const texts = [...document.querySelectorAll("*")].flatMap((e) => [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).concat([...e.attributes].map((a) => a.value)));
      return texts.filter((s) => all.has(s)).length;
    },
    // What the trap says of elements and markup that are put into the page.
    async spring() {
      const p = document.querySelector("#note");
      const planted = [["a", "href"], ["iframe", "title"], ["img", "alt"], ["i", "title"]].map(([tag, name]) => {
        const e = document.createElement(tag);
        e.setAttribute(name, "0");
        return e;
      });
      p.append(...planted);
      try { p.innerHTML = "<u>0</u>"; } catch {} // which the policy forbids
      await test.drawn();
      planted.forEach((e) => e.remove());
      return caughtMarkup();
    },
  };
}
