export default {
  title: "Pictures",
  url: "https://docs.example.org",
  baseUrl: "/",
  stylesheets: ["/undertone.css"],
  scripts: [{ src: "https://example.org/undertone/element.js", type: "module" }],
  presets: [["classic", { docs: { routeBasePath: "/" }, blog: false }]],
  themeConfig: { colorMode: { respectPrefersColorScheme: true } },
};
