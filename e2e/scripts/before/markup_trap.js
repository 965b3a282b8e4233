// Catches dialogs, violations of the page's policy, and every element or attribute that
// only markup could have made. What index.html brings is left out; the page itself makes
// none of these.
{
  const caught = [];
  for (const name of ["alert", "confirm", "prompt", "open"]) globalThis[name] = () => caught.push(name);
  addEventListener("securitypolicyviolation", (e) => caught.push("policy: " + e.violatedDirective + " " + e.sample));
  const own = new WeakSet();
  document.addEventListener("readystatechange", () => {
    if (document.readyState !== "interactive") return;
    for (const e of document.querySelectorAll("*")) own.add(e);
    new MutationObserver((list) => {
      for (const { addedNodes } of list) for (const n of addedNodes) { look(n); n.querySelectorAll?.("*").forEach(look); }
    }).observe(document, { childList: true, subtree: true });
  });
  const foreign = /^(script|iframe|frame|frameset|object|embed|style|link|meta|base|a|form|video|audio|source|track|math|marquee|template|noscript|body|title|xmp|animate|set|use|image|foreignobject)$/i;
  const look = (e) => {
    if (own.has(e) || e.nodeType !== 1) return;
    const odd = [...e.attributes].some(({ name, value }) => /^on/i.test(name) || /^\s*(javascript|data|https?):/i.test(value) && /^(href|src|action|formaction|srcdoc|data|xlink:href)$/i.test(name));
    if (foreign.test(e.localName) || odd || e.localName === "img" && !e.src.startsWith("blob:")) caught.push("element: " + e.outerHTML.slice(0, 200));
  };
  // The first of what has been caught, once each.
  globalThis.caughtMarkup = () => {
    document.querySelectorAll("*").forEach(look);
    return [...new Set(caught)].slice(0, 10);
  };
}
