// Makes the types of the wire from docs/openapi.json and docs/asyncapi.json; with `--check` it only compares.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { declaration, names, renamed, typeOf } from "./schema.mjs";

const docs = new URL("../../../docs/", import.meta.url);
const target = new URL("../src/generated/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, docs), "utf8"));

/** The schemas of both documents under one name each; two that differ under one name would be a mistake of the server. */
function together(openapi, asyncapi) {
  const all = { ...openapi.components.schemas };
  for (const [name, schema] of Object.entries(asyncapi.components.schemas)) {
    if (all[name] && JSON.stringify(all[name]) !== JSON.stringify(schema)) {
      throw new Error(`${name} is one thing in openapi.json and another in asyncapi.json`);
    }
    all[name] = schema;
  }
  return renamed(all);
}

/** Everything that is named from here on, and by what is named. */
function reachable(start, schemas) {
  const found = new Set();
  const open = [...names(start)];
  while (open.length > 0) {
    const name = open.pop();
    if (!found.has(name)) {
      found.add(name);
      open.push(...names(schemas[name]));
    }
  }
  return found;
}

const isAdmin = (path) => path.startsWith("/admin/");

function operations(openapi) {
  return Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

/** The routes that people use and that speak JSON. */
function routesOfPeople(openapi) {
  return operations(openapi).filter(({ path }) => path.startsWith("/api/v1/") && path !== "/api/v1/ws");
}

function heading(what, source) {
  return `// ${what}\n// Made from ${source} by \`npm run generate\`: not to be changed by hand.\n\n`;
}

/** The imports of the names that are used here and declared elsewhere. */
function imported(used, home, here) {
  const files = new Map();
  for (const name of [...used].sort()) {
    const file = home.get(name);
    if (file !== here) files.set(file, [...(files.get(file) ?? []), name]);
  }
  const lines = [...files.entries()]
    .sort()
    .map(([file, list]) => `import type { ${list.join(", ")} } from "./${file}.js";\n`)
    .join("");
  return lines && `${lines}\n`;
}

function schemaFile(what, source, here, schemas, home) {
  const own = [...home.keys()].filter((name) => home.get(name) === here).sort();
  const used = new Set(own.flatMap((name) => [...names(schemas[name])]));
  return heading(what, source) + imported(used, home, here) + own.map((name) => declaration(name, schemas[name])).join("\n");
}

const ROOT = "/api/v1/";

function routesFile(routes, home) {
  const used = new Set();
  const rows = [];
  const types = [];
  for (const { path, method, operation } of routes) {
    const name = operation.operationId;
    const body = operation.requestBody?.content?.["application/json"]?.schema;
    const answer = Object.entries(operation.responses)
      .filter(([status]) => status.startsWith("2"))
      .map(([, response]) => response.content?.["application/json"]?.schema)
      .find((schema) => schema !== undefined);
    for (const schema of [body, answer]) names(schema).forEach((found) => used.add(found));
    const parameters = operation.parameters ?? [];
    parameters.forEach((parameter) => names(parameter.schema).forEach((found) => used.add(found)));
    const of = (place) =>
      parameters
        .filter((parameter) => parameter.in === place)
        .map((parameter) => `${parameter.name}${parameter.required ? "" : "?"}: ${typeOf(parameter.schema)}`)
        .join("; ");
    // The name begins with the method, and all of them are under one root: said once, it need not be loaded often.
    if (!path.startsWith(ROOT) || !name.startsWith(`${method.toLowerCase()}_`)) throw new Error(`${name} is ${method} ${path}`);
    rows.push(`  ${name}: "${path.slice(ROOT.length)}",\n`);
    types.push(
      `  /** ${operation.summary ?? name} */\n  ${name}: {\n    path: { ${of("path")} };\n    query: { ${of("query")} };\n` +
        `    body: ${body ? typeOf(body) : "undefined"};\n    answer: ${answer ? typeOf(answer, "    ") : "undefined"};\n  };\n`,
    );
  }
  return (
    heading("The routes that people use: their paths, and what goes in and out.", "docs/openapi.json") +
    imported(used, home, "routes") +
    `/** What all paths begin with. */\nexport const ROOT = "${ROOT}";\n\n/** The path after that by the name of the operation, which begins with the method. */\nexport const ROUTES = {\n${rows.join("")}} as const;\n\n` +
    `/** What goes into each operation and what comes out. */\nexport interface Routes {\n${types.join("")}}\n`
  );
}

function framesFile(asyncapi, home) {
  const used = new Set();
  const parts = [];
  const unions = { client: [], server: [] };
  for (const [key, message] of Object.entries(asyncapi.components.messages)) {
    const side = key.startsWith("client_") ? "client" : "server";
    const words = message.name.split("_").map((word) => word[0].toUpperCase() + word.slice(1)).join("");
    const name = `${side === "client" ? "Client" : "Server"}${words}`;
    names(message.payload).forEach((found) => used.add(found));
    unions[side].push(name);
    parts.push(`/** ${message.summary} */\nexport type ${name} = ${typeOf(message.payload)};\n`);
  }
  const union = (name, members, what) =>
    `/** ${what} */\nexport type ${name} =\n${members.map((member) => `  | ${member}`).join("\n")};\n`;
  return (
    heading("The frames of the WebSocket.", "docs/asyncapi.json") +
    imported(used, home, "frames") +
    `${parts.join("\n")}\n` +
    `${union("ClientFrame", unions.client, "What a client says.")}\n` +
    union("ServerFrame", unions.server, "What the server says; a client ignores types that it does not know.")
  );
}

function files() {
  const openapi = read("openapi.json");
  const asyncapi = read("asyncapi.json");
  const schemas = together(openapi, asyncapi);
  const people = routesOfPeople(openapi);
  const parts = [
    ["live", asyncapi.components.messages],
    ["people", people.map(({ operation }) => operation)],
    ["admin", operations(openapi).filter(({ path }) => isAdmin(path)).map(({ operation }) => operation)],
  ];
  const home = new Map();
  for (const [file, start] of parts) {
    for (const name of reachable(start, schemas)) if (!home.has(name)) home.set(name, file);
  }
  const both = "docs/openapi.json and docs/asyncapi.json";
  return {
    "live.ts": schemaFile("What the frames of the WebSocket are made of.", both, "live", schemas, home),
    "people.ts": schemaFile("What REST takes from people and gives them.", both, "people", schemas, home),
    "admin.ts": schemaFile("What the admin endpoint takes and gives.", both, "admin", schemas, home),
    "routes.ts": routesFile(people, home),
    "frames.ts": framesFile(asyncapi, home),
  };
}

function present(name) {
  try {
    return readFileSync(new URL(name, target), "utf8");
  } catch {
    return "";
  }
}

const made = files();
if (process.argv.includes("--check")) {
  const stale = Object.keys(made).filter((name) => present(name) !== made[name]);
  if (stale.length > 0) {
    console.error(`not as docs/openapi.json and docs/asyncapi.json say: ${stale.join(", ")}; run \`npm run generate\``);
    process.exit(1);
  }
} else {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of Object.entries(made)) writeFileSync(new URL(name, target), text);
}
