// One JSON Schema, as far as the server's documents use it, as a TypeScript type.

const OWN = "#/components/schemas/";
const RENAMED = { u64: "Seq", Millis: "Time" };

const named = (reference) => {
  if (!reference.startsWith(OWN)) throw new Error(`a reference to somewhere else: ${reference}`);
  const name = reference.slice(OWN.length);
  return RENAMED[name] ?? name;
};

/** The schemas that a part of a document refers to. */
export function names(part) {
  const found = new Set();
  const look = (value) => {
    if (Array.isArray(value)) value.forEach(look);
    else if (value && typeof value === "object") {
      if (typeof value.$ref === "string" && value.$ref.startsWith(OWN)) found.add(named(value.$ref));
      Object.values(value).forEach(look);
    }
  };
  look(part);
  return found;
}



/** The schemas under the names that the types have. */
export function renamed(schemas) {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [RENAMED[name] ?? name, schema]));
}

const comment = (text, indent) => (text ? `${indent}/** ${text.replaceAll("*/", "* /").replaceAll("\n", " ")} */\n` : "");

/** A schema as a type that can stand anywhere. */
export function typeOf(schema, indent = "") {
  if (schema.$ref) return named(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.oneOf) return schema.oneOf.map((one) => typeOf(one, indent)).join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => typeOf(one, indent)).join(" & ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(" | ");
  }
  switch (schema.type) {
    case "string":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array": {
      const item = typeOf(schema.items, indent);
      return item.includes(" ") ? `(${item})[]` : `${item}[]`;
    }
    case "object":
      return objectOf(schema, indent);
    default:
      return "unknown";
  }
}

function objectOf(schema, indent) {
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") {
    return `Record<string, ${typeOf(schema.additionalProperties, indent)}>`;
  }
  if (!schema.properties) return "Record<string, unknown>";
  return `{\n${fields(schema, `${indent}  `)}${indent}}`;
}

function fields(schema, indent) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties)
    .map(([name, property]) => {
      const always = required.has(name) || property.const !== undefined;
      const said = property.description ?? property.oneOf?.[0]?.description;
      return `${comment(said, indent)}${indent}${name}${always ? "" : "?"}: ${typeOf(property, indent)};\n`;
    })
    .join("");
}

/** A schema as a declaration of its own. */
export function declaration(name, schema) {
  const plain = schema.type === "object" && schema.properties && !schema.oneOf && !schema.allOf;
  const text = plain ? `export interface ${name} ${objectOf(schema, "")}\n` : `export type ${name} = ${typeOf(schema)};\n`;
  return comment(schema.description ?? SAID[name], "") + text;
}

const SAID = {
  Seq: "The place of an event in the log of its room: 1, 2, 3 …",
  Time: "A time as RFC 3339 in UTC with milliseconds.",
};
