export default {
  // The same in each build, so that addresses of chunks are.
  generateBuildId: () => "tests",
  // The packages lie in another folder, behind a link.
  turbopack: { root: "/" },
  outputFileTracingRoot: "/",
  images: { formats: ["image/avif", "image/webp"] },
};
