// How the bundle is made: the web client and the operators' page, a script and a style of each and what they share, each named
// by its content; nothing that differs from run to run.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import solid from "vite-plugin-solid";
import { hashOfSources } from "./scripts/sources.mjs";

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Writes beside the bundle what it was made from, so that a test without Node finds out when it is stale; and what is long
 * a second time, compressed, as the server does not compress by itself.
 */
function beside(): Plugin {
  let folder = "";
  return {
    name: "beside",
    apply: "build",
    configResolved: (config) => {
      folder = config.build.outDir.startsWith("/") ? config.build.outDir : place(`./${config.build.outDir}`);
    },
    closeBundle: () => {
      writeFileSync(`${folder}/sources.sha256`, `${hashOfSources()}\n`);
      for (const name of readdirSync(`${folder}/assets`).filter((one) => /\.(js|css)$/.test(one))) {
        writeFileSync(`${folder}/assets/${name}.gz`, gzipSync(readFileSync(`${folder}/assets/${name}`), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [solid(), beside()],
  resolve: { alias: { "@rookery/client": place("../sdk/typescript/src/index.ts") } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    // What begins with `admin-` is served to operators only.
    rollupOptions: { input: { index: place("./index.html"), admin: place("./admin.html") } },
  },
  server: { proxy: { "/api": { target: process.env["ROOKERY_URL"] ?? "http://127.0.0.1:8080", ws: true } } },
});
