// Starts a WebAssembly program in the window: the page's (wasm/page), for the page and for
// the embed, or the Lab's.
import { compiled } from "./wasm.js";
import "./wasm_exec.js";

/** The page's program, and its hash. */
const page = [new URL("./page.wasm", import.meta.url).href, "./page.wasm#integrity"];

/** Files of texts in the languages that the program does not bring, and their hashes, by their tags. */
const languages = { "zh-Hans": [new URL("./zh.json", import.meta.url).href, "./zh.json#integrity"] };

async function texts(tag) {
  const [address, integrity] = languages[tag];
  const response = await fetch(address, { integrity });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.text();
}

/** Rejects where web/boot.js is there and the browser has not run it, as it is another file
 * than the one that the site was built with: who else says so? Without any, the page does. */
async function watched() {
  const script = document.querySelector("script[async]");
  const ran = () => "watched" in document.documentElement.dataset;
  await new Promise((done) => {
    if (ran() || document.readyState === "complete") done();
    for (const type of ["load", "error"]) script.addEventListener(type, done);
    addEventListener("load", done); // the script's own event may be over
  });
  if (ran()) return;
  const there = await fetch(script.src, { cache: "reload" }).then(({ ok }) => ok, () => false);
  if (there) throw new Error(`${script.src} is not the file that the site was built with`);
}

/** Says that web/boot.js is changed, as that says it of other files. */
function accuse() {
  const notice = document.querySelector("#broken");
  if (/^zh/i.test(navigator.language)) {
    notice.lang = "zh-Hans";
    notice.querySelectorAll("[data-zh]").forEach((e) => (e.textContent = e.dataset.zh));
  }
  notice.querySelector(".muted").textContent = "boot.js";
  notice.querySelector("button").onclick = () => location.reload();
  notice.hidden = false;
}

/** A model's description with the presets that the Lab saved for it on this device, where
 * there are any. */
function own(text) {
  try {
    const told = JSON.parse(text);
    const kept = JSON.parse(localStorage.getItem(`undertone.presets.${told.model}`));
    return JSON.stringify({ ...told, presets: [...told.presets, ...kept] });
  } catch {
    return text;
  }
}

/** Runs the program until it ends, which it does only where something fails.
 * @param {object} parts what it finds in the window under the name undertone
 * @param {() => void} begun is called when the program is about to run
 * @param {[string, string]} program its address, and its hash as fetch takes it */
export async function run(parts, begun = () => {}, [program, integrity] = page) {
  try {
    document.documentElement.dataset.state = "loading"; // web/boot.js waits for no more than this
    const go = new Go();
    const [module] = await Promise.all([
      compiled(program, integrity).catch((error) => {
        document.documentElement.dataset.lost = program; // web/boot.js names it
        throw error;
      }),
      watched().catch((error) => {
        accuse();
        throw error;
      }),
    ]);
    globalThis.undertone = { ...parts, texts, own };
    const instance = await WebAssembly.instantiate(module, go.importObject);
    begun();
    await go.run(instance);
    throw new Error("The page's program has ended.");
  } catch (error) {
    console.error(error);
    document.documentElement.dataset.state = "failed"; // web/boot.js says so
  }
}
