// What a person does with the page.
test.form = {
  value: (id) => document.querySelector("#" + id).value,
  // Types into a field, all at once.
  type(id, text) {
    const field = document.querySelector("#" + id);
    field.value = text;
    field.dispatchEvent(new Event("input"));
  },
  choose(id, value) {
    const field = document.querySelector("#" + id);
    field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  },
  // Chooses a language, and waits for its texts.
  async speak(tag) {
    test.form.choose("language", tag);
    while (document.documentElement.lang !== tag) await test.sleep(10);
  },
  openDetails: (open) => document.querySelectorAll("details").forEach((d) => (d.open = open)),
  // Counts the answers of the API, well or badly, from now on in test.answers, and in
  // test.running how many are awaited.
  countAnswers() {
    if (test.answers === undefined) {
      const { prototype } = undertone.Undertone, { generate } = prototype;
      test.running = 0;
      prototype.generate = async function (request) {
        test.running++;
        try {
          const result = await generate.call(this, request);
          test.made++;
          return result;
        } finally { test.running--; test.answers++; }
      };
    }
    test.answers = test.made = 0;
  },
  // Counts in test.drawings what is drawn on canvases from now on.
  countDrawings() {
    test.drawings = 0;
    const put = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (...a) { test.drawings++; return put.apply(this, a); };
  },
  // Scrolls an element into view; where its middle is.
  middle(selector) {
    const e = document.querySelector(selector);
    e.scrollIntoView({ block: "center", behavior: "instant" });
    const r = e.getBoundingClientRect();
    return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
  },
  // Drops what fill puts into a DataTransfer.
  drop(fill) {
    const dataTransfer = new DataTransfer();
    fill(dataTransfer);
    for (const type of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  },
  // Drops files of [name, content in base64].
  dropFiles: (files) => test.form.drop((t) => {
    for (const [name, content] of files) t.items.add(new File([test.bytes(content)], name, { type: { png: "image/png", jpg: "image/jpeg" }[name.split(".").at(-1)] ?? "" }));
  }),
  dropGIF: () => test.form.drop((t) => t.items.add(new File(["GIF89a"], "x.png", { type: "image/png" }))),
  dropZeros: (bytes) => test.form.drop((t) => t.items.add(new File([new Uint8Array(bytes)], "x.png"))),
  dropLink: (link) => test.form.drop((t) => { t.setData("text/uri-list", link); t.setData("text/plain", link); }),
  // Drops a file that is gone by the time it is read.
  dropVanishedFile() {
    const read = Blob.prototype.arrayBuffer;
    Blob.prototype.arrayBuffer = function () {
      Blob.prototype.arrayBuffer = read;
      return Promise.reject(new DOMException("gone", "NotFoundError"));
    };
    test.form.drop((t) => t.items.add(new File(["x"], "x.png")));
  },
  // Pastes text; whether the page leaves it to the browser.
  paste(target, text) {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    return target.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  },
  pasteIntoPrompt: (text) => test.form.paste(document.querySelector("#prompt"), text),
  // Presses a button twice, within the time in which what it says stays. In saidTwice is
  // whether it stays as long after the second press.
  sayTwice(id) {
    const at = performance.now(), stays = 6000, press = () => document.querySelector("#" + id).click();
    press();
    test.form.saidTwice = (async () => {
      await test.sleep(stays / 4);
      const again = performance.now();
      press();
      await test.drawn();
      while (document.querySelector("#action-note").textContent !== "") {
        if (performance.now() > at + stays + 300) return true;
        await test.sleep(20);
      }
      return performance.now() >= again + stays - 100;
    })();
  },
  note: () => document.querySelector("#note").textContent,
  // The fault that is shown, or "".
  alert: () => document.querySelector("#alert .alert").hidden ? "" : document.querySelector("#alert").textContent,
  // Presses the visible button with that text.
  button: (text) => [...document.querySelectorAll("button")].find((e) => e.textContent === text && e.checkVisibility()),
};
