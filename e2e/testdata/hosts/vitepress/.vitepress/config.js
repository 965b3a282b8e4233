export default {
  title: "Pictures",
  head: [
    ["link", { rel: "stylesheet", href: "/undertone.css" }],
    ["script", { type: "module", src: "https://example.org/undertone/element.js" }],
  ],
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === "undertone-demo" } } },
};
