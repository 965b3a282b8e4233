// Assembles the kernels: node assemble.mjs FOLDER writes kernels.wasm, all of them with a
// product and a sum for fma, and relaxed.wasm, products of matrices with relaxed SIMD's
// fused one.
//
// The texts are WebAssembly's own, with two additions, both taken out before wabt sees them:
//
//	(define name (a b) body …)    (name x y) stands for the body, with x for a and y for b
//	(repeat i 6 body …)           the body six times, i being 0 … 5
//
// Within a word, {…} stands for the value of an expression of such names.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import initialize from "wabt";

const folder = import.meta.dirname;
const shared = ["memory", "functions", "product"];
const others = ["weights", "softmax", "norms", "rows", "winograd"];
const features = { simd: true, relaxed_simd: true, bulk_memory: true };

/** The trees of a text: words, and lists of trees. */
function parse(text, name) {
  const open = [[]];
  for (const [word] of text.matchAll(/;;.*|"[^"]*"|[()]|[^\s()";]+/g)) {
    if (word.startsWith(";;")) continue;
    if (word === "(") open.push([]);
    else if (word !== ")") open.at(-1).push(word);
    else {
      const list = open.pop();
      if (open.length === 0) throw new Error(`${name}: a parenthesis too many`);
      open.at(-1).push(list);
    }
  }
  if (open.length !== 1) throw new Error(`${name}: ${open.length - 1} parentheses are not closed`);
  return open[0];
}

/** What a list of trees stands for. values: trees by name, of parameters and of repeat. */
function expand(trees, values, defined) {
  return trees.flatMap((tree) => {
    if (typeof tree === "string") {
      if (values.has(tree)) return [values.get(tree)];
      return [tree.replace(/\{([^}]*)\}/g, (_, sum) => evaluate(sum, values))];
    }
    const [head, ...rest] = tree;
    if (head === "define") {
      const [name, parameters, ...body] = rest;
      defined.set(name, { parameters, body });
      return [];
    }
    if (head === "repeat") {
      const [name, times, ...body] = rest;
      const count = Number(values.get(times) ?? times);
      return Array.from({ length: count }, (_, i) => expand(body, new Map([...values, [name, String(i)]]), defined)).flat();
    }
    const macro = defined.get(head);
    if (!macro) return [expand(tree, values, defined)];
    const given = expand(rest, values, defined);
    if (given.length !== macro.parameters.length) throw new Error(`${head} takes ${macro.parameters.length} arguments and has ${given.length}`);
    return expand(macro.body, new Map(macro.parameters.map((p, i) => [p, given[i]])), defined);
  });
}

/** An expression of whole numbers and names. */
function evaluate(sum, values) {
  const names = [...values.keys()].filter((n) => /^\w+$/.test(n) && typeof values.get(n) === "string");
  const numbers = names.map((n) => (/^-?\d+$/.test(values.get(n)) ? Number(values.get(n)) : values.get(n)));
  return String(new Function(...names, `return ${sum}`)(...numbers));
}

const print = (tree) => (typeof tree === "string" ? tree : `(${tree.map(print).join(" ")})`);

const wabt = await initialize();
for (const [name, texts] of [["kernels", ["fma", ...shared, ...others]], ["relaxed", ["fma_relaxed", ...shared]]]) {
  const defined = new Map();
  const trees = texts.flatMap((t) => expand(parse(readFileSync(join(folder, `${t}.wat`), "utf8"), t), new Map(), defined));
  const module = wabt.parseWat(name, `(module ${trees.map(print).join("\n")})`, features);
  module.validate(features);
  writeFileSync(join(process.argv[2], `${name}.wasm`), module.toBinary({}).buffer);
}
