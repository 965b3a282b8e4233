// Lists in announced what every live region says and when, except faults, which interrupt.
addEventListener("DOMContentLoaded", () => {
  globalThis.announced = [];
  new MutationObserver((list) => {
    const live = "[role=status], [role=log], [role=timer], [role=marquee], output, [aria-live]:not([aria-live=off])";
    const regions = new Set(list.map(({ target }) => (target.closest ? target : target.parentElement)?.closest(live)));
    for (const r of regions) if (r?.textContent.trim()) announced.push({ at: performance.now(), region: r.id, text: r.textContent });
  }).observe(document, { childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
});
